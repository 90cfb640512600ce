"""ML-DSA private keys: from a seed to both halves, and from an expanded key to its public half.

Source: FIPS 204, whose algorithms are named where they stand. A key is a matrix A of polynomials
modulo q that rho gives, and small vectors s1 and s2; t = A*s1 + s2 is public but for its low bits,
t0, which the private key has, with a hash of the whole public key. So all that an expanded key says
of itself can be recomputed, and its public half as well. This module refuses to sign, to generate
keys, and to say a word of keys that do not recompute.
"""

import functools
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Polynomials = npt.NDArray[np.int64]
"""Coefficients modulo q: [..., 256]."""

SEED, RHO, HASH = 32, 32, 64
"""Bytes of a seed (xi), of rho, and of the public key's hash (tr)."""

HEAD = 2 * RHO + HASH
"""Bytes of an expanded key before its vectors: rho, K and tr."""

Q, LOW = 8380417, 13
"""The modulus of coefficients, and the low bits of t, which t0 has."""

_N = 256
_INVERSE = 8347681
"""Of 256 modulo q (algorithm 42)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """One set of section 4, table 1."""

    k: int
    """Polynomials of s2, t and t0."""
    l: int  # noqa: E741 - the standard's letter
    """Polynomials of s1."""
    eta: int
    """The largest coefficient of s1 and s2."""

    @property
    def bits(self) -> int:
        """Bits of a packed coefficient of s1 and s2."""
        return (2 * self.eta).bit_length()

    @property
    def expanded(self) -> int:
        """Bytes of an expanded private key."""
        return HEAD + _N // 8 * (self.bits * (self.k + self.l) + LOW * self.k)

    @property
    def public(self) -> int:
        """Bytes of a public key."""
        return RHO + _N // 8 * 10 * self.k


SETS = {
    "ml-dsa-44": Parameters(k=4, l=4, eta=2),
    "ml-dsa-65": Parameters(k=6, l=5, eta=4),
    "ml-dsa-87": Parameters(k=8, l=7, eta=2),
}


def rho(name: str, seed: bytes) -> bytes:
    """Return how the public key of a seed begins: one hash, where the rest takes milliseconds."""
    return _spread(SETS[name], seed)[:RHO]


def keys(name: str, seed: bytes) -> tuple[bytes, bytes]:
    """Return the public and the expanded private key of a seed (algorithm 6)."""
    size = SETS[name]
    spread = _spread(size, seed)
    first, secret, own = spread[:RHO], spread[RHO:-RHO], spread[-RHO:]
    small = np.stack([_bounded(secret, index, size.eta) for index in range(size.l + size.k)])
    return _encoded(size, first, own, small, *_product(size, first, small))


def of_vectors(
    name: str, first: bytes, own: bytes, small: Polynomials, low: Polynomials
) -> tuple[bytes, bytes] | None:
    """Return both halves of a key of rho, K, s1 with s2 behind it and t0, if they belong together.

    Whether K does, which makes nonces, nothing tells.
    """
    high, recomputed = _product(SETS[name], first, small)
    if not np.array_equal(low, recomputed):
        return None
    return _encoded(SETS[name], first, own, small, high, low)


def agrees(name: str, small: Polynomials, low: Polynomials, first: bytes) -> bool:
    """Tell whether the first polynomial of t0 is that of a rho: cheaper than all of them."""
    size = SETS[name]
    if len(first) != RHO:
        return False
    products = (
        _uniform(first, column, 0) * transformed % Q
        for column, transformed in enumerate(_forward(small[: size.l] % Q))
    )
    t = (_backward(sum(products, start=np.zeros(_N, np.int64)) % Q) + small[size.l]) % Q
    return np.array_equal(low[0], _rounded(t)[1])


def _encoded(
    size: Parameters,
    first: bytes,
    own: bytes,
    small: Polynomials,
    high: Polynomials,
    low: Polynomials,
) -> tuple[bytes, bytes]:
    """Write the public and the expanded private key."""
    public = first + _packed(high, 10)
    vectors = _packed(size.eta - small, size.bits) + _packed((1 << LOW - 1) - low, LOW)
    return public, first + own + hashlib.shake_256(public).digest(HASH) + vectors


def public_of(name: str, expanded: bytes) -> bytes | None:
    """Return the public key of an expanded one, if all that it says of itself is so."""
    size = SETS[name]
    if len(expanded) != size.expanded:
        return None
    small, low = _vectors(size, expanded)
    if np.abs(small).max() > size.eta:
        return None
    first = expanded[:RHO]
    high, recomputed = _product(size, first, small)
    public = first + _packed(high, 10)
    if hashlib.shake_256(public).digest(HASH) != expanded[HEAD - HASH : HEAD]:
        return None
    return public if np.array_equal(low, recomputed) else None


def coefficients(name: str, expanded: bytes) -> dict[str, bytes]:
    """Return s1, s2 and t0 end to end, four bytes each, by how words are read.

    Modulo q, as OpenSSL keeps them; q more than signed, as circl and Zig do; and signed.
    """
    whole = np.concatenate(_vectors(SETS[name], expanded))
    rows = {"words-32": whole % Q, "words-32 plus q": whole + Q, "ints-32": whole}
    return {form: row.astype("<i4").tobytes() for form, row in rows.items()}


def _vectors(size: Parameters, expanded: bytes) -> tuple[Polynomials, Polynomials]:
    """Read s1 with s2 behind it, and t0."""
    end = HEAD + _N // 8 * size.bits * (size.k + size.l)
    small = size.eta - _unpacked(expanded[HEAD:end], size.bits)
    return small, (1 << LOW - 1) - _unpacked(expanded[end:], LOW)


def _spread(size: Parameters, seed: bytes) -> bytes:
    """Return rho, rho' and K, end to end."""
    return hashlib.shake_256(seed + bytes((size.k, size.l))).digest(2 * RHO + 64)


