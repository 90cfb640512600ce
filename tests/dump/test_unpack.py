"""Compressed dumps: all that they hold, in what order, and what is said of damage."""

import base64
import bz2
import functools
import gzip
import hashlib
import io
import itertools
import lzma
import os
import struct
import zlib
from collections.abc import Callable, Iterator

import cramjam
import lz4.frame
import pytest
import zstandard
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from scanner.dump import codecs, unpack
from scanner.errors import Unreadable
from scanner.model import Content

Compress = Callable[[bytes], bytes]

PLAIN = hashlib.shake_128(b"noise").digest(70_000) + bytes(300_000) + b"the end of the dump"


def _zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


def _snappy(data: bytes) -> bytes:
    return bytes(cramjam.snappy.compress(data))


CODECS: dict[str, Compress] = {
    "bzip2": bz2.compress,
    "gzip": gzip.compress,
    "lz4": functools.partial(lz4.frame.compress, content_checksum=True),
    "xz": lzma.compress,
    "zstd": _zstd,
}
every_codec = pytest.mark.parametrize("codec", sorted(CODECS))


def _chunks(data: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


def _unpack(
    data: bytes, *, step: int = 5000, max_bytes: int = 1 << 30, max_depth: int = 4
) -> tuple[Content, bytes]:
    opened = unpack.peel(_chunks(data, step), max_bytes=max_bytes, max_depth=max_depth)
    found = b"".join(opened.pieces)
    assert found.startswith(opened.head)
    found += b"".join(opened.aside)
    found += b"".join(map(b"".join, opened.strays))
    faults = tuple(opened.faults)
    return Content(layers=opened.layers, size=len(found), sha256="", faults=faults), found


def _codes(content: Content) -> list[str]:
    return [fault.code for fault in content.faults]


@every_codec
@pytest.mark.parametrize("step", [1, 7, 4096, 1 << 20])
def test_round_trip(codec: str, step: int) -> None:
    """A stream gives what went in, however the input is cut."""
    plain = PLAIN[60_000:80_000]
    content, found = _unpack(CODECS[codec](plain), step=step)
    assert found == plain
    assert content.layers == (codec,)
    assert content.faults == ()


def test_plain_bytes() -> None:
    """What is not compressed is copied, under no layer."""
    content, found = _unpack(b"MDMP" + PLAIN)
    assert (content.layers, content.faults) == ((), ())
    assert found == b"MDMP" + PLAIN
    assert _unpack(b"")[0].size == 0


@every_codec
def test_all_streams_and_what_trails(codec: str) -> None:
    """Every one of concatenated streams is decoded, and what trails the last is a stray."""
    compress = CODECS[codec]
    content, found = _unpack(compress(b"first") + compress(PLAIN) + compress(b"") + b"trailing")
    assert found == b"first" + PLAIN + b"trailing"
    assert content.faults == ()
    opened = unpack.peel(iter((compress(PLAIN) + bytes(99_999) + b"behind",)), max_bytes=1 << 30)
    assert b"".join(opened.pieces) == PLAIN
    assert [b"".join(stray) for stray in opened.strays] == [b"behind"]


@every_codec
def test_streams_behind_padding(codec: str) -> None:
    """Zeros between two streams do not hide the second, however many."""
    compress = CODECS[codec]
    for zeros in (bytes(512), bytes(1_100_000)):
        content, found = _unpack(compress(b"first") + zeros + compress(b"second") + zeros)
        assert found == b"firstsecond"
        assert content.faults == ()


def test_streams_of_several_kinds() -> None:
    """A stream of another codec behind the first is decoded too."""
    data = b"".join(compress(name.encode()) for name, compress in sorted(CODECS.items()))
    assert _unpack(data)[1] == b"bzip2gziplz4xzzstd"


def test_nested_layers() -> None:
    """Layers are told outermost first; what trails each is a stray, innermost first."""
    data = gzip.compress(lzma.compress(_zstd(PLAIN) + b"inner") + b"middle") + b"outer"
    content, found = _unpack(data)
    assert content.layers == ("gzip", "xz", "zstd")
    assert found == PLAIN + b"inner" + b"middle" + b"outer"


def test_too_many_layers() -> None:
    """A layer beyond the limit is kept as it is, under a fault."""
    inner = gzip.compress(b"deep")
    content, found = _unpack(gzip.compress(gzip.compress(inner)), max_depth=2)
    assert content.layers == ("gzip", "gzip")
    assert found == inner
    assert _codes(content) == ["limit-depth"]


@every_codec
def test_too_many_bytes(codec: str) -> None:
    """A bomb ends at the limit, under a fault."""
    content, found = _unpack(CODECS[codec](bytes(50_000_000)), max_bytes=1_000_000)
    assert found == bytes(1_000_000)
    assert _codes(content) == ["limit-bytes"]


@every_codec
def test_bytes_up_to_the_limit(codec: str) -> None:
    """As many bytes as the limit allows are no fault."""
    content, found = _unpack(CODECS[codec](PLAIN), max_bytes=len(PLAIN))
    assert found == PLAIN
    assert content.faults == ()


@limits(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(CODECS)), st.data())
def test_cut_stream(codec: str, data: st.DataObject) -> None:
    """A cut stream gives a prefix, and a fault wherever the cut is."""
    packed = CODECS[codec](PLAIN)
    cut = data.draw(st.integers(12, len(packed) - 1))
    content, found = _unpack(packed[:cut])
    assert PLAIN.startswith(found)
    assert _codes(content) == ["truncated-stream"]
    assert len(found) >= cut - 140_000


