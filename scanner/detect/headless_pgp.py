"""OpenPGP private keys in base64 of which the beginning is gone.

An allocator that takes back the text of an armoured key writes over its BEGIN line, and over lines
of base64 when it gives the memory out again. What is left has packets as whole as before: an OID in
them, or the exponent of an RSA key with the open secret behind it, has but three spellings in
base64, and the END line stands where it stood. From there the text is decoded in both directions,
and its packets are read as ``pgp`` reads them in memory. Whole armours are left to ``pgp``, and
encrypted secrets are passed over.
"""

import re
from collections.abc import Iterator
from itertools import islice

from scanner.detect import armour, openpgp, pgp
from scanner.detect.armour import Run, Text
from scanner.detect.der import Memory
from scanner.detect.encoded import Decoded, mapped
from scanner.detect.keys import Proved
from scanner.rules import Rule

REACH = 12 * 1024
"""Characters before and behind an anchor that are read: the base64 of an RSA key of 16384 bits."""

_NEAR = 64
"""Characters behind an anchor that tell whether it spells what it seems to."""

_OIDS = tuple(openpgp.CURVES)
_BEFORE = (7, 11)
"""Bytes from a version to an OID, without and with the count that stands there from version 5 on:
time, algorithm, and the length of the OID."""

_EXPONENT = pgp.EXPONENT + b"\0"
_HEADS = re.compile(
    rb"%s|[\x04-\x06][\x28-\x9f]...(?:[\x12-\x16](?:\0\0\0.)?[\x03-\x0a][\x2a\x2b]|[\x19-\x1c])"
    % re.escape(_EXPONENT),
    re.DOTALL,
)
"""An RSA secret's exponent; version, time and algorithm of other keys, and where an OID begins."""

_VERSION = re.compile(rb"[\x03-\x06][\x28-\x9f]")
_BREAK = re.compile(rb"[\r\n]+|\\+[rn]")
_MOST_HEADS = 256
_TAIL = re.compile(rb"([A-Za-z0-9+/])={0,2}\s{0,8}(?:=[A-Za-z0-9+/]{4}\s{1,8})?-----END $")


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the keys of packets whose OID, exponent, beginning or END line is at ``offset``."""
    text = armour.text_at(memory, space, offset)
    label = text.read(len(pgp.ANCHOR)) == pgp.ANCHOR
    if not label and not _plausible(text):
        return
    text, raw, lead = armour.stretch(text, REACH, 1 if label else REACH)
    if label:
        tail = _TAIL.search(raw, max(lead - _NEAR, 0), lead)
        lead = tail.start(1) if tail is not None else -1
    run = armour.around(raw, lead)
    if run is None or _headed(raw[: run.places[0]]):
        return
    for pad in range(4):
        inner = Decoded(armour.decode(b"A" * pad + run.chars))
        starts = _heads(inner.data) if label else _starts(inner.data, run, pad)
        for found in _read(inner, starts, rule):
            yield mapped(found, text, run, -pad, "base64 of ")


def _headed(before: bytes) -> bool:
    """Tell whether only headers stand between a BEGIN line and what follows: it is whole."""
    _, mark, between = before.rpartition(pgp.MARK)
    lines = _BREAK.split(between)
    return bool(mark) and all(b": " in line or not line.strip() for line in lines)


def _plausible(text: Text) -> bool:
    """Tell from little text whether an OID, an exponent or a packet begins here."""
    _, raw, lead = armour.stretch(text, _NEAR, _NEAR)
    run = armour.around(raw, lead)
    if run is None:
        return False
    return any(_starts(armour.decode(b"A" * pad + run.chars), run, pad) for pad in range(4))


def _starts(data: bytes, run: Run, pad: int) -> list[int]:
    """Return where in the decoded bytes an exponent, a version or a header may be.

    The character asked for holds the first bits of what was asked for, or of the byte before.
    """
    found = []
    first = (run.at + pad) * 6 // 8
    for at in range(first, first + 3):
        head = openpgp.header(data, at)
        framed = head is not None and head.tag in openpgp.SECRET_TAGS
        if framed or data.startswith(_EXPONENT, at) or _VERSION.match(data, at):
            found.append(at)
        if data.startswith(_OIDS, at):
            found += [at - before for before in _BEFORE if at >= before]
    return found


def _heads(data: bytes) -> list[int]:
    return [match.start() for match in islice(_HEADS.finditer(data), _MOST_HEADS)]


def _read(inner: Decoded, starts: list[int], rule: Rule) -> Iterator[Proved]:
    """Yield each key once of those that ``pgp`` reads at some places."""
    seen = set()
    for start in starts:
        for found in pgp.examine(inner, 0, start, rule):
            if isinstance(found, Proved) and found.candidate.places not in seen:
                seen.add(found.candidate.places)
                yield found
