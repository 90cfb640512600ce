"""Archives: every member is opened, every byte is in one part, and what is not opened is said."""

import base64
import contextlib
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator

import pytest
import zstandard
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from fixtures import unreal
from scanner import dump
from scanner.dump import contents, source, storage
from scanner.dump.contents import Contents
from tests.dump.dump_bytes import elfcore, file_of, minidump

CORE = elfcore([(0x1000, b"the memory of a core" * 300, 6000)])
MINI = minidump(memory=[(0x1000, b"the memory of a minidump" * 200)])
TEXT = b"a log of words " * 400


def expand(
    data: bytes, *, as_file: bool = False, max_bytes: int = 1 << 30
) -> tuple[Contents, bytes, dict[str, bytes]]:
    """Open bytes; return what was found, the rest, and the dumps by name."""
    with contextlib.closing(storage.create_spill(None)) as spill, file_of(data) as file:
        found = contents.expand(
            file if as_file else iter([data[at : at + 9999] for at in range(0, len(data), 9999)]),
            spill,
            scratch=lambda: storage.create_spill(None),
            is_dump=dump.is_dump,
            max_bytes=max_bytes,
        )
        whole = source.File(spill.fd)
        rest = source.File(spill.fd, found.pieces)
        assert rest.size == found.size
        parts = [source.File(spill.fd, part.pieces) for part in found.members]
        assert found.size + sum(part.size for part in parts) == whole.size
        return (
            found,
            rest.read(0, rest.size),
            {
                member.name: part.read(0, part.size)
                for member, part in zip(found.members, parts, strict=True)
            },
        )


def codes(found: Contents) -> set[str]:
    """Return the codes of the faults."""
    return {fault.code for fault in found.faults}


def zipped(
    *members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED, comment: bytes = b""
) -> bytes:
    """Write a ZIP archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
        archive.comment = comment
    return out.getvalue()


def tarred(*members: tuple[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    """Write a tar archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def local(name: bytes, data: bytes, *, method: int, flags: int = 0, size: int, crc: int) -> bytes:
    """Write one member of a ZIP archive as it stands in the file."""
    head = struct.pack(
        "<4s5H3I2H", b"PK\3\4", 20, flags, method, 0, 0, crc, len(data), size, len(name), 0
    )
    return head + name + data


def end(count: int = 0, size: int = 0, offset: int = 0) -> bytes:
    """Write the end of a ZIP directory."""
    return struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, size, offset, 0)


