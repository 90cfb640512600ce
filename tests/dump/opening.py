"""Archives opened into memory, and bytes judged, for the tests of the readers."""

import contextlib
import tempfile
from pathlib import Path

from scanner import correlate, dump, policy, rules
from scanner.dump import contents, source, storage
from scanner.dump.contents import Contents
from scanner.engine import scanning
from scanner.engine.scanning import ScanRequest
from scanner.model import DumpReport, Layout
from scanner.progress import Silence
from tests.dump.dump_bytes import file_of

RULES = rules.load()


def judged(data: bytes, *, raw: bool = False) -> list[DumpReport]:
    """Scan bytes in this process: the report on them, and on each dump within, all swept whole."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dump"
        path.write_bytes(data)
        request = ScanRequest(path=str(path), in_process=True, rules=RULES, raw=raw)
        scans = scanning.scan_all(request, Silence())
    reports = [policy.judge(scan, correlate.findings(scan, RULES)) for scan in scans]
    for report in reports:
        assert report.coverage.scanned_bytes == report.coverage.file_bytes
    return reports


def verdict(data: bytes, *, raw: bool = False) -> str:
    """Return the worst verdict of what is in bytes."""
    found = {report.verdict.value for report in judged(data, raw=raw)}
    return next(word for word in ("blocked", "incomplete", "pass") if word in found)


def opened(data: bytes) -> tuple[Contents, bytes, list[tuple[str, bytes, Layout]]]:
    """Open bytes; return what was found, the rest, and name, bytes and layout of each dump."""
    with contextlib.closing(storage.create_spill(None)) as spill, file_of(data) as file:
        found = contents.expand(
            file,
            spill,
            scratch=lambda: storage.create_spill(None),
            is_dump=dump.is_dump,
            max_bytes=1 << 30,
        )
        whole = source.File(spill.fd)
        rest = b"".join(whole.read(*piece) for piece in found.pieces)
        dumps = []
        for part in found.members:
            inner = source.File(spill.fd, part.pieces)
            dumps.append((part.name, inner.read(0, inner.size), dump.read_layout(inner)))
    return found, rest, dumps


def codes(found: Contents) -> set[str]:
    """Return the faults of an archive."""
    return {fault.code for fault in found.faults}


def memory(data: bytes, layout: Layout) -> list[tuple[int, bytes]]:
    """Return the bytes of each region."""
    return [(r.start, data[r.file_offset : r.file_offset + r.size]) for r in layout.regions]
