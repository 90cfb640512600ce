"""Streams of lzop: every block is decoded and checked, and nothing hides in a header."""

import hashlib
import struct

import pytest

from fixtures import lzop as writer
from fixtures import qemu
from fixtures.lzop import ADLER, ADLER_PACKED, CRC, CRC_PACKED, EXTRA, HEAD_CRC
from scanner.dump import archives, codecs, lzop, unpack
from tests.dump.dump_bytes import elfcore, file_of
from tests.dump.opening import codes, opened

lzallright = pytest.importorskip("lzallright")
CORE = elfcore([(0x1000, b"the memory of a core" * 3000, 60000)])
PLAIN = CORE + hashlib.shake_128(b"noise").digest(5000)


def packed(data: bytes, **how: object) -> bytes:
    """Write a stream."""
    return writer.write(data, lzallright.LZOCompressor().compress, **how)  # type: ignore[arg-type]


def peeled(data: bytes, *, step: int = 1 << 16) -> tuple[tuple[str, ...], bytes, set[str], bytes]:
    """Undo the layers of bytes: their names, what they hold, the faults, what stands aside."""
    steps = (data[at : at + step] for at in range(0, len(data), step))
    found = unpack.peel(steps, max_bytes=1 << 26)
    whole = b"".join(found.pieces)
    return found.layers, whole, {fault.code for fault in found.faults}, b"".join(found.aside)


@pytest.mark.parametrize(
    "flags", [0, ADLER, CRC, ADLER | ADLER_PACKED, CRC | CRC_PACKED, ADLER | CRC | HEAD_CRC]
)
@pytest.mark.parametrize("step", [1, 1000, 1 << 16])
def test_streams(flags: int, step: int) -> None:
    """Blocks of all kinds are decoded, those that did not shrink too, in whatever steps."""
    data = packed(PLAIN, flags=flags, block=4096)
    assert peeled(data, step=step) == (("lzop",), PLAIN, set(), b"")
    assert peeled(data * 2) == (("lzop",), PLAIN * 2, set(), b"")


def test_name() -> None:
    """The name in a header stands aside, and is swept."""
    assert peeled(packed(PLAIN, name=b"core.1")) == (("lzop",), PLAIN, set(), b"core.1")


@pytest.mark.parametrize(
    ("data", "held"),
    [
        (packed(PLAIN, block=4096, wrong=[2]), 2 * 4096),
        (packed(PLAIN, block=4096, flags=CRC, wrong=[0]), 0),
        (packed(PLAIN, flags=EXTRA), 0),
        (packed(PLAIN).replace(b"\x10\x40", b"\x10\x41", 1), 0),
        (packed(b"")[:-4] + struct.pack(">2I", 1 << 30, 1 << 20) + bytes(1 << 16), 0),
        (packed(b"")[:-4] + struct.pack(">3I", 1 << 20, 9, 0) + bytes(99), 0),
        (packed(b"")[:-4] + struct.pack(">3I", 9, 10, 0) + bytes(99), 0),
    ],
)
def test_broken(data: bytes, held: int) -> None:
    """A wrong checksum, a header with more in it, and impossible sizes end a stream."""
    layers, whole, faults, _ = peeled(data)
    assert (layers, whole[:held], faults) == (("lzop",), PLAIN[:held], {"corrupt-stream"})


def test_cut() -> None:
    """A cut is told wherever it is."""
    data = packed(PLAIN, block=4096, name=b"core")
    for at in range(12, len(data), 41):
        assert peeled(data[:at])[2] == {"truncated-stream"}


def test_without_a_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing decodes LZO the stream is known and not opened."""
    monkeypatch.setattr(lzop.importlib.util, "find_spec", lambda _: None)
    data = packed(CORE)
    assert codecs.sniff_layer(data[:128]) is None
    with file_of(data) as file:
        assert archives.sniff_unopened(file) == "lzop"
    found, _, dumps = opened(qemu.libvirt(data, form=4))
    assert (codes(found), dumps) == ({"unopened"}, [])


def test_libvirt() -> None:
    """A machine that libvirt saved with lzop is a dump within."""
    stream = qemu.write([("pc.ram", 4096)], [("pc.ram", 0, b"page" * 1024)]).data
    found, _, [(name, data, layout)] = opened(qemu.libvirt(packed(stream), form=4))
    assert (codes(found), name, data, layout.format) == (set(), "machine", stream, "qemu")
