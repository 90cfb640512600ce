"""Private keys in base64 of which the beginning is gone, or that starts anywhere inside of it.

An allocator that writes over a freed PEM text takes the BEGIN line and a line or two of base64;
what is left still holds p, or the scalar and its point. Such text has no label, but the DER inside
has headers, and a header has but three spellings in base64: these are the anchors. From there the
text is decoded in both directions and judged like damaged DER in memory (see ``headless``). A seed
may be all that is left, behind the header of its octet string: a structure without proof. Where
that header is cut too, a seed is told by its length and by the END line behind it. Keys inside of
larger objects in base64 are found the same way. Whole ones that begin with a character are left to
``pem`` and ``encoded``.
"""

import base64
import re
from collections.abc import Iterator

from scanner.detect.asn1 import der, keys
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved
from scanner.detect.damaged import headless
from scanner.detect.encodings import armour
from scanner.detect.encodings.armour import Run, Text
from scanner.detect.evidence import okp_derived, unproved
from scanner.detect.texts.encoded import Decoded, mapped
from scanner.model import Place
from scanner.rules import Rule

_BACK = 4096
"""Bytes before a number in which the object begins that it belongs to."""

_HEADER = re.compile(rb"\x30(?:\x82..|\x81.|.)\x02\x01[\x00\x01]", re.DOTALL)

_SEEDS = {
    b"\x04\x22\x04\x20": ("ed25519", 32),
    b"\x04\x3b\x04\x39": ("ed448", 57),
    b"\x04\x3a\x04\x38": ("x448", 56),
}
"""Headers of a CurvePrivateKey (RFC 8410 section 7): the algorithm, of two the one that is not as
rare, and the bytes of its seed. They stand 16 characters from the beginning of the text."""

_X25519 = b"\x03\x2b\x65\x6e"
"""The identifier of the rarer one (RFC 8410 section 3), which stands before the header."""

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
    """Yield the key of which a number is written in base64 from ``offset`` on."""
    text = armour.text_at(memory, space, offset)
    cut = _cut(text, rule)
    if cut is not None:
        yield cut
        return
    if not _plausible(text):
        return
    text, raw, lead = armour.stretch(text, REACH, REACH)
    run = armour.around(raw, lead)
    if run is None:
        return
    for pad in range(4):
        found = _found(run, pad, rule)
        if found is not None:
            yield mapped(found, text, run, -pad, "base64 of ")
            return


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
            if headless.plausible(data, at) or _HEADER.match(data, at):
                return True
            if any(_seed(_line(data, run, pad, at), at)):
                return True
    return False


def _found(run: Run, pad: int, rule: Rule) -> Proved | None:
    """Return the key that a number proves which begins in the character asked for, or near it.

    ``pad`` characters before the run give its bytes one of four alignments and lose none.
    """
    inner = Decoded(armour.decode(b"A" * pad + run.chars))
    first = (run.at + pad) * 6 // 8
    for at in range(first, first + 3):
        found = headless.prove_at(inner, 0, at, rule) or _seeded(inner, run, pad, at, rule)
        if found is not None and not _is_within(inner, found.candidate.places[0].offset):
            return found
    return _whole(inner, first, rule)


def _line(data: bytes, run: Run, pad: int, at: int) -> bytes:
    """Cut off what stands behind a seed that ends with its line: a text that was there before."""
    _, size = _SEEDS.get(data[at : at + 4], ("", 0))
    end, part = divmod((at + 4 + size) * 8, 6)
    end -= pad
    if size and not part and end < len(run.places) and run.places[end] - run.places[end - 1] > 1:
        return data[: at + 4 + size]
    return data


def _seed(data: bytes, at: int) -> tuple[str, bytes]:
    """Return the algorithm and the seed of a CurvePrivateKey with which the text ends."""
    algorithm, size = _SEEDS.get(data[at : at + 4], ("", 0))
    seed = data[at + 4 :]
    if algorithm == "ed25519" and data[:at].endswith(_X25519):
        algorithm = "x25519"
    return (algorithm, seed) if size == len(seed) else ("", b"")


def _seeded(inner: Decoded, run: Run, pad: int, at: int, rule: Rule) -> Proved | None:
    """Return the key of a seed at a text's end, to which nothing bears witness."""
    inner = Decoded(_line(inner.data, run, pad, at))
    algorithm, seed = _seed(inner.data, at)
    key = okp_derived(algorithm, seed) if len(set(seed)) >= _DISTINCT else None
    if key is None:
        return None
    place = Place(space=0, offset=at, size=4 + len(seed))
    return unproved(key, rule, "PKCS8-DER (damaged)", (place,))


def _is_within(inner: Decoded, at: int) -> bool:
    """Tell whether a whole key begins before a byte and goes on behind it, of any algorithm."""
    for match in _HEADER.finditer(inner.data, max(at - _BACK, 0), at):
        whole = der.fetch(inner, 0, match.start())
        if whole is not None and match.start() + len(whole) > at and keys.parse_private(whole):
            return True
    return False


def _cut(text: Text, rule: Rule) -> Proved | None:
    """Return the key of a seed before the END line at the text's beginning, or at it itself.

    All that stood before the seed is gone, or all but some characters of its header.
    """
    ends = text.read(len(_END)) == _END
    around = (_SEED_BACK, len(_END)) if ends else (_SEED_BACK, 128)
    text, raw, lead = armour.stretch(text, *around)
    match = _LAST.search(raw, 0, lead + len(_END)) if ends else _LAST.match(raw, lead)
    if match is None or _LINES.search(raw, 0, match.start()):
        return None
    chars, pad = _BREAK.sub(b"", match[1]), len(match[2])
    for header, (algorithm, size) in _SEEDS.items():
        whole = -(-8 * (len(header) + size) // 6)
        lost = whole - len(chars)
        if not 0 < lost <= _CUT or pad != -whole % 4:
            continue
        seed = armour.decode(b"A" * lost + chars)[len(header) :]
        key = okp_derived(algorithm, seed) if len(set(seed)) >= _DISTINCT else None
        if key is not None and base64.b64encode(header + seed)[lost:whole] == chars:
            at, width = text.offset + match.start() * text.width, text.width
            place, wide = armour.located(text.memory, text.space, at, len(match[1]), width)
            return unproved(key, rule, f"base64 of PKCS8-DER (damaged){wide}", (place,))
    return None


def _whole(inner: Decoded, around: int, rule: Rule) -> Proved | None:
    """Return the whole key around a byte, if it begins inside of a character.

    What begins with one is left to others, whatever lies inside of it.
    """
    low = max(around - _BACK, 0)
    for match in _HEADER.finditer(inner.data, low, around + 8):
        at = match.start()
        data = der.fetch(inner, 0, at)
        if data is None or at + len(data) <= around:
            continue
        parsed = keys.parse_private(data)
        if parsed is not None:
            if not at * 8 % 6:
                return None
            place = Place(space=0, offset=at, size=parsed.size)
            said = keys.candidate(parsed, rule, f"{parsed.form}-DER", (place,))
            return Proved(candidate=said, material=parsed.material)
    return None
