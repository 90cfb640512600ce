"""What no structure of a dump claims does not pass unless it is harmless; a row for each file."""

import struct
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures import (
    elfcore,
    heaps,
    kerneldump,
    macho,
    makedumpfile,
    minidump,
    noise,
    qemu,
    tails,
    vmware,
)
from scanner.engine import scanning
from scanner.engine.scanning import ScanRequest
from scanner.progress import Silence

SIZE = 200_000
MEMORY = noise.mixed(1 << 18, 2)
PAGES = [(0x100000, MEMORY)]
SECRET = elfcore.write([elfcore.Segment(address=0x5000, data=noise.mixed(SIZE, 4))]).data
"""The dump that is hidden in others."""

USUAL = {"no-page-tables"}
"""A machine of these tests has no tables of pages."""


def _moved(piece: bytes) -> bytes:
    """Write a Mach-O core with bytes between its commands and its memory."""
    data = bytearray(macho.write([(0x1000, MEMORY, len(MEMORY))]).data)
    place = struct.unpack_from("<Q", data, 32 + 8 + 16 + 16)[0]
    room = -(-len(piece) // 4096) * 4096
    data[place:place] = piece.ljust(room, b"\0")
    struct.pack_into("<Q", data, 32 + 8 + 16 + 16, place + room)
    return bytes(data)


HOSTS: dict[str, Callable[[bytes], bytes]] = {
    "core": lambda tail: (
        elfcore.write([elfcore.Segment(address=0x1000, data=MEMORY)], trailing=tail).data
    ),
    "minidump": lambda tail: (
        minidump.write([minidump.Segment(address=0x1000, data=MEMORY)], trailing=tail).data
    ),
    "macho": lambda tail: macho.write([(0x1000, MEMORY, len(MEMORY))], trailing=tail).data,
    "makedumpfile": lambda tail: makedumpfile.write(PAGES, trailing=tail).data,
    "kerneldump": lambda tail: kerneldump.write(kerneldump.FULL, PAGES, trailing=tail).data,
    "kerneldump, blobs": lambda tail: (
        kerneldump.write(
            kerneldump.BITMAP, PAGES, trailing=kerneldump.blobs(b"of a driver", b"of two") + tail
        ).data
    ),
    "vmware": lambda tail: vmware.write(PAGES).data + tail,
    "qemu": lambda tail: (
        qemu.write(
            [("pc.ram", len(MEMORY))],
            [("pc.ram", at, MEMORY[at : at + 4096]) for at in range(0, len(MEMORY), 4096)],
        ).data
        + tail
    ),
    "hprof": lambda tail: heaps.hprof([(0x1C, MEMORY), (0x2C, b"")]) + tail,
    "core, hole": lambda piece: (
        elfcore.write(
            [
                elfcore.Segment(address=0x1000, data=MEMORY),
                elfcore.Segment(address=0x100000, data=MEMORY, gap_before=piece),
            ]
        ).data
    ),
    "minidump, hole": lambda piece: (
        minidump.write([minidump.Segment(address=0x1000, data=MEMORY)], slack=piece).data
    ),
    "macho, hole": _moved,
}


def faults(data: bytes) -> set[str]:
    """Survey a file and each dump within, as a scan does, and return the codes of their faults."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dump"
        path.write_bytes(data)
        request = ScanRequest(path=str(path), in_process=True, rules=())
        found = scanning.inspect(request, Silence())
    assert all(survey.layout.format != "raw" for _, survey in found)
    return {fault.code for _, survey in found for fault in survey.faults}


@pytest.mark.parametrize("name", tails.headers(b""))
def test_a_header_describes_no_memory(name: str) -> None:
    """What follows a header that describes next to nothing does not pass, unless it is padding."""
    for body in (noise.uniform(SIZE, 1), noise.mixed(SIZE, 1), tails.xor(SECRET, b"\x5a")):
        assert faults(tails.headers(body)[name])
    text = faults(tails.headers(noise.text(SIZE, 1))[name])
    assert bool(text) is not name.startswith("javacore")


@pytest.mark.parametrize("name", ["elfcore, no segment", "macho, no load command"])
def test_a_header_alone(name: str) -> None:
    """Where nothing is, or zeros, there is nothing to describe."""
    assert faults(tails.headers(b"")[name]) == set()
    assert faults(tails.headers(bytes(SIZE))[name]) == set()
    assert faults(tails.headers(b"\xcc" * SIZE)[name]) == set()
    assert "undescribed" in faults(tails.headers(noise.uniform(SIZE, 1))[name])


@pytest.mark.parametrize("tail", tails.HIDDEN)
@pytest.mark.parametrize("host", HOSTS)
def test_hidden(host: str, tail: str) -> None:
    """What is encrypted, packed or scrambled does not pass where nothing claims it."""
    assert faults(HOSTS[host](tails.HIDDEN[tail](SECRET))) - USUAL


@pytest.mark.parametrize("tail", tails.HARMLESS)
@pytest.mark.parametrize("host", HOSTS)
def test_harmless(host: str, tail: str) -> None:
    """Padding, text and tables may stand there; of other bytes, few."""
    found = faults(HOSTS[host](tails.HARMLESS[tail](SIZE // 2)))
    if host == "makedumpfile":  # an archive doubts any stray
        found -= {"stray-bytes"}
    assert found - USUAL == set()
