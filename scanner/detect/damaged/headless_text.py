"""Private keys in base64 of which the beginning is gone, or that starts anywhere inside of it.

An allocator that writes over a freed PEM text takes the BEGIN line and a line or two of base64;
what is left still holds p, or the scalar and its point. Such text has no label, but the DER inside
has headers, and a header has but three spellings in base64: these are the anchors. From there the
text is decoded in both directions and judged like damaged DER in memory (see ``headless``). A seed
may be all that is left, behind the header of its octet string: a structure without proof. It ends
with its text or line, or has the whole name of its algorithm before it. Where
that header is cut too, a seed is told by its length and by the END line behind it. What names its
algorithm stands before that: where it is gone, a seed of 32 bytes is told as a key of each that has
such seeds. Keys inside of larger objects in base64 are found the same way, and those whose lines
stand apart (``lines``). Whole ones that begin with a character are left to ``pem`` and ``encoded``,
what is written in hex to ``headless_hex``.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import replace

from scanner.detect.asn1 import der, keys
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved
from scanner.detect.damaged import headless, headless_hex
from scanner.detect.encodings import armour, lines
from scanner.detect.encodings.armour import Run, Text
from scanner.detect.evidence import okp_derived, unproved
from scanner.detect.texts.encoded import Decoded, mapped
from scanner.fingerprint import OKP_OIDS
from scanner.model import Place
from scanner.rules import Rule

_SEEDS = {
    b"\x04\x22\x04\x20": ("ed25519", 32),
    b"\x04\x3b\x04\x39": ("ed448", 57),
    b"\x04\x3a\x04\x38": ("x448", 56),
}
"""Headers of a CurvePrivateKey (RFC 8410 section 7): the algorithm, of two the one that is not as
rare, and the bytes of its seed. They stand 16 characters from the beginning of the text."""

_SHORT = 32
"""Bytes of a seed of which nothing but its algorithm's name tells which of two it is of."""

_NAMED = {b"\x65\x70": ("ed25519",), b"\x65\x6e": ("x25519",)}
"""The ends of the identifiers (RFC 8410 section 3) of seeds of 32 bytes, which stand before the
header."""

_EITHER = ("ed25519", "x25519")

_NAME = 3
"""Bytes of an identifier."""

_OIDS = {oid: algorithm for algorithm, oid in OKP_OIDS.items()}

_DISTINCT = 20
"""Different bytes of a seed: 32 random ones miss it once in 10**10."""

_END = b"-----END PRIVATE KEY-----"
_CUT = 5
"""Characters of 16 that spell the header of a seed's octet string, and may be gone with all that
stood before them: the next one has the first bits of the seed."""

_LAST = re.compile(
    rb"(?<![A-Za-z0-9+/=])((?:[A-Za-z0-9+/]{43,47}(?:\s{1,2}|(?:\\+[rn]){1,2}))?"
    rb"[A-Za-z0-9+/]{32,47})(={0,2})(?:\s{1,2}|(?:\\+[rn]){1,2})" + _END
)
"""A cut line and what follows it up to the END line."""

_LINES = re.compile(rb"[A-Za-z0-9+/]{43}(?:\s{1,2}|(?:\\+[rn]){1,2})$")
"""What stands before the last line of a longer text."""

_BREAK = re.compile(rb"\s+|\\+[rn]")
_SEED_BACK = 256
"""Characters before the END line that are read."""

_BESIDE = 8
"""Characters before an anchor in which the first bits of its number stand."""

_NEAR = 1024
"""Characters behind an anchor in which a number of up to 4096 bits ends."""

REACH = 12 * 1024
"""Characters before and behind an anchor that are read: the base64 of an 8192-bit key."""


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key of which a number is written in base64 or in hex from ``offset`` on."""
    text = armour.text_at(memory, space, offset)
    if headless_hex.begins(text):
        yield from headless_hex.examine(text, rule)
        return
    cut = _cut(text, rule)
    if cut:
        yield from cut
        return
    found = _in_one(text, rule) if _plausible(text) else []
    yield from found or _in_lines(text, rule)


def _in_one(text: Text, rule: Rule) -> list[Proved]:
    """Return the key in the base64 around a text's first character."""
    text, raw, lead = armour.stretch(text, REACH, REACH)
    run = armour.around(raw, lead)
    if run is None:
        return []
    for pad in range(4):
        if found := _found(run, pad, rule):
            return [mapped(each, text, run, -pad, "base64 of ") for each in found]
    return []


def _in_lines(text: Text, rule: Rule) -> list[Proved]:
    """Return the key in lines that stand apart, one of which is around a text's first character."""
    for whole, run in lines.joined(text):
        for pad in range(4):
            if found := _found(run, pad, rule, whole_too=True):
                return [lines.mapped(each, whole, run, pad) for each in found]
    return []


def _plausible(text: Text) -> bool:
    """Tell from little text whether a number and another one, or a point, begin here."""
    _, raw, lead = armour.stretch(text, _BESIDE, _NEAR)
    run = armour.around(raw, lead)
    if run is None:
        return False
    for pad in range(4):
        data = armour.decode(b"A" * pad + run.chars)
        first = (run.at + pad) * 6 // 8
        for at in range(first, first + 3):
            if headless.plausible(data, at) or headless.HEADER.match(data, at):
                return True
            if _seed(_line(data, run, pad, at), at)[0] or _announced(data, at)[0]:
                return True
    return False


