"""Keys of a SoftHSM token that somebody is logged in to: sealed under a masked key in the dump.

``SecureDataManager`` (SoftHSM 2, src/lib/data_mgr) keeps the token's AES-256 key as two arrays,
which XOR joins: one in the object, one behind its pointer. Between them lies the word ``RJR``. What
is private of an object, its modulus too, is an initialisation vector and AES-CBC; of numbers that
fill their blocks the last block is padding alone, and so all of memory says at once where such
values end. RSA keys prove themselves; a scalar is as long as the end of a prime, so of curves only
values are tried that fill what the allocator gave them; and as 32 bytes may be a secret key too,
only those are told whose public half stands in memory. Machines of 32 bits, and allocators that
put no size before a block, are not known.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from scanner.arrays import Offsets
from scanner.detect.algebra import effort
from scanner.detect.algebra.material import Ec, Material, Okp, Rsa, describe
from scanner.detect.asn1.keys import Proved
from scanner.detect.evidence import Key, ec_derived, okp_derived, proved, rsa_exponents, rsa_primes
from scanner.detect.structures import walk
from scanner.dump import space as spaces
from scanner.dump.space import Memory
from scanner.fingerprint import FIELD_BYTES
from scanner.model import Candidate, Place
from scanner.rules import Rule

KEY, BLOCK = 32, 16

_ENCODING = "SoftHSM token object"

_ANCHOR, _MAGIC = 7, 3
"""Bytes of a block's size before the word, and of the word."""

_BEFORE, _BEHIND, _WITHIN = 64, 32, 40
"""Bytes of the object before the word's address and behind it, and of an array's own object."""

_FAR = 1 << 26
"""Bytes of memory that are looked at, at most, for the object, for values and for public halves."""

_VALUES, _NEEDLES = 1 << 13, 1 << 10
"""Values of a token, and public halves that are looked for, at most."""

_SEARCHED = 4
"""Bits of how many bytes are searched for a needle while one is looked through otherwise."""

_USUAL = 65537

_NEAR = 64
"""Values before and behind a modulus in which its primes are looked for."""

_PRIMES = (64, 96, 128, 192, 256)
"""Bytes of a prime: keys of 1024 to 4096 bits."""

_SHORT = ("P-256", "secp256k1", "brainpoolP256r1")
_MIDDLE = ("P-384", "brainpoolP384r1")
_CURVES = {
    28: ("P-224", "brainpoolP224r1"),
    31: _SHORT,
    32: _SHORT,
    47: _MIDDLE,
    48: _MIDDLE,
    57: (),
    65: ("P-521",),
    66: ("P-521",),
    64: ("brainpoolP512r1",),
}
"""Bytes of a scalar, without the zeros before it, or of a seed: half of those on P-521 have 65.

The last are those of primes of RSA keys of 1024 bits too."""

_SEEDS = {32: "ed25519", 57: "ed448"}

_PADDINGS, _SURE = (BLOCK, 15, 14, 7, 4, 1), 7
"""What fills the last blocks of numbers; shorter padding than this is in any noise."""

_WORD = 8
_FLAGS = np.uint64(7)
"""Of the size before a block, in glibc's malloc."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class _Value:
    """The last block of a sealed value, what precedes it, and the length of its padding."""

    space: int
    end: int
    plain: bytes
    """What the blocks before its end hold, as far as any value goes, without the padding."""
    padding: int
    allotted: tuple[int, ...]
    """Bytes of scalars and seeds for which such a value fills what the allocator gave it."""

    def last(self, size: int) -> bytes:
        """Return the last bytes, if a value of so many would end here."""
        fits = (size + self.padding) % BLOCK == 0 and len(self.plain) >= size
        return self.plain[-size:] if fits else b""

    def place(self, size: int) -> Place:
        """Return where a value of so many bytes is sealed, with its vector."""
        whole = BLOCK + size + self.padding
        return Place(space=self.space, offset=self.end - whole, size=whole)


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the keys of the token whose word stands behind a size at ``offset``."""
    told: set[str] = set()
    for halves in _halves(memory, space, offset + _ANCHOR):
        values = _values(memory, halves, space)
        for key, places in (*_rsa(values), *_curves(memory, values, space)):
            name = describe(key).fingerprint.value
            if name not in told:
                told.add(name)
                yield proved(key, rule, _ENCODING, (*halves, *places))
        if values:
            return


