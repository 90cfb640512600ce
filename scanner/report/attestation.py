"""What an attestation says, as text for a person.

Its strings come from a signed file, and are escaped all the same. This module refuses to judge.
"""

from scanner.attest import Attested
from scanner.report.printable import printable

WIDTH = 100


def text(attested: Attested, path: str, head: str, key_id: str) -> str:
    """Return lines of at most WIDTH columns; ``head`` is what was done: VALID, ATTESTED."""
    rows = [
        ("verdict", str(attested.verdict)),
        ("scanned", f"{attested.time:%Y-%m-%dT%H:%M:%SZ} by keysift {attested.version}"),
        ("policy", attested.policy_sha256 or "none"),
        ("mode", attested.mode),
        ("accepted", ", ".join(attested.accepted) or "nothing"),
        ("set aside", _aside(attested)),
        ("signed by", key_id),
    ]
    lines = [f"{head:<9} {printable(path, WIDTH - 10)}"]
    lines += [f"  {label:<10}  {printable(value, WIDTH - 14)}" for label, value in rows]
    return "".join(f"{line}\n" for line in lines)


def _aside(attested: Attested) -> str:
    if attested.good_until is None:
        return str(attested.set_aside)
    return f"{attested.set_aside}, by leave until {attested.good_until}"
