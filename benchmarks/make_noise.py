"""Make a large core of noise, without or with one private key: what must be silent, and what found.

    python benchmarks/make_noise.py random|heap --bytes 1e9 --output noise.core [--key rsa|ec]

``random`` is random bytes throughout. ``heap`` is what an allocator lays out: random objects of 32
to 512 bytes, each behind a header of 16 bytes (the size of the one before, and its own, as glibc
has them). The key's private number (RSA: p, q and n, each an object of its own; EC: the scalar
and the point) are objects among the others, in the middle of the file; the key is that of
``fixtures``, made for tests. The seed is fixed: the same command makes the same file.
"""

import argparse
import random
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.make_mix import EXTENT, header
from fixtures import keys

ALIGN = 16
FLAGS = 1
"""PREV_INUSE, in the low bits of a chunk's size (malloc.c)."""


def objects(key: str) -> list[bytes]:
    """Return the numbers of a key as little-endian limbs, those that witness it among them."""
    if key == "rsa":
        rsa = keys.rsa_key(2048, label="noise")
        rows = [(rsa.p, 128), (rsa.q, 128), (rsa.n, 256)]
    elif key == "ec":
        ec = keys.ec_key("P-256", label="noise")
        rows = [(ec.d, 32), (ec.x | ec.y << 256, 64)]
    else:
        rows = []
    return [number.to_bytes(size, "little") for number, size in rows]


def chunk(data: bytes, before: int) -> bytes:
    """Put an object behind its header."""
    size = (len(data) + 8 + ALIGN - 1) // ALIGN * ALIGN
    return struct.pack("<QQ", before, size + ALIGN | FLAGS) + data.ljust(size, b"\0")


def heap(seed: int, planted: list[bytes]) -> bytes:
    """Return one extent of objects, the planted ones in its middle."""
    source = random.Random(seed)
    made, size, before, middle = [], 0, 0, bool(planted)
    while size < EXTENT:
        rows = [source.randbytes(source.randint(32, 512))]
        if middle and size > EXTENT // 2:
            rows, middle = planted, False
        for data in rows:
            made.append(chunk(data, before))
            before = len(made[-1])
            size += before
    return b"".join(made)[:EXTENT]


def uniform(seed: int, planted: list[bytes]) -> bytes:
    """Return one extent of random bytes, the planted ones in its middle."""
    data = random.Random(seed).randbytes(EXTENT)
    put = b"".join(planted)
    return data[: EXTENT // 2] + put + data[EXTENT // 2 + len(put) :]


def extents(kind: str, count: int, key: str) -> Iterator[bytes]:
    """Yield all extents of a file."""
    make = heap if kind == "heap" else uniform
    for index in range(count):
        yield make(index, objects(key) if index == count // 2 else [])


def main() -> None:
    """Write the core."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=("random", "heap"))
    parser.add_argument("--bytes", type=float, default=1e9)
    parser.add_argument("--key", choices=("rsa", "ec"), default="")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    count = max(round(arguments.bytes / EXTENT), 1)
    with arguments.output.open("wb") as file:
        file.write(header(count * EXTENT))
        for extent in extents(arguments.kind, count, arguments.key):
            file.write(extent)
    print(f"{count * EXTENT} bytes of {arguments.kind}: {arguments.output}")


if __name__ == "__main__":
    main()
