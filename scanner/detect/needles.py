"""What a proved key or a token looks like wherever else it lies.

Every private number in every reading that a library has for it, and as the texts that people and
programs write: hex, decimal, base32, Z85, base64 at each phase, in one and two bytes a character.
Nothing here looks into a dump, and nothing of it may leave the worker.
"""

import base64
import math
from collections.abc import Iterator
from dataclasses import dataclass

from scanner.detect.algebra import gmp, mldsa, mlkem
from scanner.detect.algebra.material import Ec, Ffc, Foreign, Material, Okp, Pqc, Rsa
from scanner.detect.asn1 import pqc
from scanner.detect.encodings import armour, base32, z85
from scanner.detect.integers import bare_numbers, readings
from scanner.detect.integers.readings import Reading
from scanner.detect.relations.edwards import edwards
from scanner.detect.relations.fields.logarithms import MULTIPLES
from scanner.detect.relations.rsa import residues
from scanner.detect.relations.weierstrass.curves import CURVES
from scanner.fingerprint import FIELD_BYTES

PIECE = 16
"""Bytes of a number that are searched for at once: chance finds none in 10**38."""

SHORT = 8
"""Bytes that are searched for where every byte is looked at: so far apart that each stretch of a
number that is more than chance holds eight of them, whatever it begins with."""

_DIGIT_STRIDE = 4

_POLYNOMIAL = 1024
"""Bytes of small coefficients, four each, that are more than chance."""

_CELLS = 4
"""Digits in a row that are more than chance, where a tag stands behind each."""

_MOST_DECIMAL = 1024
"""Bytes of a number that is looked for in decimal: Python writes no longer ones down at once."""

_MOST_TWICE = 66
"""Bytes of a number that is looked for in base64 of its hex or base64."""

_SCALAR = 66
"""Bytes of the longest number of which a word counts: registers push a scalar word by word."""

_STRINGS = ("seed", "prefix", "k bytes-be")
"""What is no little-endian number of an Edwards or Montgomery key."""

_WEB_TOKEN = b"eyJ"
_BYTEWISE = bytes.maketrans(b"0123456789", bytes(range(10)))


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Needle:
    """One spelling of one private number, or of a token."""

    fingerprint: str
    encoding: str
    value: bytes
    stride: int = 1
    """Of so many pieces one is searched for in runs: digits are rarer than limbs, and longer."""
    least: int = PIECE
    """Bytes of a part that are more than chance."""
    cell: int = 0
    """Bytes from one digit to the next, where what is behind a digit's tag may be anything."""
    told: int = 0
    """Bytes of a cell that are not."""
    apart: bool = False
    """Its bytes stand ``apart``, in whatever form: no piece of it is anywhere."""

    def cleared(self, there: bytes, first: int) -> bytes:
        """Return bytes of a dump, the first at ``first``, as if what may be anything were right."""
        if not self.cell:
            return there
        return bytes(
            byte if at % self.cell < self.told else self.value[at]
            for at, byte in enumerate(there, first)
        )


def of_key(name: str, material: Material, byte_order: str, *, texts: bool) -> Iterator[Needle]:
    """Yield how a key's private numbers may be laid down; with ``texts`` how they are written."""
    if texts:
        yield from _spelled_as_text(name, material)
    table = readings.table(byte_order)
    plain = edwards.spelled(material) if isinstance(material, Okp) else []
    stand = {raw for _, raw in plain}
    for number, value, size in (*_numbers(material), *_integers(plain)):
        for reading in (*table, *(readings.foreign(table) if texts else ())):
            # A last digit of zero beside one that is a limb as well would be found in limbs.
            bits = value.bit_length() if reading.packed else 8 * size
            spelled = readings.encode(reading, value, bits)
            if spelled in stand:
                continue
            stride = _DIGIT_STRIDE if reading.packed else 1
            least = _least(reading, short=texts and size <= _SCALAR)
            cell = reading.step if reading.told < reading.step else 0
            said = f"{number} {reading.name}"
            yield Needle(name, said, spelled, stride, least, cell=cell, told=reading.told)
    yield from _residues(name, material, table)
    for number, raw in plain:
        yield Needle(name, number, raw, least=SHORT if texts else PIECE)
    if isinstance(material, Pqc):
        yield from _of_post_quantum(name, material)


