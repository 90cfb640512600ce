"""JSON as every report of ours is written: ASCII, and nothing in it that acts on a terminal."""

import json
from typing import Any


def written(table: dict[str, Any]) -> str:
    """Return an object, ended by a line feed; keys in the order in which they stand."""
    text = json.dumps(table, indent=1, ensure_ascii=True, allow_nan=False)
    # DEL is ASCII and json leaves it as it is; outside of strings it cannot stand.
    return text.replace("\x7f", "\\u007f") + "\n"


def unicode(text: str) -> str:
    """Write lone surrogates out as backslash escapes: strict readers refuse them in JSON."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
