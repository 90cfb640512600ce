"""Private keys as text whose lines lie apart: a list of lines, as programs read files into.

``readlines``, ``getline`` and their kin leave a string for each line of a key file, in no order
that an allocator would keep, with headers and pointers between them. The first line says which key
it is and where its numbers stand; the others are looked for among all base64 of the same length
around it. What stands at a known place tells some of them, and the numbers tell the rest: the
product of two primes is a modulus (``strewn_rsa``), a scalar gives its point (of OpenSSH's files
``strewn_ecdsa``, of PuTTY's ``strewn_putty``), a seed its public key (OpenPGP's: ``strewn_pgp``).
So a key is proved by its own lines, whatever their order, or it is not told. The last line is
shorter than others, and needed where a scalar ends in it. Text whose lines follow one another is
for those who read such files whole. Seen in Perl, Python, Ruby, Java, C++, nano, vim and tmux, in
UTF-32 in fish, and in the cells of tmux; .NET and the consoles of Windows have UTF-16.
"""

import base64
import functools
import itertools
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from scanner.detect.algebra.material import Ec, Material, Okp
from scanner.detect.asn1 import der
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved, okp_public
from scanner.detect.damaged import strewn_ecdsa, strewn_pgp, strewn_putty, strewn_rsa
from scanner.detect.damaged.strewn_rsa import fits
from scanner.detect.encodings import armour
from scanner.detect.encodings.armour import Text
from scanner.detect.encodings.stride import Stride
from scanner.detect.evidence import ec_derived, proved, rsa_primes
from scanner.fingerprint import FIELD_BYTES
from scanner.model import Place
from scanner.rules import Rule

REACH = 2 << 20
"""Bytes before and behind the first line in which the others are looked for: Python's small objects
of one kind lie in arenas of a megabyte."""

MOST = 384
"""Lines that are looked at, the nearest."""

COMBINED = 4096
"""Ways in which lines are put together behind the first, at most."""

WIDTHS = (64, 76)
"""Characters of a line (RFC 7468; RFC 2045, as Java's encoder of MIME and Python's have it): they
hold whole bytes."""

FORMS = (
    Stride(name="", gap=b""),
    Stride(name=" utf-16", gap=b"\0"),
    Stride(name=" utf-32", gap=bytes(3)),
    Stride(name=" of a terminal", gap=b"\0\0\x08\x08"),
)
"""What a character of a line has behind it. In tmux a cell has five bytes: flags, attributes, two
colours, each 8 where it is the terminal's own, and a character (tmux.h, ``grid_cell_entry``)."""

OPENSSH = 70
"""Characters of a line that ssh-keygen writes: every other one begins within a byte."""

_LONGEST = max(WIDTHS) + der.BACK
"""Characters from a line's first on that are looked at."""

_WITNESS = 8
"""Bytes of a point that must stand in the lines."""

_SHOWN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_MASK = bytes(0x41 if byte in _SHOWN else 0 for byte in range(256))
_LINE = re.compile(rb"[A-Za-z0-9+/]{64,}")
_NEXT = re.compile(rb"[A-Za-z0-9+/]{64,}[\r\n]{1,2}[A-Za-z0-9+/]{16}")

_LAST = re.compile(
    rb"(?<![A-Za-z0-9+/])(?=[A-Za-z0-9+/]{0,72}AAA)[A-Za-z0-9+/]{8,75}={0,2}(?![A-Za-z0-9+/=])"
)
"""A last line of OpenSSH's: it has the length of a comment, of which three bytes are zeros."""

