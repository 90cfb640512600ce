r"""Make a large core of real memory: what speed, memory and recall are measured on.

    python benchmarks/make_mix.py --bytes 1e9 --output dense.core DUMP [DUMP ...]
    python benchmarks/make_mix.py --bytes 1.5e9 --zeros 0.3 --duplicates 0.05 --random 0.03 \
        --libraries 0.1 --plant --output mix.core DUMP [DUMP ...]

Most of a core of a managed runtime is zeros and would flatter a scanner that skips them, so only
pages with a byte in them are taken, gathered into extents of 1 MiB and shuffled with a fixed seed.
How many zero pages (in runs), repeated pages, random extents and extents of this machine's shared
libraries stand among them is the command's to say. ``--plant`` puts the keys and tokens of
``planted.py`` at fixed places and writes what stands where to OUTPUT.json, with the real shares. An
ELF header with one PT_LOAD comes first. The same dumps and options give the same bytes. Where the
dumps hold too little, their extents are repeated, and the shares say so.
"""

import argparse
import json
import random
import struct
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

PAGE = 4096
EXTENT = 1 << 20
PAGES = EXTENT // PAGE
BASE = 0x7F00_0000_0000
LIBRARIES = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib")
LONGEST_RUN = 64
"""Pages of a run of zeros or of repeated pages."""

Pages = npt.NDArray[np.uint8]
"""(n, 4096): the pages of a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Parts of a file, 0 to 1: of its pages (zeros, duplicates) and of its extents (the others)."""

    zeros: float = 0.0
    duplicates: float = 0.0
    random: float = 0.0
    libraries: float = 0.0


