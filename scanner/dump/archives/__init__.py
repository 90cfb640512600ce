"""Files that hold files: how each kind is told, and how its members are read.

The kinds stand in one explicit tuple. A kind that is known and not opened here is named, so that
whoever meets it can say that it was not looked into.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from scanner.dump.archives import (
    apport,
    avml,
    cabinets,
    erlang,
    flattened,
    heapsnapshot,
    hextext,
    makedumpfile,
    tars,
    unreal,
    zips,
)
from scanner.dump.archives.archive import Archive, Member


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of archive."""

    name: str
    sniff: Callable[[bytes], bool]
    """Given the first bytes of a file, at most HEAD."""
    read: Callable[[Archive], Iterator[Member]]
    dump: bool = False
    """It is a dump: what it holds is known, whether there is another dump within or not."""


KINDS: tuple[Kind, ...] = (
    Kind(name="zip", sniff=zips.sniff, read=zips.read),
    Kind(name="apport", sniff=apport.sniff, read=apport.read),
    Kind(name="makedumpfile", sniff=makedumpfile.sniff, read=makedumpfile.read),
    Kind(name="flattened", sniff=flattened.sniff, read=flattened.read),
    Kind(name="avml", sniff=avml.sniff, read=avml.read),
    Kind(name="microdump", sniff=hextext.is_microdump, read=hextext.read_microdump, dump=True),
    Kind(name="tombstone", sniff=hextext.is_tombstone, read=hextext.read_words, dump=True),
    Kind(name="hs_err", sniff=hextext.is_hs_err, read=hextext.read_words, dump=True),
    Kind(name="erl_crash_dump", sniff=erlang.sniff, read=erlang.read, dump=True),
    Kind(name="heapsnapshot", sniff=heapsnapshot.sniff, read=heapsnapshot.read, dump=True),
    Kind(name="unreal", sniff=unreal.sniff, read=unreal.read),
    Kind(name="cab", sniff=cabinets.sniff, read=cabinets.read),
    Kind(name="tar", sniff=tars.sniff, read=tars.read),
)

HEAD = 512
"""Bytes at the start of a file that a kind is told by."""

UNOPENED: tuple[tuple[str, bytes], ...] = (
    ("7z", b"7z\xbc\xaf\x27\x1c"),
    ("rar", b"Rar!\x1a\x07"),
    ("ar", b"!<arch>\n"),
    ("cpio", b"070701"),
    ("cpio", b"070702"),
    ("cpio", b"070707"),
    ("rpm", b"\xed\xab\xee\xdb"),
    ("lzop", b"\x89LZO\0\r\n\x1a\n"),
    ("lzip", b"LZIP"),
    ("lzma", b"\x5d\0\0"),
    ("compress", b"\x1f\x9d"),
    ("pack", b"\x1f\x1e"),
    ("lz4 (legacy)", b"\x02\x21\x4c\x18"),
    ("squashfs", b"hsqs"),
    ("xar", b"xar!"),
    ("LUKS", b"LUKS\xba\xbe"),
    ("age", b"age-encryption.org/"),
    ("PGP message", b"-----BEGIN PGP MESSAGE"),
    ("OpenSSL enc", b"Salted__"),
    ("diskdump", b"DISKDUMP"),
    ("sadump", b"sadump\0\0"),
    ("sadump", b"sadu"),
    ("QEMU migration", b"QEVM"),
    ("libvirt save", b"LibvirtQemud"),
    ("VirtualBox save", b"\x7fVirtualBox SavedState V"),
    ("hibernation", b"hibr"),
    ("hibernation", b"HIBR"),
    ("hibernation", b"RSTR"),
    ("a systemd journal", b"LPKSHHRH"),
    ("WIM", b"MSWIM\0\0\0"),
    ("EWF", b"EVF\t\r\n\xff\0"),
    ("QCOW", b"QFI\xfb"),
    ("VMDK", b"KDMV"),
    ("VHDX", b"vhdxfile"),
    ("LZFSE", b"bvx"),
    ("pbzx", b"pbzx"),
    ("zip", b"PK\7\x08"),
    ("zip", b"PK00"),
)
"""What is compressed, encrypted or an archive, and is not opened here: name and magic."""


def sniff(head: bytes) -> Kind | None:
    """Return the kind of archive that the first bytes speak of."""
    return next((kind for kind in KINDS if kind.sniff(head)), None)


def sniff_unopened(head: bytes) -> str | None:
    """Name what is known not to be opened here."""
    return next((name for name, magic in UNOPENED if head.startswith(magic)), None)