@limits(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(CODECS)), st.data())
def test_flipped_stream(codec: str, data: st.DataObject) -> None:
    """A damaged stream is a fault or decodes to the same; what came before is kept."""
    packed = bytearray(CODECS[codec](PLAIN))
    at = data.draw(st.integers(1200, len(packed) - 1))
    packed[at] ^= data.draw(st.integers(1, 255))
    content, found = _unpack(bytes(packed))
    if not content.faults:
        assert found == PLAIN
    elif codec != "bzip2":  # a block of bzip2 is permuted as a whole
        assert found[:1000] == PLAIN[:1000] or bytes(packed[:1000]) in found


@every_codec
def test_corrupt_stream_keeps_the_rest(codec: str) -> None:
    """What lies behind the damage is kept as it is, to be swept raw."""
    packed = bytearray(CODECS[codec](PLAIN) + b"behind the stream")
    packed[40_000:40_200] = bytes(200)
    content, found = _unpack(bytes(packed))
    assert "corrupt-stream" in _codes(content)
    assert found.endswith(b"behind the stream")


def test_gzip_name_and_comment() -> None:
    """Optional header fields of each gzip member are kept behind the content."""
    packed = io.BytesIO()
    with gzip.GzipFile("a-name-in-the-header", mode="wb", fileobj=packed) as member:
        member.write(PLAIN)
    extra = b"\x1f\x8b\x08\x14" + bytes(6) + b"\5\0EXTRA" + b"a comment\0"
    second = gzip.compress(b"second")
    content, found = _unpack(packed.getvalue() + extra + second[10:], step=3)
    assert found.startswith(PLAIN + b"second")
    assert b"a-name-in-the-header\0" in found
    assert b"EXTRAa comment\0" in found
    assert content.faults == ()


def test_gzip_name_without_end() -> None:
    """A header field that never ends is a fault, and is kept."""
    content, found = _unpack(b"\x1f\x8b\x08\x08" + bytes(6) + b"A" * 5000)
    assert _codes(content) == ["corrupt-stream"]
    assert found.endswith(b"A" * 5000)


def test_zstd_skippable_frames() -> None:
    """Skippable frames of zstd are kept, behind the content, wherever they stand."""
    frames = [b"\x50\x2a\x4d\x18\3\0\0\0one", b"\x5f\x2a\x4d\x18\3\0\0\0two"]
    content, found = _unpack(frames[0] + _zstd(b"content") + frames[1])
    assert found == b"content" + frames[0] + frames[1]
    assert _strays(frames[0] + _zstd(b"content") + frames[1]) == []
    assert content.layers == ("zstd",)
    content, _ = _unpack(_zstd(b"content") + frames[1][:-1])
    assert _codes(content) == ["truncated-stream"]


