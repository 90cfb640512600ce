"""JSON as every report of ours is written: ASCII, and nothing in it that acts on a terminal."""

import io
import json
from typing import Any

_ENCODER = json.JSONEncoder(indent=1, ensure_ascii=True, allow_nan=False)


def written(table: dict[str, Any]) -> str:
    """Return an object, ended by a line feed; keys in the order in which they stand."""
    text = io.StringIO()
    for piece in _ENCODER.iterencode(table):  # encode() would keep all pieces, five times the text
        text.write(piece)
    text.write("\n")
    # DEL is ASCII and json leaves it as it is; outside of strings it cannot stand.
    return text.getvalue().replace("\x7f", "\\u007f")
