"""What is packed behind a dump's end or in its slack is opened, or a fault; the rest stays."""

import base64
import gzip
import lzma
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace

import pytest
import zstandard
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from fixtures import elfcore, heaps, kerneldump, lime, macho, minidump, qemu, vmware
from scanner.dump import trailing
from scanner.dump.source import File
from tests.dump.dump_bytes import file_of
from tests.dump.opening import codes, judged
from tests.dump.test_contents import CORE, MINI, TEXT, expand, tarred, zipped
from tests.dump.test_disks import DISKS
from tests.dump.test_unopened import SEALED

MAC = macho.write([(0x1000, b"the memory of a Mach-O core" * 40, 2000)]).data
DUMPS = {"elfcore": CORE, "minidump": MINI, "macho": MAC}
PAGES = [(0x1000, b"page" * 1024)]
MACHINES = {
    "full": kerneldump.write(kerneldump.FULL, PAGES).data,
    "bitmap": kerneldump.write(kerneldump.BITMAP, PAGES).data,
    "ranges": kerneldump.write(kerneldump.KERNEL_RANGES, PAGES).data,
    "triage": kerneldump.write_triage(PAGES).data,
    "vmware": vmware.write(PAGES).data,
    "qemu": qemu.write([("pc.ram", 4096)], [("pc.ram", 0, b"page" * 1024)]).data,
    "lime": lime.write(PAGES).data,
    "hprof": heaps.hprof([(1, b"12345678name"), (0x1C, b"segment" * 9), (0x2C, b"")]),
}
PADDING = (b"", bytes(3), bytes(1 << 20), b"\n\0\0")
PACKED = {
    "gzip": gzip.compress(MINI),
    "zstd": zstandard.compress(MINI),
    "xz": lzma.compress(MINI),
    "zip": zipped(("a", MINI)),
    "tar": tarred(("a", MINI)),
    "tar.gz": gzip.compress(tarred(("a", MINI))),
    "zlib": zlib.compress(MINI, 1),
    "base64": base64.encodebytes(zlib.compress(MINI)),
    "a-dump": MINI,
    "apport": b"ProblemType: Crash\nCoreDump: base64\n "
    + base64.b64encode(gzip.compress(MINI))
    + b"\n",
}
UNOPENED = {
    "sealed": b"Salted__" + SEALED,
    "7z": b"7z\xbc\xaf\x27\x1c" + SEALED,
    "zip-behind": b"words" + zipped(("a", MINI)),
}
SLACK = {
    "nothing": b"",
    "zeros": bytes(100_000),
    "lines": b"\r\n\n",
    "words": b"words that a writer left",
    "random": SEALED,
    "no-zlib": zlib.compress(TEXT)[:2] + SEALED,
    "a-note": b"\5\0\0\0\x08\0\0\0\1\0\0\0CORE\0\0\0\0" + bytes(8),
    "names": b"\0.shstrtab\0note0\0load\0",
    "a-program": CORE[:16] + b"\2" + CORE[17:],
    "gzip-later": b"words" + gzip.compress(TEXT),
}


def found(data: bytes) -> int | None:
    """Return where something is packed behind a dump."""
    with file_of(data) as file:
        spans = trailing.find(file)
    assert all(end == len(data) for _, end in spans)
    return spans[0][0] if spans else None


def in_macho(packed: bytes) -> bytes:
    """Write a Mach-O core with bytes between its commands and the page of its memory."""
    data = bytearray(macho.write([(0x1000, bytes(99), 99)]).data)
    data[1000 : 1000 + len(packed)] = packed
    return bytes(data)


def with_streams(packed: bytes, *types: int) -> bytes:
    """Write a minidump with streams of these types."""
    return minidump.write(
        MEMORY, streams=[minidump.Stream(type=t, data=packed) for t in types]
    ).data


