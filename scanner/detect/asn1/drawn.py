"""Whether a secret that nothing bears witness to was drawn at random.

Programs keep the headers of keys end to end, or before texts and tables, and each looks like the
key of the one before. This module refuses to judge what a label calls a key, or a public half.
"""

import re

_DISTINCT = {32: 22, 48: 33, 56: 38, 57: 38, 66: 42}
"""Different bytes that a secret has at least, by size; a random one misses it once in 10**8.
SoftHSM keeps the headers of Edwards keys end to end."""
_LEAST = 8
"""The same of other sizes: 28 random bytes miss it once in 10**18."""
_ALIKE = re.compile(rb"(.)\1{3}", re.DOTALL)
"""Equal bytes in a row that such a secret has not: a random one of 57 has them once in 300,000.
libldns has a header of Ed448 before zeros and tables of hashes, and Hedera's SDK for Node.js one of
secp256k1 before whatever comes next in a pool of buffers."""
_ZEROS = 6
"""Zeros that a scalar has not: a random one of 66 bytes has as many once in four million. HPKE for
JavaScript has headers of P-256 and P-384 in arrays, before whatever V8 puts behind them."""
_HEADER = re.compile(rb"\x30.\x02\x01\x00\x30", re.DOTALL)
"""What another key begins with: Firefox and Thunderbird have headers end to end (libxul)."""


def pointers(secret: bytes) -> bool:
    """Tell whether a secret has the zeros of pointers and small integers, as no scalar has."""
    return secret.count(0) >= _ZEROS


def at_random(secret: bytes) -> bool:
    """Tell whether a secret looks as random bytes do, and not like another header."""
    if len(set(secret)) < _DISTINCT.get(len(secret), _LEAST):
        return False
    return not (_ALIKE.search(secret) or _HEADER.match(secret))
