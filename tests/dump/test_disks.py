"""Disks and file systems: each is told by what stands where it should, and by nothing less."""

import struct

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from scanner.dump import archives
from scanner.dump.archives import disks
from tests.dump.dump_bytes import file_of
from tests.dump.opening import codes, judged, opened
from tests.dump.test_contents import tarred
from tests.dump.test_unopened import CORE, SEALED

SIZE = 0x11000
"""Bytes of every image here."""


def image(*parts: tuple[int, bytes], size: int = SIZE) -> bytes:
    """Write zeros with these bytes at these places; negative ones count from the end."""
    out = bytearray(size)
    for place, data in parts:
        at = place % size
        out[at : at + len(data)] = data
    out[0x3000:0x3400] = SEALED[:0x400]
    return bytes(out)


def ext(*, first: int = 1, block: int = 0, state: int = 1, errors: int = 1, rev: int = 1) -> bytes:
    """Write a superblock of ext (fs/ext4/ext4.h)."""
    head = struct.pack("<8I", 16, 8192, 0, 100, 5, first, block, block)
    tail = struct.pack("<2sHHH", b"\x53\xef", state, errors, 0) + struct.pack("<4I", 0, 0, 0, rev)
    return image((0x400, head), (0x438, tail))


def fat(label: bytes, place: int, *, sector: int = 512, cluster: int = 4, tables: int = 2) -> bytes:
    """Write a boot sector of FAT."""
    head = b"\xeb\x3c\x90mkfs.fat" + struct.pack("<HBHB", sector, cluster, 1, tables)
    return image((0, head), (place, label), (510, b"\x55\xaa"))


def mbr(*rows: tuple[int, int, int, int]) -> bytes:
    """Write a table of partitions: flag, kind, first sector, sectors."""
    table = b"".join(struct.pack("<B3xB3x2I", *row) for row in rows)
    return image((0, b"\xfa\xb8"), (446, table), (510, b"\x55\xaa"))


def f2fs(block: int = 12) -> bytes:
    """Write a superblock of F2FS (include/linux/f2fs_fs.h)."""
    return image((0x400, b"\x10\x20\xf5\xf2" + struct.pack("<2H3I", 1, 16, 9, 3, block)))


DISKS = {
    "ext": ext(),
    "ext-4k": ext(first=0, block=2),
    "btrfs": image((0x10040, b"_BHRfS_M")),
    "xfs": image((0, b"XFSB\0\0\x10\0")),
    "f2fs": f2fs(),
    "erofs": image((0x400, b"\xe2\xe1\xf5\xe0"), (0x40C, b"\x0c")),
    "reiserfs": image((0x10034, b"ReIsEr2Fs")),
    "ufs1": image((0x255C, b"\x54\x19\1\0"), (0x2030, b"\0\x20\0\0")),
    "ufs2": image((0x1055C, b"\x19\1\x54\x19"), (0x10030, b"\0\x80\0\0")),
    "apfs": image((32, b"NXSB\0\x10\0\0")),
    "hfs+": image((0x400, b"H+\0\4"), (0x428, b"\0\0\x10\0")),
    "hfsx": image((0x400, b"HX\0\5"), (0x428, b"\0\0\x10\0")),
    "cramfs": image((0, b"\x45\x3d\xcd\x28"), (16, b"Compressed ROMFS")),
    "ubi": image((0, b"UBI#\1\0\0\0")),
    "ntfs": image((0, b"\xeb\x52\x90NTFS    ")),
    "exfat": image((0, b"\xeb\x76\x90EXFAT   ")),
    "refs": image((0, b"\0\0\0ReFS\0\0\0\0")),
    "bitlocker": image((0, b"\xeb\x58\x90-FVE-FS-")),
    "fat12": fat(b"FAT12   ", 0x36),
    "fat32": fat(b"FAT32   ", 0x52),
    "gpt": image((0x200, b"EFI PART\0\0\1\0")),
    "gpt-4k": image((0x1000, b"EFI PART\0\0\1\0")),
    "mbr": mbr((0x80, 0x83, 1, 50), (0, 0x82, 51, 60)),
    "mbr-cut": mbr((0, 7, 1, 1 << 20), (0, 7, 1 << 21, 9)),
    "lvm": image((0x200, b"LABELONE")),
    "raid": image((0x1000, b"\xfc\x4e\x2b\xa9\1\0\0\0")),
    "swap": image((0xFF6, b"SWAPSPACE2")),
    "swap-64k": image((0xFFF6, b"SWAPSPACE2")),
    "suspended": image((0xFF6, b"S1SUSPEND\0")),
    "vhd": image((0, b"conectix\0\0\0\2")),
    "vhd-fixed": image((-512, b"conectix\0\0\0\2")),
    "dmg": image((-512, b"koly\0\0\0\4\0\0\2\0")),
    "qed": image((0, b"QED\0\0\0\1\0")),
    "parallels": image((0, b"WithoutFreeSpace\2\0\0\0")),
    "parallels-2": image((0, b"WithouFreSpacExt\2\0\0\0")),
    "vmdk-3": image((0, b"COWD\1\0\0\0\3\0\0\0")),
    "vma": image((0, b"VMA\0\0\0\0\1")),
}