MEMBERS = (("a/core.1", CORE), ("log.txt", TEXT), ("a/core.1", MINI), ("empty", b""))
WRITERS: dict[str, Callable[..., bytes]] = {
    "stored": lambda *m: zipped(*m, method=zipfile.ZIP_STORED),
    "deflate": zipped,
    "bzip2": lambda *m: zipped(*m, method=zipfile.ZIP_BZIP2),
    "lzma": lambda *m: zipped(*m, method=zipfile.ZIP_LZMA),
    "tar": tarred,
    "gnu": lambda *m: tarred(*m, form=tarfile.GNU_FORMAT),
    "ustar": lambda *m: tarred(*m, form=tarfile.USTAR_FORMAT),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("as_file", [True, False])
@pytest.mark.parametrize("writer", sorted(WRITERS))
def test_members(writer: str, as_file: bool) -> None:
    """Each member that is a dump is one, of the same name too; the others are in the rest."""
    found, rest, dumps = expand(WRITERS[writer](*MEMBERS), as_file=as_file)
    assert [part.name for part in found.members] == ["a/core.1", "a/core.1"]
    assert dumps["a/core.1"] == MINI
    assert TEXT in rest
    assert b"log.txt" in rest
    assert found.faults == ()
    assert found.archive in {"zip", "tar"}


@pytest.mark.parametrize("size", [1, 511, 512, 513, 100_000])
def test_members_of_any_size(size: int) -> None:
    """A dump is what it was, byte for byte, whatever its size leaves of a block."""
    core = (CORE + TEXT * (size // len(TEXT)))[: max(size, 64)]
    for data in (tarred(("c", core), ("d", TEXT)), zipped(("c", core), ("d", TEXT))):
        found, rest, dumps = expand(data)
        assert dumps == {"c": core}
        assert TEXT in rest
        assert found.faults == ()


def test_nothing_but_layers() -> None:
    """A stream without an archive is one piece; zeros and empty lines behind it are padding."""
    for behind in (b"", bytes(700_000), b"\r\n", b"\n\0\0"):
        found, rest, dumps = expand(gzip.compress(CORE) + behind)
        assert (found.layers, found.archive, dumps) == (("gzip",), "", {})
        assert rest.rstrip(behind) == CORE.rstrip(behind)
        assert found.faults == ()
    assert expand(b"")[1] == b""


@pytest.mark.parametrize("depth", [0, 1])
@pytest.mark.parametrize("pack", ["raw", "gzip", "zip", "tar", "base64", "apport"])
@pytest.mark.parametrize("between", [b"\n", bytes(1 << 20), b"\n" + bytes(99)])
def test_a_dump_behind_a_stream(pack: str, between: bytes, depth: int) -> None:
    """What trails a stream is opened like a member, whatever it is packed in."""
    packed = {
        "raw": MINI,
        "gzip": gzip.compress(MINI),
        "zip": zipped(("b", MINI)),
        "tar": tarred(("b", MINI)),
        "base64": base64.encodebytes(MINI),
        "apport": b"ProblemType: Crash\nCore: base64\n " + base64.b64encode(MINI) + b"\n",
    }[pack]
    if pack == "gzip" and not between.strip(b"\0"):
        return  # streams behind zeros go on: one content
    data = zstandard.compress(TEXT) + between + packed
    found, rest, dumps = expand(tarred(("a", data)) if depth else data)
    assert [part for name, part in dumps.items() if "bytes behind" in name] == [MINI]
    assert TEXT in rest
    assert found.faults == ()


@pytest.mark.parametrize(
    "behind",
    [
        b"words",
        b"words" + gzip.compress(MINI),
        bytes(99_999) + b"words",
        b"----\n" + base64.encodebytes(MINI),
    ],
)
def test_what_nobody_knows_behind_a_stream(behind: bytes) -> None:
    """What trails a stream and is not known is a fault, and is swept as it stands."""
    for data in (gzip.compress(CORE) + behind, zstandard.compress(tarred(("a", CORE))) + behind):
        found, rest, _ = expand(data)
        assert codes(found) == {"stray-bytes"}
        assert behind.lstrip(b"\0") in rest
    found, _, _ = expand(gzip.compress(CORE) + b"7z\xbc\xaf\x27\x1c" + bytes(99))
    assert codes(found) == {"unopened"}


def test_a_skippable_frame_is_opened() -> None:
    """A stream in a skippable frame of zstd is one."""
    packed = gzip.compress(MINI)
    frame = struct.pack("<2I", 0x184D2A50, len(packed)) + packed
    found, _, dumps = expand(frame + zstandard.compress(CORE))
    assert (dumps, found.faults) == ({"bytes behind": MINI}, ())
    held = struct.pack("<2I", 0x184D2A50, 900) + b"kept words" * 90
    assert codes(expand(held + zstandard.compress(CORE))[0]) == {"stray-bytes"}


def test_streams_that_trail_each_other_without_end() -> None:
    """Thousands of them, a line between two, are swept as they stand: that is a fault."""
    found = expand((gzip.compress(TEXT) + b"\n") * 3000)[0]
    assert codes(found) == {"limit-depth"}


def test_strays_within_each_other() -> None:
    """Strays count as archives do: there is an end to them."""
    data = MINI
    for _ in range(12):
        data = tarred(("a", TEXT)) + gzip.compress(data)
    assert "limit-depth" in codes(expand(data)[0])


def test_nested() -> None:
    """Archives and layers within each other are undone; names and layers say the way."""
    inner = zipped(("core.zst", zstandard.compress(CORE)), ("notes", TEXT))
    data = lzma.compress(
        tarred(("crash/inner.zip", inner), ("crash/x.dmp.gz", gzip.compress(MINI)))
    )
    found, rest, dumps = expand(data)
    assert dumps == {"crash/inner.zip!core.zst": CORE, "crash/x.dmp.gz": MINI}
    assert [part.layers for part in found.members] == [
        ("xz", "tar", "zip", "zstd"),
        ("xz", "tar", "gzip"),
    ]
    assert found.layers == ("xz", "tar")
    assert TEXT in rest
    assert found.faults == ()


def test_concatenated_tars() -> None:
    """A second archive behind the first is read, and what trails is kept and opened."""
    data = tarred(("a", CORE)) + tarred(("b", MINI))
    found, _, dumps = expand(data)
    assert dumps == {"a": CORE, "b": MINI}
    assert found.faults == ()
    for behind, code in (
        (b"trailing words", "stray-bytes"),
        (b"x" * 512 + gzip.compress(MINI), "stray-bytes"),
        (b"x" * 512 + zipped(("c", MINI)), "unopened"),
    ):
        found, rest, _ = expand(data + behind)
        assert behind in rest
        assert codes(found) == {code}
    for packed in (gzip.compress(MINI), zipped(("c", MINI)), bytes(100) + zipped(("c", MINI))):
        found, _, dumps = expand(tarred(("a", TEXT)) + packed)
        assert list(dumps.values()) == [MINI]
        assert found.faults == ()


def test_empty_stream_and_an_archive() -> None:
    """An empty stream does not hide what trails it in a member."""
    found, _, dumps = expand(tarred(("a", CORE), ("b", gzip.compress(b"") + zipped(("c", MINI)))))
    assert dumps == {"a": CORE, "b!bytes behind!c": MINI}
    assert found.faults == ()


def test_global_header() -> None:
    """A global extended header is no damage, and what stands in it is kept."""
    out = io.BytesIO()
    headers = {"comment": "1ae85385"}
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, pax_headers=headers) as tar:
        info = tarfile.TarInfo("core")
        info.size = len(CORE)
        tar.addfile(info, io.BytesIO(CORE))
    found, rest, dumps = expand(out.getvalue())
    assert (found.faults, dumps) == ((), {"core": CORE})
    assert b"comment=1ae85385" in rest


def test_long_names_and_links() -> None:
    """Names beyond a header's hundred bytes are read; a link has no bytes of its own."""
    name = "core/" * 60 + "core"
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=form) as archive:
            info = tarfile.TarInfo(name)
            info.size = len(CORE)
            archive.addfile(info, io.BytesIO(CORE))
            link = tarfile.TarInfo("again")
            link.type, link.linkname = tarfile.LNKTYPE, name
            archive.addfile(link)
        found, rest, dumps = expand(out.getvalue())
        assert dumps == {name[:200]: CORE}
        assert name.encode() in rest
        assert found.faults == ()


def test_a_size_that_cannot_be() -> None:
    """Behind a size below zero, as base-256 can say it, the bytes are opened or at least swept.

    Later releases of Python take such a header for none.
    """
    block = bytearray(tarred(("core", CORE)))
    block[124:136] = b"\xff" * 12
    head = bytes(block[:148]) + b" " * 8 + bytes(block[156:512])
    block[148:156] = f"{sum(head):06o}\0 ".encode()
    found, rest, dumps = expand(bytes(block))
    assert dumps or found.faults
    assert CORE in b"".join((rest, *dumps.values()))


def test_old_sparse_member() -> None:
    """A sparse member as old tars of GNU write it: the map stands in the header."""
    body = CORE[:512] + b"second piece".ljust(512, b".")
    block = bytearray(tarred(("core", body), form=tarfile.GNU_FORMAT))
    block[156:157] = tarfile.GNUTYPE_SPARSE
    rows = b"".join(f"{number:011o}\0".encode() for number in (0, 512, 4096, 512))
    block[386 : 386 + len(rows)] = rows
    block[483:495] = f"{10_000:011o}\0".encode()
    head = bytes(block[:148]) + b" " * 8 + bytes(block[156:512])
    block[148:156] = f"{sum(head):06o}\0 ".encode()
    found, _, dumps = expand(bytes(block))
    assert dumps == {
        "core": (CORE[:512].ljust(4096, b"\0") + body[512:]).ljust(10_000, b"\0"),
    }
    assert found.faults == ()


@pytest.mark.parametrize("name", ["7/core", "core/" * 30 + "core"])
def test_times_of_an_incremental_archive(name: str) -> None:
    """Where GNU tar -g writes when a file was read and made, other archives have folders' names."""
    block = bytearray(tarred((name, CORE), form=tarfile.GNU_FORMAT))
    at = block.index(CORE) - 512
    block[at + 345 : at + 369] = b"15303626166\x0015303626167\0"
    head = bytes(block[at : at + 148]) + b" " * 8 + bytes(block[at + 156 : at + 512])
    block[at + 148 : at + 156] = f"{sum(head):06o}\0 ".encode()
    found, _, dumps = expand(bytes(block))
    assert dumps == {name: CORE}
    assert found.faults == ()


def volume(kind: bytes, headers: dict[str, str]) -> bytes:
    """Write a volume of an archive that begins in the middle of a member, as GNU tar -M does."""
    out, packed = io.BytesIO(), gzip.compress(CORE)[100:]
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, pax_headers=headers) as tar:
        for name, type_, data in (
            ("core.gz", kind, packed),
            ("log", b"0", TEXT),
            ("c", b"0", CORE),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.size = type_, len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "headers"),
    [(b"M", {}), (b"0", {"GNU.volume.filename": "core.gz", "GNU.volume.offset": "100"})],
)
def test_a_member_that_goes_on_from_another_volume(kind: bytes, headers: dict[str, str]) -> None:
    """The rest of a compressed member is opaque: it is a fault, and what follows is opened."""
    found, rest, dumps = expand(volume(kind, headers))
    assert codes(found) == {"unsupported"}
    assert dumps == {"c": CORE}
    assert TEXT in rest
    assert codes(expand(volume(b"0", {"comment": "words"}))[0]) == set()


