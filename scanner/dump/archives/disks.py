"""Disks and file systems, told by magic numbers where each kind has them, or by its own sums.

A file system stores files in blocks, in any order, and may pack them: a sweep of its bytes finds
what stands whole in one place and nothing else. This module exists because such images have no
magic at their start, as a rule, and what they have elsewhere is often two or four bytes, which
prove nothing: those kinds are told by what must be beside it too. It refuses to open them.
"""

import struct
from collections.abc import Callable
from typing import NamedTuple

REACH = 0x10600
"""Bytes at the start of a file in which the magics lie."""

_Evidence = Callable[[bytes, int], bool]
"""Given the first bytes of a file, zeros where it has fewer, and its size."""


class _Mark(NamedTuple):
    name: str
    place: int
    """Counted from the end of the file where it is negative."""
    magic: bytes
    evidence: _Evidence | None = None
    """What else must be so."""


def sniff_disk(head: bytes, foot: bytes, size: int) -> str | None:
    """Name a disk or file system of ``size`` bytes by its first REACH and its last 512 of them."""
    for mark in MARKS:
        data, at = (foot, len(foot) + mark.place) if mark.place < 0 else (head, mark.place)
        if at >= 0 and data.startswith(mark.magic, at):
            padded = head.ljust(REACH, b"\0")
            if mark.evidence is None or mark.evidence(padded, size):
                return mark.name
    return None


def _power(place: int, layout: str, least: int = 1 << 9, most: int = 1 << 16) -> _Evidence:
    """Ask that the number at a place, as struct spells it, be a power of two: a block's size."""

    def evidence(head: bytes, _: int) -> bool:
        number = struct.unpack_from(layout, head, place)[0]
        return bool(least <= number <= most and number & (number - 1) == 0)

    return evidence


def _equals(place: int, *values: bytes) -> _Evidence:
    """Ask that some of these bytes be at a place."""

    def evidence(head: bytes, _: int) -> bool:
        return head.startswith(values, place)

    return evidence


def _byte(value: int) -> bytes:
    return value.to_bytes(1, "little")


def _is_ext(head: bytes, _: int) -> bool:
    """Tell ext2 to ext4 by s_log_block_size, s_log_cluster_size, s_state and s_rev_level."""
    blocks, first, block, cluster = struct.unpack_from("<I12x3I", head, 0x404)
    state, errors = struct.unpack_from("<2H", head, 0x43A)
    revision = struct.unpack_from("<I", head, 0x44C)[0]
    counts = blocks > 0 and first <= 1 and block <= 6 and cluster <= 30
    return bool(counts and state <= 7 and 1 <= errors <= 3 and revision <= 1)


def _is_f2fs(head: bytes, _: int) -> bool:
    """Tell F2FS by its version, and by logarithms: of a sector, sectors a block, and a block."""
    version, sector, sectors, block = struct.unpack_from("<H2x3I", head, 0x404)
    return bool(version == 1 and 9 <= sector <= 12 and sector + sectors == block)


def _is_fat(head: bytes, _: int) -> bool:
    """Tell FAT by the parameters of its boot sector: sectors, clusters, one table or two."""
    sector, cluster, reserved, tables = struct.unpack_from("<HBHB", head, 11)
    powers = sector in {512, 1024, 2048, 4096} and cluster and cluster & (cluster - 1) == 0
    return bool(powers and reserved and tables in {1, 2} and head[0] in b"\xeb\xe9")


def _is_partitioned(head: bytes, size: int) -> bool:
    """Tell a table of partitions: flags, kinds, first sectors and counts of four of them.

    A row that is not used is zeros, and the first partition begins within the file.
    """
    rows = [struct.unpack_from("<B3xB3x2I", head, 446 + 16 * at) for at in range(4)]
    used = [row for row in rows if row[1]]
    sound = all(flag in {0, 0x80} and first and count for flag, _, first, count in used)
    unused = all(not any(row) for row in rows if not row[1])
    return bool(used and sound and unused and min(row[2] for row in used) * 512 < size)


MARKS: tuple[_Mark, ...] = (
    _Mark("an ext file system", 0x438, b"\x53\xef", _is_ext),
    _Mark("btrfs", 0x10040, b"_BHRfS_M"),
    _Mark("XFS", 0, b"XFSB", _power(4, ">I")),
    _Mark("F2FS", 0x400, b"\x10\x20\xf5\xf2", _is_f2fs),
    _Mark("EROFS", 0x400, b"\xe2\xe1\xf5\xe0", _equals(0x40C, *map(_byte, range(9, 17)))),
    _Mark("ReiserFS", 0x10034, b"ReIsEr"),
    _Mark("UFS", 0x255C, b"\x54\x19\1\0", _power(0x2030, "<I")),
    _Mark("UFS", 0x1055C, b"\x19\x01\x54\x19", _power(0x10030, "<I")),
    _Mark("APFS", 32, b"NXSB", _power(36, "<I", 1 << 12)),
    _Mark("HFS+", 0x400, b"H+\0\4", _power(0x428, ">I", most=1 << 20)),
    _Mark("HFSX", 0x400, b"HX\0\5", _power(0x428, ">I", most=1 << 20)),
    _Mark("cramfs", 16, b"Compressed ROMFS"),
    _Mark("UBI", 0, b"UBI#\1\0\0\0"),
    _Mark("NTFS", 3, b"NTFS    "),
    _Mark("exFAT", 3, b"EXFAT   "),
    _Mark("ReFS", 3, b"ReFS\0\0\0\0"),
    _Mark("BitLocker", 3, b"-FVE-FS-"),
    _Mark("FAT", 0x36, b"FAT", _is_fat),
    _Mark("FAT", 0x52, b"FAT32   ", _is_fat),
    _Mark("a disk with partitions (GPT)", 0x200, b"EFI PART"),
    _Mark("a disk with partitions (GPT)", 0x1000, b"EFI PART"),
    _Mark("a disk with partitions (MBR)", 510, b"\x55\xaa", _is_partitioned),
    _Mark("LVM", 0x200, b"LABELONE"),
    _Mark("RAID", 0x1000, b"\xfc\x4e\x2b\xa9\1\0\0\0"),
    *(
        _Mark("swap space", page - 10, magic)
        for page in (1 << 12, 1 << 14, 1 << 16)
        for magic in (b"SWAPSPACE2", b"SWAP-SPACE", b"S1SUSPEND\0")
    ),
    _Mark("VDI", 64, b"\x7f\x10\xda\xbe"),
    _Mark("an image of a disc", 0x8001, b"CD001"),
    _Mark("an image of a disc", 0x8001, b"BEA01"),
    _Mark("VHD", 0, b"conectix"),
    _Mark("VHD", -512, b"conectix"),
    _Mark("DMG", -512, b"koly\0\0\0\4\0\0\2\0"),
    _Mark("QED", 0, b"QED\0", _power(4, "<I", 1 << 12, 1 << 26)),
    _Mark("Parallels", 0, b"WithoutFreeSpace"),
    _Mark("Parallels", 0, b"WithouFreSpacExt"),
    _Mark("VMDK", 0, b"COWD", _equals(4, b"\1\0\0\0")),
    _Mark("Proxmox VMA", 0, b"VMA\0\0\0\0\1"),
)
"""Kinds by where their magic lies, and with what beside it where that is short."""
