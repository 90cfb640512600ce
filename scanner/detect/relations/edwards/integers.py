"""Private bytes of Curve25519 that CPython holds as an integer, in digits of 30 bits.

PGPy reads the numbers of an OpenPGP key so, seeds and scalars too, most significant byte first or
last, and whoever computes on the curve in Python has its scalar as one. Hardly anything but an
integer of that length is digits nine times in a row, so that few are tried. This module looks at no
other digits: no other library is known that keeps these bytes so.
"""

from collections.abc import Iterator

from scanner.detect.integers import readings
from scanner.detect.integers.pool import Pool
from scanner.detect.integers.readings import DIGITS_30, Reading
from scanner.detect.relations.places import digits

MOST = (400, 100)
"""Integers that are tried in both orders: in few runs, and in many (60 to 90 us)."""

FORMS = {
    "ed25519": ("seed digits-30", "seed digits-30 reversed"),
    "x25519": ("k digits-30", "k digits-30 reversed"),
}
"""Encodings, as reports spell them: most significant byte first, and last."""

BITS = 256
SIZE = readings.width(DIGITS_30, BITS)


def search(pool: Pool, algorithm: str) -> Iterator[tuple[int, bytes, str]]:
    """Yield position, private bytes and encoding of integers that may be a key of an algorithm."""
    if not len(pool.at):
        return
    how = readings.python(pool.readings)
    found = digits.whole(pool, how, BITS)
    found = digits.counted(pool, how, found, BITS)[: pool.budget(*MOST)]
    for position in found.tolist():
        for form in FORMS[algorithm]:
            raw = read(how, pool.data[position : position + SIZE].tobytes(), form)
            if raw:
                yield position, raw, form


def is_form(encoding: str) -> bool:
    """Tell whether an encoding is one of this module."""
    return any(encoding in forms for forms in FORMS.values())


def read(how: Reading, raw: bytes, form: str) -> bytes:
    """Return the private bytes that an integer stands for; nothing where it is none of 256 bits."""
    value = readings.decode(how, raw) or 0
    if not 1 << (BITS - digits.LACK) < value < 1 << BITS:
        return b""
    return value.to_bytes(BITS // 8, "little" if form.endswith("reversed") else "big")
