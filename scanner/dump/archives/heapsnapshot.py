"""V8 heap snapshots: every string of a JavaScript heap, in one array at the end of a JSON document.

In the document a line's end is two characters, and a number of a JSON Web Key is base64 by itself:
neither can be seen for a key as it stands there. This module exists to undo both: it gives the
strings as text, and what base64 in them decodes to. It refuses to parse the rest of the document,
which holds numbers only, and to take one without an end for whole.
"""

import base64
import json
import re
from collections.abc import Iterator

from scanner.dump.archives.archive import Archive, Member
from scanner.dump.source import CHUNK

MAX_STRING = 16 << 20
"""Bytes of one string; V8 keeps 1,024 characters, others all."""

_HEAD = b'{"snapshot":{"meta"'
_STRINGS = b'"strings":['
_STRING = re.compile(rb'[\s,]*"((?:[^"\\]|\\.)*+)"', re.DOTALL)
_END = re.compile(rb"[\s,]*\]\s*\}")
_LEAST = 40
"""Digits of base64 that are decoded."""
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{%d,}" % _LEAST)
_JSON = json.JSONDecoder(strict=False)
_LABELS = re.compile(rb"-----[A-Z ]+-----")


def sniff(head: bytes) -> bool:
    """Tell a snapshot by its first key."""
    return head.startswith(_HEAD)


def read(archive: Archive) -> Iterator[Member]:
    """Yield the strings, each ended by a zero byte, and what base64 among them decodes to."""
    start = _find(archive)
    if start is None:
        archive.fault("truncated-archive", "The snapshot has no strings.")
        return
    yield Member(name="strings", chunks=_decoded(_strings(archive, start)))


def _find(archive: Archive) -> int | None:
    """Return the offset behind the opening bracket of the strings."""
    file, overlap = archive.file, len(_STRINGS) - 1
    for at in range(0, file.size, CHUNK):
        found = file.read(at, min(CHUNK + overlap, file.size - at)).find(_STRINGS)
        if found >= 0:
            return at + found + len(_STRINGS)
    return None


def _strings(archive: Archive, at: int) -> Iterator[bytes]:
    """Yield each string as UTF-8."""
    file, held, start = archive.file, b"", 0
    while True:
        match = _STRING.match(held, start)
        if match is not None:
            start = match.end()
            yield _text(archive, match[1])
            continue
        if (match := _END.match(held, start)) is not None:
            archive.know(0, at - len(held) + match.end())
            return
        if at == file.size or len(held) - start > MAX_STRING:
            archive.fault("truncated-archive", "The strings of the snapshot have no end.")
            return
        held = held[start:] + file.read(at, min(CHUNK, file.size - at))
        at, start = min(at + CHUNK, file.size), 0


def _text(archive: Archive, raw: bytes) -> bytes:
    """Return what a string of JSON says, as UTF-8; most say what they are."""
    if b"\\" not in raw and raw.isascii():
        return raw
    try:
        text = _JSON.decode('"' + raw.decode("utf-8", "surrogatepass") + '"')
    except ValueError:
        archive.fault("corrupt-member", "A string of the snapshot is no JSON.")
        return raw
    return str(text).encode("utf-8", "surrogatepass")


def _decoded(strings: Iterator[bytes]) -> Iterator[bytes]:
    """Yield all strings in pieces of a chunk: a heap has millions, of twenty bytes each."""
    held = bytearray()
    for text in strings:
        held += text
        held += b"\0"
        if len(text) >= _LEAST:
            for match in _BASE64.finditer(b"".join(_LABELS.sub(b" ", text).split(b"\n"))):
                held += _unpacked(match[0]) + bytes(8)
        if len(held) >= CHUNK:
            yield bytes(held)
            held.clear()
    yield bytes(held)


def _unpacked(digits: bytes) -> bytes:
    """Return what digits of base64 or base64url decode to; one that is left over has no byte."""
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    return base64.urlsafe_b64decode(
        digits.translate(bytes.maketrans(b"+/", b"-_")) + b"=" * (-len(digits) % 4)
    )
