"""States of ChaCha20 and Salsa20: a constant, the key, a counter and a nonce, in sixteen words.

Sources: RFC 8439 section 2.3, Bernstein's "The Salsa20 family of stream ciphers". The constant
stands in every program that has the cipher, so that what is beside it decides: a key looks random,
shorter ones are there twice, and no counter is that far. Tables of vector units have the constant
again beside it, and masks that rotate words. Nothing bears witness against the key: it
is a structure. States of which the constant was left out (OpenSSL's), and several of them
interleaved for vector units, are not found. Keys of published test vectors are told as such. The
allocator mimalloc, which is part of CPython and of others, draws random numbers from a state whose
nonce is its own address (random.c, chacha_init): that is no key to anything, and is passed over.
"""

from collections.abc import Iterator
from dataclasses import replace

from scanner.detect.asn1.der import Memory
from scanner.detect.ciphers import vectors
from scanner.detect.locked.sealed import Sealed, sealed
from scanner.model import Place
from scanner.rules import Rule

SIZE = 64
"""Bytes of a state."""

FARTHEST = 1 << 26
"""Blocks that a counter has counted at most: 4 GiB."""

_PAGE, _USER_SPACE = 4096, 1 << 47
"""Bytes of a page, which dumps begin their regions at, and addresses that programs have."""

_SIGMA, _TAU = b"expand 32-byte k", b"expand 16-byte k"
_VARIED = {32: 24, 16: 12}
"""Different byte values of a key, by its bytes: random ones have fewer once in a million."""


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Sealed]:
    """Yield the key of the state that starts at ``offset``."""
    state = memory.clip(space, offset, SIZE)
    if len(state) < SIZE:
        return
    words = [state[at : at + 4] for at in range(0, SIZE, 4)]
    if state[:16] in (_SIGMA, _TAU):
        cipher, constant, key, counter = "chacha20", state[:16], state[16:48], words[12]
    else:
        cipher, constant = "salsa20", b"".join(words[::5])
        key, counter = state[4:20] + state[44:60], words[8]
        if words[9] != bytes(4):
            return
    if constant not in (_SIGMA, _TAU) or int.from_bytes(counter, "little") >= FARTHEST:
        return
    if constant == _TAU:
        if key[:16] != key[16:]:
            return
        key = key[:16]
    if constant in key or len(set(key)) < _VARIED[len(key)] or _is_generator(state[56:], offset):
        return
    place = Place(space=space, offset=offset, size=SIZE)
    bits = 8 * len(key)
    found = sealed(rule, f"{cipher} state", place, key, algorithm=cipher, bits=bits)
    said = replace(found.candidate, published=vectors.source_of(key))
    yield Sealed(candidate=said, value=key)


def _is_generator(nonce: bytes, offset: int) -> bool:
    """Tell whether a nonce is the address of its state, as far as an offset in a page says it."""
    address = int.from_bytes(nonce, "little")
    return 0 < address < _USER_SPACE and address % _PAGE == offset % _PAGE
