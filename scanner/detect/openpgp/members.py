"""The members of S-expressions, as GnuPG spells them, and the curve that is named before them.

Three spellings: the advanced one of key files and their buffers, with numbers in hex and in one or
two bytes a character, the canonical one of protocols, with a length before each value (Rivest's
S-expressions, sections 4.3 and 6.1), and that of Libgcrypt's own objects, in which a byte opens a
list, closes it, or stands before a length of two bytes and a value (src/sexp.c). The head of the
expression is often overwritten, so members are collected around one of them wherever it stands.
This module refuses to judge whether they are those of a key.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from scanner.detect.asn1.der import Memory
from scanner.detect.encodings import armour
from scanner.model import Place

AROUND = 6 * 1024
"""Characters before and behind a member in which its siblings are sought."""

_HEX = re.compile(rb"\(([a-z])\s{0,16}#([0-9A-Fa-f\s]{2,9000})#\)")
_SIZED = re.compile(rb"\(1:([a-z])(\d{1,4}):")
_OBJECT = re.compile(rb"\x03\x01(?P<order>\x01\0|\0\x01)(?P<name>[a-z])\x01(?P<size>..)", re.DOTALL)
"""A member of an object of Libgcrypt's, on a machine of either byte order."""
_BLANKS = 16
"""Bytes between two members at most."""

_NIST = (192, 224, 256, 384, 521)
_CURVES = (
    (b"Ed25519", "ed25519"),
    (b"Curve25519", "x25519"),
    (b"Ed448", "ed448"),
    (b"X448", "x448"),
    (b"NIST P-192", "P-192"),
    (b"NIST P-224", "P-224"),
    (b"NIST P-256", "P-256"),
    (b"NIST P-384", "P-384"),
    (b"NIST P-521", "P-521"),
    (b"secp256k1", "secp256k1"),
    (b"brainpoolP256r1", "brainpoolP256r1"),
    (b"brainpoolP384r1", "brainpoolP384r1"),
    (b"brainpoolP512r1", "brainpoolP512r1"),
    *((b"nistp%d" % bits, f"P-{bits}") for bits in _NIST),
    *((b"secp%dr1" % bits, f"P-{bits}") for bits in _NIST),
    (b"prime256v1", "P-256"),
    (b"sm2p256v1", "SM2"),
)
"""Names as Libgcrypt writes and reads them (cipher/ecc-curves.c), and ours."""

_HEAD = 256
"""Characters before the first member in which its curve is named."""

_SPELLINGS = {b"1": "canonical", b"\x01": "object"}
"""How a spelling is called, by what stands behind the opening of a member."""

Member = tuple[bytes, bytes, int, int]
"""Name, value, and where it starts and ends in the window."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Run:
    """Members side by side, around the one that was asked for."""

    before: list[Member]
    behind: list[Member]
    """What was asked for, and what follows it."""
    near: list[Member]
    """All members around, beside it or not."""
    head: bytes
    """The characters before the first of them."""
    spelling: str
    text: armour.Text
    """What begins with the member that was asked for."""

    @property
    def name(self) -> bytes:
        """The name of the member that was asked for."""
        return self.behind[0][0]

    @property
    def values(self) -> dict[bytes, bytes]:
        """The members' values by their names."""
        return {name: value for name, value, _, _ in (*self.before, *self.behind)}


def read(memory: Memory, space: int, offset: int) -> Run | None:
    """Read the member at ``offset`` and those beside it, or None where none stands there."""
    text = armour.text_at(memory, space, offset)
    lead = min(text.offset // text.width, AROUND)
    first = text.offset - lead * text.width
    window = memory.clip(space, first, (lead + AROUND) * text.width)[:: text.width]
    near = _members(window)
    before = [member for member in near if member[2] < lead]
    behind = near[len(before) :]
    if not behind or behind[0][2] != lead:
        return None
    before = _adjoining(reversed(before), lead)
    start = before[0][2] if before else lead
    return Run(
        before=before,
        behind=following(behind),
        near=near,
        head=window[:start][-_HEAD:],
        spelling=_SPELLINGS.get(window[lead + 1 : lead + 2], "hex"),
        text=text,
    )


def located(run: Run, some: Sequence[Member]) -> tuple[Place, str]:
    """Return the place of ``some`` members from the first of a run on, and the text's width."""
    text, size = run.text, max(member[3] for member in some) - run.behind[0][2]
    return armour.located(text.memory, text.space, text.offset, size, text.width)


def curve_of(head: bytes) -> str:
    """Return the curve that the text before the members names last, of those that we know."""
    at, curve = max((head.rfind(name), curve) for name, curve in _CURVES)
    return curve if at >= 0 else ""


def _members(window: bytes) -> list[Member]:
    """List the members of a window, of any spelling, in order."""
    found = [
        (m[1], bytes.fromhex(re.sub(rb"\s", b"", m[2]).decode()), m.start(), m.end())
        for m in _HEX.finditer(window)
        if len(re.sub(rb"\s", b"", m[2])) % 2 == 0
    ]
    for match in _SIZED.finditer(window):
        start, size = match.end(), int(match[2])
        if window[start + size : start + size + 1] == b")":
            found.append((match[1], window[start : start + size], match.start(), start + size + 1))
    for match in _OBJECT.finditer(window):
        order: Literal["little", "big"] = "little" if match["order"][0] else "big"
        start, size = match.end(), int.from_bytes(match["size"], order)
        if window[start + size : start + size + 1] == b"\x04":
            found.append(
                (match["name"], window[start : start + size], match.start(), start + size + 1)
            )
    return sorted(found, key=lambda member: member[2])


def _adjoining(before: Iterator[Member], at: int) -> list[Member]:
    """Take members backwards as long as only blanks lie between."""
    taken: list[Member] = []
    for member in before:
        if at - member[3] > _BLANKS:
            break
        taken.insert(0, member)
        at = member[2]
    return taken


def following(behind: Sequence[Member]) -> list[Member]:
    """Take the first member, and those behind it as long as only blanks lie between."""
    taken = list(behind[:1])
    for member in behind[1:]:
        if member[2] - taken[-1][3] > _BLANKS:
            break
        taken.append(member)
    return taken
