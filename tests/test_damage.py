"""Dumps that are cut or have a bit turned: a verdict each time, and no pass for what is lost."""

import pytest

from fixtures import (
    elfcore,
    heaps,
    kerneldump,
    keys,
    lime,
    macho,
    makedumpfile,
    minidump,
    noise,
    qemu,
)
from fixtures.encodings import pkcs8_pem
from scanner import dump
from scanner.model import Layout
from tests import damage
from tests.dump.dump_bytes import file_of
from tests.dump.opening import judged, verdict

KEY = pkcs8_pem(keys.rsa_key(2048))
TEXT = noise.text(5000, 1)
PAGES = [(0x1000, TEXT[:4096]), (0x7000, noise.pointers(8192, 2))]

CLEAN: dict[str, bytes] = {
    "core": elfcore.write(
        [
            elfcore.Segment(address=0x10000, data=TEXT),
            elfcore.Segment(address=0x20000, data=noise.pointers(3000, 3), memory_size=9000),
        ],
        files=[elfcore.Mapped(start=0x10000, end=0x20000, name="/usr/bin/signer")],
        align=16,
    ).data,
    "minidump": minidump.write(
        [
            minidump.Segment(address=0x10000, data=TEXT),
            minidump.Segment(address=0x20000, data=noise.pointers(3000, 3), listed_in="memory"),
        ],
        modules=[minidump.Module(start=0x10000, size=4096, name="C:\\signer.exe")],
        threads=[minidump.Thread(id=7, stack_start=0x20000, stack_size=64, context=bytes(200))],
        streams=[minidump.comment_w("a comment")],
    ).data,
    "Mach-O core": macho.write(
        [(0x100000000, TEXT, 1 << 14)], notes=[("load binary", bytes(64))]
    ).data,
    "triage dump": kerneldump.write_triage([(0xFFFF8000_00001000, TEXT)]).data,
    "Java heap": heaps.hprof([(1, bytes(8) + b"a string"), (0x1C, TEXT), (0x2C, b"")]),
    "microdump": heaps.microdump([(0x7F000000, TEXT)]),
    "error log of Java": heaps.hs_err((0x7F000000, TEXT[:640])),
    "crash dump of Erlang": heaps.erl_crash_dump([TEXT[:200], 1 << 400, "a string of it"] * 9),
    "heap snapshot": heaps.heapsnapshot(["a string", "another"] * 40),
    "kernel dump": kerneldump.write(kerneldump.BITMAP, PAGES).data,
    "LiME": lime.write(PAGES).data,
    "AVML": lime.write(PAGES, packed=True).data,
    "makedumpfile": makedumpfile.write(PAGES).data,
    "QEMU": qemu.write(
        [("pc.ram", 1 << 20)], [one for at, page in PAGES for one in qemu.pages("pc.ram", page, at)]
    ).data,
}
"""Dumps without a secret; those of a whole machine never pass, having no tables of pages."""

KEYED = {
    "core": elfcore.write([elfcore.Segment(address=0x10000, data=TEXT + KEY + TEXT)]).data,
    "minidump": minidump.write([minidump.Segment(address=0x10000, data=TEXT + KEY + TEXT)]).data,
    "Mach-O core": macho.write([(0x100000000, TEXT + KEY + TEXT, 1 << 14)]).data,
    "triage dump": kerneldump.write_triage([(0xFFFF8000_00001000, TEXT + KEY + TEXT)]).data,
}


def layout_of(data: bytes) -> Layout:
    """Read a dump."""
    with file_of(data) as file:
        return dump.read_layout(file)


@pytest.mark.parametrize("name", CLEAN)
def test_cut_anywhere(name: str) -> None:
    """Cut at every edge that its tables have and anywhere else, a dump does not pass.

    Each cut has a verdict of a scan of every byte that is left. Of bytes that no table claims any
    may be missing: nobody can tell.
    """
    data = CLEAN[name]
    layout = layout_of(data)
    claimed = damage.needed(layout) if layout.format != "raw" else len(data.rstrip())
    for size in damage.cuts(layout, len(data), 6, seed=1):
        if size < claimed:
            assert verdict(data[:size]) == "incomplete", size
        else:
            judged(data[:size])


@pytest.mark.parametrize("name", CLEAN)
def test_a_bit_of_the_tables(name: str) -> None:
    """Whatever bit of headers and tables is turned, there is a verdict, and nothing is found."""
    data = CLEAN[name]
    for at, changed in damage.flipped(data, layout_of(data), 6, seed=2):
        assert verdict(changed) in {"pass", "incomplete"}, at


@pytest.mark.parametrize("name", KEYED)
def test_a_key_outlives_a_bit_of_the_tables(name: str) -> None:
    """A key that stands in one piece is found, whatever the tables say of where it is."""
    data = KEYED[name]
    for at, changed in damage.flipped(data, layout_of(data), 6, seed=3):
        assert verdict(changed) == "blocked", at