MEMORY = [minidump.Segment(address=0x1000, data=b"memory")]
ROOM = elfcore.Segment(address=0x1000, data=b"memory" * 900)
WITHIN: dict[str, Callable[[bytes], bytes]] = {
    "elf, before memory": lambda packed: elfcore.write([replace(ROOM, gap_before=packed)]).data,
    "elf, within": lambda packed: elfcore.write([ROOM, replace(ROOM, gap_before=packed)]).data,
    "elf, note": lambda packed: (
        elfcore.write([ROOM], notes=[elfcore.Note(name="TOOL", type=7, data=packed)]).data
    ),
    "minidump, slack": lambda packed: minidump.write(MEMORY, slack=bytes(64) + packed).data,
    "minidump, stream": lambda packed: with_streams(packed, 0x4D7A0001),
    "mach-o, slack": in_macho,
    "mach-o, note": lambda packed: (
        macho.write([(0x1000, b"memory", 6)], notes=[("a", packed)]).data
    ),
}
SMALL = gzip.compress(MINI)


@pytest.mark.parametrize("as_file", [True, False])
@pytest.mark.parametrize("padding", PADDING)
@pytest.mark.parametrize("name", DUMPS)
@pytest.mark.parametrize("pack", PACKED)
def test_opened(pack: str, name: str, padding: bytes, as_file: bool) -> None:
    """What is packed is a dump of its own; the dump before it keeps every byte."""
    data = DUMPS[name] + padding + PACKED[pack]
    assert found(data) == len(DUMPS[name] + padding)
    opened, rest, dumps = expand(data, as_file=as_file)
    assert list(dumps.values()) == [MINI]
    assert all(part.startswith("bytes behind") for part in dumps)
    assert rest.startswith(data)
    assert (codes(opened), opened.layers, opened.archive) == (set(), (), "")


@pytest.mark.parametrize("name", MACHINES)
def test_behind_a_machine_or_a_heap(name: str) -> None:
    """Dumps of machines and heaps have an end, too; what else follows it is swept."""
    for pack in ("zstd", "zlib", "base64"):
        data = MACHINES[name] + bytes(3) + PACKED[pack]
        opened, rest, dumps = expand(data)
        assert list(dumps.values()) == [MINI]
        assert rest.startswith(data)
        assert codes(opened) == set()
    assert expand(gzip.compress(MACHINES[name] + PACKED["xz"]))[2] == {"bytes behind": MINI}
    assert codes(expand(MACHINES[name] + UNOPENED["7z"])[0]) == {"unopened"}
    for slack in ("zeros", "words", "random", "no-zlib", "gzip-later"):
        assert found(MACHINES[name] + SLACK[slack]) is None


def test_behind_a_javacore() -> None:
    """Text has an end as far as its last line is found near that of the file."""
    text = b"0SECTION       TITLE\n---------------------- END OF DUMP -----\n"
    assert list(expand(text + PACKED["zstd"])[2].values()) == [MINI]
    assert found(text + SLACK["words"]) is None
    assert judged(text + SEALED + PACKED["zstd"])[0].verdict.value == "incomplete"


@pytest.mark.parametrize("text", [heaps.microdump(PAGES), heaps.tombstone(PAGES)])
@pytest.mark.parametrize("padding", [b"", bytes(99), b"\x1b[0m \x07\n"])
def test_behind_a_log(text: bytes, padding: bytes) -> None:
    """Of a log all lines are its own; what is packed behind them is opened."""
    for pack in ("zstd", "zlib", "xz"):
        data = text + padding + PACKED[pack]
        opened, rest, dumps = expand(data)
        assert list(dumps.values())[1:] == [MINI]
        assert rest.startswith(data)
        assert codes(opened) == set()
    assert codes(expand(text + padding + UNOPENED["zip-behind"])[0]) == {"unopened"}
    for slack in (b"\n\0" * 9999, b"bytes \0 and lines\n" * 99, SEALED):
        opened, rest, dumps = expand(text + padding + slack)
        assert (rest, len(dumps), codes(opened)) == (text + padding + slack, 1, set())