def test_damage_between_tar_members() -> None:
    """What stands between two members and is no header is a fault, and is opened all the same."""
    two = tarred(("b", MINI))
    one = tarred(("a", TEXT))[: 512 + -(-len(TEXT) // 512) * 512]
    packed = gzip.compress(CORE)
    hidden = packed + bytes(-len(packed) % 512)
    found, _, dumps = expand(one + hidden + two)
    assert dumps[f"bytes at {len(one)}"].startswith(CORE)
    assert dumps["b"] == MINI
    assert codes(found) == {"corrupt-archive"}


@pytest.mark.parametrize("version", ["0.0", "0.1", "1.0"])
def test_sparse_member(version: str) -> None:
    """A sparse member has its holes back as zeros."""
    pieces = [(0, b"\x7fELF" + CORE[4:512]), (4096, b"second piece".ljust(512, b"."))]
    body = b"".join(data for _, data in pieces)
    headers: dict[str, str] = {"GNU.sparse.size": "10000"}
    if version == "0.0":
        headers["GNU.sparse.numblocks"] = "2"
        headers["GNU.sparse.map"] = "0,512,4096,512"
    elif version == "0.1":
        headers["GNU.sparse.map"] = "0,512,4096,512"
    else:
        headers = {"GNU.sparse.realsize": "10000"}
        headers |= {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}
        body = b"2\n0\n512\n4096\n512\n".ljust(512, b"\0") + body
    info = tarfile.TarInfo("core")
    info.size, info.pax_headers = len(body), headers
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info, io.BytesIO(body))
    found, _, dumps = expand(out.getvalue())
    assert list(dumps.values()) == [
        (pieces[0][1].ljust(4096, b"\0") + pieces[1][1]).ljust(10_000, b"\0")
    ]
    assert found.faults == ()


def test_sparse_member_without_a_map() -> None:
    """Data that the map of a sparse member leaves out is a fault, and is kept."""
    info = tarfile.TarInfo("core")
    info.size, info.pax_headers = len(TEXT), {"GNU.sparse.size": "10000"}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info, io.BytesIO(TEXT))
    found, rest, _ = expand(out.getvalue())
    assert codes(found) == {"corrupt-member"}
    assert TEXT in rest