_P256 = "a14403420004"
_CURVES = tuple(
    (bytes.fromhex(head), curve, bytes.fromhex(tail))
    for head, curve, tail in (
        (
            "308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420",
            "P-256",
            _P256,
        ),
        (
            "3081b6020100301006072a8648ce3d020106052b8104002204819e30819b0201010430",
            "P-384",
            "a16403620004",
        ),
        (
            "3081ee020100301006072a8648ce3d020106052b810400230481d63081d30201010442",
            "P-521",
            "a181890381860004",
        ),
        (
            "308184020100301006072a8648ce3d020106052b8104000a046d306b0201010420",
            "secp256k1",
            _P256,
        ),
        ("30770201010420", "P-256", "a00a06082a8648ce3d030107" + _P256),
        ("3081a40201010430", "P-384", "a00706052b81040022a16403620004"),
        ("3081dc0201010442", "P-521", "a00706052b81040023a181890381860004"),
        ("30740201010420", "secp256k1", "a00706052b8104000a" + _P256),
    )
)
"""What stands before a scalar, its curve, and what stands between it and the point: PKCS#8 as
OpenSSL and Go write it, then SEC1 (RFC 5915)."""

_OPENSSH = b"openssh-key-v1\0" + 2 * b"\0\0\0\x04none" + b"\0\0\0\0\0\0\0\x01\0\0\0\x33"
_TYPE = b"\0\0\0\x0bssh-ed25519\0\0\0\x20"
_SECOND, _SEED = 125, 161
"""Where in a file of OpenSSH an Ed25519 key has its public key again, and its seed."""

_OPENSSH_LINES = 4
"""Lines that hold all of such a key."""

_HALF = (b"AAAE", b"AA")
"""How the fourth line of ssh-keygen's begins, with half a byte of the length of a seed and its
public half; and what makes whole bytes of it."""

_Solved = tuple[Material, list[bytes]] | None
"""A key, and the rows that hold it."""

_Rows = Callable[[bytes], Iterator[tuple[int, bytes]]]
"""Finds what may be lines in a text, and where each begins."""