def test_between_groups_of_a_machine() -> None:
    """What no group of VMware's state files names is opened as what trails it."""
    data = bytearray(vmware.write(None, others=[("a", SMALL), ("b", b"words")]).data)
    at = data.index(SMALL)
    data[12 + 64 : 12 + 80] = struct.pack("<2Q", at, 0)  # the group is empty
    assert list(expand(bytes(data))[2].values()) == [MINI]


@pytest.mark.parametrize("pack", PACKED)
def test_opened_in_an_archive(pack: str) -> None:
    """The same of a member, and of what lies under a layer."""
    data = CORE + PACKED[pack]
    opened, _, dumps = expand(zipped(("core", data)))
    assert [dumps["core"], *list(dumps.values())[1:]] == [data, MINI]
    assert codes(opened) == set()
    assert list(expand(gzip.compress(data))[2].values()) == [MINI]


@pytest.mark.parametrize("name", UNOPENED)
def test_not_opened(name: str) -> None:
    """What is known and not opened is incomplete behind a dump too, with --raw and without."""
    assert codes(expand(CORE + UNOPENED[name])[0]) == {"unopened"}
    [report] = judged(CORE + UNOPENED[name], raw=True)
    assert report.verdict.value == "incomplete"


@pytest.mark.parametrize("name", DISKS)
def test_a_disk(name: str) -> None:
    """A disk behind a dump is one whether it begins with zeros, which are padding, or not."""
    [code] = codes(expand(CORE + DISKS[name])[0])
    assert code in {"unopened", "stray-bytes"}


@pytest.mark.parametrize("name", DUMPS)
@pytest.mark.parametrize("slack", SLACK)
def test_slack(slack: str, name: str) -> None:
    """Whatever else writers leave behind a dump is swept as it stands, and no fault."""
    data = DUMPS[name] + SLACK[slack]
    assert found(data) is None
    opened, rest, dumps = expand(data)
    assert (rest, dumps, codes(opened)) == (data, {}, set())


@pytest.mark.parametrize("where", WITHIN)
def test_within(where: str) -> None:
    """What no table names, or names by a number, is opened before a dump's end as behind it."""
    for packed in (PACKED["gzip"], PACKED["zip"], PACKED["zlib"]):
        data = WITHIN[where](packed)
        opened, rest, dumps = expand(data)
        [name] = dumps
        assert name.split("!")[0] == f"bytes at {data.index(packed)}"
        assert list(dumps.values()) == [MINI]
        assert rest.startswith(data)
        assert codes(opened) == set()
    assert codes(expand(WITHIN[where](UNOPENED["7z"]))[0]) == {"unopened"}


@pytest.mark.parametrize("where", WITHIN)
def test_slack_within(where: str) -> None:
    """Whatever else lies there is no fault."""
    for name in ("zeros", "words", "random", "no-zlib", "gzip-later"):
        data = WITHIN[where](SLACK[name][:3000])
        assert expand(data)[1:] == (data, {})
    for counts in (b"\x5d\0\0\0\1\0\0\0\x60\5\0\0\x70\5\0\0", bytes(range(1, 40))):
        assert codes(expand(WITHIN[where](counts))[0]) == set()


def test_streams_in_the_same_place() -> None:
    """What two unknown streams share is opened once; a known one is not."""
    data = bytearray(with_streams(SMALL, 0x4D7A0001, 0x4D7A0002))
    entry = data.index(b"\2\0\x7a\x4d")
    data[entry + 4 : entry + 12] = data[entry - 8 : entry]
    data[(at := data.rindex(SMALL)) : at + len(SMALL)] = bytes(len(SMALL))
    assert list(expand(bytes(data))[2].values()) == [MINI]
    assert expand(with_streams(SMALL, minidump.COMMENT_A))[2] == {}


