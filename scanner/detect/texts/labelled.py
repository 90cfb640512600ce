"""Private keys as text whose label is all the structure they have: bytes in base64.

Nebula writes them so (``NEBULA X25519 PRIVATE KEY``), and so do programs that know no DER. What the
bytes are the label says; a seed with its public half behind it is proved, the rest is a structure.
So is whatever stands under a label that nobody here knows: a key of an algorithm that it may name;
and DER of a private key between a BEGIN line and its END line that cannot be read as it stands.
This module leaves the labels of other formats to those who read them.
"""

import base64
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from scanner.detect.algebra.material import Foreign, Material
from scanner.detect.asn1 import der
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved, candidate, parse_private
from scanner.detect.encodings import armour
from scanner.detect.evidence import ec_derived, okp_derived, okp_seed, proved, unproved
from scanner.detect.locked.sealed import UNKNOWN
from scanner.detect.texts import expanded
from scanner.model import Place
from scanner.rules import Rule

_BEFORE, _BEHIND = 64, 256
"""Characters of the longest label, and of a body of one line with its end."""

_BEGIN, _MARK = b"-----BEGIN ", b"PRIVATE KEY-----"
_TEXT = re.compile(
    rb"-----BEGIN ((?:[A-Z0-9]{1,12} ){0,3})PRIVATE KEY-----(?:\s|\\[nr]){1,4}"
    rb"([A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{86}==)(?:\s|\\[nr]){1,4}"
    rb"-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----"
)
_LONGEST_LABEL, _FIRST_READ = 128, 2048
_LABEL = re.compile(rb"-----BEGIN ((?:[A-Z0-9][A-Z0-9+./_-]{0,23} ){1,4})\Z")
_READ = frozenset((b"RSA", b"EC", b"DSA", b"OPENSSH", b"ENCRYPTED", b"PGP", b"SSH2", b"TSS2"))
"""Words of labels whose bodies others read."""

_DER_LABEL = re.compile(rb"-----BEGIN ((?:RSA |EC |DSA )?)\Z")
_LINE = re.compile(rb"[A-Za-z0-9+/]{16,}")
_VERSION = re.compile(rb"\x30(?:\x82..|\x81.|.)\x02\x01[\x00\x01]", re.DOTALL)
_MOST_OF_IT = 0.9
"""Of the base64 that a DER object takes, what is between two labels at least."""

_SEED, _BOTH = 32, 64
_VARIED = 20
"""Different values of 32 random bytes, at least, where nothing says what they are."""


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key whose BEGIN line ends with the anchor at ``offset``."""
    text, raw, at = armour.stretch(armour.text_at(memory, space, offset), _BEFORE, _BEHIND)
    first = raw.rfind(_BEGIN, 0, at)
    match = _TEXT.match(raw, first) if first >= 0 else None
    key, certain = None, False
    if match is not None and match.start(2) >= at:
        key, certain = _key(match[1].split(), base64.b64decode(match[2]))
    if match is None or key is None:
        yield from _other(memory, space, offset, rule)
        return
    where = text.offset + first * text.width
    place, wide = armour.located(memory, space, where, match.end() - first, text.width)
    say = proved if certain else unproved
    yield say(key, rule, f"labelled base64{wide}", (place,))


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Block:
    """A text under a label of several words, whole from its BEGIN line to its END line."""

    label: tuple[bytes, ...]
    raw: bytes
    """What its base64 holds."""
    place: Place
    wide: str


def block(
    memory: Memory, space: int, offset: int, wanted: Callable[[Sequence[bytes]], bool]
) -> Block | None:
    """Read the text whose BEGIN line ends with the anchor at ``offset``, if its label is wanted."""
    found = armour.text_at(memory, space, offset)
    text, raw, at = armour.stretch(found, _LONGEST_LABEL, 0)
    begin = _LABEL.search(raw[:at])
    if begin is None or not wanted(begin[1].split()):
        return None
    for size in (_FIRST_READ, armour.BODY):
        body = found.read(size)
        base64_, end = armour.gather(body, len(_MARK))
        if end + armour.NOISE + _LONGEST_LABEL < size:
            break
    last = armour.end_line(body, end)
    if not body[:last].endswith(b"-----END %b%b" % (begin[1], _MARK)):
        return None
    where = text.offset + begin.start() * text.width
    place, wide = armour.located(memory, space, where, at - begin.start() + last, text.width)
    label = tuple(begin[1].split())
    return Block(label=label, raw=armour.decode(base64_), place=place, wide=wide)


def _other(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key under a label that nobody here knows, or that is all that can be read."""
    found = block(memory, space, offset, _READ.isdisjoint) or _between(memory, space, offset)
    if found is None:
        yield from expanded.examine_end(memory, space, offset, rule)
        return
    parsed = parse_private(found.raw, told=True)
    if parsed is not None:
        said = candidate(parsed, rule, f"{parsed.form}-PEM{found.wide}", (found.place,))
        yield Proved(candidate=said, material=parsed.material)
        return
    encoding, places = f"labelled base64{found.wide}", (found.place,)
    key, certain = expanded.key(found.raw, found.label)
    if key is not None and certain:
        yield proved(key, rule, encoding, places, proof=expanded.PROOF)
    elif key is not None:
        yield unproved(key, rule, encoding, places)
    elif len(found.raw) >= _SEED and len(set(found.raw)) >= _VARIED:
        foreign = Foreign(algorithm=UNKNOWN, inner=found.raw)
        yield unproved(foreign, rule, encoding, places)