def _product(size: Parameters, first: bytes, small: Polynomials) -> tuple[Polynomials, Polynomials]:
    """Return t1 and t0 of t = A*s1 + s2; ``small`` is s1, and s2 behind it."""
    transformed = _forward(small[: size.l] % Q)
    sums = [
        sum(
            (_uniform(first, column, row) * transformed[column] for column in range(size.l)),
            start=np.zeros(_N, np.int64),
        )
        % Q
        for row in range(size.k)
    ]
    return _rounded((_backward(np.stack(sums)) + small[size.l :]) % Q)


def _rounded(t: Polynomials) -> tuple[Polynomials, Polynomials]:
    """Cut t into t1 and t0 (algorithm 35)."""
    high = (t + (1 << LOW - 1) - 1) >> LOW
    return high, t - (high << LOW)


def _uniform(first: bytes, column: int, row: int) -> Polynomials:
    """Return one polynomial of A, transformed (algorithm 30)."""
    whole = np.frombuffer(hashlib.shake_128(first + bytes((column, row))).digest(1344), np.uint8)
    parts = whole.reshape(-1, 3).astype(np.int64)
    values = parts[:, 0] | parts[:, 1] << 8 | (parts[:, 2] & 0x7F) << 16
    return values[values < Q][:_N]


def _bounded(secret: bytes, index: int, eta: int) -> Polynomials:
    """Return one polynomial of s1 or s2 (algorithm 31)."""
    stream = hashlib.shake_256(secret + index.to_bytes(2, "little")).digest(1024)
    raw = np.frombuffer(stream, np.uint8)
    halves = np.stack((raw & 15, raw >> 4), axis=1).ravel().astype(np.int64)
    if eta == 2:
        return eta - halves[halves < 15][:_N] % 5
    return eta - halves[halves < 9][:_N]


def _packed(values: Polynomials, bits: int) -> bytes:
    """Write coefficients of so many bits, the lowest first (algorithm 16)."""
    digits = values.reshape(-1, 1) >> np.arange(bits) & 1
    return np.packbits(digits.astype(np.uint8), bitorder="little").tobytes()


def _unpacked(raw: bytes, bits: int) -> Polynomials:
    """Read coefficients of so many bits (algorithm 18)."""
    digits = np.unpackbits(np.frombuffer(raw, np.uint8), bitorder="little").reshape(-1, bits)
    values: Polynomials = (digits.astype(np.int64) << np.arange(bits)).sum(axis=1)
    return values.reshape(-1, _N)


@functools.cache
def _zetas() -> Polynomials:
    """Return the powers of 1753 in the order of reversed bits (appendix B)."""
    order = [int(f"{index:08b}"[::-1], 2) for index in range(_N)]
    return np.array([pow(1753, power, Q) for power in order], np.int64)


def _layers() -> Iterator[tuple[int, Polynomials]]:
    """Yield the blocks of each layer of the transform, and their factors."""
    for layer in range(8):
        blocks = 1 << layer
        yield blocks, _zetas()[blocks : 2 * blocks, None]


def _forward(values: Polynomials) -> Polynomials:
    """Transform polynomials (NTT, algorithm 41)."""
    for blocks, zetas in _layers():
        parts = values.reshape(*values.shape[:-1], blocks, 2, -1)
        left, right = parts[..., 0, :], parts[..., 1, :] * zetas % Q
        values = np.stack((left + right, left - right), axis=-2).reshape(values.shape) % Q
    return values


def _backward(values: Polynomials) -> Polynomials:
    """Undo the transform (algorithm 42)."""
    for blocks, zetas in reversed([*_layers()]):
        parts = values.reshape(*values.shape[:-1], blocks, 2, -1)
        left, right = parts[..., 0, :], parts[..., 1, :]
        other = (right - left) * zetas[::-1] % Q
        values = np.stack((left + right, other), axis=-2).reshape(values.shape) % Q
    return values * _INVERSE % Q
