"""Bare numbers written as one word: base64, base64url, base58, base32, hex or decimal alone.

What takes a JSON Web Key apart keeps its numbers as strings of their own, and frees them as such; a
wallet holds a scalar in hex, and whatever prints a key (Erlang's logs, an interpreter) writes its
integers in decimal; or GNU bc, PHP and Lua, whose bignum has decimal digits as bytes 0 to 9, which
are a text here too. Such a word is as long as a private number's bytes make it, canonical (RFC 4648
section 3.5), and ends where other characters begin. The sweep says where one may stand
(``number_words``); here a text is read again, and what it spells takes part in the relations as if
it had stood there. This module knows no keys: only the arithmetic says whose number it is, if any.
"""

import base64
import binascii
import re
from dataclasses import dataclass

import numpy as np

from scanner.arrays import Bytes, Flags, Offsets
from scanner.detect.encodings import armour, base32, base58, listed
from scanner.detect.integers import apart, escaped
from scanner.detect.integers.characters import SLOT
from scanner.detect.integers.runs import Runs, chosen, coordinate
from scanner.dump.space import Memory
from scanner.model import Place

SIZES = (32, 48, 56, 57, 64, 66, 96, 114, 128, 132, 192, 256, 384, 512, 1024)
"""Bytes of the numbers: scalars and seeds (a seed and its public key: 64, 114; a point: 64, 96,
132), and those of RSA up to 8192 bits."""

MOST = 1 << 12
"""Texts that are kept, of a task and of a dump; where there are more those in crowds are left."""

LONGEST = 2 * SIZES[-1]
"""Characters of the longest text."""

SHORTEST = 43
"""Characters of the shortest one."""