def _between(memory: Memory, space: int, offset: int) -> Block | None:
    """Return the longest lines of base64 between a BEGIN line and its END line, and the last one.

    They hold as much as their DER says, or nearly; what stands between them nobody knows.
    """
    text, raw, at = armour.stretch(armour.text_at(memory, space, offset), _BEFORE, armour.BODY // 2)
    begin = _DER_LABEL.search(raw[:at])
    end = raw.find(b"-----END %b%b" % (begin[1], _MARK), at) if begin else -1
    lines = _LINE.findall(raw, at + len(_MARK), end) if end >= 0 else []
    first = next((i for i, line in enumerate(lines) if _needed(line)), -1)
    if begin is None or first < 0 or _BEGIN in raw[at:end] or b"ENCRYPTED" in raw[at:end]:
        return None
    width = len(lines[first])
    body = [*(line for line in lines[first:-1] if len(line) == width), lines[-1]]
    joined = b"".join(body if len(lines) > first + 1 else lines[first:])
    if len(joined) < _needed(joined) * _MOST_OF_IT:
        return None
    size = end + len(b"-----END ") + len(begin[1]) + len(_MARK) - begin.start()
    where = text.offset + begin.start() * text.width
    place, wide = armour.located(memory, space, where, size, text.width)
    label = tuple(begin[1].split())
    return Block(label=label, raw=armour.decode(joined), place=place, wide=wide)


def _needed(line: bytes) -> int:
    """Return the characters of base64 that a private key in DER takes, by its first ones, or 0."""
    head = base64.b64decode(line[:16]) if line[:1] == b"M" else b""
    total = der.total_size(head)
    whole = total is not None and total >= armour.SMALLEST and _VERSION.match(head)
    return total * 4 // 3 if total is not None and whole else 0


def _key(label: list[bytes], raw: bytes) -> tuple[Material | None, bool]:
    """Return the key that a label says the bytes are, and whether they prove it."""
    if len(raw) == _BOTH:
        return okp_seed("ed25519", raw[:_SEED], raw[_SEED:]), True
    if b"X25519" in label:
        return okp_derived("x25519", raw), False
    if b"ED25519" in label:
        return okp_derived("ed25519", raw), False
    if b"P256" in label:
        return ec_derived("P-256", int.from_bytes(raw, "big")), False
    if b"ENCRYPTED" in label or len(set(raw)) < _VARIED:
        return None, False
    return Foreign(algorithm=UNKNOWN, inner=raw), False
