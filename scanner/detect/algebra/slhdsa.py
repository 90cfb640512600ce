"""SLH-DSA private keys: whether a seed is that of a public key.

Source: FIPS 205, whose algorithms are named where they stand. A private key is SK.seed, SK.prf and
the public key, PK.seed and PK.root; the root is that of a tree of hashes above the keys of the top
layer, which SK.seed gives. All of that tree has to be computed: of the fast sets some ten thousand
hashes, of the small ones some four hundred thousand. SK.prf has no part in it. This module refuses
to sign, to generate keys, and to compute a root that it has no time for: ``cost`` says how much.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

PARTS = 4
"""Of a private key, each of n bytes: SK.seed, SK.prf, PK.seed, PK.root."""

_CHAIN, _DIGITS = 16, 3
"""Values of a digit (w), and digits of the checksum of every set (len2)."""

_WOTS_HASH, _WOTS_PK, _TREE, _WOTS_PRF = 0, 1, 2, 5
"""Types of addresses (section 4.2)."""

_EACH_SHA2, _EACH_SHAKE = 0.6, 0.85
"""Microseconds of a processor core that one hash takes, measured."""

Hash = Callable[[bytes, bytes], bytes]
"""Of what stands behind PK.seed: an address, and what is hashed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """One set of section 11, table 2."""

    n: int
    """Bytes of each part of a key."""
    height: int
    """Of a tree (h'): it has two to this power of leaves."""
    layers: int
    """Trees one above the other (d)."""
    shake: bool

    @property
    def chains(self) -> int:
        """Hash chains of a leaf (len)."""
        return 2 * self.n + _DIGITS

    @property
    def private(self) -> int:
        """Bytes of a private key."""
        return PARTS * self.n

    @property
    def cost(self) -> int:
        """Microseconds of a processor core that a root takes, measured."""
        each = _EACH_SHAKE if self.shake else _EACH_SHA2
        return int(each * self.chains * (_CHAIN + 1) * (1 << self.height))


_SIZES = {
    "128s": (16, 9, 7),
    "128f": (16, 3, 22),
    "192s": (24, 9, 7),
    "192f": (24, 3, 22),
    "256s": (32, 8, 8),
    "256f": (32, 4, 17),
}

SETS = {
    f"slh-dsa-{hashed}-{size}": Parameters(
        n=n, height=height, layers=layers, shake=hashed == "shake"
    )
    for size, (n, height, layers) in _SIZES.items()
    for hashed in ("sha2", "shake")
}


def of_size(n: int) -> list[str]:
    """Return the sets whose parts have so many bytes, the cheapest first."""
    return sorted((name for name, size in SETS.items() if size.n == n), key=lambda s: SETS[s].cost)


def root(name: str, secret: bytes, public: bytes) -> bytes:
    """Return PK.root of SK.seed and PK.seed: the root of the top tree (algorithm 18)."""
    size = SETS[name]
    f, h, compressed = _hashes(size, public)
    top = _head(size, size.layers - 1)
    level = [
        _leaf(size, f, compressed, top, secret, leaf)  # algorithm 9 with height 0
        for leaf in range(1 << size.height)
    ]
    for height in range(1, size.height + 1):
        level = [
            h(_address(top, _TREE, 0, height, index), level[2 * index] + level[2 * index + 1])
            for index in range(len(level) // 2)
        ]
    return level[0]


def _leaf(
    size: Parameters, f: Hash, compressed: Hash, top: bytes, secret: bytes, leaf: int
) -> bytes:
    """Return the public key of a leaf (algorithm 6): the ends of its chains, hashed."""
    ends = []
    for chain in range(size.chains):
        value = f(_address(top, _WOTS_PRF, leaf, chain, 0), secret)
        begun = _address(top, _WOTS_HASH, leaf, chain, 0)[:-1]
        for step in range(_CHAIN - 1):
            value = f(begun + bytes((step,)), value)
        ends.append(value)
    return compressed(_address(top, _WOTS_PK, leaf, 0, 0), b"".join(ends))


def _head(size: Parameters, layer: int) -> bytes:
    """Return the layer and the tree of an address, the first tree: of SHA-2 it is compressed."""
    return bytes((layer,)) + bytes(8) if not size.shake else layer.to_bytes(4, "big") + bytes(12)


def _address(head: bytes, kind: int, pair: int, chain: int, step: int) -> bytes:
    """Return an address (section 4.3; of SHA-2 section 11.2): its type takes a byte there."""
    width = 1 if len(head) == 9 else 4
    rest = b"".join(value.to_bytes(4, "big") for value in (pair, chain, step))
    return head + kind.to_bytes(width, "big") + rest


def _hashes(size: Parameters, public: bytes) -> tuple[Hash, Hash, Hash]:
    """Return F and PRF, H, and T_l, which begin with PK.seed (sections 11.1 and 11.2)."""
    n = size.n
    if size.shake:
        begun = hashlib.shake_256(public)

        def shake(address: bytes, message: bytes) -> bytes:
            state = begun.copy()
            state.update(address + message)
            return state.digest(n)

        return shake, shake, shake
    short = hashlib.sha256(public + bytes(64 - n))
    long = hashlib.sha512(public + bytes(128 - n)) if n > 16 else short

    def f(address: bytes, message: bytes) -> bytes:
        state = short.copy()
        state.update(address + message)
        return state.digest()[:n]

    def h(address: bytes, message: bytes) -> bytes:
        state = long.copy()
        state.update(address + message)
        return state.digest()[:n]

    return f, h, h
