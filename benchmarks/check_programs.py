"""Scan all programs and libraries of this machine: what they carry, every process has.

    python benchmarks/check_programs.py FOLDER [--least 20000] [--jobs N] [ROOT ...]

Puts every ELF file under the roots (by default /usr), one behind the other, into a file in the
folder, scans that as raw bytes by the real command, and deletes it. Prints each private key that is
not published, in which file it stands, and how many are: a false one, or one for a list in
``rules/published`` (``fixtures/published.py``). Exits 1 if there are any, or if the scan is
incomplete.
"""

import argparse
import json
import os
import subprocess
import sys
from bisect import bisect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ELF = b"\x7fELF"
PAGE = 4096


def main() -> int:
    """Gather the files, scan them, and say what stands where."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("roots", nargs="*", type=Path, default=[Path("/usr")])
    parser.add_argument("--least", type=int, default=20_000, help="bytes of a file")
    parser.add_argument("--jobs", default="2")
    options = parser.parse_args()
    path = options.folder / "programs.raw"
    try:
        starts, names = gathered(path, programs(options.roots, options.least))
        print(f"{len(names)} files, {path.stat().st_size / 1e9:.2f} GB")
        dump = scan(path, options.jobs)
    finally:
        path.unlink(missing_ok=True)
    keys = [finding for finding in dump["findings"] if finding["kind"] == "private-key"]
    for finding in keys:
        place = finding["occurrences"][0]
        where = names[bisect(starts, place["extents"][0]["file_offset"]) - 1]
        print(
            f"{finding['rule']} {finding['curve'] or finding['algorithm']} {finding['bits']} "
            f"{finding['confidence']} {finding['fingerprint']['value'][:16]} "
            f"{place['encoding']} in {where}"
        )
    print(f"{dump['verdict']}; {len(keys)} not published, {len(dump['suppressed'])} published")
    return 1 if keys or dump["verdict"] == "incomplete" else 0


def programs(roots: list[Path], least: int) -> Iterator[Path]:
    """Yield the ELF files of a size under some roots, each file once, in order."""
    seen: set[tuple[int, int]] = set()
    for root in roots:
        for path in sorted(root.rglob("*")):
            if path.is_symlink() or not path.is_file():
                continue
            told = path.stat()
            if told.st_size < least or (told.st_dev, told.st_ino) in seen:
                continue
            seen.add((told.st_dev, told.st_ino))
            if os.access(path, os.R_OK) and is_elf(path):
                yield path


def is_elf(path: Path) -> bool:
    """Tell by its first bytes whether a file is a program or a library."""
    with path.open("rb") as file:
        return file.read(len(ELF)) == ELF


def gathered(path: Path, files: Iterator[Path]) -> tuple[list[int], list[Path]]:
    """Write files one behind the other, at multiples of a page: where each begins, and its name."""
    starts, names = [], []
    with path.open("wb") as out:
        for file in files:
            starts.append(out.tell())
            names.append(file)
            out.write(file.read_bytes())
            out.write(bytes(-out.tell() % PAGE))
    return starts, names


def scan(path: Path, jobs: str) -> dict[str, Any]:
    """Return the report's entry on the file."""
    command = [sys.executable, "-m", "scanner", "scan", "--raw", "-f", "json", "-j", jobs]
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run([*command, str(path)], capture_output=True, check=False, cwd=root)
    entry: dict[str, Any] = json.loads(done.stdout)["dumps"][0]
    return entry


if __name__ == "__main__":
    sys.exit(main())