def _of_post_quantum(name: str, key: Pqc) -> Iterator[Needle]:
    """Yield the encoded private parts of a key, and its vectors as libraries compute on them."""
    for number, raw in pqc.parts(key):
        yield Needle(name, number, raw)
    if key.algorithm in mldsa.SETS:
        for form, raw in mldsa.coefficients(key.algorithm, key.expanded).items():
            said = f"s1, s2 and t0 {form}"
            yield Needle(name, said, raw, _DIGIT_STRIDE, least=_POLYNOMIAL)
    if key.algorithm in mlkem.SETS:
        raw = mlkem.coefficients(key.expanded[: mlkem.SETS[key.algorithm].vector])
        yield Needle(name, "s words-16", raw, _DIGIT_STRIDE)


def of_token(name: str, raw: bytes) -> Iterator[Needle]:
    """Yield a token as text, and in base64: where nothing announces a copy, it is one still.

    What a web token begins with says how it is signed, and is the same in many.
    """
    text = raw[::2] if raw[1:2] == b"\0" else raw
    if text.startswith(_WEB_TOKEN):
        text = text[text.find(b".") + 1 :]
    forms = [("text", text)]
    forms += [("base64", _shifted(text, at)) for at in range(3)]
    for form, value in forms:
        yield from _in_both_widths(name, form, value, wide=PIECE)


def _least(reading: readings.Reading, *, short: bool) -> int:
    """Return the bytes of a part of a number in a reading that are more than chance."""
    if reading.cell:
        return _CELLS * reading.cell + SHORT
    return SHORT if short and not reading.packed else PIECE


def _spelled_as_text(name: str, material: Material) -> Iterator[Needle]:
    """Yield the private numbers of a key in hex, in base32, and in base64 at each phase, as text.

    Of base64 what neighbouring bytes have a part in is left out.
    """
    rows = [(number, value.to_bytes(size, "big")) for number, value, size in _numbers(material)]
    if isinstance(material, Okp):
        rows += edwards.spelled(material)
    if isinstance(material, Pqc):
        rows += pqc.parts(material)
    for number, raw in rows:
        digits, shifted = raw.hex(), [_shifted(raw, at) for at in range(3)]
        spelled = [("hex", digits.encode()), ("hex", digits.upper().encode())]
        spelled += [("hex", raw.hex(":").encode())]
        if len(raw) <= _MOST_DECIMAL:
            decimal = str(int.from_bytes(raw, "big")).encode()
            spelled += [("decimal", decimal), ("bc digits", decimal.translate(_BYTEWISE))]
        if len(raw) in bare_numbers.BASE32.values():
            text = base64.b32encode(raw).rstrip(b"=")[:-1]
            spelled += [("base32", text), ("base32", text.lower())]
            spelled += [("z-base-32", base32.encode_legible(raw)), ("Z85", z85.encode(raw))]
        spelled += [("base64", text) for text in shifted]
        if len(raw) <= _MOST_TWICE:
            for form, text in (("hex", digits.encode()), ("base64", base64.b64encode(raw))):
                twice = [_shifted(text, at) for at in range(3)]
                spelled += [(f"base64 of {form}", text) for text in twice]
        spelled += [("base64url", text) for text in _of_urls(shifted)]
        for form, text in spelled:
            yield from _in_both_widths(name, f"{number} {form}", text)
        yield Needle(name, number, raw, apart=True)
    if isinstance(material, Rsa):
        yield from _reversed_as_text(name, rows)


def _reversed_as_text(name: str, rows: list[tuple[str, bytes]]) -> Iterator[Needle]:
    """Yield numbers in hex and base64, their least byte first, as texts of CAPI blobs do."""
    for number, raw in rows:
        turned = raw[::-1]
        shifted = [_shifted(turned, at) for at in range(3)]
        for text in (turned.hex().encode(), turned.hex().upper().encode()):
            yield from _in_both_widths(name, f"{number} little-endian hex", text)
        for text in shifted:
            yield from _in_both_widths(name, f"{number} little-endian base64", text)


