"""Read dumps that others made, compare regions with what other readers see, and scan them.

    python benchmarks/check_readers.py FOLDER [--scan]

Opens every file of the folder as a scan does, layers and archives undone, in this process. Prints a
table by format: files, how many agree with pyelftools or minidump where those can read them, how
many have faults, the slowest, and each that does not agree. With --scan each file is scanned by the
real command too: a table by format with verdicts, the most CPU seconds of all processes together,
and the most memory of one of them. Exits 1 if any does not agree, if any raises or has no verdict,
if any takes over 5 s, or if a process takes over 512 MB.
"""

import argparse
import io
import json
import logging
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile
from minidump.minidumpfile import MinidumpFile

from scanner import dump
from scanner.dump import contents, source, storage
from scanner.dump.ledger import ledger
from scanner.dump.source import File
from scanner.model import Layout

MOST_SECONDS, MOST_BYTES = 5.0, 512 << 20
RSS_UNIT = 1 if sys.platform == "darwin" else 1024
CODES = {"blocked": 1, "incomplete": 3, "pass": 0}

Ranges = set[tuple[int, int, int]]


def main() -> int:
    """Read every file of the folder and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scan", action="store_true")
    options = parser.parse_args()
    logging.disable()  # minidump tells of what it cannot find
    counts: dict[str, Counter[str]] = {}
    wrong = 0
    for path in sorted(options.folder.iterdir()):
        start = time.monotonic()
        try:
            read = list(layouts(path))
        except Exception as error:  # noqa: BLE001 - any at all is what is looked for
            print(f"{path.name}: raised {type(error).__name__}")
            wrong += 1
            continue
        took = time.monotonic() - start
        wrong += took > MOST_SECONDS
        for layout, data in read:
            row = counts.setdefault(layout.format, Counter())
            row["files"] += 1
            row["faults"] += bool(layout.faults)
            row["ms"] = max(row["ms"], round(took * 1000))
            said = compare(layout, data)
            row[said] += 1
            if said == "differ":
                print(f"{path.name}: {layout.format} regions differ")
                wrong += 1
    print(f"{'format':<12}{'files':>7}{'agree':>7}{'differ':>8}{'no oracle':>11}{'faults':>8}")
    for name, row in sorted(counts.items()):
        line = f"{row['files']:>7}{row['agree']:>7}{row['differ']:>8}{row['no oracle']:>11}"
        print(f"{name:<12}{line}{row['faults']:>8}  slowest {row['ms']} ms")
    if options.scan:
        wrong += scan(sorted(options.folder.iterdir()))
    return 1 if wrong or _too_large() else 0


def scan(paths: list[Path]) -> int:
    """Scan each file by the real command and print the table; return how many went wrong."""
    counts: dict[str, Counter[str]] = {}
    wrong = 0
    for path in paths:
        code, reports, seconds, size = scanned(path)
        words = {report["verdict"] for report in reports}
        swept = all(
            report["coverage"]["scanned_bytes"] == report["coverage"]["file_bytes"]
            for report in reports
        )
        worst = next((word for word in CODES if word in words), "none")
        if CODES.get(worst) != code or not swept or seconds > MOST_SECONDS or size > MOST_BYTES:
            print(f"{path.name}: exit {code}, {worst}, {seconds:.1f} s, {size >> 20} MB")
            wrong += 1
        row = counts.setdefault("+".join(sorted({r["format"] for r in reports})), Counter())
        row["files"] += 1
        row[worst] += 1
        row["ms"] = max(row["ms"], round(seconds * 1000))
        row["MB"] = max(row["MB"], size >> 20)
    print(f"{'format':<24}{'files':>7}{'pass':>7}{'incomplete':>12}{'blocked':>9}{'s':>7}{'MB':>6}")
    for name, row in sorted(counts.items()):
        line = f"{row['files']:>7}{row['pass']:>7}{row['incomplete']:>12}{row['blocked']:>9}"
        print(f"{name:<24}{line}{row['ms'] / 1000:>7.1f}{row['MB']:>6}")
    return wrong


def scanned(path: Path) -> tuple[int, list[dict[str, Any]], float, int]:
    """Scan a file: exit code, reports, CPU seconds of all processes, bytes of the largest one."""
    command = [sys.executable, "-m", "scanner", "scan", "-j", "1", "-f", "json", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = used.ru_utime + used.ru_stime
    return process.returncode, json.loads(said)["dumps"], seconds, used.ru_maxrss * RSS_UNIT


def layouts(path: Path) -> Iterator[tuple[Layout, bytes]]:
    """Yield the layout and bytes of each dump that a file is or holds."""
    spill = storage.create_spill(None)
    with source.open_file(str(path)) as given:
        inside = contents.expand(
            given,
            spill,
            scratch=lambda: storage.create_spill(None),
            is_dump=dump.is_dump,
            max_bytes=1 << 36,
        )
    ranges = [part.pieces for part in inside.members]
    if not inside.archive:
        ranges.append(inside.pieces)
    for pieces in ranges:
        file = File(spill.fd, pieces)
        layout = dump.read_layout(file)
        total = sum(size for _, size in ledger(layout, file.size))
        assert total == file.size, "the ledger does not sum up"
        yield layout, file.read(0, file.size) if layout.format in ORACLES else b""
    spill.close()


def compare(layout: Layout, data: bytes) -> str:
    """Say whether the regions are those that another reader sees, where there is one."""
    ours = {(r.start, r.size, r.file_offset) for r in layout.regions}
    oracle = ORACLES.get(layout.format)
    if oracle is None:
        return "no oracle"
    try:
        theirs = oracle(data)
    except Exception:  # noqa: BLE001 - the other reader does not know what to do
        return "no oracle"
    return "agree" if theirs <= ours else "differ"


def elf_ranges(data: bytes) -> Ranges:
    """Return what pyelftools says of PT_LOADs, cut to the file."""
    found: Ranges = set()
    for segment in ELFFile(io.BytesIO(data)).iter_segments():
        size = min(segment["p_filesz"], max(len(data) - segment["p_offset"], 0))
        if segment["p_type"] == "PT_LOAD" and size > 0:
            found.add((segment["p_vaddr"], size, segment["p_offset"]))
    return found


def minidump_ranges(data: bytes) -> Ranges:
    """Return what minidump says of its memory lists, cut to the file."""
    read = MinidumpFile.parse_bytes(data)
    lists = (read.memory_segments, read.memory_segments_64)
    found: Ranges = set()
    for segment in (s for entry in lists if entry for s in entry.memory_segments):
        at = segment.start_file_address
        size = min(segment.size, max(len(data) - at, 0))
        if size > 0:
            found.add((segment.start_virtual_address, size, at))
    return found


ORACLES = {"elfcore": elf_ranges, "minidump": minidump_ranges}


def _too_large() -> bool:
    try:
        import resource  # noqa: PLC0415 - not every system has it
    except ImportError:
        return False
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT
    print(f"most memory: {used >> 20} MB")
    return used > MOST_BYTES


if __name__ == "__main__":
    sys.exit(main())