def test_what_a_skippable_frame_holds() -> None:
    """Sizes and tables for seeking are no strays; anything else in a frame is one."""
    table = struct.pack("<4I", 20, 70_000, 30, 90_000) + struct.pack("<IBI", 2, 0, 0x8F92EAB1)
    summed = struct.pack("<3I", 20, 70_000, 1) + struct.pack("<IBI", 1, 0x80, 0x8F92EAB1)
    for held in (struct.pack("<I", 4711), bytes(5000), table, summed):
        assert _strays(_frame(held) + _zstd(b"content")) == []
    for held in (b"held " * 9, gzip.compress(PLAIN), b"held" + table, table[:-1] + b"\0"):
        assert _strays(_zstd(b"content") + _frame(held)) == [held]


def test_gzip_fields_that_are_none() -> None:
    """Header fields of gzip larger than any tool writes them are strays."""
    held = b"\xff\x0f" + gzip.compress(PLAIN)[:4095]
    packed = b"\x1f\x8b\x08\x04" + bytes(6) + held + gzip.compress(b"second")[10:]
    assert _unpack(packed)[1] == b"second" + held
    assert _strays(packed) == [held]


def _frame(held: bytes) -> bytes:
    return struct.pack("<2I", 0x184D2A50, len(held)) + held


def _strays(data: bytes) -> list[bytes]:
    opened = unpack.peel(iter((data,)), max_bytes=1 << 30)
    for _ in opened.pieces:
        pass
    return [b"".join(stray) for stray in opened.strays]


def test_zstd_large_window() -> None:
    """A window above the library's default is no reason to skip a stream."""
    parameters = zstandard.ZstdCompressionParameters(window_log=28, enable_ldm=True)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    content, found = _unpack(packer.compress(PLAIN) + packer.flush())
    assert found == PLAIN
    assert content.faults == ()


@pytest.mark.parametrize("level", [0, 1, 6, 9])
def test_zlib(level: int) -> None:
    """Bare zlib streams are decoded, what trails them is kept, and a cut one is a fault."""
    packed = zlib.compress(PLAIN, level)
    assert _unpack(packed + packed)[1] == PLAIN + PLAIN
    content, found = _unpack(packed + b"trailing")
    assert (content.layers, content.faults, found) == (("zlib",), (), PLAIN + b"trailing")
    assert _codes(_unpack(packed[:-5])[0]) == ["truncated-stream"]


def test_snappy_frames() -> None:
    """Framed snappy is decoded, concatenated too; its checksums count, and so does a cut."""
    packed = _snappy(PLAIN)
    content, found = _unpack(packed + packed, step=1000)
    assert (content.layers, content.faults, found) == (("snappy",), (), PLAIN + PLAIN)
    assert _codes(_unpack(packed[:-1])[0]) == ["truncated-stream"]
    hidden = b"\xfe\6\0\0hidden"
    content, found = _unpack(packed + hidden)
    assert _codes(content) == ["corrupt-stream"]
    assert found.endswith(hidden)
    assert _unpack(packed + b"\xfe\6\0\0" + bytes(6))[0].faults == ()
    broken = bytearray(packed)
    broken[2000] ^= 1
    assert _codes(_unpack(bytes(broken))[0]) == ["corrupt-stream"]


@pytest.mark.parametrize("tail", [b"", b"\n", b"\r\n"])
def test_base64_lines(tail: bytes) -> None:
    """Lines of base64 whose first says what is inside are decoded, each with its own padding."""
    parts = [gzip.compress(PLAIN)[at : at + 1000] for at in range(0, 80_000, 1000)]
    data = b"\n".join(base64.b64encode(part) for part in parts if part) + tail
    content, found = _unpack(data, step=777)
    assert (content.layers, content.faults, found) == (("base64", "gzip"), (), PLAIN)
    content, found = _unpack(base64.encodebytes(b"MDMP" + PLAIN) + b"-- no more --\n")
    assert found == b"MDMP" + PLAIN + b"-- no more --\n"
    assert content.layers == ("base64",)
    assert _strays(base64.encodebytes(b"MDMP" + PLAIN) + b"----") == [b"----"]


@pytest.mark.parametrize(
    "magic",
    [
        *(
            b"\x7fELF\2\1\1",
            b"MDMP\x93\xa7",
            b"PMDM\xa7\x93",
            b"PAGEDU64",
            b"PAGEDUMP",
            b"PK\3\4\x14\0",
        ),
        *(b"EMiL\1\0\0\0", b"MSCF\0\0\0\0", b"JAVA PROFILE 1.0.2", b"KDUMP   \6\0"),
        *(compress(b"x" * 99) for compress in (*CODECS.values(), zlib.compress)),
        *(head + rest for head in codecs._ZLIB for rest in (b"\x05", b"\x4b", b"\xa5", b"\xed")),
    ],
    ids=itertools.count(),  # compressed bytes hold the time
)
def test_base64_of_what_is_opened(magic: bytes) -> None:
    """What is opened as it stands is told in base64 too."""
    assert codecs.sniff_layer(base64.encodebytes(magic + bytes(60))) == "base64"