def test_apport() -> None:
    """A report's binary values are decoded line by line, its text is kept."""
    lines = [
        base64.b64encode(part) for part in (gzip.compress(CORE)[:100], gzip.compress(CORE)[100:])
    ]
    old = base64.b64encode(zlib.compress(MINI))
    report = b"ProblemType: Crash\nCoreDump: base64\n " + b"\n ".join(lines)
    report += b"\nProcEnviron:\n HOME=/home/x\nOld: base64\n " + old + b"\nSignal: 11\n"
    found, rest, dumps = expand(report)
    assert dumps == {"CoreDump": CORE, "Old": MINI}
    assert b"HOME=/home/x" in rest
    assert b"Signal: 11\n" in rest
    assert found.faults == ()
    found, _, _ = expand(report.replace(lines[1], b"&" + lines[1]))
    assert codes(found) == {"corrupt-member"}


def test_unreal() -> None:
    """The minidump in a crash report of Unreal Engine is one, its log is kept."""
    for late in (False, True):
        report = unreal.write([("game.log", TEXT), ("UE4Minidump.dmp", MINI)], late=late)
        found, rest, dumps = expand(zlib.compress(report))
        assert (found.layers, found.faults) == (("zlib", "unreal"), ())
        assert dumps == {"UE4Minidump.dmp": MINI}
        assert TEXT in rest
        for damaged in (report[:-40], report[:-536], report[:300] + bytes(20), report + b"tail"):
            assert codes(expand(damaged)[0]) == {"truncated-archive"}
    for count in (0, 2, 1 << 31):
        damaged = unreal.write([("game.log", TEXT)], count=count)
        assert codes(expand(damaged)[0]) == {"truncated-archive"}


