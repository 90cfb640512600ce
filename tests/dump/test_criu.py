"""Checkpoints of CRIU in archives: pages and their map are one dump, and what is not is told."""

import gzip
import io
import struct
import tarfile
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from fixtures import criu, keys, noise
from fixtures.criu import IN_PARENT, LAZY, PAGE, PRESENT
from fixtures.encodings import pkcs8_der
from scanner.dump.archives import criu as reader
from tests.dump.opening import codes, judged, memory, opened, verdict

ONE, TWO = (b"one page " * 1111).ljust(3 * PAGE, b"\0"), bytes(range(256)) * 16
"""Three pages, and one."""
SEGMENTS = [(0x7F3000, ONE[:PAGE]), (0x7F4000, ONE[PAGE:]), (0x7FFE00000000, TWO)]


def tar(members: Sequence[tuple[str, bytes]], folder: str = "checkpoint/") -> bytes:
    """Write an archive of images."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in members:
            info = tarfile.TarInfo(folder + name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def test_pages_and_their_map() -> None:
    """Pages come out as a core, whatever stands first; those that adjoin are one region."""
    images = criu.write(SEGMENTS)
    for order in (images, images[::-1]):
        found, rest, [(name, core, layout)] = opened(gzip.compress(tar(order)))
        assert (found.layers, found.faults, layout.faults) == (("gzip", "tar"), (), ())
        assert (name, layout.format, layout.arch) == (
            "checkpoint/pages-1.img",
            "elfcore",
            "x86_64",
        )
        assert memory(core, layout) == [(0x7F3000, ONE), (0x7FFE00000000, TWO)]
        assert core.endswith(ONE + TWO)
        assert len(core) % PAGE == 0
        assert images[2][1] in rest
        assert ONE not in rest


def test_two_processes_and_folders() -> None:
    """Each image goes with the map that has its number, in the same folder."""
    one, two = criu.write([(0x1000, ONE)]), criu.write([(0x5000, TWO)], pid=8, number=2)
    other = [(f"old/{name}", data) for name, data in criu.write([(0x9000, TWO)])]
    _, _, dumps = opened(tar([*one, *two, *other]))
    assert [(name, memory(core, layout)) for name, core, layout in dumps] == [
        ("checkpoint/pages-1.img", [(0x1000, ONE)]),
        ("checkpoint/pages-2.img", [(0x5000, TWO)]),
        ("checkpoint/old/pages-1.img", [(0x9000, TWO)]),
    ]


@pytest.mark.parametrize("form", ["old", "flags", "wide"])
def test_forms_of_a_map(form: str) -> None:
    """Counts of 32 bits and of 64, and runs without flags, say the same."""
    runs = [(0x1000, 3, PRESENT | LAZY), (0x9000, 1, PRESENT)]
    images = [("pages-1.img", ONE + TWO), ("pagemap-7.img", criu.pagemap(1, runs, form=form))]
    _, _, [(_, core, layout)] = opened(tar(images))
    assert memory(core, layout) == [(0x1000, ONE), (0x9000, TWO)]


def test_pages_that_are_not_in_the_image() -> None:
    """Pages of an earlier checkpoint are a fault; those that were never written are not."""
    for flags, faults in ((IN_PARENT, {"unsupported"}), (LAZY, set())):
        runs = [(0x1000, 3, PRESENT), (0x4000, 9, flags), (0x9000, 1, PRESENT)]
        images = [("pages-1.img", ONE + TWO), ("pagemap-7.img", criu.pagemap(1, runs))]
        found, _, [(_, core, layout)] = opened(tar(images))
        assert memory(core, layout) == [(0x1000, ONE), (0x9000, TWO)]
        assert codes(found) == faults


@pytest.mark.parametrize("page", [4096, 16384, 65536])
def test_pages_of_other_machines(page: int) -> None:
    """How large a page is, the size of the image says."""
    images = [
        ("pages-1.img", bytes(page) + b"\1" * page),
        ("pagemap-7.img", criu.pagemap(1, [(0x10000, 1, PRESENT), (0x50000, 1, PRESENT)])),
        ("core-7.img", criu.thread(3, low=range(1 << 40, (1 << 40) + 64))),
    ]
    found, _, [(_, core, layout)] = opened(tar(images))
    assert (found.faults, layout.arch) == ((), "arm64")
    assert memory(core, layout) == [(0x10000, bytes(page)), (0x50000, b"\1" * page)]
    assert b"".join(word.to_bytes(8, "little") for word in range(1 << 40, (1 << 40) + 64)) in core


def test_vector_registers() -> None:
    """What a thread had in a YMM register alone, in two halves, is read as one."""
    key = keys.ec_key("P-256")
    scalar = key.d.to_bytes(32, "little")
    low, high = ([0] * 64, [0] * 64)
    for word in range(4):
        low[8 + word] = int.from_bytes(scalar[4 * word : 4 * word + 4], "little")
        high[8 + word] = int.from_bytes(scalar[16 + 4 * word : 20 + 4 * word], "little")
    point = key.x.to_bytes(32, "big") + key.y.to_bytes(32, "big")
    images = criu.write([(0x7F3000, (b"\4" + point).ljust(PAGE, b"\0"))])
    images[1] = ("core-7.img", criu.thread(1, low, high))
    found, _, [(_, core, layout)] = opened(tar(images))
    assert found.faults == ()
    assert [b"".join(core[at : at + size] for at, size in parts) for parts in layout.joined][
        2
    ] == scalar
    assert verdict(tar(images)) == "blocked"


def test_wide_registers() -> None:
    """What a copy left in ZMM16 to ZMM19 is read as one, in the order in which it took it."""
    value = noise.uniform(256, 1)
    left = (value[:128] + value[192:] + value[128:192]).ljust(1024, b"\0")
    words = struct.unpack("<128Q", left)
    images = criu.write([(0x7F3000, bytes(PAGE))])
    images[1] = ("core-7.img", criu.thread(1, [0] * 64, [0] * 64, words))
    _, _, [(_, core, layout)] = opened(tar(images))
    assert value in [
        b"".join(core[at : at + size] for at, size in parts) for parts in layout.joined
    ]


def test_a_key_in_a_checkpoint() -> None:
    """A key has the address that it had in the process; without one the checkpoint may pass."""
    key = keys.rsa_key(2048)
    data = (bytes(PAGE - 300) + pkcs8_der(key)).ljust(2 * PAGE, b"\0")
    _, report = judged(tar(criu.write([(0x7F0000, data)])))
    (finding,) = report.findings
    assert finding.fingerprint.value == key.spki_sha256
    assert finding.occurrences[0].extents[0].address == 0x7F0000 + PAGE - 300
    assert verdict(tar(criu.write(SEGMENTS))) == "pass"


def test_shared_memory() -> None:
    """Shared memory from its start on has no address in a process: its pages are swept bare."""
    images = [("pages-2.img", ONE), ("pagemap-shmem-9.img", criu.pagemap(2, [(0, 3, PRESENT)]))]
    found, rest, dumps = opened(tar(images))
    assert (found.faults, dumps) == ((), [])
    assert ONE in rest


MAP = criu.pagemap(1, [(0x1000, 3, PRESENT)])


@pytest.mark.parametrize(
    ("images", "code"),
    [
        ([("pages-1.img", ONE[:-1]), ("pagemap-7.img", MAP)], "truncated-archive"),
        ([("pages-1.img", ONE + TWO), ("pagemap-7.img", MAP)], "corrupt-archive"),
        ([("pages-1.img", ONE), ("pagemap-7.img", MAP), ("pagemap-8.img", MAP)], "corrupt-archive"),
        ([("pages-1.img", ONE), ("pages-1.img", ONE), ("pagemap-7.img", MAP)], "corrupt-archive"),
        ([("pages-1.img", ONE), ("pagemap-7.img", MAP[:-1])], "corrupt-member"),
        ([("pages-1.img", ONE), ("pagemap-7.img", b"\0" * 8 + MAP[8:])], "corrupt-member"),
        ([("pages-1.img", ONE), ("pagemap-7.img", MAP), ("core-7.img", b"?")], "corrupt-member"),
        (
            [("pages-1.img", ONE), ("pagemap-7.img", criu.pagemap(1, [((1 << 64) - 1, 3, 4)]))],
            "limit-runs",
        ),
        (
            [
                ("pages-1.img", ONE),
                ("pagemap-7.img", criu.pagemap(1, [(1 << at, 1 << 62, 4) for at in range(9)])),
            ],
            "truncated-archive",
        ),
        (
            [
                ("pages-1.img", ONE),
                (
                    "pagemap-7.img",
                    criu.image(criu.PAGEMAP, [criu.field(1, 1), criu.field(6, b"packed")]),
                ),
            ],
            "corrupt-member",
        ),
    ],
)
def test_images_that_do_not_agree(images: list[tuple[str, bytes]], code: str) -> None:
    """What is cut, contradicts itself or is packed is a fault, and its pages are swept."""
    found, rest, dumps = opened(tar(images))
    assert code in codes(found)
    assert images[0][1] in rest + b"".join(core for _, core, _ in dumps)


def test_pages_without_a_map() -> None:
    """Pages of which no map is there stand as they are; other names mean nothing."""
    images = [("pages-1.img", ONE), ("pagemap-7.img", criu.pagemap(2, [])), ("pages-x.img", TWO)]
    found, rest, dumps = opened(tar(images))
    assert (codes(found), dumps) == (set(), [])
    assert ONE in rest
    assert TWO in rest


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Maps, runs and threads without end are read up to a bound, under a fault."""
    runs = [(0x10000 * at, 1, PRESENT) for at in range(1, 4)]
    images = [
        ("pages-1.img", ONE),
        ("pagemap-7.img", criu.pagemap(1, runs)),
        ("core-7.img", criu.thread(1)),
        ("core-8.img", criu.thread(1)),
    ]
    assert codes(opened(tar(images))[0]) == set()
    for name, most, code in (
        ("MAX_MAPS", 8, "limit-bytes"),
        ("MAX_RUNS", 2, "limit-runs"),
        ("MAX_THREADS", 1, "limit-threads"),
        ("MAX_THREAD", 20, "corrupt-member"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(reader, name, most)
            assert codes(opened(tar(images))[0]) == {code}


@limits(max_examples=30, deadline=None)
@given(st.data())
def test_any_damage(data: st.DataObject) -> None:
    """Whatever an image has become, nothing raises and every page is swept."""
    images = criu.write(SEGMENTS)
    which = data.draw(st.integers(1, 2))
    name, image = images[which]
    at = data.draw(st.integers(0, len(image) - 1))
    byte = data.draw(st.binary(min_size=1, max_size=9))
    images[which] = (name, image[:at] + byte + image[at + len(byte) :])
    found, rest, dumps = opened(tar(images))
    assert ONE + TWO in rest + b"".join(core for _, core, _ in dumps)
    assert found.archive == "tar"