def _shifted(raw: bytes, at: int) -> bytes:
    """Return the base64 of bytes behind ``at`` others, as far as these bytes alone decide it."""
    text = base64.b64encode(bytes(at) + raw)
    return text[-(-8 * at // 6) : 8 * (at + len(raw)) // 6]


def _in_both_widths(
    name: str, said: str, text: bytes, *, wide: int = 2 * PIECE - 1
) -> Iterator[Needle]:
    """Yield a text in one and in two bytes a character, of which ``wide`` bytes are a part.

    But for its first byte, a text in UTF-16BE is one in UTF-16LE a byte further on.
    """
    yield Needle(name, said, text, least=min(PIECE, len(text)))
    doubled = text.decode("latin-1").encode("utf-16-le")
    yield Needle(name, f"{said} utf-16le", doubled, least=min(wide, len(doubled) - 1))


def _of_urls(texts: list[bytes]) -> list[bytes]:
    """Return those texts in base64 that another alphabet writes otherwise, written so."""
    written = [text.translate(armour.TO_URL) for text in texts]
    return [text for text in written if text not in texts]


def _numbers(material: Material) -> list[tuple[str, int, int]]:
    """List (name, value, bytes) of the private numbers of a key.

    Of an exponent its small multiples too, and the sum without carries that gives its weight and,
    bit by bit, itself: Bouncy Castle computes them.
    """
    match material:
        case Rsa(p=p, q=q, n=n, d=d, primes=primes):
            half, whole = _size(max(p, q)), _size(n)
            rows = [("p", p, half), ("q", q, half), ("d", d, whole)]
            if q > 1 and math.gcd(p, q) == 1:
                rows += [
                    ("dp", d % (p - 1), half),
                    ("dq", d % (q - 1), half),
                    ("qinv", gmp.inverse(q, p), half),
                    ("pinv", gmp.inverse(p, q), half),
                ]
            for prime in primes:
                rows += [("p", prime, _size(prime)), ("dp", d % (prime - 1), _size(prime))]
            rows += [("d", other, whole) for other in _other_d(material)]
            # Their upper halves are n's, or a small part of it: two of them, in V8's integers.
            orders = zip(("(p-1)(q-1)", "lcm(p-1, q-1)"), _orders(material), strict=True)
            lower = -(-whole // 2)
            parts = {part: name for name, one in orders for part in (_odd(one), one)}
            return rows + [(name, part % (1 << 8 * lower), lower) for part, name in parts.items()]
        case Ec(curve=curve, d=d):
            rows = [("d", d, FIELD_BYTES[curve])]
            if curve in CURVES:
                group = CURVES[curve]
                rows.append(("d montgomery", d * group.radix % group.n, group.size))
            return rows
        case Ffc(x=x):
            rows = [("x", x, _size(x))]
            rows += [(f"{times}x", times * x, _size(times * x)) for times in MULTIPLES]
            return [*rows, ("3x^x", 3 * x ^ x, _size(3 * x))]
        case Foreign(algorithm="ec", inner=inner):
            return [("d", int.from_bytes(inner, "big"), len(inner))]
        case Okp() | Pqc() | Foreign():
            return []


def _residues(name: str, material: Material, table: tuple[Reading, ...]) -> Iterator[Needle]:
    """Yield what Montgomery's method keeps of primes, in the words in which it computes."""
    if not isinstance(material, Rsa):
        return
    primes = {prime for prime in (material.p, material.q, *material.primes) if prime > 1}
    for how in (*readings.limbs(table), *(r for r in table if r.name in residues.DIGITS)):
        for prime in sorted(primes):
            bits = 8 * _size(prime)
            for number, power in residues.POWERS.items():
                value = gmp.power(2, power * residues.radix(how, bits), prime)
                raw = readings.encode(how, value, value.bit_length() if how.packed else bits)
                stride = _DIGIT_STRIDE if how.packed else 1
                yield Needle(name, f"{number} {how.name}", raw, stride)


def _integers(plain: list[tuple[str, bytes]]) -> list[tuple[str, int, int]]:
    """List (name, value, bytes) of what is private of a key of RFC 8032 or 7748 as integers.

    Scalars are little-endian there. Of a seed, which is no number, programs make a big-endian one,
    as Python's ``int.from_bytes`` does, and keep it in limbs: reversed, as it were.
    """
    rows: dict[int, tuple[str, int, int]] = {}
    for name, raw in plain:
        value = int.from_bytes(raw, "big" if name in _STRINGS else "little")
        rows[value] = (name, value, len(raw))
    return list(rows.values())


def _other_d(key: Rsa) -> list[int]:
    """Return d modulo (p-1)(q-1) and modulo lcm(p-1, q-1): libraries keep either."""
    both = {gmp.inverse(key.e, order) for order in _orders(key) if math.gcd(key.e, order) == 1}
    return sorted(both - {key.d})


def _orders(key: Rsa) -> tuple[int, int]:
    return (key.p - 1) * (key.q - 1), math.lcm(key.p - 1, key.q - 1)


def _odd(value: int) -> int:
    """Return a number without its factors of two: Java inverts by what is left."""
    return value // max(value & -value, 1)


def _size(value: int) -> int:
    return (value.bit_length() + 7) // 8
