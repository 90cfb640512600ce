"""What malformed dumps are told to be: damage is a fault, and never a pass in silence.

One row for each kind of damage or oddity: its bytes and its faults. With a fault the verdict is
``incomplete``, without one ``pass``; that is checked of each row by a whole scan.
"""

import struct

import pytest

from fixtures import encodings, keys
from scanner import dump
from scanner.dump import space
from scanner.dump.names import STREAMS
from tests.dump.dump_bytes import elfcore, file_of, minidump, note
from tests.dump.opening import verdict

KEY = encodings.pkcs8_der(keys.rsa_key(2048))
PEM = encodings.pkcs8_pem(keys.okp_key()).decode()
MEMORY = [(0x1000, b"m" * 0x1000), (0x9000, b"n" * 0x800)]
PLAIN = minidump(memory=MEMORY)
CORE = elfcore([(0x1000, b"m" * 0x1000, 0x1000), (0x9000, b"n" * 0x800, 0x800)])


def patched(data: bytes, at: int, layout: str, *values: int) -> bytes:
    """Write numbers over a dump."""
    out = bytearray(data)
    struct.pack_into("<" + layout, out, at, *values)
    return bytes(out)


def codes(data: bytes) -> set[str]:
    """Read a dump; every byte must be in a space, whatever its tables say. Return its faults."""
    with file_of(data) as file:
        layout = dump.read_layout(file)
        space_map, doubts = space.build(layout, file.size)
        assert space.covered(space_map) == file.size
        assert all(r.file_offset + r.size <= file.size for r in layout.regions)
    return {fault.code for fault in (*layout.faults, *doubts)}


def stream(kind: int, data: bytes) -> bytes:
    """Write a minidump with one stream more."""
    return minidump(memory=MEMORY, streams=[(kind, data)])


HUGE = struct.pack("<I", 0xFFFFFFFF) + bytes(60)
HUGE64 = struct.pack("<2Q", 1 << 63, 0) + bytes(48)
WRAP64 = struct.pack("<6Q", 2, 32, 0x1000, (1 << 64) - 8, 0x2000, 64)

NAMED = minidump(modules=[(0x1000, 64, "a.dll")])
ROOM = 32 + 12 * 3
"""Where the first stream of a dump with a list of memory begins."""
LOOP = struct.pack("<3I", ROOM + 56, 1, 0)

MINIDUMPS: dict[str, tuple[bytes, set[str]]] = {
    "no streams": (patched(PLAIN, 8, "I", 0), {"damaged-directory"}),
    "one stream": (minidump(), set()),
    "2**32-1 streams": (
        patched(PLAIN, 8, "I", 0xFFFFFFFF),
        {"damaged-directory", "damaged-ranges"},
    ),
    "directory at the end": (patched(PLAIN, 12, "I", len(PLAIN)), {"damaged-directory"}),
    "directory past the end": (patched(PLAIN, 12, "I", 0xFFFFFF00), {"damaged-directory"}),
    "directory in the header": (patched(PLAIN, 12, "I", 8), {"damaged-directory"}),
    "unused entry": (stream(0, b"kept all the same"), set()),
    "type 23": (stream(23, b"IptTrace"), set()),
    "type 0x8000": (stream(0x8000, b"Windows CE"), set()),
    "type 0xffff": (stream(0xFFFF, b"the last reserved one"), set()),
    "type 0xffffffff": (stream(0xFFFFFFFF, b"somebody's own"), set()),
    "huge ThreadList": (stream(3, HUGE), {"damaged-count"}),
    "huge ModuleList": (stream(4, HUGE), {"damaged-count"}),
    "huge MemoryList": (stream(5, HUGE), {"damaged-count"}),
    "huge ThreadExList": (stream(8, HUGE), {"damaged-count"}),
    "huge Memory64List": (stream(9, HUGE64), {"damaged-count"}),
    "huge MemoryInfoList": (
        stream(16, struct.pack("<2IQ", 16, 48, 1 << 60) + bytes(48)),
        {"damaged-count"},
    ),
    "huge HandleData": (stream(12, HUGE), set()),
    "huge UnloadedModuleList": (stream(14, HUGE), set()),
    "huge ThreadInfoList": (stream(17, HUGE), set()),
    "huge ThreadNames": (stream(24, HUGE), set()),
    "Memory64 past 2**64": (
        stream(9, WRAP64),
        {"truncated", "address-wrap", "damaged-table", "damaged-ranges"},
    ),
    "BaseRva past the end": (
        stream(9, struct.pack("<4Q", 1, 1 << 40, 0x5000, 64)),
        {"truncated"},
    ),
    "two MemoryLists": (
        minidump(memory=MEMORY, streams=[(5, struct.pack("<IQ2I", 1, 0x7000, 16, 0))]),
        {"damaged-ranges"},
    ),
    "both lists": (minidump(memory=MEMORY, memory64=[(0x20000, b"o" * 64)]), set()),
    "same address twice": (minidump(memory=[(0x1000, b"a" * 64), (0x1000, b"b" * 64)]), set()),
    "padded lists": (minidump(memory=MEMORY, padded=True), set()),
    "big-endian": (minidump(memory=MEMORY, order=">"), set()),
    "a module without a name": (
        stream(4, struct.pack("<IQ4I84x", 1, 0x1000, 64, 0, 0, 0)),
        set(),
    ),
    "a name in the header": (
        stream(4, struct.pack("<IQ4I84x", 1, 0x1000, 64, 0, 0, 8)),
        set(),
    ),
    "a name of half a character": (
        patched(NAMED, NAMED.index("a.dll".encode("utf-16-le")) - 4, "I", 9),
        set(),
    ),
    "an object that leads to itself": (
        # MINIDUMP_HANDLE_DESCRIPTOR_2: the information of its object says that it is the next
        stream(12, struct.pack("<4IQ8I", 16, 40, 1, 0, 4, 0, 0, 0, 0, 1, 1, ROOM + 56, 0) + LOOP),
        set(),
    ),
    "header alone": (PLAIN[:20], {"damaged"}),
    "appended tail": (PLAIN + b"a trailer of somebody's", set()),
}
"""Rows of malformed and odd minidumps: bytes, and the faults that they must have."""