def _found(run: Run, pad: int, rule: Rule, *, whole_too: bool = False) -> list[Proved]:
    """Return the key that a number proves which begins in the character asked for, or near it.

    ``pad`` characters before the run give its bytes one of four alignments and lose none. A seed
    that may be of several kinds is a key of each. A whole key that begins with a character is found
    ``whole_too``.
    """
    inner = Decoded(armour.decode(b"A" * pad + run.chars))
    first = (run.at + pad) * 6 // 8
    if whole_too and (found := _whole(inner, first, rule, aligned=True)):
        return found
    for at in range(first, first + 3):
        proved = headless.prove_at(inner, 0, at, rule)
        found = [proved] if proved is not None else _seeded(inner, run, pad, at, rule)
        if found and not headless.is_within(inner, inner.data, found[0].candidate.places[0].offset):
            return found
    return _whole(inner, first, rule) or _behind_name(inner, first, rule)


def _line(data: bytes, run: Run, pad: int, at: int) -> bytes:
    """Cut off what stands behind a seed that ends with its line: a text that was there before."""
    _, size = _SEEDS.get(data[at : at + 4], ("", 0))
    end, part = divmod((at + 4 + size) * 8, 6)
    end -= pad
    if size and not part and end < len(run.places) and run.places[end] - run.places[end - 1] > 1:
        return data[: at + 4 + size]
    return data


def _seed(data: bytes, at: int) -> tuple[tuple[str, ...], bytes]:
    """Return the algorithms that a CurvePrivateKey may be of with which the text ends, its seed."""
    algorithm, size = _SEEDS.get(data[at : at + 4], ("", 0))
    seed = data[at + 4 :]
    if not algorithm or size != len(seed):
        return (), b""
    if size == _SHORT:
        return _NAMED.get(data[max(at - 2, 0) : at], _EITHER), seed
    return (algorithm,), seed


def _seeded(inner: Decoded, run: Run, pad: int, at: int, rule: Rule) -> list[Proved]:
    """Return the key of a seed at a text's end, to which nothing bears witness."""
    inner = Decoded(_line(inner.data, run, pad, at))
    algorithms, seed = _seed(inner.data, at)
    place = Place(space=0, offset=at, size=4 + len(seed))
    return _told(algorithms, seed, rule, "PKCS8-DER (damaged)", place)


def _behind_name(inner: Decoded, first: int, rule: Rule) -> list[Proved]:
    """Return the key of a seed behind the name of its algorithm, whatever its line goes on with.

    Seen in tmux: a line of 64 characters in a buffer that a longer one had filled.
    """
    for at in range(first, first + 3):
        algorithms, seed = _announced(inner.data, at)
        if algorithms and not headless.is_within(inner, inner.data, at):
            place = Place(space=0, offset=at, size=4 + len(seed))
            return _told(algorithms, seed, rule, "PKCS8-DER (damaged)", place)
    return []


def _announced(data: bytes, at: int) -> tuple[tuple[str, ...], bytes]:
    """Return the algorithm that a whole name before a header says, in 56 bits, and the seed."""
    _, size = _SEEDS.get(data[at : at + 4], ("", 0))
    algorithm = _OIDS.get(data[max(at - _NAME, 0) : at], "")
    seed = data[at + 4 : at + 4 + size]
    good = algorithm and len(seed) == keys.OKP_BYTES[algorithm] == size
    return ((algorithm,), seed) if good else ((), b"")


def _told(
    algorithms: tuple[str, ...], seed: bytes, rule: Rule, encoding: str, place: Place
) -> list[Proved]:
    """Return a seed as a key of each of some algorithms, one of which it is of."""
    if len(set(seed)) < _DISTINCT:
        return []
    keys_of = (key for each in algorithms if (key := okp_derived(each, seed)) is not None)
    found = [unproved(key, rule, encoding, (place,)) for key in keys_of]
    return [
        replace(each, candidate=replace(each.candidate, either=len(found) > 1)) for each in found
    ]


def _cut(text: Text, rule: Rule) -> list[Proved]:
    """Return the key of a seed before the END line at the text's beginning, or at it itself.

    All that stood before the seed is gone, or all but some characters of its header.
    """
    ends = text.read(len(_END)) == _END
    around = (_SEED_BACK, len(_END)) if ends else (_SEED_BACK, 128)
    text, raw, lead = armour.stretch(text, *around)
    match = _LAST.search(raw, 0, lead + len(_END)) if ends else _LAST.match(raw, lead)
    if match is None or _LINES.search(raw, 0, match.start()):
        return []
    chars, pad = _BREAK.sub(b"", match[1]), len(match[2])
    for header, (algorithm, size) in _SEEDS.items():
        whole = -(-8 * (len(header) + size) // 6)
        lost = whole - len(chars)
        if not 0 < lost <= _CUT or pad != -whole % 4:
            continue
        seed = armour.decode(b"A" * lost + chars)[len(header) :]
        if base64.b64encode(header + seed)[lost:whole] == chars:
            at, width = text.offset + match.start() * text.width, text.width
            place, wide = armour.located(text.memory, text.space, at, len(match[1]), width)
            algorithms = _EITHER if size == _SHORT else (algorithm,)
            return _told(algorithms, seed, rule, f"base64 of PKCS8-DER (damaged){wide}", place)
    return []


def _whole(inner: Decoded, around: int, rule: Rule, *, aligned: bool = False) -> list[Proved]:
    """Return the whole key around a byte, if it begins inside of a character.

    What begins with one, ``aligned``, is left to others, whatever lies inside of it.
    """
    low = max(around - headless.BACK, 0)
    for match in headless.HEADER.finditer(inner.data, low, around + 8):
        at = match.start()
        data = der.fetch(inner, 0, at)
        if data is None or at + len(data) <= around:
            continue
        parsed = keys.parse_private(data)
        if parsed is not None:
            if not at * 8 % 6 and not aligned:
                return []
            place = Place(space=0, offset=at, size=parsed.size)
            said = keys.candidate(parsed, rule, f"{parsed.form}-DER", (place,))
            return [Proved(candidate=said, material=parsed.material)]
    return []