_Found = tuple[Material, set[bytes]] | None
"""A key, and the lines that hold it."""


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key whose first line begins at ``offset`` and whose others lie apart."""
    head = memory.clip(space, offset, _LONGEST * FORMS[-1].size)
    around = functools.partial(_lines, memory, space, offset)
    for form in FORMS:
        heading, kind = strewn_putty.heading(form.plain(head))
        if kind:
            lines, solved = _putty(kind, functools.partial(around, form))
            if solved is not None:
                yield _told(space, offset, (form, heading), solved, lines, rule)
            return
    form, first = _begun(head)
    widths = [width for width in (*WIDTHS, OPENSSH) if 0 <= len(first) - width < der.BACK]
    if not widths or _whole(memory, space, offset, form):
        return
    for width in widths:
        lines = around(form, functools.partial(_rows, width=width))
        solved = _solved(first[:width], lines)
        if solved is None and strewn_ecdsa.curve_of(digits(first[:width])):
            lines |= around(form, functools.partial(_matching, _LAST))
            solved = _ecdsa(first[:width], lines)
        if solved is not None:
            yield _told(space, offset, (form, first[:width]), solved, lines, rule)
            return


def _told(
    space: int,
    offset: int,
    begun: tuple[Stride, bytes],
    solved: tuple[Material, set[bytes]],
    lines: Mapping[bytes, Sequence[int]],
    rule: Rule,
) -> Proved:
    """Say where the key lies. The first line comes first: it leads to the key again."""
    (form, first), (key, held) = begun, solved
    sizes = {at: len(line) for line in held for at in lines.get(line, ())}
    sizes.pop(offset, None)
    rows = ((offset, len(first)), *sorted(sizes.items()))
    places = tuple(Place(space=space, offset=at, size=size * form.size) for at, size in rows)
    return proved(key, rule, f"base64{form.name} in lines apart", places)


def _putty(
    kind: bytes, around: Callable[[_Rows], dict[bytes, list[int]]]
) -> tuple[dict[bytes, list[int]], _Found]:
    """Return the lines that may be of a PuTTY file, and the key that they hold, if any."""
    lines = around(functools.partial(_rows, width=strewn_putty.WIDTH))
    shorter = strewn_putty.last_lines(kind, lines)
    last = around(functools.partial(_matching, shorter)) if shorter else {}
    return lines | last, strewn_putty.solve(kind, lines, last)


def _begun(head: bytes) -> tuple[Stride, bytes]:
    """Return the form of a line, and the line, of which ``head`` has as much as any width needs."""
    for form in FORMS:
        found = _LINE.match(form.plain(head[: _LONGEST * form.size]))
        if found is not None:
            return form, found[0]
    return FORMS[0], b""


def _solved(first: bytes, lines: Iterable[bytes]) -> _Found:
    """Return the key whose first line is given, and the lines that hold it."""
    if len(first) == OPENSSH:
        return _rsa(first, lines) or _halved(lines)
    begun, rows = base64.b64decode(first), [base64.b64decode(line) for line in lines]
    for solve in (_ec, _ed25519, strewn_pgp.solve):
        solved = solve(begun, rows)
        if solved is not None:
            return solved[0], {base64.b64encode(row) for row in solved[1]}
    return _rsa(first, lines)


def _halved(lines: Iterable[bytes]) -> _Found:
    """Return an Ed25519 key as ssh-keygen writes it: a line has the seed and half its public key.

    What stands before the seed is as long in every file.
    """
    begin, lead = _HALF
    for line in lines:
        if line.startswith(begin):
            data = base64.b64decode(lead + line)
            seed, half = data[5:37], data[37:]
            public = okp_public("ed25519", seed)
            if public.startswith(half):
                return Okp(algorithm="ed25519", seed=seed, public=public), {line}
    return None


def _whole(memory: Memory, space: int, offset: int, form: Stride) -> bool:
    """Tell whether the lines follow one another, as far as others need them."""
    if form.gap:
        return (
            _NEXT.match(form.plain(memory.clip(space, offset, 2 * _LONGEST * form.size)))
            is not None
        )
    body = Text(memory=memory, space=space, offset=offset, width=1)
    if armour.find_object(body) is not None:
        return True
    text = body.read(_OPENSSH_LINES * (max(WIDTHS) + 2))
    if text.startswith(strewn_pgp.BEGINS):
        return _NEXT.match(text) is not None
    enough = _OPENSSH_LINES * OPENSSH
    return text.startswith(b"b3Bl") and len(armour.gather(text)[0]) >= enough


def _lines(
    memory: Memory, space: int, offset: int, form: Stride, rows: _Rows
) -> dict[bytes, list[int]]:
    """Return lines around an offset, the nearest, and where each stands."""
    start = max(offset - REACH, 0)
    data = memory.clip(space, start, offset - start + REACH)
    found: list[tuple[int, bytes]] = []
    for ahead in range(form.size):
        text = form.plain(data[ahead:])
        found += ((start + ahead + at * form.size, line) for at, line in rows(text))
    found.sort(key=lambda row: abs(row[0] - offset))
    lines: dict[bytes, list[int]] = {}
    for at, line in found:
        if line in lines or len(lines) < MOST:
            lines.setdefault(line, []).append(at)
    return lines


def _rows(text: bytes, width: int) -> Iterator[tuple[int, bytes]]:
    """Yield what may be lines of a width in a text, and where each begins."""
    mask, sought, end = text.translate(_MASK), b"A" * width, 0
    while (at := mask.find(sought, end)) >= 0:
        end = mask.find(b"\0", at)
        end = len(mask) if end < 0 else end
        # A byte of what stands before a string may be a character by chance; where a block is
        # not ended by a zero (tmux's lines on a screen), letters of what it held before are.
        if end - at < width + der.BACK:
            yield from ((one, text[one : one + width]) for one in sorted({at, end - width}))


def _matching(pattern: re.Pattern[bytes], text: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield what may be last lines of a file in a text, shorter than others."""
    for match in pattern.finditer(text):
        yield match.start(), match[0]