@pytest.mark.parametrize("name", MINIDUMPS)
def test_minidumps(name: str) -> None:
    """Each kind of damage has its fault, and what is odd and whole has none."""
    data, expected = MINIDUMPS[name]
    assert codes(data) == expected
    assert verdict(data) == ("incomplete" if expected else "pass")


def test_a_name_that_cannot_be() -> None:
    """A name that claims more than the file has is a fault."""
    at = len(PLAIN)
    row = struct.pack("<IQ4I84x", 1, 0x1000, 64, 0, 0, at + 200)
    data = stream(4, row).ljust(at + 200, b"\0") + struct.pack("<I", 1 << 31)
    found = codes(data)
    assert "damaged-name" in found
    assert verdict(data) == "incomplete"


@pytest.mark.parametrize("cut", range(36, len(PLAIN), 512))
def test_truncated_minidump(cut: int) -> None:
    """A minidump that is cut anywhere has a fault, and does not pass."""
    assert codes(PLAIN[:cut])
    assert verdict(PLAIN[:cut]) == "incomplete"


def core(wide: bool, order: str, kind: int = 4) -> bytes:
    """Write a core of one class, byte order and e_type."""
    data = bytearray(elfcore([(0x1000, b"m" * 64, 64)], wide=wide, order=order))
    struct.pack_into(order + "H", data, 16, kind)
    return bytes(data)


