"""Vector registers that are saved in halves: joined, and searched as one."""

import struct
from pathlib import Path

import pytest

from fixtures import elfcore, keys, minidump, noise, xsave
from scanner.dump import read_layout, registers, space
from scanner.model import Layout, Place
from tests.dump.dump_bytes import file_of
from tests.engine.test_scanning import offsets, report_bytes

FILLED = bytes(range(1, 33))
KEY, SEED = keys.ec_key(), keys.okp_key()


def note(register: int, value: bytes, *, states: int = 7) -> bytes:
    """Return an NT_X86_XSTATE (Linux: XSAVE's standard form) with a YMM register."""
    area = bytearray(832)
    struct.pack_into("<Q", area, 512, states)
    for at, half in ((160, value[:16]), (576, value[16:])):
        area[at + 16 * register : at + 16 * register + 16] = half
    return bytes(area)


def context(
    arch: str, register: int, value: bytes, *, flags: int = 0x40, length: int = 320
) -> bytes:
    """Return a CONTEXT with its CONTEXT_EX and XSTATE behind it (winnt.h)."""
    at, machine, low, size = {
        "x86_64": (0x30, 0x10001F, 0x1A0, 0x4D0),
        "x86": (0, 0x1007F, 0x16C, 0x2CC),
    }[arch]
    data = bytearray(size + 64 + 64 + 256)
    struct.pack_into("<I", data, at, machine | flags)
    struct.pack_into("<iI", data, size + 16, 64, length)
    struct.pack_into("<Q", data, size + 64, 4)
    for start, half in ((low, value[:16]), (size + 128, value[16:])):
        data[start + 16 * register : start + 16 * register + 16] = half
    return bytes(data)


def joined(data: bytes) -> list[bytes]:
    """Return what the spaces of values in parts hold, and check that every byte is in one."""
    with file_of(data) as file:
        layout = read_layout(file)
        space_map, faults = space.build(layout, len(data))
        assert faults == ()
        assert space.covered(space_map) == len(data)
        memory = space.Memory(space_map, file)
        first = len(space_map.size) - len(layout.joined)
        sizes = space_map.size.tolist()
        return [memory.read(at, 0, sizes[at]) for at in range(first, len(sizes))]


@pytest.mark.parametrize(("machine", "count"), [("x86_64", 16), ("x86", 8)])
def test_halves_of_a_note_are_joined(machine: str, count: int) -> None:
    """Each register of an ELF core is a space of 32 bytes."""
    notes = [elfcore.Note(name="LINUX", type=0x202, data=note(count - 1, FILLED))]
    dump = elfcore.write(machine="i386" if machine == "x86" else machine, notes=notes)
    assert joined(dump.data) == [bytes(32)] * (count - 1) + [FILLED]


@pytest.mark.parametrize(("arch", "count"), [("x86_64", 16), ("x86", 8)])
def test_halves_of_a_context_are_joined(arch: str, count: int) -> None:
    """Each register of a thread of a minidump is a space of 32 bytes."""
    thread = minidump.Thread(id=7, context=context(arch, count - 1, FILLED))
    dump = minidump.write(arch=arch, threads=[thread])
    assert joined(dump.data) == [bytes(32)] * (count - 1) + [FILLED]


@pytest.mark.parametrize(("arch", "count"), [("x86_64", 16), ("x86", 8)])
def test_a_copy_in_registers_of_a_context(arch: str, count: int) -> None:
    """What stands in several registers is one value, in turn and as a copy takes it."""
    value = noise.uniform(32 * 3 + 16, 5)
    for orders in (((0, 1), (3, 2)), ((1, 2, 3), ())):
        value = value if orders[1] else value[:96]
        vectors = xsave.copied(value, 32, 0, orders)
        parts = [context(arch, register, vector) for register, vector in vectors.items()]
        whole = bytes(max(column) for column in zip(*parts, strict=True))
        dump = minidump.write(arch=arch, threads=[minidump.Thread(id=7, context=whole)])
        assert value in joined(dump.data)
        assert len(joined(dump.data)) > count


@pytest.mark.parametrize(
    "data",
    [
        note(1, FILLED, states=3),
        note(1, FILLED)[:831],
        context("x86_64", 1, FILLED, flags=0),
        context("x86_64", 1, FILLED, length=319),
        context("x86_64", 1, FILLED)[:-1],
        context("x86_64", 1, FILLED)[:0x4D0],
    ],
)
def test_what_holds_no_halves(data: bytes) -> None:
    """Halves in their initial state, cut ones, and contexts without them are left alone."""
    with file_of(data) as file:
        assert registers.of_note(file, 0, len(data), wide=True) == ()
        assert registers.of_context(file, 0, len(data), "x86_64") == ()
        assert registers.of_context(file, 1, len(data), "x86_64") == ()
        assert registers.of_context(file, 0, len(data), "arm64") == ()


