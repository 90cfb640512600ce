"""Learn the tables of ``detect/integers/likelihood.py`` from what is no key, though it looks so.

    python benchmarks/learn_likelihood.py DUMP [DUMP ...]

Takes the dumps of ``make_negatives.py`` or others of ordinary programs, gathers the first 24 bytes
of each run of three words and more that could be random by their words, each piece once, and counts
byte values and steps between neighbours. Some of these are random: their share is estimated from
the pieces that score as random ones do, and taken out, in a few rounds. Prints both tables in
quarter bits of evidence for random, as the module holds them, and how well they agree with it.
"""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scanner.detect.integers import likelihood, limbs

Bytes = npt.NDArray[np.uint8]

CHUNK = 1 << 22
PIECE = 24
ROUNDS = 8
MOST = 60
"""Quarter bits that one value says at most."""


def pieces(path: Path) -> Bytes:
    """Return the first bytes of the runs of a dump as rows, each once."""
    data = np.fromfile(path, np.uint8)
    rows = []
    for start in range(0, len(data) - CHUNK, CHUNK):
        words = data[start : start + CHUNK].view(np.uint64)
        flags = limbs.random_looking(words)
        flags[-3:] = False
        three = flags[:-2] & flags[1:-1] & flags[2:]
        heads = np.flatnonzero(three[1:] & ~three[:-1]) + 1
        rows.append(words[heads[:, None] + np.arange(3)].view(np.uint8).reshape(-1, PIECE))
    found: Bytes = np.unique(np.concatenate(rows), axis=0) if rows else np.empty((0, PIECE), "u1")
    return found


def evidence(rows: Bytes) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return log2 of how much rarer values and steps are among ``rows`` than among random ones."""
    steps = (rows[:, 1:] - rows[:, :-1]).ravel()
    tables = []
    for column in (rows.ravel(), steps):
        counts = np.bincount(column, minlength=256) + 1.0
        tables.append(-np.log2(counts / counts.sum() * 256))
    return tables[0], tables[1]


def learn(rows: Bytes) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
    """Return both tables in quarter bits, halved: a pair of bytes counts each of them once."""
    common = np.ones(len(rows), np.bool_)
    values = steps = np.zeros(256)
    for _ in range(ROUNDS):
        values, steps = evidence(rows[common])
        score = values[rows].sum(axis=1) + steps[(rows[:, 1:] - rows[:, :-1])].sum(axis=1)
        common = score < 0
    quarter = [np.clip(np.rint(4 * t), -MOST, MOST).astype(np.int8) for t in (values, steps)]
    return quarter[0], quarter[1]


def main() -> None:
    """Read the command line, learn, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dump", nargs="+", type=Path)
    rows = np.concatenate([pieces(path) for path in parser.parse_args().dump])
    held = (likelihood._VALUES, likelihood._STEPS)  # noqa: SLF001 - the tables that this makes
    for name, table, kept in zip(("values", "steps"), learn(rows), held, strict=True):
        alike = np.corrcoef(table, np.frombuffer(kept, np.int8))[0, 1]
        print(f"{name}, of {len(rows)} pieces; correlation with those held: {alike:.2f}")
        print(table.tobytes().hex())


if __name__ == "__main__":
    main()