@pytest.mark.parametrize("kind", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("wide", [True, False])
def test_elf_grid(wide: bool, order: str, kind: int) -> None:
    """Of every class and byte order ET_CORE alone is a core; others are no known format."""
    with file_of(core(wide, order, kind)) as file:
        layout = dump.read_layout(file)
    assert layout.format == ("elfcore" if kind == 4 else "raw")
    assert len(layout.regions) == (kind == 4)
    assert verdict(core(wide, order, kind)) == ("pass" if kind == 4 else "incomplete")


NOTE8 = struct.pack("<3I", 5, 8, 1) + b"CORE" + bytes(8) + bytes(8)
WITHIN = elfcore([(0x1000, b"", 0)], notes=note(b"GDB", 1, b"x" * 32))
"""A core whose only segment is made to hold its notes."""

CORES: dict[str, tuple[bytes, set[str]]] = {
    "e_phentsize 0": (patched(CORE, 54, "H", 0), {"damaged-table"}),
    "e_phentsize 1": (patched(CORE, 54, "H", 1), {"damaged-table"}),
    "e_phentsize 65535": (patched(CORE, 54, "H", 65535), {"damaged-table"}),
    "e_phnum 0": (patched(CORE, 56, "H", 0), set()),
    "e_phnum 0xffff, no section": (patched(CORE, 56, "H", 0xFFFF), {"damaged-table"}),
    "e_phnum 0xffff, a section": (elfcore([(0x1000, b"m" * 64, 64)], extended=True), set()),
    "table past the end": (patched(CORE, 32, "Q", 1 << 40), {"damaged-table"}),
    "table in the header": (patched(CORE, 32, "Q", 0), {"damaged-table"}),
    "p_offset + p_filesz wraps": (
        patched(CORE, 64 + 8, "Q", (1 << 64) - 16),
        {"truncated"},
    ),
    "p_filesz of 2**50": (patched(CORE, 64 + 32, "Q", 1 << 50), {"truncated"}),
    "p_filesz > p_memsz": (patched(CORE, 64 + 40, "Q", 16), set()),
    "the same address twice": (elfcore([(0x1000, b"a" * 64, 64), (0x1000, b"b" * 64, 64)]), set()),
    "descsz 0xffffffff": (
        elfcore([], notes=struct.pack("<3I", 5, 0xFFFFFFFF, 1) + b"CORE\0\0\0\0"),
        {"damaged-notes"},
    ),
    "notes of many owners": (
        elfcore(
            [(0x1000, b"m" * 64, 64)],
            notes=note(b"FreeBSD", 1, bytes(48)) + note(b"GDB", 0xFF000000, b"<target/>"),
        ),
        set(),
    ),
    "notes aligned to 8": (
        patched(elfcore([], notes=NOTE8), 64 + 48, "Q", 8),
        set(),
    ),
    "notes within memory": (
        patched(WITHIN, 64 + 56 + 8, "5Q", 64 + 2 * 56, 0x5000, 0, 48, 48),
        set(),
    ),
    "sections and no segment": (
        # as Xen writes .xen_pages: one section header, its 4096 bytes behind it
        elfcore([])[:40]
        + struct.pack("<QI6H", 64, 0, 64, 56, 0, 64, 1, 0)
        + struct.pack("<2I4Q2I2Q", 1, 1, 0, 0, 128, 4096, 0, 0, 8, 4096)
        + b"xen page" * 512,
        set(),
    ),
    "no segment at all": (elfcore([]), set()),
}
"""Rows of malformed and odd cores: bytes, and the faults that they must have."""


@pytest.mark.parametrize("name", CORES)
def test_cores(name: str) -> None:
    """Each kind of damage has its fault, and what is odd and whole has none."""
    data, expected = CORES[name]
    assert codes(data) == expected
    undescribed = name == "e_phnum 0"  # of which the bytes belong to nothing
    assert verdict(data) == ("incomplete" if expected or undescribed else "pass")


def test_a_core_within_a_file() -> None:
    """A core that begins later in a file is no known format, and is swept: a key in it blocks."""
    with file_of(bytes(512) + CORE) as file:
        assert dump.read_layout(file).format == "raw"
    assert codes(bytes(512) + CORE) == set()
    assert verdict(bytes(512) + CORE) == "incomplete"
    assert verdict(bytes(512) + elfcore([(0x1000, KEY, len(KEY))])) == "blocked"


@pytest.mark.parametrize("cut", range(66, len(CORE), 512))
def test_truncated_core(cut: int) -> None:
    """A core that is cut anywhere has a fault, and does not pass."""
    assert codes(CORE[:cut])
    assert verdict(CORE[:cut]) == "incomplete"


def _swapped(cut: int) -> bytes:
    """Write a dump whose two ranges adjoin in address, hold a key between them, and lie swapped."""
    whole = bytes(40) + KEY + bytes(40)
    first, second = whole[: 40 + cut], whole[40 + cut :]
    return minidump(memory=[(0x1000 + len(first), second), (0x1000, first)])


SECRETS: dict[str, bytes] = {
    **{f"stream {kind:#x}": stream(kind, bytes(9) + PEM.encode()) for kind in STREAMS},
    "a gap between streams": stream(10, b"a comment" + KEY).replace(
        struct.pack("<2I", 10, 9 + len(KEY)), struct.pack("<2I", 10, 9)
    ),
    "the name of a module": minidump(modules=[(0x1000, 64, PEM)]),
    "the context of a thread": minidump(threads=[(7, 0x1000, b"stack")]).replace(b"context!", KEY),
    "a range without a size": minidump(memory=[(0x1000, KEY)]).replace(
        struct.pack("<QI", 0x1000, len(KEY)), struct.pack("<QI", 0x1000, 0)
    ),
    "a range with address and size swapped": minidump(memory64=[(0x1000, KEY)]).replace(
        struct.pack("<2Q", 0x1000, len(KEY)), struct.pack("<2Q", len(KEY), 0x1000)
    ),
    "the second range at an address": minidump(
        memory=[(0x1000, bytes(len(KEY))), (0x1000, KEY), (0x1000, b"third")]
    ),
    "one byte before the end": PLAIN + KEY + b"\0",
    "behind the last stream": PLAIN + KEY,
    "ranges that adjoin and lie swapped": _swapped(600),
    "split behind its first byte": _swapped(1),
    "split before its last byte": _swapped(len(KEY) - 1),
}
"""Where in a minidump a key may stand."""


@pytest.mark.parametrize("place", SECRETS)
def test_a_secret_anywhere_blocks(place: str) -> None:
    """Wherever in a file a key stands, the dump does not leave."""
    assert verdict(SECRETS[place]) == "blocked"