BASE64 = {-(-8 * size // 6): size for size in SIZES}
HEX = {2 * size: size for size in SIZES}
"""Characters of the texts, and the bytes of what they spell."""

SHORT_HEX = {2 * size - fewer: size for fewer in (3, 2, 1) for size in SIZES}
"""The same of hex without the zeros that a number begins with, as ``toString(16)`` of JavaScript,
``%x`` and Go's ``Text(16)`` write one: one scalar in 16 has some, and each on P-521."""

TAGGED = {
    -(-8 * (1 + size) // 6): tags
    for tags, sizes in ((b"\0\2\3", (32, 48, 66)), (b"\4", (64, 96, 132)))
    for size in sizes
}
"""Characters of base64 that spells one byte more, and what that may be: before a number the zero of
a sign (BigInteger of Java), or the kind of a point (SEC 1 section 2.3.3), as before both of its
coordinates. Public keys of web push are such texts (RFC 8292)."""

SHORT_BASE64 = {-(-8 * 65 // 6): 66}
"""The same of base64 without the zero that half of all scalars on P-521 begin with, as Go's
``Bytes`` and OpenSSL's BN_bn2bin write one."""

TWICE = (58, 59, 60, 115, 118, 119)
"""Characters of base64 that spells base64 of 32 or 64 bytes, which padding or a line's end may end;
what spells hex is as long as other numbers. So Kubernetes keeps what is such a text."""

TAGS = b"AB"
"""How base64 begins that spells such a byte first."""

AHEAD = (0, 2, 4, 10)
"""Characters that may stand before the digits of hex: jsrsasign pads with ten zeros."""

COUNTED = {8 + 2 * size + spare: size for size in (32, 48, 66) for spare in (-2, 0, 2)}
"""The same of scalars behind four bytes that count theirs, as BN_bn2mpi has them. Seen in Dovecot:
keys of its mail_crypt, in attributes of a mailbox."""

BASE58 = {87: 64, 88: 64}
"""The same of base58, in which Solana's tools write a seed and its public key."""

BASE32 = {52: 32, 103: 64}
"""The same of base32, in which rspamd writes its keys."""

DECIMAL = {
    len(str(1 << bits)) - fewer: -(-bits // 8)
    for bits in (256, 384, 521, 512, 768, 1024, 1536, 2048, 3072, 4096)
    for fewer in range(4)
}
"""Characters of decimal numbers, and their bytes: one number in a thousand has fewer of them."""

PICKLED = ord("L")
"""What stands before and behind a decimal number in a pickle of protocol 0 or 1 (Python)."""

ENDS = b"nL"
"""What may stand behind one: of a BigInt in JavaScript, of a long in Python 2."""

COUNT = 4
"""Bytes of what counts a text right before it, as V8 does."""

_CROWD = 1 << 12
"""Bytes within which texts are a crowd."""

LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
INSIDE = np.isin(np.arange(256), list(LETTERS))
"""What texts are made of."""

PART = np.isin(np.arange(256), list(b".%~\\+/-_"))
"""What stands before a part of something longer: a path, a token, an escape."""

SIGNS = b"+/-_"
"""What parts digits from what stands before or behind them, though base64 has it."""

_HEAD = 16
_WORD = re.compile(rb"([A-Za-z0-9+/_-]+)(={0,2})")
_AHEAD = re.compile(rb"(?:0[xX])?(?:0[234]|ED|ed|0*)")
"""What may stand before the digits of hex: a mark, and a sign's zeros (libgcrypt) or a kind (XRPL,
and points of SEC 1 section 2.3.3): both, in wallets of ethers and viem."""

_MARKS = (b"0x", b"0X")
_ONE_CASE = re.compile(rb"[0-9a-f]+|[0-9A-F]+")
BYTES = re.compile(rb"[\x01-\x09](?:\0{0,5}[\x01-\x09])*")
"""Decimal digits as bytes: of no number that is prime, or a key's, is the last one a zero, and more
zeros in a row part it from what an allocator has before it."""

_ASCII = bytes.maketrans(bytes(range(10)), b"0123456789")
_DIGITS = re.compile(rb"([0-9a-f]+|[0-9A-F]+)()(?![0-9A-Za-z=])")
_BASE32 = (("base32", base32.decode), ("z-base-32", base32.decode_legible))
KEPT = ("base64", "base58", "base32", "z-base-32", "hex", listed.FORM, escaped.FORM)
"""Forms in which somebody writes a number to keep it: in decimal an interpreter prints any."""

_VARIED = {32: 24}
_MOST_VARIED = 35
"""Different byte values of 32 random bytes and of more, at least: one in 10**5 has fewer."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Written:
    """A number's bytes, most significant first, and how and where in its space they are written."""

    form: str
    raw: bytes
    offset: int
    size: int


def crowd(place: Offsets) -> Offsets:
    """Count, for each of some coordinates, how many stand near it."""
    marks = np.sort(place)
    near: Offsets = np.searchsorted(marks, place + _CROWD) - np.searchsorted(marks, place - _CROWD)
    return near


def in_turn(kinds: Offsets, crowds: Offsets) -> Offsets:
    """Return the order in which one of each kind comes, then another: in small crowds first."""
    order = np.lexsort((crowds, kinds))
    turn = np.arange(len(order)) - np.searchsorted(kinds[order], kinds[order])
    found: Offsets = order[np.lexsort((crowds[order], turn))]
    return found


def sparse(runs: Runs, most: int = MOST) -> Runs:
    """Return at most so many texts: in turn one of each length, with the fewest others near it.

    So none is left for any number of others that are longer or shorter.
    """
    if len(runs) <= most:
        return runs
    size = runs.end - runs.start
    near = crowd(coordinate(runs.space, runs.start))
    kept = in_turn(size, near)[:most]
    return chosen(runs, kept[np.lexsort((runs.start[kept], runs.space[kept]))])


def may_be(data: Bytes, at: Offsets) -> Flags:
    """Tell by the first bytes of runs which are texts: random-looking ones are none."""
    found = np.zeros(len(at), np.bool_)
    few = np.flatnonzero(data[at] - np.uint8(1) < 9)
    found[few] = (data[at[few, None] + np.arange(_HEAD)] < 10).all(axis=1)
    maybe = np.flatnonzero(INSIDE[data[at]])
    rows = data[at[maybe, None] + np.arange(_HEAD)]
    even, odd = rows[:, ::2], rows[:, 1::2]
    found[maybe] = INSIDE[even].all(axis=1) & (INSIDE[odd].all(axis=1) | ~odd.any(axis=1))
    return found


def read(memory: Memory, space: int, offset: int, size: int = 0) -> Written | None:
    """Read the text that begins at a coordinate; None where it is none, or part of a longer one.

    Where ``size`` says that it fills a slot, others may adjoin it.
    """
    digits = BYTES.match(memory.clip(space, offset, LONGEST))
    return _of_bytes(digits[0], offset) if digits else _of_word(memory, space, offset, size)


def _of_word(memory: Memory, space: int, offset: int, size: int) -> Written | None:
    wide = memory.clip(space, offset + 1, 1) == b"\0"
    width = 1 + wide
    text = memory.clip(space, offset, (LONGEST + 8) * width)[::width]
    before = armour.before(memory, space, offset, width)
    adjoined = size == SLOT and bool(before) and INSIDE[before[0]]
    head = memory.clip(space, offset - COUNT, COUNT)
    counted = int.from_bytes(head, "little") == size
    counted |= size in (*head[-1:], int.from_bytes(head[-2:], "big"))
    match = _WORD.match(text[:size] if size == SLOT or (size and counted) else text)
    digits = _DIGITS.match(text)
    if digits is not None and _parted(before, digits[1], text[digits.end() :]):
        match = digits
    elif match is None or (before and PART[before[0]] and not (adjoined or counted)):
        return None
    found = _integer(match) or _of_base58(match) or _counted(match)
    found = found or _of_hex(match) or _of_base64(match) or _of_base32(match)
    if found is None:
        return None
    form, raw = found
    size = match.end() * width
    if width == 2 and any(memory.clip(space, offset, size)[1::2]):
        return None
    if len(set(raw)) < _VARIED.get(len(raw), _MOST_VARIED):
        return None
    behind = text[match.end() : match.end() + 1]
    pickled = form == "decimal" and text[0] == PICKLED
    if before == b"\n" and behind in (b"\r", b"\n") and not pickled:  # a line of many
        return None
    return Written(form=form + " utf-16" * wide, raw=raw, offset=offset, size=size)


def _of_bytes(digits: bytes, offset: int) -> Written | None:
    size, number = DECIMAL.get(len(digits), 0), int(digits.translate(_ASCII))
    if number >> 8 * size or len(set(number.to_bytes(size))) < _VARIED.get(size, _MOST_VARIED):
        return None
    return Written(form="bc digits", raw=number.to_bytes(size), offset=offset, size=len(digits))


def _parted(before: bytes, digits: bytes, behind: bytes) -> bool:
    """Tell whether digits are a number's between signs: part of a path, of an address.

    Or where Go prints a key: ``D:+103...``.
    """
    signs = (before and before in SIGNS) or (behind and behind[0] in SIGNS)
    long = len(digits) in HEX or (digits.isdigit() and len(digits) in DECIMAL)
    return bool(signs) and long and not before.isalnum()


def _integer(match: re.Match[bytes]) -> tuple[str, bytes] | None:
    text, pad = match.groups()
    if text[-1] in ENDS:
        text = text[text[0] == text[-1] == PICKLED : -1]
    size = DECIMAL.get(len(text), 0)
    if pad or not text.isdigit() or int(text) >> 8 * size:
        return None
    return "decimal", int(text).to_bytes(size, "big")


def _of_base58(match: re.Match[bytes]) -> tuple[str, bytes] | None:
    text, pad = match.groups()
    size = BASE58.get(len(text), 0)
    if not size or pad or text.translate(None, base58.ALPHABET):
        return None
    raw = base58.decode(text, size)
    return ("base58", raw) if raw else None


def _of_base32(match: re.Match[bytes]) -> tuple[str, bytes] | None:
    text = match[1]
    for form, decode in _BASE32 if len(text) in BASE32 else ():
        raw = decode(text)
        if raw is not None:
            return form, raw
    return None


def _of_hex(match: re.Match[bytes]) -> tuple[str, bytes] | None:
    text, pad = match.groups()
    for ahead in AHEAD if not pad else ():
        digits = text[ahead:]
        if len(digits) in HEX and _AHEAD.fullmatch(text, 0, ahead) and _ONE_CASE.fullmatch(digits):
            return "hex", bytes.fromhex(digits.decode())
    digits = text[2 * (text[:2] in _MARKS) :]
    size = SHORT_HEX.get(len(digits), 0)
    if size and not pad and digits[:1] != b"0" and _ONE_CASE.fullmatch(digits):
        return "hex", int(digits, 16).to_bytes(size)
    return None


def _of_base64(match: re.Match[bytes]) -> tuple[str, bytes] | None:
    text, pad = match.groups()
    tags, short = TAGGED.get(len(text), b""), SHORT_BASE64.get(len(text), 0)
    raw = _plain(text, pad) if tags or len(text) in BASE64 or len(text) in TWICE else None
    if raw is None:
        return None
    within = _WORD.fullmatch(raw.rstrip(b"\n"))
    spelled = within and (_of_hex(within) or _of_base64(within))
    if spelled or len(text) in TWICE:
        return (f"base64 of {spelled[0]}", spelled[1]) if spelled else None
    if tags and raw[0] in tags:
        return "base64", raw[1:]
    return ("base64", raw.rjust(short, b"\0")) if short or not tags else None


def _plain(text: bytes, pad: bytes) -> bytes | None:
    """Return what canonical base64 spells, padded or not; None where it is something else."""
    plain = text.translate(armour.FROM_URL)
    mixed = plain != text and any(sign in text for sign in b"+/")
    if mixed or len(pad) not in (0, -len(text) % 4):
        return None
    try:
        raw = base64.b64decode(plain + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return None
    return raw if base64.b64encode(raw).rstrip(b"=") == plain else None


def _counted(match: re.Match[bytes]) -> tuple[str, bytes] | None:
    """Read the scalar behind the count of its bytes: a zero may be its sign's, others are not."""
    text, pad = match.groups()
    size = COUNTED.get(len(text), 0)
    if not size or pad or not _ONE_CASE.fullmatch(text):
        return None
    raw = bytes.fromhex(text.decode())
    count, value = int.from_bytes(raw[:4]), int.from_bytes(raw[4:])
    if count != len(raw) - 4 or value >> 8 * size:
        return None
    return "hex", value.to_bytes(size)


def number(memory: Memory, place: Place) -> bytes:
    """Return the bytes of a place, or what they spell where they are such a text."""
    raw = memory.read(place.space, place.offset, place.size)
    parted = apart.read(raw)
    if parted is not None:
        return parted[1]
    if place.size >= SHORTEST and may_be(np.frombuffer(raw, np.uint8), np.zeros(1, np.int64))[0]:
        text = read(memory, place.space, place.offset, place.size)
        return text.raw if text is not None and text.size == place.size else raw
    return raw