ORDINARY = {
    "ext-first": ext(first=7),
    "ext-block": ext(block=77),
    "ext-state": ext(state=0x4141),
    "ext-errors": ext(errors=0),
    "ext-revision": ext(rev=0x41414141),
    "f2fs": f2fs(77),
    "xfs": b"XFSBlocks are large." * 40,
    "erofs": image((0x400, b"\xe2\xe1\xf5\xe0")),
    "apfs": image((32, b"NXSB")),
    "fat-words": b"words of fifty-four letters, and then the next word is FAT and more",
    "fat-sector": fat(b"FAT16   ", 0x36, sector=500),
    "fat-cluster": fat(b"FAT16   ", 0x36, cluster=3),
    "fat-tables": fat(b"FAT32   ", 0x52, tables=9),
    "mbr-flag": mbr((1, 0x83, 1, 50)),
    "mbr-code": image((446, SEALED[:64]), (510, b"\x55\xaa")),
    "mbr-nothing": mbr(),
    "mbr-first": mbr((0, 7, 0, 9)),
    "mbr-behind-the-end": mbr((0, 7, SIZE // 512, 9)),
    "mbr-unused": mbr((0, 7, 1, 9), (0, 0, 9, 0)),
    "qed": b"QED\0" + SEALED,
    "cowd": b"COWD" + SEALED,
    "conectix-elsewhere": image((-511, b"conectix")),
    "koly": image((-512, b"koly and words")),
    "short": b"conectix"[:7],
}


def told(data: bytes) -> str | None:
    """Name what bytes are."""
    with file_of(data) as file:
        return archives.sniff_unopened(file)


@pytest.mark.parametrize("name", DISKS)
def test_told(name: str) -> None:
    """An archive with a disk in it, beside a dump that is clean, is not clean."""
    assert told(DISKS[name]) is not None
    assert codes(opened(tarred(("core", CORE), ("disk", DISKS[name])))[0]) == {"unopened"}


@pytest.mark.parametrize("name", ["ext", "mbr", "vhd-fixed"])
def test_told_alone(name: str) -> None:
    """A disk is incomplete by itself, and for that reason alone, with --raw and without."""
    for raw in (True, False):
        [report] = judged(DISKS[name], raw=raw)
        assert [reason.code for reason in report.reasons] == ["unopened"]


@pytest.mark.parametrize("name", ORDINARY)
def test_not_told(name: str) -> None:
    """A magic without what belongs to it is bytes like any other."""
    assert told(ORDINARY[name]) is None


@limits(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(DISKS)), st.data())
def test_any_cut(name: str, data: st.DataObject) -> None:
    """Wherever an image is cut, nothing raises."""
    told(DISKS[name][: data.draw(st.integers(0, SIZE))])


def test_no_mark_is_out_of_reach() -> None:
    """What is read of a file has every place in it."""
    assert all(m.place >= -512 and m.place + len(m.magic) <= disks.REACH for m in disks.MARKS)
