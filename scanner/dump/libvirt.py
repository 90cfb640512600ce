"""The head of a machine that libvirt saved: what it is, in XML, and where QEMU's stream begins.

As in libvirt's qemu_saveimage.h: a magic, five numbers in the byte order of the host, padding, then
the domain's XML and a cookie, and behind them the stream, maybe compressed. This module exists for
the two who read the stream: as it stands, and decoded. It judges nothing of the XML.
"""

import struct
from dataclasses import dataclass

from scanner.dump.draft import Draft

SIZE = 92
RAW, SPARSE = 0, 6
"""Forms in which the stream stands as QEMU wrote it, the second with mapped-ram."""

PARTIAL = "Its writer says that the machine was not saved to its end."

_SAVED, _PARTIAL = b"LibvirtQemudSave", b"LibvirtQemudPart"
_NEWEST = 255
"""Versions so far are 1 and 2; in the other byte order they are large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What stands before the stream; sizes in bytes."""

    form: int
    """How the stream is compressed: 1 is gzip, then bzip2, xz, lzop, zstd."""
    data: int
    """Bytes of XML and cookie."""
    cookie: int
    """Where in these the cookie begins; 0 where there is none."""
    partial: bool
    """It was not written to its end."""

    @property
    def stream(self) -> int:
        """Where the stream begins."""
        return SIZE + self.data

    @property
    def plain(self) -> bool:
        """Whether the stream stands there as QEMU wrote it."""
        return self.form in {RAW, SPARSE}


def head_of(raw: bytes) -> Head | None:
    """Read the head in the first bytes of a file; None where it has none."""
    if len(raw) < 36 or raw[:16] not in {_SAVED, _PARTIAL}:
        return None
    order = "<" if int.from_bytes(raw[16:20], "little") <= _NEWEST else ">"
    _, data, _, form, cookie = struct.unpack_from(f"{order}5I", raw, 16)
    return Head(form=form, data=data, cookie=cookie, partial=raw[:16] == _PARTIAL)


def label(draft: Draft, head: Head) -> None:
    """Name the parts before the stream."""
    draft.label(0, SIZE, "header")
    xml = head.cookie if 0 < head.cookie < head.data else head.data
    draft.label(SIZE, xml, "stream domain XML")
    draft.label(SIZE + xml, head.data - xml, "stream cookie")
    if head.partial:
        draft.fault("truncated", PARTIAL)
