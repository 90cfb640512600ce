r"""Private keys as text: PEM (RFC 7468), in the shapes that text takes inside a process.

ASCII or UTF-16 of either order, in every shape of ``armour``. The DER inside says how much base64
is needed, so the END line may be gone and anything may follow. What the text decodes to must be a
key by the rules of ``keys``: a label alone is nothing, and an encrypted body is for ``encrypted``.
"""

from collections.abc import Iterator

from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved, candidate, parse_private
from scanner.detect.encodings import armour
from scanner.detect.encodings.armour import Text
from scanner.detect.texts import labelled
from scanner.rules import Rule

MARK = b"PRIVATE KEY-----"
"""The anchor: the end of a BEGIN line, or of an END line."""

LINES = (b"-----BEGIN ", b"-----BEGIN RSA ", b"-----BEGIN EC ", b"-----BEGIN DSA ")
"""What stands before it where a text is read here: of freed text the allocator takes some of it."""


def begins(memory: Memory, space: int, offset: int, lines: tuple[bytes, ...]) -> tuple[int, Text]:
    """Return the characters of the BEGIN line before MARK at ``offset``, and the body behind it.

    No characters (0) stand for none of ``lines``.
    """
    head = memory.clip(space, offset, 2)
    width = 2 if head == b"P\0" else 1
    body = Text(memory=memory, space=space, offset=offset + len(MARK) * width, width=width)
    if head[:1] != b"P":
        return 0, body
    lead = min(offset, max(map(len, lines)) * width)
    before = memory.clip(space, offset - lead, lead)
    # A low byte follows a high one in either order of UTF-16.
    codec = "ascii" if width == 1 else "utf-16-le"
    return next((len(n) for n in lines if before.endswith(n.decode().encode(codec))), 0), body


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the private key whose BEGIN line holds the anchor at ``offset``, if there is one."""
    begin, body = begins(memory, space, offset, LINES)
    found = armour.find_object(body) if begin else None
    parsed = parse_private(found[0], told=True) if found else None
    if found is None or parsed is None:
        yield from labelled.examine(memory, space, offset, rule)
        return
    size = begin + len(MARK) + found[1]
    first = offset - begin * body.width
    place, wide = armour.located(memory, space, first, size, body.width)
    encoding = f"{parsed.form}-PEM{wide}"
    yield Proved(candidate=candidate(parsed, rule, encoding, (place,)), material=parsed.material)