@pytest.mark.parametrize("line", [b"f0VMRg=", b"f0VMRgEB\nAA\nAAAA"])
def test_base64_that_is_none(line: bytes) -> None:
    """A line that does not decode is a fault, and is kept."""
    content, found = _unpack(line.ljust(20, b"A") + b"\nAAAAA\n")
    assert _codes(content) == ["corrupt-stream"]
    assert b"AAAAA" in found


def test_sniff_layer() -> None:
    """Only what is decoded here is told as a layer."""
    for name, compress in CODECS.items():
        assert codecs.sniff_layer(compress(b"x")) == name
    for head in (b"", b"\x1f\x8b", b"\x1f\x8b\x08\xff", b"MDMP\0\0", b"xylophone"):
        assert codecs.sniff_layer(head) is None


@limits(max_examples=30, deadline=None)
@given(
    st.sampled_from(
        [
            b"",
            b"\x28\xb5\x2f\xfd",
            b"\x1f\x8b\x08\0",
            b"\xfd7zXZ\0",
            b"\x5a\x2a\x4d\x18",
            b"BZh91AY&SY",
            b"\x04\x22\x4d\x18",
            b"\xff\x06\0\0sNaPpY",
            b"\x78\x9c",
            b"f0VMRgEB",
        ]
    ),
    st.binary(max_size=200),
)
def test_arbitrary_bytes(magic: bytes, data: bytes) -> None:
    """Arbitrary bytes behind any magic raise nothing, and end."""
    _unpack(magic + data, max_bytes=1 << 20)


def test_copy_stream() -> None:
    """A pipe gives all its bytes in order."""
    read, write = os.pipe()
    os.write(write, b"through a pipe")
    os.close(write)
    assert b"".join(unpack.copy_stream(read)) == b"through a pipe"
    os.close(read)
    with pytest.raises(Unreadable):
        list(unpack.copy_stream(read))


@pytest.mark.parametrize("layer", ["gzip", "bzip2", "xz", "zstd"])
@pytest.mark.parametrize("held", [b"", b"x"])
def test_streams_without_end(monkeypatch: pytest.MonkeyPatch, layer: str, held: bytes) -> None:
    """Of tiny streams end to end, each costs what it has, not what stands behind it."""
    one = {
        "gzip": lambda data: gzip.compress(data, mtime=0),
        "bzip2": bz2.compress,
        "xz": lzma.compress,
        "zstd": zstandard.ZstdCompressor().compress,
    }[layer](held)
    data, made, taken = one * 2000, [], 0
    take, context = unpack._Stream.take, zstandard.ZstdDecompressor

    def counted(stream: unpack._Stream, most: int = unpack.CHUNK) -> bytes:
        nonlocal taken
        found = take(stream, most)
        taken += len(found)
        return found

    def counted_context(**options: int) -> zstandard.ZstdDecompressor:
        made.append(options)
        return context(**options)

    monkeypatch.setattr(unpack._Stream, "take", counted)
    monkeypatch.setattr(zstandard, "ZstdDecompressor", counted_context)
    opened = unpack.peel(iter((data,)), max_bytes=1 << 30)
    assert b"".join(opened.pieces) == held * 2000
    assert (opened.layers, opened.faults) == ((layer,), [])
    assert taken < 2 * unpack.FIRST * 2000
    assert len(made) == (layer == "zstd")


@pytest.mark.parametrize("size", [0, 1, 3, 10])
def test_what_is_given_back_comes_again(size: int) -> None:
    """Whether it was taken from there or not: the end of it, all of it, or something else."""
    stream = unpack._Stream(iter((b"0123456789", b"abc")))
    data = stream.take(10)
    stream.give_back(data[len(data) - size :])
    stream.give_back(b"+")
    rest = b""
    while part := stream.take(4):
        rest += part
    assert rest == b"+" + data[len(data) - size :] + b"abc"
