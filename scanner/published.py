"""Keys that are public knowledge: proven, and no secret.

Libraries carry test keys for their self-tests and benchmarks, and standards print them as examples.
Whoever holds such a program's memory holds them too, and nothing is lost. They are told by the
SHA-256 of their public half alone, listed in ``rules/published/*.toml`` with where each stands; the
list is made from the programs and documents themselves, and a key may name a source of its own;
keys of one name and source may share a row.
This module refuses private halves.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from scanner.errors import RuleError

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One published key."""

    fingerprint: str
    """SHA-256 of its SubjectPublicKeyInfo."""
    name: str
    source: str
    """Where it stands for everybody to read."""


def load(folder: Path | None = None) -> dict[str, Published]:
    """Return the published keys by fingerprint. Raises RuleError for a list that is none.

    Without a ``folder``, those that came with the program.
    """
    here = Path(__file__).resolve().parent
    rules = here / "_rules"
    folder = folder or (rules if rules.is_dir() else here.parent / "rules") / "published"
    keys: dict[str, Published] = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            table = tomllib.loads(path.read_text("utf-8"))
            rows = [
                (fingerprint, row["name"], row.get("source", table["source"]))
                for row in table["keys"]
                for fingerprint in row.get("fingerprints") or (row["fingerprint"],)
            ]
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise _refused(path, type(error).__name__) from error
        for fingerprint, name, source in rows:
            if not _FINGERPRINT.fullmatch(str(fingerprint)):
                raise _refused(path, f"the fingerprint of {name} is no SHA-256")
            keys[fingerprint] = Published(fingerprint=fingerprint, name=name, source=source)
    return keys


def _refused(path: Path, reason: str) -> RuleError:
    return RuleError(
        f"the list of published keys {path.name} cannot be used",
        reason=reason,
        hint="install keysift again",
    )
