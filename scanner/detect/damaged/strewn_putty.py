"""PuTTY key files whose lines lie apart, as an editor has them: the heading tells what to look for.

The private half begins a line of its own, so that each of its lines holds what it always does, and
gives the lines of the public one (appendix C of PuTTY's manual): a seed and the scalars of P-256
need one line, others two. RSA is for ``strewn_rsa``, which asks for the line in which the modulus
ends: it is shorter than others, and filled up here. This module looks for no line; a key is one
whose public half stands in lines too.
"""

import base64
import itertools
import re
from collections.abc import Collection, Iterator, Sequence

from scanner.detect.algebra.material import Ec, Material, Okp
from scanner.detect.asn1.keys import OKP_BYTES, okp_public
from scanner.detect.damaged import strewn_rsa
from scanner.detect.evidence import ec_derived, rsa_primes
from scanner.fingerprint import FIELD_BYTES

WIDTH = 64
"""Characters of a line; and the bytes that it holds."""

_HELD = WIDTH * 3 // 4

MOST = 256
"""Ways in which the lines of a scalar are put together, at most."""

MOST_KEYS = 8
"""Lines that begin the public half of an RSA key, of which each is tried."""

_HEADING = re.compile(rb"PuTTY-User-Key-File-[23]: ([a-z0-9-]{7,19})(?![a-z0-9@.-])")
_NEXT, _BREAK = b"Encryption: ", 8
"""What the second line begins with: where it stands behind the first, the file is for ``putty``."""

_RSA = b"ssh-rsa"
_OKP = {b"ssh-ed25519": "ed25519", b"ssh-ed448": "ed448"}
_ECDSA = {
    b"ecdsa-sha2-nistp256": "P-256",
    b"ecdsa-sha2-nistp384": "P-384",
    b"ecdsa-sha2-nistp521": "P-521",
}
_BEGUN = b"AAAAB3NzaC1yc2EAAAA"
"""How the public half of an RSA key begins."""

Solved = tuple[Material, set[bytes]]
"""A key, and the lines that hold it."""


def heading(text: bytes) -> tuple[bytes, bytes]:
    """Return the first line of a file that stands alone, and the type of its key; or nothing."""
    found = _HEADING.match(text)
    if found is None or found[1] not in {_RSA, *_OKP, *_ECDSA}:
        return b"", b""
    whole = _NEXT in text[found.end() : found.end() + _BREAK + len(_NEXT)]
    return (b"", b"") if whole else (found[0], found[1])


def last_lines(kind: bytes, lines: Collection[bytes]) -> re.Pattern[bytes] | None:
    """Return what finds the lines of such a key that are shorter than others, if any is needed."""
    if kind == _RSA:
        sizes = {size for _, size in map(_begin, _begun(lines))}
    else:
        sizes = {4 + length for length in _lengths(kind)}
    ways = b"|".join(map(_of_size, sorted({size % _HELD for size in sizes} - {0})))
    edge = rb"[A-Za-z0-9+/=]"
    return re.compile(b"(?<!%b)(?:%b)(?!%b)" % (edge, ways, edge)) if ways else None


def solve(kind: bytes, lines: Collection[bytes], last: Collection[bytes]) -> Solved | None:
    """Return the key of a type, of whose file these are all lines, and the last ones of halves."""
    if kind == _RSA:
        return next(filter(None, (_rsa(line, lines, last) for line in _begun(lines))), None)
    for key, chosen in _private(kind, lines, last):
        blob = _public(kind, key)
        full = len(blob) // _HELD * _HELD
        told = {base64.b64encode(blob[at : at + _HELD]) for at in range(0, full, _HELD)}
        if told <= {*lines}:
            return key, {*chosen, *told}
    return None


def _private(
    kind: bytes, lines: Collection[bytes], last: Collection[bytes]
) -> Iterator[tuple[Okp | Ec, tuple[bytes, ...]]]:
    """Yield the keys of lines that may be a private half: a seed or a scalar, and its length."""
    for length in _lengths(kind):
        head, (full, rest) = length.to_bytes(4, "big"), divmod(4 + length, _HELD)
        parts: list[Sequence[bytes]] = [[*lines]] * full
        parts += [[line for line in last if len(base64.b64decode(line)) == rest]] if rest else []
        parts[0] = [line for line in parts[0] if base64.b64decode(line).startswith(head)]
        for chosen in itertools.islice(itertools.product(*parts), MOST):
            key = _derived(kind, base64.b64decode(b"".join(chosen))[4:])
            if key is not None:
                yield key, chosen


def _derived(kind: bytes, raw: bytes) -> Okp | Ec | None:
    if kind in _OKP:
        return Okp(algorithm=_OKP[kind], seed=raw, public=okp_public(_OKP[kind], raw))
    return ec_derived(_ECDSA[kind], int.from_bytes(raw, "big"))


def _rsa(begin: bytes, lines: Collection[bytes], last: Collection[bytes]) -> Solved | None:
    """Return the RSA key whose public half begins in a line."""
    e, size = _begin(begin)
    rows = {base64.b64decode(line).hex(): line for line in lines}
    ends = (data for data in map(base64.b64decode, last) if len(data) == size % _HELD)
    filled = [data.ljust(_HELD, b"\0").hex() for data in ends]
    primes = strewn_rsa.factors(base64.b64decode(begin).hex(), [*rows, *filled])
    key = rsa_primes(primes[0] * primes[1], e, *primes) if primes else None
    if primes is None or key is None:
        return None
    files = [*strewn_rsa.written(*primes, e)]
    return key, {line for row, line in rows.items() if any(row in numbers for numbers in files)}


def _begun(lines: Collection[bytes]) -> list[bytes]:
    return [line for line in lines if line.startswith(_BEGUN)][:MOST_KEYS]


def _begin(line: bytes) -> tuple[int, int]:
    """Return the exponent in the first line of an RSA key, and the bytes of the public half."""
    data, at = base64.b64decode(line), 4 + len(_RSA)
    size = int.from_bytes(data[at : at + 4], "big")
    behind = at + 4 + size
    e, count = data[at + 4 : behind], data[behind : behind + 4]
    return int.from_bytes(e, "big"), behind + 4 + int.from_bytes(count, "big")


def _public(kind: bytes, key: Okp | Ec) -> bytes:
    """Return the public half as it is written (RFC 8709 section 4, RFC 5656 section 3.1)."""
    fields: tuple[bytes, ...]
    match key:
        case Okp():
            fields = kind, key.public
        case Ec():
            size = FIELD_BYTES[key.curve]
            point = key.x.to_bytes(size, "big") + key.y.to_bytes(size, "big")
            fields = kind, kind.rpartition(b"-")[2], b"\x04" + point
    return b"".join(len(field).to_bytes(4, "big") + field for field in fields)


def _lengths(kind: bytes) -> tuple[int, ...]:
    """Return how many bytes a seed has, or a scalar: or a zero more, or one less (RFC 4251)."""
    if kind in _OKP:
        return (OKP_BYTES[_OKP[kind]],)
    size = FIELD_BYTES[_ECDSA[kind]]
    return size, size + 1, size - 1


def _of_size(size: int) -> bytes:
    """Return an expression for so many bytes in base64."""
    padding = -size % 3
    return b"[A-Za-z0-9+/]{%d}={%d}" % ((size + padding) // 3 * 4 - padding, padding)
