"""OpenSSH private keys in the clear: key files, agent messages, and the form that shielding wraps.

They are read as ``openssh_fields`` says. In text of a key file whose beginning is gone, as an
allocator writes over freed text, they are found by the name of the type (``beheaded``), or by the
END line (``tailed``). A key file that is encrypted is no finding of this module.
"""

import re
from collections.abc import Iterator

from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import armour
from scanner.detect.encodings.armour import Text
from scanner.detect.evidence import proved, unproved
from scanner.detect.ssh import beheaded, blobs, tailed
from scanner.detect.ssh.openssh_fields import (
    CERTIFIED,
    LONGEST,
    MAGIC,
    TYPES,
    blob_of,
    public_of,
    read_at,
    read_file,
    strange,
)
from scanner.model import Place
from scanner.rules import Rule

MARK = b"b3BlbnNzaC1rZXktdjEA"
"""What a key file begins with (``MAGIC``), in base64."""

_ZEROS = re.compile(rb"AAA(?!A(?:B3Nz|C3Nz|E2Vj)|TZWNk|Hc3N|Lc3N)")
_FIELD = 8
"""The length of a field with which ``tailed`` lets a place begin, and no type; its characters."""

_MARGIN, _HYPHENS = 256, b"-----"
"""Characters before a line of text in which what is before it begins: the margin of a patch, a
letter or a comment, the head of a line of a log; and what the line above ends with."""


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved | PublicKey]:
    """Yield the key whose file, in binary or in base64, or whose bare fields start at ``offset``.

    In front of base64, the BEGIN line may stand or be gone. With the key comes its public half,
    which names it.
    """
    head = memory.clip(space, offset, len(MAGIC))
    if head.startswith(CERTIFIED[:9]):
        offset -= _before(memory, space, offset)
    if head == MAGIC:
        data = memory.clip(space, offset, LONGEST)
        found, encoding = read_file(data), "OPENSSH"
        size = found.size if found else 0
        other = strange(data) if found is None else None
        if other is not None:
            place = Place(space=space, offset=offset, size=other[1])
            yield unproved(other[0], rule, encoding, (place,))
    elif head[:2] == MARK[:2] or head[:3] == b"b\x003":
        yield from _text(armour.text_at(memory, space, offset), rule)
        return
    elif head[:1] == b"A":
        text = armour.text_at(memory, space, offset)
        typed = list(beheaded.examine(text, rule))
        yield from typed
        if not typed and _ZEROS.match(text.read(_FIELD)):
            yield from tailed.examine(text, rule)
        return
    elif head[:1] == b"E" or head[:2] == b"\0E":
        yield from tailed.examine(armour.text_at(memory, space, offset), rule)
        return
    else:
        found, encoding = read_at(memory, space, offset), "ssh-fields"
        size = found.size if found else 0
    if found is None:
        return
    place = Place(space=space, offset=offset, size=size)
    yield proved(found.key, rule, encoding, (place,))
    yield blobs.named(public_of(found.key), blob_of(found.key), place)


def _before(memory: Memory, space: int, offset: int) -> int:
    """Return how many bytes of a type, its length included, stand before CERTIFIED."""
    lead = memory.clip(space, max(offset - 23, 0), min(offset, 23))
    for name in TYPES:
        size = len(name) + len(CERTIFIED)
        if lead.endswith(size.to_bytes(4, "big") + name):
            return 4 + len(name)
    return 0


def _text(text: Text, rule: Rule) -> Iterator[Proved | PublicKey]:
    """Yield the key file in base64 at the start of a text, in every shape that text takes."""
    _, raw, lead = armour.stretch(text, _MARGIN, LONGEST)
    above = raw.rfind(_HYPHENS, 0, lead)
    start = above + len(_HYPHENS) if above >= 0 else max(raw.rfind(b"\n", 0, lead), 0)
    body = armour.unquoted(raw[start:])[lead - start :]
    data = armour.decode(armour.gather(body)[0])
    found = read_file(data)
    other = strange(data) if found is None else None
    if found is None and other is None:
        return
    whole = found.size if found else other[1] if other else 0
    size = armour.length(body, (whole * 8 + 5) // 6)
    place, wide = armour.located(text.memory, text.space, text.offset, size, text.width)
    if other is not None:
        yield unproved(other[0], rule, f"OPENSSH-PEM{wide}", (place,))
    if found is not None:
        yield proved(found.key, rule, f"OPENSSH-PEM{wide}", (place,))
        yield blobs.named(public_of(found.key), blob_of(found.key), place)
