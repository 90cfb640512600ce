"""Keys in text that was decoded: of what stands in memory compressed, or spelled in other letters.

The readers of key files and of DER take what was decoded for memory of its own, the readers of
certificates and public keys too, which name a private one. This module decodes nothing, and bounds
how much of one text is read.
"""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from scanner.detect import anchors
from scanner.detect.algebra.publics import PublicKey, nowhere
from scanner.detect.asn1 import keys
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved
from scanner.detect.locked.sealed import Sealed
from scanner.detect.openpgp import transferable
from scanner.detect.programs import age, dnssec, minisign, wireguard
from scanner.detect.ssh import openssh, putty
from scanner.detect.texts import encoded, jwk, pem, public_text, twice, xmlkey
from scanner.rules import Rule

Reader = Callable[[Memory, int, int, Rule], Iterator[Proved | PublicKey | Sealed]]

TEXTS: tuple[tuple[bytes, int, Reader], ...] = (
    (pem.MARK, 0, pem.examine),
    (openssh.MARK, 0, openssh.examine),
    (jwk.MARK, 0, jwk.examine),
    (putty.MARK, 0, putty.examine),
    (transferable.ANCHOR, 0, transferable.examine),
    (age.MARK, 0, age.examine),
    (dnssec.MARK, 0, dnssec.examine),
    (wireguard.MARK, 0, wireguard.examine),
    *((mark, 0, minisign.examine) for mark in minisign.MARKS),
    *((mark, 0, xmlkey.examine) for mark in xmlkey.MARKS if b"\0" not in mark),
    *((mark, 0, public_text.examine) for mark in public_text.MARKS),
    *((mark, back, encoded.examine) for mark, back in twice.INNER),
)
"""What is looked for in a text, the characters before it at which its reader begins, and that."""

_MOST_READ = 8 << 20
"""Bytes of one text that its readers may read in vain: it may be full of marks."""

_PAID = 64 << 10
"""Bytes more of them for each key that is there: its END line is a mark as well."""

_DER = (
    "02010002 82",
    "020100 300d 0609 2a864886f70d010101",
    "020100 3010 0607 2a8648ce3d0201",
    "020100 3013 0607 2a8648ce3d0201",
    "020100 3005 0603 2b65",
    "020101 0420",
    "020101 0430",
    "020101 0442",
)
"""How the object behind the header of a key begins: PKCS#1, PKCS#8 of RSA, of curves and of RFC
8410, SEC1 on P-256, P-384 and P-521."""

_MARKS: tuple[tuple[bytes, int, Reader], ...] = (
    *TEXTS,
    *((mark.decode().encode("utf-16-le"), 2 * back, reader) for mark, back, reader in TEXTS),
    *((bytes.fromhex(mark), 0, keys.examine) for mark in _DER),
)


@dataclass(slots=True)
class Plain:
    """Memory of one space that holds what was decoded, and may be read so often."""

    data: bytes
    left: int = _MOST_READ

    def clip(self, space: int, offset: int, size: int, /) -> bytes:
        """Return what of ``size`` bytes at ``offset`` lies inside; nothing, if too much was."""
        del space
        taken = self.data[max(offset, 0) : max(offset + size, 0)]
        self.left -= len(taken)
        return taken if self.left >= 0 else b""


@functools.cache
def _sweeper() -> anchors.Sweeper:
    return anchors.open_sweeper(anchors.compile_literals([mark for mark, _, _ in _MARKS]))


def keys_in(plain: bytes, rule: Rule) -> tuple[list[Proved], list[PublicKey]]:
    """Return the keys of a text, where they stand in it, and public ones, which stand nowhere."""
    inner = Plain(plain)
    found: list[Proved] = []
    publics: list[PublicKey] = []
    for index, at in _sweeper().sweep(plain):
        _, back, reader = _MARKS[index]
        if at >= back and (left := inner.left) >= 0:
            there = list(reader(inner, 0, at - back, rule))
            found += [one for one in there if isinstance(one, Proved)]
            publics += [nowhere(one) for one in there if isinstance(one, PublicKey)]
            inner.left = left + _PAID if there else inner.left
    return found, publics