@pytest.mark.parametrize("intel", [True, False])
@pytest.mark.parametrize(("size", "first"), [(32, 0), (32, 16), (64, 0), (64, 16)])
@pytest.mark.parametrize(
    ("orders", "vectors"),
    [
        (((0, 1), (3, 2)), 3.5),
        (((0, 1, 2, 3), (7, 6, 5, 4)), 8),
        (((1, 2, 3, 4), (8, 7, 6, 5)), 6.25),
        (((0, 5, 6, 7), (4, 3, 2, 1)), 5.5),
        (((0, 1, 2, 3), (8, 7, 6, 5)), 4),
        (((4, 5, 6, 7), (3, 2, 1, 0)), 7.75),
    ],
)
def test_what_a_copy_leaves(
    orders: xsave.Orders, vectors: float, size: int, first: int, *, intel: bool
) -> None:
    """The first and the last vectors of a copy are one value, with what they share but once."""
    value = noise.uniform(int(vectors * size), 1)
    data = xsave.area(xsave.copied(value, size, first, orders), intel=intel)
    dump = elfcore.write(notes=[elfcore.Note(name="LINUX", type=0x202, data=data)])
    assert value in joined(dump.data)


@pytest.mark.parametrize(("machine", "size", "count"), [("i386", 32, 8), ("x86_64", 64, 16)])
def test_neighbouring_registers(machine: str, size: int, count: int) -> None:
    """What stands in registers in turn is one value; of those that hardly vary nothing is."""
    value = noise.uniform(size * (count - 2), 2)
    vectors = {at + 1: value[size * at : size * (at + 1)] for at in range(count - 2)}
    vectors |= {0: b"A" * size, count - 1: bytes(range(size // 2)) * 2}
    data = xsave.area(vectors, intel=False)[: 832 if count == 8 else None]
    notes = [elfcore.Note(name="LINUX", type=0x202, data=data)]
    sizes = [len(each) for each in joined(elfcore.write(machine=machine, notes=notes).data)]
    assert value in joined(elfcore.write(machine=machine, notes=notes).data)
    assert (sizes.count(len(value)), max(sizes)) == (1, len(value))


@pytest.mark.parametrize(
    ("states", "wide", "count"), [(7, True, 16), (0xE7, False, 8), (0xE3, True, 5), (3, True, 0)]
)
def test_initial_registers(states: int, count: int, *, wide: bool) -> None:
    """What is initial or not of such a program is left alone; others of the area are not."""
    vectors = xsave.copied(noise.uniform(512, 3), 64, 16, ((0, 1, 2, 3), (7, 6, 5, 4)))
    data = xsave.area(vectors, intel=True, states=states)
    with file_of(data) as file:
        assert len(registers.of_note(file, 0, len(data), wide=wide)) == count


def test_parts_past_the_end_are_left_out() -> None:
    """What lies in no file makes no space."""
    layout = Layout(format="test", joined=(((0, 8), (90, 16)), ((4, 2), (0, 3))))
    space_map, faults = space.build(layout, 100)
    assert (faults, space_map.size.tolist()) == ((), [100, 5])
    assert [
        extent.file_offset for extent in space.extents(space_map, Place(space=1, offset=1, size=3))
    ] == [5, 0]


@pytest.mark.parametrize(
    ("value", "public", "spki"),
    [
        (
            KEY.d.to_bytes(32, "big"),
            KEY.x.to_bytes(32, "big") + KEY.y.to_bytes(32, "big"),
            KEY.spki_sha256,
        ),
        (
            KEY.d.to_bytes(32, "little"),
            KEY.x.to_bytes(32, "big") + KEY.y.to_bytes(32, "big"),
            KEY.spki_sha256,
        ),
        (SEED.seed, SEED.public, SEED.spki_sha256),
    ],
)
@pytest.mark.parametrize("form", ["elf", "minidump"])
def test_private_number_in_a_register_alone(
    value: bytes, public: bytes, spki: str, form: str, tmp_path: Path
) -> None:
    """A scalar or a seed that stands in a YMM register and nowhere else is found, in two parts."""
    memory = noise.zeros(4096, 1) + public + noise.code(4096, 1)
    if form == "elf":
        notes = [elfcore.Note(name="LINUX", type=0x202, data=note(3, value))]
        dump = elfcore.write([elfcore.Segment(address=0x10000, data=memory)], notes=notes)
    else:
        thread = minidump.Thread(id=7, context=context("x86_64", 3, value))
        segment = minidump.Segment(address=0x10000, data=memory)
        dump = minidump.write([segment], threads=[thread])
    found = report_bytes(dump.data, tmp_path)
    key = next(f for f in found.findings if f.fingerprint.value == spki)
    assert {dump.data.index(value[:16]), dump.data.index(value[16:])} <= offsets(key)
    assert found.coverage.scanned_bytes == found.coverage.file_bytes


def test_rsa_key_in_registers_alone(tmp_path: Path) -> None:
    """The end of a key that was copied, most of dq and qinv, stands in no other bytes."""
    key = keys.rsa_key(2048)
    dump = xsave.rsa_core(key)
    found = report_bytes(dump.data, tmp_path)
    (finding,) = found.findings
    assert finding.fingerprint.value == key.spki_sha256
    assert dump.data.index(key.qinv.to_bytes(128, "big")[-64:]) in offsets(finding)
    assert found.coverage.scanned_bytes == found.coverage.file_bytes