def pages_of(path: Path) -> Pages:
    """Return a file's whole pages, mapped."""
    mapped = np.memmap(path, np.uint8, "r")
    return mapped[: len(mapped) // PAGE * PAGE].reshape(-1, PAGE)


def filled(pages: Pages) -> npt.NDArray[np.intp]:
    """Return the numbers of the pages that are not all zeros."""
    step = 16 * PAGES
    return np.concatenate(
        [
            np.flatnonzero(pages[first : first + step].view(np.uint64).any(axis=1)) + first
            for first in range(0, len(pages), step)
        ]
    )


def extents_of(paths: list[Path]) -> list[tuple[Pages, npt.NDArray[np.intp]]]:
    """Return extents of filled pages as (a file's pages, which of them), none over two files."""
    found = []
    for path in paths:
        pages = pages_of(path)
        if len(pages):
            full = filled(pages)
            found += [
                (pages, full[first : first + PAGES])
                for first in range(0, len(full) - PAGES + 1, PAGES)
            ]
    return found


def libraries(count: int) -> list[Path]:
    """Return shared libraries of this machine, ``count`` extents of them, the largest first."""
    folder = next((path for name in LIBRARIES if (path := Path(name)).is_dir()), None)
    listed = folder.glob("*.so*") if folder else ()
    files = {path.resolve() for path in listed if path.is_file()}
    chosen, size = [], 0
    for path in sorted(files, key=lambda path: (-path.stat().st_size, path.name)):
        if size >= count * EXTENT:
            break
        chosen.append(path)
        size += path.stat().st_size // EXTENT * EXTENT
    return chosen


def extents(paths: list[Path], count: int, shares: Shares) -> Iterator[Pages]:
    """Yield ``count`` extents, shuffled, without zeros and repeated pages."""
    source = random.Random(1)
    strange = round(count * shares.random)
    shared = round(count * shares.libraries)
    real = extents_of(paths)
    source.shuffle(real)
    foreign = extents_of(libraries(shared)) if shared else []
    picked: list[tuple[Pages, npt.NDArray[np.intp]] | None] = [None] * strange
    picked += [foreign[index % len(foreign)] for index in range(shared)]
    picked += [real[index % len(real)] for index in range(count - strange - shared)]
    source.shuffle(picked)
    for one in picked:
        if one is None:
            yield np.frombuffer(bytearray(source.randbytes(EXTENT)), np.uint8).reshape(-1, PAGE)
        else:
            yield one[0][one[1]]


def thinned(whole: Iterator[Pages], shares: Shares) -> Iterator[Pages]:
    """Put runs of zero pages and of pages seen before in the place of others."""
    source = random.Random(2)
    kinds = (("zeros", shares.zeros), ("duplicates", shares.duplicates))
    owed = {"zeros": 0.0, "duplicates": 0.0}
    seen = np.zeros((0, PAGE), np.uint8)
    for pages in whole:
        free = np.ones(PAGES, np.bool_)
        for kind, share in kinds:
            owed[kind] += share * PAGES
            while owed[kind] >= 1 and free.any():
                size = min(source.randint(1, LONGEST_RUN), int(owed[kind]))
                first = source.randrange(PAGES)
                at = (np.arange(first, min(first + size, PAGES)))[free[first : first + size]]
                if kind == "duplicates":
                    if not len(seen):
                        break
                    pages[at] = seen[np.arange(len(at)) % len(seen)]
                else:
                    pages[at] = 0
                free[at] = False
                owed[kind] -= len(at)
        if free.any():
            seen = pages[free].copy()
        yield pages


def header(size: int) -> bytes:
    """Return one page: an ELF64 core header and its single PT_LOAD."""
    ident = b"\x7fELF" + bytes((2, 1, 1)) + bytes(9)
    ehdr = ident + struct.pack("<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    phdr = struct.pack("<IIQQQQQQ", 1, 6, PAGE, BASE, 0, size, size, PAGE)
    return (ehdr + phdr).ljust(PAGE, b"\0")


def measured(path: Path) -> dict[str, float]:
    """Return the shares of a file's pages that are zeros, and that repeat an earlier one."""
    pages = pages_of(path)[1:]
    zero, sums = 0, []
    weights = np.random.default_rng(3).integers(1, 1 << 63, PAGE // 8, np.uint64) | np.uint64(1)
    for first in range(0, len(pages), 16 * PAGES):
        words = pages[first : first + 16 * PAGES].view(np.uint64)
        full = words[words.any(axis=1)]
        zero += len(words) - len(full)
        sums.append((full * weights).sum(axis=1, dtype=np.uint64))
    different = len(np.unique(np.concatenate(sums)))
    total = len(pages)
    return {"zeros": zero / total, "duplicates": (total - zero - different) / total}


def plant(path: Path, size: int) -> list[dict[str, object]]:
    """Put each object somewhere in a slot of its own, and return what stands where."""
    from benchmarks import planted  # noqa: PLC0415 - a dense mix needs no keys

    source = random.Random(4)
    table = planted.objects()
    slot = size // len(table) // 16 * 16
    rows: list[dict[str, object]] = []
    with path.open("r+b") as file:
        for index, item in enumerate(table):
            room = slot - len(item.data) - 16
            within = index * slot + source.randrange(room) // 16 * 16 + item.shift
            file.seek(PAGE + within)
            file.write(item.placed(BASE + within))
            size_of = len(item.data) - item.witness
            rows.append({**asdict(item.truth), "offset": PAGE + within, "size": size_of})
    return rows


def main() -> None:
    """Write the core."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dumps", nargs="+", type=Path)
    parser.add_argument("--bytes", type=float, default=1e9)
    for share in ("zeros", "duplicates", "random", "libraries"):
        parser.add_argument(f"--{share}", type=float, default=0.0)
    parser.add_argument("--plant", action="store_true")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    shares = Shares(
        zeros=arguments.zeros,
        duplicates=arguments.duplicates,
        random=arguments.random,
        libraries=arguments.libraries,
    )
    make(arguments.dumps, arguments.output, int(arguments.bytes), shares, planted=arguments.plant)
    print(f"{arguments.output.stat().st_size} bytes: {arguments.output}")


def make(
    dumps: list[Path], output: Path, size: int, shares: Shares, *, planted: bool = False
) -> None:
    """Write a mix of about ``size`` bytes, and what was planted in it beside it."""
    count = max(round(size / EXTENT), 1)
    with output.open("wb") as file:
        file.write(header(count * EXTENT))
        for pages in thinned(extents(dumps, count, shares), shares):
            file.write(pages.tobytes())
    if planted:
        rows = plant(output, count * EXTENT)
        told = {"bytes": output.stat().st_size, "shares": measured(output), "planted": rows}
        output.with_name(f"{output.name}.json").write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
