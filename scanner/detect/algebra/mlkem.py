"""ML-KEM private keys: from a seed to both halves, and from an expanded key to its public half.

Source: FIPS 203, whose algorithms are named where they stand. A key is a matrix A of polynomials
modulo q that rho gives, and small vectors s and e; t = A*s + e is public, and all three are kept
transformed. So of an expanded key it can be told that t belongs to s: what is left is small. Of z,
the answer to what does not decrypt, nothing is public. This module refuses to encapsulate, to
generate keys, and to say a word of keys that do not recompute.
"""

import functools
import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Polynomials = npt.NDArray[np.int64]
"""Coefficients modulo q: [..., 256]."""

HALF, RHO, HASH, Z = 32, 32, 32, 32
"""Bytes of d, the half of a seed that derives the rest; of rho, of H(ek), and of z."""

SEED = HALF + Z
"""Bytes of a seed: d, and z behind it."""

POLYNOMIAL, WORDS = 384, 512
"""Bytes of a polynomial as it is encoded, and in words of 16 bits."""

_Q, _N, _BITS = 3329, 256, 12
_INVERSE = 3303
"""Of 128 modulo q (algorithm 10)."""

_LARGEST = 3
"""The largest coefficient of s and e, of any set."""

_STREAM = 4 * 168
"""Bytes that hold 256 values below q, but for one polynomial in 10**35."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """One set of section 8, table 2."""

    k: int
    """Polynomials of s, e and t."""
    eta: int
    """The largest coefficient of s and e (eta1)."""

    @property
    def vector(self) -> int:
        """Bytes of s or t as they are encoded."""
        return POLYNOMIAL * self.k

    @property
    def public(self) -> int:
        """Bytes of an encapsulation key: t and rho."""
        return self.vector + RHO

    @property
    def expanded(self) -> int:
        """Bytes of a decapsulation key: s, the encapsulation key, its hash, and z."""
        return self.vector + self.public + HASH + Z


SETS = {
    "ml-kem-512": Parameters(k=2, eta=3),
    "ml-kem-768": Parameters(k=3, eta=2),
    "ml-kem-1024": Parameters(k=4, eta=2),
}


def rho(name: str, d: bytes) -> bytes:
    """Return how the public key of a seed ends: one hash, where the rest takes a millisecond."""
    return _spread(SETS[name], d)[:RHO]


def keys(name: str, d: bytes, z: bytes) -> tuple[bytes, bytes]:
    """Return the public and the expanded private key of a seed (algorithms 13 and 16)."""
    size = SETS[name]
    spread = _spread(size, d)
    first, secret = spread[:RHO], spread[RHO:]
    small = np.stack([_centred(secret, index, size.eta) for index in range(2 * size.k)])
    transformed = _forward(small % _Q)
    s, e = transformed[: size.k], transformed[size.k :]
    t = (_product(_matrix(first, size.k), s) + e) % _Q
    public = _packed(t) + first
    return public, _packed(s) + public + hashlib.sha3_256(public).digest() + z


def stated(name: str, expanded: bytes) -> bytes | None:
    """Return the public key in an expanded one, if its hash stands behind it (section 7.1)."""
    size = SETS[name]
    if len(expanded) != size.expanded:
        return None
    public = expanded[size.vector : size.vector + size.public]
    return public if hashlib.sha3_256(public).digest() == expanded[-HASH - Z : -Z] else None


def public_of(name: str, expanded: bytes) -> bytes | None:
    """Return the public key in an expanded one, if it has its hash and belongs to s."""
    public = stated(name, expanded)
    return public if public and belongs(name, expanded[: SETS[name].vector], public) else None


def belongs(name: str, secret: bytes, public: bytes) -> bool:
    """Tell whether an encoded s is that of a public key: it and t - A*s are small."""
    size = SETS[name]
    s, t = _unpacked(secret), _unpacked(public[: size.vector])
    if max(int(s.max()), int(t.max())) >= _Q or not _is_small(s, size.eta):
        return False
    return _is_small((t - _product(_matrix(public[size.vector :], size.k), s)) % _Q, size.eta)


def is_secret(raw: bytes) -> bool:
    """Tell whether the first polynomial of an encoded vector is small: of 10**600 no other is."""
    first = _unpacked(raw[:POLYNOMIAL])
    return int(first.max()) < _Q and _is_small(first, _LARGEST)


def coefficients(encoded: bytes) -> bytes:
    """Return an encoded vector as OpenSSL, BoringSSL and Go keep it: two bytes a coefficient."""
    return _unpacked(encoded).astype("<u2").tobytes()


def encoded(words: bytes) -> bytes | None:
    """Return a vector in words of 16 bits as it is encoded; None where one is no coefficient."""
    values = np.frombuffer(words, "<u2").astype(np.int64).reshape(-1, _N)
    return _packed(values) if int(values.max()) < _Q else None


def _spread(size: Parameters, d: bytes) -> bytes:
    """Return rho and sigma, end to end."""
    return hashlib.sha3_512(d + bytes((size.k,))).digest()


def _matrix(first: bytes, k: int) -> Polynomials:
    """Return A, transformed: [row, column, 256]."""
    rows = [[_uniform(first, column, row) for column in range(k)] for row in range(k)]
    return np.array(rows, np.int64)


def _uniform(first: bytes, column: int, row: int) -> Polynomials:
    """Return one polynomial of A, transformed (algorithm 7)."""
    values = _values(hashlib.shake_128(first + bytes((column, row))).digest(_STREAM))
    return values[values < _Q][:_N]


def _centred(secret: bytes, index: int, eta: int) -> Polynomials:
    """Return one polynomial of s or e (algorithms 8 and 4.3)."""
    stream = hashlib.shake_256(secret + bytes((index,))).digest(64 * eta)
    bits = np.unpackbits(np.frombuffer(stream, np.uint8), bitorder="little").astype(np.int64)
    halves = bits.reshape(_N, 2, eta).sum(axis=2)
    values: Polynomials = halves[:, 0] - halves[:, 1]
    return values


def _is_small(transformed: Polynomials, eta: int) -> bool:
    """Tell whether polynomials, transformed back, have no coefficient beyond so much."""
    values = _backward(transformed)
    return int(np.minimum(values, _Q - values).max()) <= eta


def _packed(values: Polynomials) -> bytes:
    """Write coefficients of twelve bits, the lowest first (algorithm 5)."""
    digits = values.reshape(-1, 1) >> np.arange(_BITS) & 1
    return np.packbits(digits.astype(np.uint8), bitorder="little").tobytes()


def _unpacked(raw: bytes) -> Polynomials:
    """Read polynomials (algorithm 6, which would take what is no coefficient modulo q)."""
    return _values(raw).reshape(-1, _N)


def _values(raw: bytes) -> Polynomials:
    """Read numbers of twelve bits, the lowest first."""
    parts = np.frombuffer(raw, np.uint8).reshape(-1, 3).astype(np.int64)
    low, high = parts[:, 0] | (parts[:, 1] & 15) << 8, parts[:, 1] >> 4 | parts[:, 2] << 4
    return np.stack((low, high), axis=1).ravel()


@functools.cache
def _zetas() -> Polynomials:
    """Return the powers of 17 in the order of reversed bits (appendix A)."""
    order = [int(f"{index:07b}"[::-1], 2) for index in range(_N // 2)]
    return np.array([pow(17, power, _Q) for power in order], np.int64)


@functools.cache
def _gammas() -> Polynomials:
    """Return the odd powers of 17 by which pairs are multiplied (appendix A)."""
    order = [2 * int(f"{index:07b}"[::-1], 2) + 1 for index in range(_N // 2)]
    return np.array([pow(17, power, _Q) for power in order], np.int64)


def _product(matrix: Polynomials, vector: Polynomials) -> Polynomials:
    """Multiply a matrix and a vector, both transformed (algorithms 11 and 12)."""
    left, right = matrix.reshape(*matrix.shape[:-1], -1, 2), vector.reshape(len(vector), -1, 2)
    low = left[..., 0] * right[..., 0] + left[..., 1] * right[..., 1] % _Q * _gammas()
    high = left[..., 0] * right[..., 1] + left[..., 1] * right[..., 0]
    pairs: Polynomials = np.stack((low, high), axis=-1).sum(axis=1) % _Q
    return pairs.reshape(len(matrix), _N)


def _forward(values: Polynomials) -> Polynomials:
    """Transform polynomials (NTT, algorithm 9)."""
    for layer in range(7):
        blocks = 1 << layer
        parts = values.reshape(*values.shape[:-1], blocks, 2, -1)
        other = parts[..., 1, :] * _zetas()[blocks : 2 * blocks, None] % _Q
        left = parts[..., 0, :]
        values = np.stack((left + other, left - other), axis=-2).reshape(values.shape) % _Q
    return values


def _backward(values: Polynomials) -> Polynomials:
    """Undo the transform (algorithm 10)."""
    for layer in reversed(range(7)):
        blocks = 1 << layer
        parts = values.reshape(*values.shape[:-1], blocks, 2, -1)
        left, right = parts[..., 0, :], parts[..., 1, :]
        other = (right - left) * _zetas()[blocks : 2 * blocks][::-1, None] % _Q
        values = np.stack((left + right, other), axis=-2).reshape(values.shape) % _Q
    return values * _INVERSE % _Q
