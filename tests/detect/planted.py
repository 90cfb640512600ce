"""Memory with some parts in it, scanned as a whole."""

from pathlib import Path

from fixtures import elfcore, noise
from scanner import rules
from scanner.engine.scanning import Scan, ScanRequest, scan
from scanner.model import Candidate
from scanner.progress import Silence

RULES = rules.load()


def scanned(folder: Path, *parts: bytes) -> Scan:
    """Scan a core in which each part stands in a place of its own, between zeros."""
    data = noise.mixed(24_576, 3)
    for index, part in enumerate(parts):
        data = noise.plant(data, 4096 * (2 * index + 1) - 8, bytes(8) + part + bytes(8))
    path = folder / "core"
    path.write_bytes(elfcore.write([elfcore.Segment(address=0x7F0000, data=data)]).data)
    return scan(ScanRequest(path=str(path), in_process=True, rules=RULES), Silence())


def private(found: Scan) -> list[Candidate]:
    """Return the private keys of a scan."""
    return [one for one in found.candidates if one.kind == "private-key"]