def test_encrypted_member() -> None:
    """An encrypted member is a fault; its bytes are kept, and the others are opened."""
    secret = local(b"core", b"sealed" * 50, method=0, flags=1, size=288, crc=1)
    data = secret + local(b"b", MINI, method=0, size=len(MINI), crc=zlib.crc32(MINI))
    found, rest, dumps = expand(data + end())
    assert dumps == {"b": MINI}
    assert b"sealed" * 50 in rest
    assert "encrypted" in codes(found)


@pytest.mark.parametrize("method", [1, 6, 9, 97, 99])
def test_method_that_is_not_decoded(method: int) -> None:
    """A method that is not decoded here is a fault."""
    found, rest, _ = expand(local(b"core", b"packed", method=method, size=6, crc=1) + end())
    assert codes(found) == {"unsupported"}
    assert b"packed" in rest


@pytest.mark.parametrize("method", [93, 95])
def test_zstd_and_xz_members(method: int) -> None:
    """Members of zstd and xz are decoded."""
    packed = zstandard.compress(CORE) if method == 93 else lzma.compress(CORE)
    found, _, dumps = expand(
        local(b"core", packed, method=method, size=len(CORE), crc=zlib.crc32(CORE)) + end()
    )
    assert dumps == {"core": CORE}
    assert found.faults == ()


def test_streamed_members() -> None:
    """Members whose sizes follow the data are read, with a directory and without one."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.out = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.out += bytes(data)  # type: ignore[call-overload]
            return len(bytes(data))  # type: ignore[call-overload, no-any-return]

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        archive.writestr("core", CORE)
        archive.writestr("mini", MINI)
    data = bytes(pipe.out)
    found, _, dumps = expand(data)
    assert dumps == {"core": CORE, "mini": MINI}
    assert found.faults == ()
    found, _, dumps = expand(data[: data.rindex(b"PK\1\2")])
    assert dumps == {"core": CORE, "mini": MINI}
    assert codes(found) == {"truncated-archive"}


def test_sizes_of_64_bits() -> None:
    """A member whose sizes stand in its ZIP64 field is read."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("core", "w", force_zip64=True) as member,
    ):
        member.write(CORE)
    found, _, dumps = expand(out.getvalue())
    assert dumps == {"core": CORE}
    assert found.faults == ()


