"""What no table of a dump describes: nothing where it is padding, a fault where it is opaque."""

import random
import struct
import zlib
from collections.abc import Iterable

import pytest

from fixtures import elfcore, kerneldump, lime, macho, minidump
from scanner import dump
from scanner.dump import unexplained
from scanner.model import Fault
from tests.dump.dump_bytes import file_of
from tests.dump.opening import judged

RANDOM = random.Random(62).randbytes(200_000)  # noqa: S311 - the same each time
TEXT = b"2026-01-01 the server answered 200 to a request of no interest\n" * 3_000
PAGES = [(0x1000, b"page" * 4096)]


def _core(*datas: bytes) -> bytes:
    segments = [elfcore.Segment(address=0x10000 * (at + 1), data=d) for at, d in enumerate(datas)]
    return elfcore.write(segments).data


MEMORY = TEXT[:60_000] + bytes(100_000)
CORE = _core(MEMORY)
DUMPS = {
    "elfcore": CORE,
    "minidump": minidump.write([minidump.Segment(address=0x10000, data=MEMORY)]).data,
    "kerneldump": kerneldump.write(kerneldump.FULL, PAGES).data,
    "macho": macho.write([(0x10000, MEMORY, len(MEMORY))]).data,
    "lime": lime.write(PAGES).data,
}


def _masked(data: bytes, key: bytes) -> bytes:
    return bytes(byte ^ key[at % len(key)] for at, byte in enumerate(data))


def _deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


NOISE = bytes(byte & 63 for byte in RANDOM)
"""Six bits a byte, before it is packed."""

TAILS = {
    "random": RANDOM,
    "deflate": _deflated(NOISE),
    "one byte": _masked(CORE, b"\x5a"),
    "a key": _masked(CORE, bytes(range(101, 118))),
    "behind zeros": bytes(10_000) + _masked(CORE, b"\xff"),
}
HARMLESS = {"zeros": bytes(200_000), "filler": b"\xcc" * 200_000, "text": TEXT[:50_000]}


def _judge(data: bytes) -> tuple[Fault, ...]:
    file = file_of(data)
    return unexplained.judge(file, dump.read_layout(file))


def _codes(faults: Iterable[Fault]) -> set[str]:
    return {fault.code for fault in faults}


@pytest.mark.parametrize("tail", TAILS.values(), ids=TAILS)
@pytest.mark.parametrize("data", DUMPS.values(), ids=DUMPS)
def test_what_follows_a_dump_and_is_opaque_is_a_fault(data: bytes, tail: bytes) -> None:
    """Whoever cut, joined or hid something behind a dump gets no pass for it."""
    assert "unexplained-bytes" in _codes(_judge(data + tail))


@pytest.mark.parametrize("tail", HARMLESS.values(), ids=HARMLESS)
@pytest.mark.parametrize("data", [DUMPS["elfcore"], DUMPS["macho"]], ids=["elfcore", "macho"])
def test_what_follows_a_dump_and_can_be_read_is_none(data: bytes, tail: bytes) -> None:
    """It is swept as it stands."""
    assert not _judge(data)
    assert not _judge(data + tail)


def _with_hole(filling: bytes) -> bytes:
    """Put bytes between the table of segments and their memory, which moves behind them."""
    (count,) = struct.unpack_from("<H", CORE, 56)
    (table,) = struct.unpack_from("<Q", CORE, 32)
    size = struct.unpack_from("<H", CORE, 54)[0]
    end = table + count * size
    moved = bytearray(CORE[:end] + filling + CORE[end:])
    for at in range(table, end, size):
        (offset,) = struct.unpack_from("<Q", moved, at + 8)
        struct.pack_into("<Q", moved, at + 8, offset + len(filling))
    return bytes(moved)


def test_a_hole_between_tables_and_memory_is_judged_alike() -> None:
    """Not only what follows the end."""
    assert "unexplained-bytes" in _codes(_judge(_with_hole(RANDOM)))
    assert not _judge(_with_hole(bytes(50_000)))


def _empty_core(data: bytes) -> bytes:
    head = bytearray(CORE[:64])
    struct.pack_into("<H", head, 56, 0)
    return bytes(head) + data


def _other_class() -> bytes:
    head = bytearray(CORE)
    head[4] ^= 3
    return bytes(head) + RANDOM


def _empty_macho(data: bytes) -> bytes:
    head = bytearray(DUMPS["macho"][:32])
    struct.pack_into("<2I", head, 16, 0, 0)
    return bytes(head) + data


UNDESCRIBED = {
    "no segment": _empty_core(RANDOM),
    "no segment, text": _empty_core(TEXT),
    "other class": _other_class(),
    "no load command": _empty_macho(RANDOM),
}


@pytest.mark.parametrize("data", UNDESCRIBED.values(), ids=UNDESCRIBED)
def test_a_header_that_describes_no_memory_does_not_pass(data: bytes) -> None:
    """The whole file was swept, and nobody knows what it is."""
    (report,) = judged(data)
    assert report.verdict.value == "incomplete"


def test_the_same_header_before_zeros_is_harmless() -> None:
    """There is nothing in it."""
    assert not _judge(_empty_core(bytes(200_000)))


def test_random_bytes_inside_of_memory_are_memory() -> None:
    """Heaps hold ciphertexts, and are described."""
    assert not _judge(_core(RANDOM))


def test_a_scan_of_an_opaque_tail_is_incomplete() -> None:
    """And its reason is told."""
    (report,) = judged(CORE + RANDOM)
    assert report.verdict.value == "incomplete"
    assert "unexplained-bytes" in _codes(report.coverage.faults)