def _ecdsa(first: bytes, lines: Iterable[bytes]) -> _Found:
    """Return an ECDSA key of OpenSSH's format, and the lines that hold its scalar and point."""
    rows = {digits(line.rstrip(b"=")): line for line in lines}
    whole, last = (
        [row for row, line in rows.items() if (len(line) == len(first)) == same]
        for same in (True, False)
    )
    solved = strewn_ecdsa.solve(digits(first), whole, last)
    return (solved[0], {rows[row] for row in solved[1]}) if solved else None


def _rsa(first: bytes, lines: Iterable[bytes]) -> _Found:
    """Return the RSA key, and the lines that hold any of its numbers."""
    rows = {digits(line): line for line in lines}
    primes = strewn_rsa.factors(digits(first), [*rows])
    key = rsa_primes(math.prod(primes), strewn_rsa.E, *primes) if primes else None
    if primes is None or key is None:
        return None
    files = [*strewn_rsa.written(*primes)]
    return key, {line for row, line in rows.items() if any(row in numbers for numbers in files)}


def digits(line: bytes) -> str:
    """Return what a line of base64 says, in hexadecimal digits: three of two characters."""
    filled = base64.b64decode(line + b"A" * (-len(line) % 4))
    return filled.hex()[: len(line) * 3 // 2]


def _ec(first: bytes, rows: Sequence[bytes]) -> _Solved:
    """Return the key of a curve, and the rows that hold its scalar and point."""
    for head, curve, tail in _CURVES:
        if first.startswith(head):
            return _scalar(first, rows, curve, (head, tail))
    return None


def _scalar(
    first: bytes, rows: Sequence[bytes], curve: str, around: tuple[bytes, bytes]
) -> _Solved:
    """Try the rows behind the first that may hold the scalar: it gives the bytes of its point."""
    (head, tail), size = around, FIELD_BYTES[curve]
    start, end = len(head), len(head) + size
    total, known = end + len(tail) + 2 * size, ((end, tail),)
    count = min((end + len(tail) + _WITNESS - 1) // len(first), total // len(first) - 1)
    behind = [[row for row in rows if fits(row, index, known)] for index in range(1, count + 1)]
    if math.prod(map(len, behind)) > COMBINED:
        return None
    there = set(rows)
    for chosen in itertools.product(*behind):
        data = b"".join((first, *chosen))
        key = ec_derived(curve, int.from_bytes(data[start:end], "big"))
        if key is None:
            continue
        whole = data[:end] + tail + _point(key, size)
        parts = [whole[at : at + len(first)] for at in range(0, total, len(first))]
        full = [part for part in parts[1:] if len(part) == len(first)]
        if whole.startswith(data) and there.issuperset(full):
            return key, full
    return None


def _point(key: Ec, size: int) -> bytes:
    return key.x.to_bytes(size, "big") + key.y.to_bytes(size, "big")


def _ed25519(first: bytes, rows: Sequence[bytes]) -> _Solved:
    """Return an Ed25519 key of OpenSSH's format in lines of 64 or 76 characters.

    Of 64 the last byte of the seed stands in the last line, and is found by trying.
    """
    if not first.startswith(_OPENSSH):
        return None
    known = ((_SECOND - len(_TYPE), _TYPE), (_SEED - 4, b"\0\0\0\x40"))
    width = len(first)
    wanted = range(_SECOND // width, (_SEED + 30) // width + 1)
    behind = [[row for row in rows if fits(row, index, known)] for index in wanted]
    if math.prod(map(len, behind)) > COMBINED:
        return None
    base = wanted.start * width
    for chosen in itertools.product(*behind):
        data = b"".join(chosen)
        public, seed = (data[at - base : at - base + 32] for at in (_SECOND, _SEED))
        ends = (b"",) if len(seed) == len(public) else map(bytes, itertools.product(range(256)))
        for end in ends:
            if okp_public("ed25519", seed + end) == public:
                key = Okp(algorithm="ed25519", seed=seed + end, public=public)
                return key, list(chosen)
    return None