def test_member_that_the_directory_hides() -> None:
    """A member that stands in no directory is opened; one that is not there is a fault."""
    hidden = local(b"core", CORE, method=0, size=len(CORE), crc=zlib.crc32(CORE))
    _, _, dumps = expand(hidden + zipped(("log", TEXT)))
    assert dumps == {"core": CORE}
    data = bytearray(zipped(("one", TEXT), ("two", CORE)))
    data[data.rindex(b"PK\3\4") + 2] = 0
    found, _, _ = expand(bytes(data))
    assert "corrupt-archive" in codes(found)


@pytest.mark.parametrize("magic", [b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07\1\0", b"Salted__"])
def test_what_is_not_opened(magic: bytes) -> None:
    """A member that is known and not opened is a fault, and is kept."""
    found, rest, _ = expand(tarred(("inner", magic + b"sealed bytes"), ("core", CORE)))
    assert codes(found) == {"unopened"}
    assert magic + b"sealed bytes" in rest


def test_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    """Archives beyond the bound are kept as they are, under a fault."""
    data = CORE
    for level in range(contents.MAX_DEPTH + 1):
        data = tarred((f"level-{level}", data))
    found, rest, dumps = expand(data)
    assert codes(found) == {"limit-depth"}
    assert dumps == {}
    assert CORE in rest
    monkeypatch.setattr(contents, "MAX_DUMPS", 1)
    found, rest, dumps = expand(tarred(("a", CORE), ("b", MINI)))
    assert codes(found) == {"limit-dumps"}
    assert (dumps, MINI in rest) == ({"a": CORE}, True)
    monkeypatch.setattr(contents, "MAX_MEMBERS", 1)
    assert codes(expand(tarred(("a", CORE), ("b", MINI)))[0]) == {"limit-members"}


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_bomb(pack: Callable[..., bytes]) -> None:
    """What gives more than may be decoded ends there, under a fault."""
    data = pack(("a", bytes(20_000_000)), ("core", CORE))
    found, rest, _ = expand(gzip.compress(data), max_bytes=1_000_000)
    assert "limit-bytes" in codes(found)
    assert len(rest) <= 1_000_000


def test_small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is decoded in small pieces is written in large ones: each costs a look at the disk."""
    sizes: list[int] = []
    write = storage.Spill.write

    def counted(spill: storage.Spill, data: bytes) -> None:
        sizes.append(len(data))
        write(spill, data)

    monkeypatch.setattr(storage.Spill, "write", counted)
    words = [b"%d " % number for number in range(5000)]
    _, rest, _ = expand(b"".join(gzip.compress(word, 1) for word in words))
    assert rest == b"".join(words)
    assert len(sizes) < 10


def cuts() -> Iterator[tuple[str, bytes]]:
    """Yield archives of every kind with a core in each."""
    for name in ("stored", "deflate", "lzma", "tar"):
        yield name, WRITERS[name](("core", CORE), ("log", TEXT), ("mini", MINI))
    lines = base64.b64encode(gzip.compress(CORE))
    yield "apport", b"ProblemType: Crash\nCoreDump: base64\n " + lines + b"\nSignal: 11\n"


ARCHIVES = dict(cuts())


@limits(max_examples=80, deadline=None)
@given(st.sampled_from(sorted(ARCHIVES)), st.data())
def test_cut_archive(name: str, data: st.DataObject) -> None:
    """An archive that is cut gives its dumps, or parts of them, or says what is missing."""
    whole = ARCHIVES[name]
    cut = data.draw(st.integers(min(600, len(whole) // 2), len(whole) - 1))
    found, rest, dumps = expand(whole[:cut])
    missing = [d for d in dumps.values() if d not in (CORE, MINI)]
    assert found.faults or not missing or any(part.faults for part in found.members)
    assert rest or dumps


@limits(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(ARCHIVES)), st.data())
def test_flipped_archive(name: str, data: st.DataObject) -> None:
    """A changed byte raises nothing, and loses no dump in silence."""
    whole = bytearray(ARCHIVES[name])
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    found, rest, dumps = expand(bytes(whole), max_bytes=1 << 22)
    kept = [rest, *dumps.values()]
    silent = not found.faults and not any(part.faults for part in found.members)
    if silent and found.members:
        assert sum(map(len, kept)) >= len(CORE)
        assert any(b"memory of a core" in part for part in kept)


@limits(max_examples=30, deadline=None)
@given(
    st.sampled_from([b"PK\3\4\x14\0\0\0\x08\0", b"PK\5\6", b"ProblemType: C\nA: base64\n ", b""]),
    st.binary(max_size=800),
)
def test_arbitrary_archive(magic: bytes, data: bytes) -> None:
    """Arbitrary bytes behind any magic raise nothing, and all of them are kept."""
    expand(magic + data, max_bytes=1 << 20)


@limits(max_examples=30, deadline=None)
@given(st.binary(min_size=0, max_size=700), st.integers(0, 511))
def test_arbitrary_tar(data: bytes, at: int) -> None:
    """A tar header with arbitrary bytes and a true checksum raises nothing."""
    block = bytearray(tarred(("core", CORE), ("sparse", TEXT)))
    block[at : at + len(data)] = data
    head = bytes(block[:148]) + b" " * 8 + bytes(block[156:512])
    block[148:156] = f"{sum(head):06o}\0 ".encode()
    expand(bytes(block), max_bytes=1 << 20)


@pytest.mark.parametrize("hidden", [gzip.compress(MINI), tarred(("x", MINI)), b"words " * 99])
def test_a_gap_of_a_zip(hidden: bytes) -> None:
    """What stands between two members, or behind the data of one, is opened like a member."""
    packed = zlib.compress(CORE)[2:-4]
    one = local(b"a", packed, method=8, size=len(CORE), crc=zlib.crc32(CORE))
    loose = local(b"a", packed + hidden, method=8, size=len(CORE), crc=zlib.crc32(CORE))
    for data in (one + hidden + zipped(("log", TEXT)), loose + zipped(("log", TEXT))):
        found, rest, dumps = expand(data)
        assert dumps["a"] == CORE
        assert found.faults != ()
        assert MINI in dumps.values() or hidden in rest


def test_a_second_header_within_a_member() -> None:
    """A member that claims more than its stream takes hides no other."""
    second = local(b"b", MINI, method=0, size=len(MINI), crc=zlib.crc32(MINI))
    packed = zlib.compress(CORE)[2:-4] + second
    data = local(b"a", packed, method=8, size=len(CORE), crc=zlib.crc32(CORE)) + end()
    found, _, dumps = expand(data)
    assert list(dumps.values()) == [CORE, MINI]
    assert "corrupt-member" in codes(found)


def test_comments_of_a_zip() -> None:
    """A comment is text, or is opened; fields of a header hold no more than tools write."""
    for comment in (b"made by a tool\r\n", "gepackt für".encode(), b"x" * 65535):
        assert expand(zipped(("a", CORE), comment=comment))[0].faults == ()
    found, _, dumps = expand(zipped(("a", CORE), comment=gzip.compress(MINI)))
    assert (list(dumps.values()), found.faults) == ([CORE, MINI], ())
    assert codes(expand(zipped(("a", CORE), comment=b"\1" * 50))[0]) == {"stray-bytes"}
    info = zipfile.ZipInfo("a")
    info.comment = gzip.compress(MINI).ljust(9000, b".")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(info, CORE)
    assert codes(expand(out.getvalue())[0]) == {"stray-bytes"}


def test_bytes_in_a_report_that_are_no_text() -> None:
    """Apport writes what is not text in base64: anything else in a report is opened."""
    report = b"ProblemType: Crash\nSignal: 11\n"
    found, _, dumps = expand(report + gzip.compress(MINI))
    assert (list(dumps.values()), found.faults) == ([MINI], ())
    assert codes(expand(report + b"\1\2\3 words")[0]) == {"stray-bytes"}


def test_many_members_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """To find the next member of a ZIP archive takes no more than stands before it."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for number in range(600):
            archive.writestr(f"member {number}", b"held")
    taken = 0
    read = source.File.read

    def counted(file: source.File, offset: int, size: int) -> bytes:
        nonlocal taken
        taken += size
        return read(file, offset, size)

    monkeypatch.setattr(source.File, "read", counted)
    found, rest, _ = expand(data.getvalue())
    assert (found.archive, found.faults, rest.count(b"held")) == ("zip", (), 600)
    assert taken < 600 * 1024 + 4 * len(data.getvalue())
