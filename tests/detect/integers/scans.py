"""A scan of bytes as they are, for tests of numbers that nothing announces."""

from pathlib import Path

from scanner import rules
from scanner.engine.scanning import Scan, ScanRequest, scan
from scanner.model import Candidate
from scanner.progress import Silence
from scanner.stages.calls import TOKENS

RULES = tuple(rule for rule in rules.load() if rule.detector != TOKENS)
"""All but those of tokens, for which a library loads thousands of its own wherever hex stands."""


def scanned(folder: Path, data: bytes, *, deep: bool = False) -> Scan:
    """Scan bytes as they are."""
    path = folder / "dump"
    path.write_bytes(data)
    request = ScanRequest(path=str(path), in_process=True, rules=RULES, deep=deep)
    return scan(request, Silence())


def private(candidates: tuple[Candidate, ...], spki: str) -> list[Candidate]:
    """Keep what tells a private key."""
    return [c for c in candidates if c.fingerprint.value == spki and c.kind == "private-key"]
