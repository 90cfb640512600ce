"""Redact dumps of which the truth is known, and search the copies for it by other means than ours.

    python benchmarks/check_redaction.py FOLDER [FOLDER ...] [--most BYTES]

A folder holds cases, or is one: a dump (``core`` or ``dump.dmp``) and ``truth.json`` with the
``private`` numbers of its ``secrets``, in hex. Each dump is copied by ``keysift redact``; the copy
must be as large, and hold no 16 bytes of any private number: big-endian, little-endian, as words
most significant first, as digits of 30, 28 and 60 bits, in hex, or in base64 at any phase, each in
ASCII and UTF-16LE. Prints a row a dump; exits 1 where something is left. Of a dump of which not all
can be read no copy is made, which the row says; what is left of a key that no scan can prove, for
the dump does not hold enough of it, counts as left all the same.
"""

import argparse
import base64
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

PIECE = 16
VARIED = 10
"""Different bytes of a piece: fewer could be anything."""


def spellings(value: bytes) -> Iterator[bytes]:
    """Yield a number as memory or text may hold it."""
    number, little = int.from_bytes(value, "big"), value[::-1]
    yield from (value, little)
    yield b"".join(value[at : at + 4][::-1] for at in range(0, len(value), 4))
    for bits, size in ((30, 4), (28, 4), (60, 8)):
        digits = (number >> at & ((1 << bits) - 1) for at in range(0, number.bit_length(), bits))
        yield b"".join(digit.to_bytes(size, "little") for digit in digits)
    texts = [value.hex().encode(), value.hex().upper().encode()]
    texts += [base64.b64encode(bytes(phase) + value)[4:-4] for phase in range(3)]
    for text in texts:
        yield text
        yield text.decode().encode("utf-16-le")


def pieces(value: bytes) -> set[bytes]:
    """Return what must be nowhere in a copy."""
    found = set()
    for spelled in spellings(value):
        for at in range(0, len(spelled) - PIECE + 1, PIECE):
            piece = spelled[at : at + PIECE]
            if len(set(piece)) >= VARIED:
                found.add(piece)
    return found


def private(case: Path) -> Iterator[tuple[str, bytes]]:
    """Yield (secret, number) of a case."""
    for secret in json.loads((case / "truth.json").read_text("utf-8"))["secrets"]:
        for name, text in (secret.get("private") or {}).items():
            digits = text if isinstance(text, str) else ""
            raw = digits.removeprefix("0x")
            if len(raw) >= 2 * PIECE and all(c in "0123456789abcdefABCDEF" for c in raw):
                yield f"{secret['id']} {name}", bytes.fromhex(raw.zfill(len(raw) + len(raw) % 2))


def check(case: Path, dump: Path) -> tuple[bool, str]:
    """Redact one dump; return whether all is well, and what is to be said."""
    root = Path(__file__).resolve().parent.parent
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        command = [sys.executable, "-m", "scanner", "redact", str(dump), "-o", str(copy), "-q"]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        if done.returncode or not copy.exists():
            return not copy.exists(), "no copy: " + " ".join(done.stderr.split())[:90]
        data, before = copy.read_bytes(), dump.read_bytes()
    if len(data) != len(before):
        return False, "another size"
    there = left = 0
    names = set()
    for name, value in private(case):
        for piece in pieces(value):
            there += piece in before
            if piece in data:
                left += 1
                names.add(name)
    note = f"{left} of {there} pieces left" + (f": {', '.join(sorted(names))}" if names else "")
    return left == 0, note


def main() -> int:
    """Read the command line and check each case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="+", type=Path)
    parser.add_argument("--most", type=float, default=1e12, help="larger dumps are passed over")
    options = parser.parse_args()
    wrong = 0
    for folder in options.folder:
        cases = [folder] if (folder / "truth.json").exists() else sorted(folder.iterdir())
        for case in cases:
            dumps = [case / name for name in ("core", "dump.dmp") if (case / name).exists()]
            for dump in dumps:
                if dump.stat().st_size <= options.most:
                    good, note = check(case, dump)
                    wrong += not good
                    print(f"{case.name:<32} {'good' if good else 'WRONG':<6} {note}", flush=True)
    print(f"{wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
