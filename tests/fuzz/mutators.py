"""Changes that know a form: what a blind change breaks first is put right again.

A checksum, a length or an alphabet stops a fuzzer at the door. Each function here takes a form
apart, changes what is inside, and writes it again. It shares no code with the parsers.
"""

import base64
import bz2
import gzip
import hashlib
import lzma
import re
import struct
import zlib
from collections.abc import Callable, Sequence
from random import Random
from typing import Literal

import cramjam
import lz4.frame
import zstandard

from tests.fuzz.target import Change, Mutate

_TEXT = re.compile(rb"[A-Za-z0-9+/_-][A-Za-z0-9+/_\r\n-]{30,}={0,2}")
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}){16,}")
_NUMBERS: tuple[int, ...] = (
    0,
    1,
    2,
    4,
    8,
    0x7F,
    0x80,
    0xFF,
    0x100,
    0x7FFF,
    0xFFFF,
    0x1_0000,
    0x7FFF_FFFF,
)
_NUMBERS += (
    0x8000_0000,
    0xFFFF_FFFF,
    1 << 32,
    (1 << 63) - 1,
    1 << 63,
    (1 << 64) - 1,
    (1 << 64) - 16,
)


def numbers(data: bytes, most: int, chance: Random, _change: Change) -> bytes:
    """Write a number that means trouble over an aligned word: an end, a size, a count."""
    size = chance.choice((1, 2, 4, 4, 8))
    if len(data) < size:
        return data[:most]
    at = chance.randrange(0, len(data) - size + 1, min(size, 4))
    order: Literal["little", "big"] = chance.choice(("little", "big"))
    old = int.from_bytes(data[at : at + size], order)
    new = chance.choice(
        (*_NUMBERS, len(data), len(data) - at, at, old + 1, old - 1, old << 1, old >> 1)
    )
    word = (new % (1 << 8 * size)).to_bytes(size, order)
    return (data[:at] + word + data[at + size :])[:most]


def elsewhere(data: bytes, most: int, chance: Random, _change: Change) -> bytes:
    """Repeat, drop or move a piece, as lists of records that overlap or lack one have it."""
    if not data:
        return data
    start = chance.randrange(len(data))
    piece = data[start : start + chance.choice((4, 8, 12, 16, 24, 40, 56, 64, 100, 512))]
    at = chance.randrange(len(data))
    gone = data[:start] + data[start + len(piece) :]
    return chance.choice((data[:at] + piece + data[at:], gone, gone[:at] + piece + gone[at:]))[
        :most
    ]


# --- DER ----------------------------------------------------------------------------------------


def _elements(data: bytes) -> list[tuple[int, bytes]] | None:
    """Part definite, low-tag elements that fill ``data``; None where they do not."""
    found, at = [], 0
    while at < len(data):
        if at + 2 > len(data):
            return None
        tag, size, at = data[at], data[at + 1], at + 2
        if size >= 0x80:
            count = size - 0x80
            size, at = int.from_bytes(data[at : at + count], "big"), at + count
            if not 1 <= count <= 3:
                return None
        if at + size > len(data):
            return None
        found.append((tag, data[at : at + size]))
        at += size
    return found


def _element(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 + len(length))) + length + content


def _inside(data: bytes, chance: Random, change: Change) -> bytes:
    """Change one element, or go into it, and write all of them with their true lengths."""
    items = _elements(data)
    if not items:
        return change(data, len(data) + 16)
    index = chance.randrange(len(items))
    tag, content = items[index]
    lead = content[:1] if tag == 0x03 and content[:1] == b"\0" else b""
    nests = tag & 0x20 or content[len(lead) : len(lead) + 1] in (b"\x30", b"\x02", b"\x04")
    if nests and content and chance.random() < 0.85:
        inner = content[len(lead) :]
        items[index] = tag, lead + _inside(inner, chance, change)
    else:
        match chance.randrange(8):
            case 0:
                del items[index]
            case 1:
                items.insert(index, chance.choice(items))
            case 2:
                items[index] = chance.choice((2, 3, 4, 5, 6, 0x30, 0x31, 0x80, 0xA0, 0xA1)), content
            case 3:
                items[index] = tag, _element(tag, content)
            case _:
                items[index] = tag, change(content, len(content) + 16)
    return b"".join(_element(*item) for item in items)