def test_too_many_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are more than are looked at, what lies there is not known, and said to be so."""
    monkeypatch.setattr(trailing, "MOST", 3)
    streams = [minidump.Stream(type=0x4D7A0001 + at, data=b"words") for at in range(5)]
    assert codes(expand(minidump.write(MEMORY, streams=streams[:3]).data)[0]) == set()
    assert codes(expand(minidump.write(MEMORY, streams=streams).data)[0]) == {"stray-bytes"}


def test_verdicts() -> None:
    """Both dumps have one; text that was packed is swept with the dump that it trails."""
    first, second = judged(CORE + gzip.compress(MINI))
    assert (first.format, second.format) == ("elfcore", "minidump")
    assert not first.content.alone
    [report] = judged(CORE + gzip.compress(TEXT))
    assert report.verdict.value == "pass"
    assert report.content.size == len(CORE + gzip.compress(TEXT) + TEXT)
    [report] = judged(CORE + gzip.compress(SEALED)[:-99])
    assert [reason.code for reason in report.reasons] == ["truncated-stream"]


def test_frames_that_were_set_aside() -> None:
    """What a stream held beside a core stands behind it, decoded, and trails nothing."""
    sizes = struct.pack("<3I", 0x184D2A50, 4, 0x400)  # as pzstd writes it before each frame
    for data in (
        sizes + zstandard.compress(CORE[:4000]) + sizes + zstandard.compress(CORE[4000:]),
        zstandard.compress(CORE) + sizes[:8] + gzip.compress(TEXT)[:4],
    ):
        opened, rest, dumps = expand(data)
        assert (codes(opened), dumps) == (set(), {})
        assert rest.startswith(CORE)
        assert len(rest) < len(CORE) + 40
    assert list(expand(CORE + sizes + zstandard.compress(MINI))[2].values()) == [MINI + sizes]


def test_section_headers_are_no_tail() -> None:
    """What section headers take, as gdb writes them behind the memory, is of the core."""
    data = bytearray(CORE)
    data[40:48] = len(CORE).to_bytes(8, "little")  # e_shoff
    data[58:62] = (64).to_bytes(2, "little") + (1).to_bytes(2, "little")
    assert found(bytes(data) + gzip.compress(MINI)[:60] + bytes(4)) is None
    assert found(bytes(data) + bytes(64) + gzip.compress(MINI)) == len(CORE) + 64


def test_cores_without_an_end() -> None:
    """Where a core names no segment, or claims more than there is, nothing trails it."""
    for count in (b"\0\0", b"\xff\xff"):
        data = bytearray(CORE + gzip.compress(MINI))
        data[56:58] = count  # e_phnum
        assert found(bytes(data)) in {None, len(CORE)}
    assert found(CORE[:40]) is None
    assert found(MINI[:20]) is None


@pytest.mark.parametrize("times", [3, 20])
def test_dumps_that_trail_each_other(times: int) -> None:
    """A chain is followed so far, and is a fault beyond."""
    data = MINI
    for _ in range(times):
        data = CORE + gzip.compress(data, 1)
    opened, _, dumps = expand(data)
    assert codes(opened) == ({"limit-depth"} if times > 8 else set())
    assert len(dumps) == min(times, 8)


@limits(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(DUMPS)), st.binary(max_size=40), st.data())
def test_arbitrary(name: str, behind: bytes, data: st.DataObject) -> None:
    """Whatever is changed, cut or trails, nothing raises, and no byte is lost."""
    whole = bytearray(DUMPS[name] + behind + PACKED["gzip"])
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(0, 255))
    given = bytes(whole[: data.draw(st.integers(64, len(whole)))])
    _, rest, dumps = expand(given)
    assert given in (rest[: len(given)], *dumps.values())


@given(st.lists(st.integers(0, 9), max_size=5), st.integers(0, 60), st.integers(0, 60))
def test_a_part_of_a_file(sizes: list[int], at: int, end: int) -> None:
    """What is between two offsets of pieces is what a slice of their bytes is."""
    pieces = tuple((10 * index, size) for index, size in enumerate(sizes))
    with file_of(bytes(range(60))) as whole:
        file = File(whole._reader, pieces)
        data = file.read(0, file.size)
        part = file.part(at, min(end, file.size))
        assert part.read(0, part.size) == data[at:end]
