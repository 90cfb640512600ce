"""Make a large core of the non-zero pages of real dumps: what a scan's speed is measured on.

    python benchmarks/make_mix.py --bytes 1e9 --output mix.core DUMP [DUMP ...]

Most of a core of a managed runtime is zeros and would flatter a scanner that skips them, so only
pages with a byte in them are taken, gathered into extents of 1 MiB, shuffled with a fixed seed,
repeated until the size is reached, and put behind an ELF header with one PT_LOAD. A repeated extent
stands at another address each time, so that nothing is adjacent that was not.
"""

import argparse
import random
import struct
from collections.abc import Iterator
from pathlib import Path

PAGE = 4096
EXTENT = 1 << 20
BASE = 0x7F00_0000_0000


def filled_pages(path: Path) -> Iterator[bytes]:
    """Yield the pages of a file that are not all zeros."""
    zero = bytes(PAGE)
    with path.open("rb") as file:
        while page := file.read(PAGE):
            if len(page) == PAGE and page != zero:
                yield page


def extents(paths: list[Path]) -> list[bytes]:
    """Gather the filled pages of several dumps into extents of 1 MiB, shuffled."""
    gathered: list[bytes] = []
    parts: list[bytes] = []
    for path in paths:
        for page in filled_pages(path):
            parts.append(page)
            if len(parts) == EXTENT // PAGE:
                gathered.append(b"".join(parts))
                parts = []
    random.Random(1).shuffle(gathered)
    return gathered


def header(size: int) -> bytes:
    """Return one page: an ELF64 core header and its single PT_LOAD."""
    ident = b"\x7fELF" + bytes((2, 1, 1)) + bytes(9)
    ehdr = ident + struct.pack("<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    phdr = struct.pack("<IIQQQQQQ", 1, 6, PAGE, BASE, 0, size, size, PAGE)
    return (ehdr + phdr).ljust(PAGE, b"\0")


def main() -> None:
    """Write the core."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dumps", nargs="+", type=Path)
    parser.add_argument("--bytes", type=float, default=1e9)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    gathered = extents(arguments.dumps)
    count = max(round(arguments.bytes / EXTENT), 1)
    with arguments.output.open("wb") as file:
        file.write(header(count * EXTENT))
        for index in range(count):
            file.write(gathered[index % len(gathered)])
    print(f"{count * EXTENT} bytes of {len(gathered)} different extents: {arguments.output}")


if __name__ == "__main__":
    main()