def der(data: bytes, most: int, chance: Random, change: Change) -> bytes:
    """Change one element of the DER in ``data``, and all lengths with it."""
    starts = [match.start() for match in re.finditer(rb"0[\x10-\x84]", data)][:16]
    for at in starts:
        for size in range(at + 2, at + 6):
            length = data[at + 1]
            end = at + 2 + length
            if length > 0x80:
                end = size + int.from_bytes(data[at + 2 : size], "big")
            if end <= len(data) and (whole := _elements(data[at:end])) and len(whole) == 1:
                return (data[:at] + _inside(data[at:end], chance, change) + data[end:])[:most]
    return change(data, most)


# --- text ---------------------------------------------------------------------------------------


def _within(pattern: re.Pattern[bytes], data: bytes, chance: Random) -> re.Match[bytes] | None:
    found = list(pattern.finditer(data))
    return chance.choice(found) if found else None


def base64_of(inner: Mutate | None = None) -> Mutate:
    """Return a change of what a text holds in base64, or ``inner``'s change of it."""

    def mutate(data: bytes, most: int, chance: Random, change: Change) -> bytes:
        match = _within(_TEXT, data, chance)
        if match is None:
            return change(data, most)
        url = b"-" in match[0] or b"_" in match[0]
        letters = b"".join(match[0].split()).rstrip(b"=")
        raw = base64.b64decode(
            letters[: len(letters) - (len(letters) % 4 == 1)] + b"==", b"-_" if url else None
        )
        room = len(raw) + 64
        raw = inner(raw, room, chance, change) if inner else change(raw, room)
        text = base64.b64encode(raw, b"-_" if url else None)
        line = len(match[0].split()[0])
        if len(match[0].split()) > 1:
            text = b"\n".join(text[at : at + line] for at in range(0, len(text), line)) + b"\n"
        elif not match[0].endswith(b"="):
            text = text.rstrip(b"=")
        return (data[: match.start()] + text + data[match.end() :])[:most]

    return mutate


def hex_of(inner: Mutate | None = None) -> Mutate:
    """Return a change of what a text holds in hex, or ``inner``'s change of it."""

    def mutate(data: bytes, most: int, chance: Random, change: Change) -> bytes:
        match = _within(_HEX, data, chance)
        if match is None:
            return change(data, most)
        raw, room = bytes.fromhex(match[0].decode()), len(match[0]) // 2 + 64
        raw = inner(raw, room, chance, change) if inner else change(raw, room)
        return (data[: match.start()] + raw.hex().encode() + data[match.end() :])[:most]

    return mutate


def wide(data: bytes, most: int, chance: Random, change: Change) -> bytes:
    """Write a text in two bytes a character, or in one again."""
    del chance, change
    if data[1::2].count(0) * 3 > len(data):
        return data[::2][:most]
    return b"".join(bytes((byte, 0)) for byte in data)[:most]


_BASE58 = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base58(data: bytes, most: int, chance: Random, change: Change) -> bytes:
    """Change what a text in Base58Check holds, and write the checksum that belongs to it."""
    match = _within(re.compile(rb"[%b]{50,112}" % _BASE58), data, chance)
    if match is None:
        return change(data, most)
    number = 0
    for char in match[0]:
        number = number * 58 + _BASE58.index(char)
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")[:-4]
    raw = change(raw, len(raw)) if chance.random() < 0.9 else raw[:-1]
    raw += hashlib.sha256(hashlib.sha256(raw).digest()).digest()[:4]
    number, text = int.from_bytes(raw, "big"), b""
    while number:
        number, digit = divmod(number, 58)
        text = _BASE58[digit : digit + 1] + text
    return (data[: match.start()] + text + data[match.end() :])[:most]