def again(memory: Memory, candidate: Candidate) -> list[Material]:
    """Open a candidate again from its places: both halves of the key, and the values."""
    first, second, *sealed = candidate.places
    token = _joined(memory, (first, second))
    opened = [_opened(memory, token, place) for place in sealed]
    numbers = [int.from_bytes(one, "big") for one in opened]
    found: list[Key | None] = []
    if candidate.algorithm == "rsa" and len(numbers) > 1:
        found += [_rsa_key(numbers[0], numbers[1], numbers[2:])]
    elif candidate.algorithm == "ec" and numbers:
        found += [ec_derived(candidate.curve, numbers[0])]
    elif opened:
        found += [okp_derived(candidate.algorithm, opened[0])]
    return [key for key in found if key and describe(key).fingerprint == candidate.fingerprint]


def _halves(memory: Memory, space: int, offset: int) -> Iterator[tuple[Place, Place]]:
    """Yield pairs of arrays in or behind the objects that point to the word."""
    if memory.map.pointer_size != _WORD or memory.map.byte_order != "little":
        return
    if offset >= int(memory.map.size[space]) or not memory.map.addressed[space]:
        return
    address = int(memory.map.base[space]) + offset
    for other, start, data in walk.blocks(memory, space, _FAR):
        words = np.frombuffer(data, "<u8", len(data) // _WORD)
        fits = (words[:-1] == address) & (words[1:] == address + _MAGIC)
        for at in np.flatnonzero(fits).tolist():
            low = max(start + at * _WORD - _BEFORE, start % _WORD)
            window = memory.clip(other, low, _BEFORE + _BEHIND)
            arrays = _arrays(memory, window)
            for address_of in np.frombuffer(window, "<u8", len(window) // _WORD).tolist():
                behind = spaces.placed(memory.map, address_of, _WITHIN)
                if behind is not None:
                    arrays += _arrays(memory, memory.read(behind.space, behind.offset, _WITHIN))
            yield from combinations(dict.fromkeys(arrays), 2)


def _arrays(memory: Memory, raw: bytes) -> list[Place]:
    """Return the arrays as long as a key of which both ends stand side by side."""
    words = np.frombuffer(raw, "<u8", len(raw) // _WORD).tolist()
    found = [spaces.placed(memory.map, a, KEY) for a, b in pairwise(words) if b - a == KEY]
    return [place for place in found if place is not None]


def _joined(memory: Memory, halves: tuple[Place, Place]) -> bytes:
    one, other = (memory.read(half.space, half.offset, KEY) for half in halves)
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def _values(memory: Memory, halves: tuple[Place, Place], space: int) -> list[_Value]:
    """Return what is sealed in memory and whose padding is that of a number."""
    cipher = Cipher(algorithms.AES256(_joined(memory, halves)), modes.ECB())  # noqa: S305 - of CBC
    found: dict[tuple[int, int], _Value] = {}
    longest = 2 * _PRIMES[-1]
    for other, start, data in walk.blocks(memory, space, _FAR):
        count = len(data) // BLOCK
        raw = cipher.decryptor().update(data[: count * BLOCK])
        sealed = np.frombuffer(data, np.uint8, count * BLOCK).reshape(count, BLOCK)
        plain = np.frombuffer(raw, np.uint8).reshape(count, BLOCK)[1:] ^ sealed[:-1]
        for padding in _PADDINGS:
            rows = np.flatnonzero(plain[:, -1] == padding)
            rows = rows[(plain[rows, BLOCK - padding :] == padding).all(axis=1)]
            fills = _fills(data, rows, padding)
            for row in rows.tolist() if padding >= _SURE else sorted(set().union(*fills.values())):
                before = plain[max(row - longest // BLOCK, 0) : row + 1].tobytes()
                end = start + (row + 2) * BLOCK
                value = _Value(
                    space=other,
                    end=end,
                    plain=before[:-padding],
                    padding=padding,
                    allotted=tuple(size for size, those in fills.items() if row in those),
                )
                found.setdefault((other, end), value)  # that of the earlier block is whole
        if len(found) > _VALUES:
            break
    return [found[place] for place in sorted(found)][:_VALUES]


def _fills(data: bytes, rows: Offsets, padding: int) -> dict[int, set[int]]:
    """Return by sizes on curves the rows that end values before which a block's size fits.

    Where less than a block would be left the allocator gives 16 bytes more.
    """
    words = np.frombuffer(data, "<u8", len(data) // _WORD) & ~_FLAGS
    fills: dict[int, set[int]] = {}
    for size in _CURVES:
        whole = BLOCK + size + padding
        if whole % BLOCK:
            continue
        heads = ((rows + 2) * BLOCK - whole) // _WORD - 1
        inside = rows[heads >= 0]
        fits = np.isin(words[heads[heads >= 0]], (whole + BLOCK, whole + 2 * BLOCK))
        fills[size] = set(inside[fits].tolist())
    return fills


def _opened(memory: Memory, token: bytes, place: Place) -> bytes:
    data = memory.read(place.space, place.offset, place.size)
    cipher = Cipher(algorithms.AES256(token), modes.CBC(data[:BLOCK])).decryptor()
    plain = cipher.update(data[BLOCK:])
    return plain[: len(plain) - plain[-1]]


def _rsa(values: list[_Value]) -> Iterator[tuple[Rsa, tuple[Place, ...]]]:
    """Yield the keys of which n and a prime are among the values, near each other. Raises Spent."""
    for size in _PRIMES:
        for at, value in enumerate(values):
            n = _number(value, 2 * size)
            near = values[max(at - _NEAR, 0) : at + _NEAR] if n else []
            effort.walk(2 * size * len(near))
            for other in near:
                p = _number(other, size)
                if not p or n % p:
                    continue
                exponents = [one for one in near if _exponent(one, 2 * size, n, p)][:1]
                numbers = [int.from_bytes(one.last(2 * size), "big") for one in exponents]
                key = _rsa_key(n, p, numbers)
                if key is not None:
                    more = [one.place(2 * size) for one in exponents]
                    yield key, (value.place(2 * size), other.place(size), *more)
                    break


def _number(value: _Value, size: int) -> int:
    """Return an odd number of so many bytes, all of whose bits count; 0 for none."""
    raw = value.last(size)
    return int.from_bytes(raw, "big") if raw and raw[0] & 0x80 and raw[-1] & 1 else 0


def _exponent(value: _Value, size: int, n: int, p: int) -> bool:
    d = int.from_bytes(value.last(size), "big")
    return 1 < d < n and _USUAL * d % (p - 1) == 1


def _rsa_key(n: int, p: int, exponents: list[int]) -> Rsa | None:
    """Return the key of a modulus and a prime; without an exponent the public one is assumed."""
    if p < 2 or n % p:
        return None
    if exponents:
        return rsa_exponents(n, _USUAL, exponents[0])
    key = rsa_primes(n, _USUAL, p, n // p)
    return None if key is None else replace(key, e_assumed=True)


def _curves(
    memory: Memory, values: list[_Value], space: int
) -> Iterator[tuple[Key, tuple[Place, ...]]]:
    """Yield the keys of scalars and seeds whose public half stands in memory."""
    wanted: dict[bytes, tuple[Ec | Okp, Place]] = {}
    for size, value in ((size, value) for size in _CURVES for value in values):
        raw = value.last(size) if size in value.allotted else b""
        if not raw or len(wanted) >= _NEEDLES:
            continue
        keys: list[Ec | Okp | None] = [
            *(ec_derived(curve, int.from_bytes(raw, "big")) for curve in _CURVES[size]),
            okp_derived(_SEEDS[size], raw) if size in _SEEDS else None,
        ]
        for key in [key for key in keys if key is not None]:
            wanted.setdefault(_public(key), (key, value.place(size)))
    for _, _, data in walk.blocks(memory, space, _FAR) if wanted else ():
        effort.walk(len(data) * len(wanted) >> _SEARCHED)
        for public in [public for public in wanted if public in data]:
            key, place = wanted.pop(public)
            yield key, (place,)


def _public(key: Ec | Okp) -> bytes:
    """Return x of a point, or an encoded key, as objects and certificates have it."""
    if isinstance(key, Okp):
        return key.public
    return key.x.to_bytes(FIELD_BYTES[key.curve], "big")
