"""Cut dumps and turn bits of their tables: a verdict each time, in time, and none too mild.

    python benchmarks/check_damage.py [--cuts 200] [--flips 200] [FILE ...]

Of each file, compressed or not, by default the real dumps of fixtures/real: as many cuts at the
edges that its tables have, as many anywhere, and as many bits of headers and tables turned. Each is
scanned whole in this process. Prints a row a file. Exits 1 if a scan raises, takes over 5 s of CPU
time, leaves a byte unswept, passes a cut that lost what a table claims, or if a turned bit lets
pass a dump that holds a key.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

from fixtures import real
from scanner import dump
from scanner.dump import unpack
from tests import damage
from tests.dump.dump_bytes import file_of
from tests.dump.opening import verdict

MOST_SECONDS = 5.0


def content(path: Path) -> bytes:
    """Return the bytes of a file, its layers undone."""
    with file_of(path.read_bytes()) as file:
        return b"".join(unpack.peel(unpack.copy_file(file), max_bytes=1 << 30).pieces)


def said(data: bytes, slowest: list[float]) -> str:
    """Return the verdict on bytes, or why there is none."""
    start = time.process_time()
    try:
        return verdict(data)
    except Exception as error:  # noqa: BLE001 - any at all is what is looked for
        return f"raised {type(error).__name__}"
    finally:
        slowest[0] = max(slowest[0], time.process_time() - start)


def main() -> int:
    """Damage every file and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--cuts", type=int, default=200)
    parser.add_argument("--flips", type=int, default=200)
    options = parser.parse_args()
    failed = False
    for path in options.files or map(real.path, real.names()):
        data, slowest = content(path), [0.0]
        whole = said(data, slowest)
        with file_of(data) as file:
            layout = dump.read_layout(file)
        claimed = damage.needed(layout)
        counts: Counter[str] = Counter()
        wrong: list[str] = []
        for size in damage.cuts(layout, len(data), options.cuts, seed=1):
            answer = said(data[:size], slowest)
            counts[f"cut: {answer}"] += 1
            if "raised" in answer or (answer == "pass" and size < claimed):
                wrong.append(f"cut to {size}: {answer}")
        for at, changed in damage.flipped(data, layout, options.flips, seed=2):
            answer = said(changed, slowest)
            counts[f"bit: {answer}"] += 1
            if "raised" in answer or (whole == "blocked" and answer == "pass"):
                wrong.append(f"bit of {at}: {answer}")
        if slowest[0] > MOST_SECONDS:
            wrong.append("too slow")
        row = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
        print(f"{path.name}: {whole}; {row}; slowest {slowest[0]:.1f} s", *wrong, sep="\n  ")
        failed |= bool(wrong)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