def literal(words: Sequence[bytes]) -> Mutate:
    """Return a change that writes one of some words somewhere: the keys of a table, say."""

    def mutate(data: bytes, most: int, chance: Random, _change: Change) -> bytes:
        at, word = chance.randrange(len(data) + 1), chance.choice(words)
        over = len(word) if chance.random() < 0.5 else 0
        return (data[:at] + word + data[at + over :])[:most]

    return mutate


# --- anchors ------------------------------------------------------------------------------------


def anchored(spans: Callable[[bytes], list[tuple[int, int]]]) -> Mutate:
    """Return a blind change that leaves one anchor where it was.

    ``spans`` says where the anchors of an input start and end.
    """

    def mutate(data: bytes, most: int, chance: Random, change: Change) -> bytes:
        found = spans(data)
        new = change(data, most)
        if not found:
            return new
        start, end = chance.choice(found)
        return (new[:start].ljust(start, b"\0") + data[start:end] + new[end:])[:most]

    return mutate


# --- compression and archives -------------------------------------------------------------------


def _unlzma(data: bytes) -> bytes:
    return lzma.LZMADecompressor().decompress(data, 1 << 20)


_CODECS: dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    "gzip": (lambda d: zlib.decompressobj(31).decompress(d, 1 << 20), gzip.compress),
    "zlib": (lambda d: zlib.decompressobj().decompress(d, 1 << 20), zlib.compress),
    "bzip2": (lambda d: bz2.BZ2Decompressor().decompress(d, 1 << 20), bz2.compress),
    "xz": (_unlzma, lambda d: lzma.compress(d, preset=0)),
    "zstd": (
        lambda d: zstandard.ZstdDecompressor().decompressobj().decompress(d),
        zstandard.ZstdCompressor(level=1).compress,
    ),
    "lz4": (
        lambda d: bytes(lz4.frame.LZ4FrameDecompressor().decompress(d, 1 << 20)),
        lz4.frame.compress,
    ),
    "snappy": (
        lambda d: bytes(cramjam.snappy.decompress(d)),
        lambda d: bytes(cramjam.snappy.compress(d)),
    ),
    "base64": (base64.b64decode, base64.encodebytes),
}


def packed(codec: str) -> Mutate:
    """Return a change of what a stream holds, packed again."""
    unpack, pack = _CODECS[codec]

    def mutate(data: bytes, most: int, chance: Random, change: Change) -> bytes:
        del chance
        try:
            plain = unpack(data)
        except Exception:  # noqa: BLE001 - an input that is broken already
            return change(data, most)
        return pack(change(plain[:most], most))[:most]

    return mutate


def tar_sums(data: bytes, most: int, chance: Random, change: Change) -> bytes:
    """Change a tar archive, and write the checksum of each header that has a magic."""
    new = bytearray(
        numbers(data, most, chance, change) if chance.random() < 0.5 else change(data, most)
    )
    for at in range(0, len(new) - 511, 512):
        if new[at + 257 : at + 262] == b"ustar":
            total = sum(new[at : at + 512]) - sum(new[at + 148 : at + 156]) + 8 * 0x20
            new[at + 148 : at + 156] = b"%06o\0 " % total
    return bytes(new)


def words(data: bytes, most: int, chance: Random, change: Change) -> bytes:
    """Write a new number in digits over one that stands in a text."""
    match = _within(re.compile(rb"[0-9]{1,12}|[0-9A-Fa-f]{8,16}"), data, chance)
    if match is None:
        return change(data, most)
    text = b"%d" % chance.choice((*_NUMBERS, len(data), 10**30))
    if chance.random() < 0.3:
        text = struct.pack(">Q", chance.choice(_NUMBERS)).hex().encode()
    return (data[: match.start()] + text + data[match.end() :])[:most]
