"""Read dumps that others made, and compare their regions with what other readers see.

    python benchmarks/check_readers.py FOLDER

Opens every file of the folder as a scan does, layers and archives undone, in this process. Prints a
table by format: files, how many agree with pyelftools or minidump where those can read them, how
many have faults, the slowest, and each that does not agree. Exits 1 if any does not, if any raises,
if any takes over 5 s, or if all together take over 512 MB.
"""

import argparse
import io
import logging
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from elftools.elf.elffile import ELFFile
from minidump.minidumpfile import MinidumpFile

from scanner import dump
from scanner.dump import contents, source
from scanner.dump.ledger import ledger
from scanner.dump.source import File
from scanner.model import Layout

MOST_SECONDS, MOST_BYTES = 5.0, 512 << 20

Ranges = set[tuple[int, int, int]]


def main() -> int:
    """Read every file of the folder and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
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
    return 1 if wrong or _too_large() else 0


def layouts(path: Path) -> Iterator[tuple[Layout, bytes]]:
    """Yield the layout and bytes of each dump that a file is or holds."""
    spill = source.create_spill(None)
    with source.open_file(str(path)) as given:
        inside = contents.expand(
            given,
            spill,
            scratch=lambda: source.create_spill(None),
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
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1024 if sys.platform != "darwin" else 1
    )
    print(f"most memory: {used >> 20} MB")
    return used > MOST_BYTES


if __name__ == "__main__":
    sys.exit(main())
