"""Targets of what a dump comes in: layers of compression, and archives.

Every byte of an input belongs to one part of what is found, or comes out decoded; a bomb ends at
the bytes that were allowed.
"""

import base64
import bz2
import contextlib
import functools
import gzip
import importlib.util
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable

import cramjam
import lz4.frame
import zstandard

from fixtures import cabinet, carriers, criu, heaps, lime, makedumpfile, qemu, unreal
from fixtures import lzop as fixture
from scanner import dump
from scanner.dump import archives, codecs, contents, lzop, unpack
from scanner.dump.source import File
from scanner.model import Fault
from tests.dump import dump_bytes
from tests.fuzz import checks, mutators
from tests.fuzz.files import file_of, spill
from tests.fuzz.formats import laid_out
from tests.fuzz.target import Mutate, Target

MOST_BYTES = 64 << 20
"""Bytes that an input may be unpacked to; a bomb must end there, and say so."""

_FIELDS = (mutators.numbers, mutators.numbers, mutators.elsewhere)


# --- layers -------------------------------------------------------------------------------------

_REFERENCE: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "zlib": zlib.decompress,
    "bzip2": bz2.decompress,
    "xz": lzma.decompress,
}
"""Other readers of whole streams."""


def _plain(codec: str, data: bytes) -> bytes:
    """Return what another reader makes of a stream; nothing where it refuses, or there is none."""
    try:
        return _REFERENCE[codec](data)
    except (KeyError, OSError, EOFError, ValueError, zlib.error, lzma.LZMAError):
        return b""


def _faults(data: bytes) -> list[Fault]:
    opened = unpack.peel(iter((data,)), max_bytes=MOST_BYTES)
    assert all(opened.pieces)
    return opened.faults


def _peel(codec: str, data: bytes) -> None:
    """Undo the layers of a stream: all of it, in any steps, and nothing else."""
    opened = unpack.peel(iter((data,)), max_bytes=MOST_BYTES)
    whole, most = bytearray(), 0
    for piece in opened.pieces:
        most = max(most, len(piece))
        whole += piece
    aside = b"".join(opened.aside)
    strays = [b"".join(stray) for stray in opened.strays]
    assert all(strays)
    assert whole.startswith(opened.head)
    assert most <= 4 << 20, "a piece is large"
    for fault in opened.faults:
        checks.untold(fault.text, data)
    if not opened.layers:
        assert whole == data
    elif opened.layers == (codec,) and not opened.faults:
        plain = _plain(codec, data)
        assert whole.startswith(plain), "another reader makes something else of it"
        if plain == whole != b"" and not (aside or strays) and checks.chosen(data):
            assert _faults(data.rstrip(b"\0")[:-1]), "a stream that is cut passes"
    if not opened.faults and checks.chosen(data):
        steps = unpack.peel((data[at : at + 1] for at in range(len(data))), max_bytes=MOST_BYTES)
        assert b"".join(steps.pieces) == whole, "how the input is cut matters"
        assert b"".join(steps.aside) == aside, "how the input is cut matters"
        assert [b"".join(stray) for stray in steps.strays] == strays
        assert not steps.faults


PLAIN = b"\x7fELF words of a dump, words of a dump" + bytes(200)


def _snappy(data: bytes) -> bytes:
    return bytes(cramjam.snappy.compress(data))


_PACKED: dict[str, Callable[[], list[bytes]]] = {
    "gzip": lambda: [gzip.compress(PLAIN), _named(), gzip.compress(PLAIN) * 2],
    "zlib": lambda: [zlib.compress(PLAIN), zlib.compress(PLAIN, 9) + b"behind"],
    "bzip2": lambda: [bz2.compress(PLAIN), bz2.compress(b"")],
    "xz": lambda: [lzma.compress(PLAIN), lzma.compress(PLAIN) + bytes(8) + lzma.compress(b"two")],
    "zstd": lambda: [
        zstandard.ZstdCompressor(write_checksum=True).compress(PLAIN),
        b"\x50\x2a\x4d\x18\x04\0\0\0skip" + zstandard.compress(PLAIN),
    ],
    "lz4": lambda: [lz4.frame.compress(PLAIN, content_checksum=True), lz4.frame.compress(b"")],
    "snappy": lambda: [_snappy(PLAIN)],
    "base64": lambda: [base64.encodebytes(PLAIN), base64.encodebytes(gzip.compress(PLAIN))],
}


def _named() -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile("core.1", "wb", fileobj=out) as file:
        file.write(PLAIN)
    return out.getvalue()


def _lzo(data: bytes) -> None:
    try:
        plain = lzop.unpack_lzo(data[1:], 64 * data[0] if data else 0)
    except codecs.BROKEN:
        return
    assert plain is None or len(plain) <= 255 * len(data) + 255


def _lzops() -> Iterable[bytes]:
    """Write streams whose blocks stand as they are, or are packed where something packs."""
    yield fixture.write(PLAIN, bytes, flags=fixture.ADLER | fixture.CRC, name=b"core")
    if importlib.util.find_spec("lzallright") is not None:
        from lzallright import LZOCompressor

        yield fixture.write(PLAIN, LZOCompressor().compress, flags=fixture.CRC, block=100)
        yield fixture.write(PLAIN, LZOCompressor().compress, flags=fixture.HEAD_CRC | 3)


_LAYERS = (
    *(
        Target(
            name=f"layer-{codec}",
            covers=("dump.unpack", "dump.codecs"),
            run=functools.partial(_peel, codec),
            seeds=seeds,
            mutate=(mutators.packed(codec), mutators.elsewhere),
            longest=1024,
            weight=4,
        )
        for codec, seeds in _PACKED.items()
    ),
    Target(
        name="layer-lzop",
        covers=("dump.lzop", "dump.unpack"),
        run=functools.partial(_peel, "lzop"),
        seeds=_lzops,
        mutate=_FIELDS,
        longest=1024,
        weight=4,
    ),
    Target(
        name="block-lzo",
        covers=("dump.lzop",),
        run=_lzo,
        seeds=lambda: [b"\x04\x14abc\x11\0\0", b"\x01" + bytes.fromhex("0061110000")],
        longest=512,
        weight=2,
    ),
)


# --- archives -----------------------------------------------------------------------------------


def _archive(name: str, data: bytes) -> None:
    """Open an archive: every byte of it belongs to one part, and each part is an account."""
    del name
    with contextlib.closing(spill()) as target:
        file = file_of(data)
        found = contents.expand(
            file, target, scratch=spill, is_dump=dump.is_dump, max_bytes=MOST_BYTES
        )
        whole = File(target.fd)
        parts = [File(target.fd, part.pieces) for part in found.members]
        assert found.size + sum(part.size for part in parts) == whole.size
        spans = sorted([*found.pieces, *(p for part in found.members for p in part.pieces)])
        at = 0
        for start, size in spans:
            assert start == at, "parts overlap, or leave something out"
            at += size
        assert at == whole.size
        assert whole.size <= MOST_BYTES + (32 << 20)
        for fault in found.faults:
            checks.untold(fault.text, data)
        for part in parts:
            laid_out(part, dump.read_layout(part), whole=checks.chosen(data))


CORE = dump_bytes.elfcore([(0x1000, b"memory of a core" * 4, 64)])
MINI = dump_bytes.minidump(memory=[(0x1000, b"memory" * 9)])
MEMBERS = (("a/core.1", CORE), ("log.txt", b"words " * 9), ("b.dmp", MINI))


def zips() -> Iterable[bytes]:
    """Write an archive with each method."""
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as archive:
            for name, data in MEMBERS:
                archive.writestr(name, data)
        yield out.getvalue()


def _tars() -> Iterable[bytes]:
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=form) as archive:
            for name, data in MEMBERS[:2]:
                info = tarfile.TarInfo(name if form == tarfile.USTAR_FORMAT else name + "x" * 120)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        yield out.getvalue()[:4096]
    info = tarfile.TarInfo("core")
    info.size = 1024
    info.pax_headers = {"GNU.sparse.map": "0,512,4096,512", "GNU.sparse.size": "10000"}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info, io.BytesIO(bytes(1024)))
    yield out.getvalue()[:4096]


def _checkpoints() -> Iterable[bytes]:
    """Write tar archives of a checkpoint, its small images first, where most changes are made."""
    segments = [(0x7F3000, b"page" * 1024), (0x7F8000, b"more" * 1024)]
    for form in ("flags", "old", "wide"):
        runs = [(address, 1, criu.PRESENT) for address, _ in segments]
        images = [
            ("pagemap-7.img", criu.pagemap(1, [*runs, (0x9000, 2, criu.IN_PARENT)], form=form)),
            ("core-7.img", criu.thread(1, range(64), range(64))),
            ("core-8.img", criu.thread(3, range(64))),
            ("pages-1.img", b"".join(data for _, data in segments)),
        ]
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for name, data in images:
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        yield out.getvalue()


STATE = qemu.write([("pc.ram", 4096)], [("pc.ram", 0, b"page" * 1024)]).data


def _kdumps() -> Iterable[bytes]:
    runs = [(0x3000, bytes(range(256)) * 16)]
    for codec in (makedumpfile.RAW, makedumpfile.ZLIB, makedumpfile.SNAPPY, makedumpfile.ZSTD):
        yield makedumpfile.write(runs, codec=codec).data
    yield makedumpfile.write(runs, wide=False, machine="i686").data
    if importlib.util.find_spec("lzallright") is not None:
        yield makedumpfile.write(runs, codec=makedumpfile.LZO, order=">").data


def apports() -> Iterable[bytes]:
    """Write reports with a dump in gzip and in zlib."""
    packed = gzip.compress(CORE)
    lines = [base64.b64encode(part) for part in (packed[:60], packed[60:])]
    yield b"ProblemType: Crash\nCoreDump: base64\n " + b"\n ".join(lines) + b"\nSignal: 11\n"
    yield b"ProblemType: Crash\nOld: base64\n " + base64.b64encode(zlib.compress(MINI)) + b"\n"


_KINDS: dict[str, tuple[str, Callable[[], Iterable[bytes]], tuple[Mutate, ...], int]] = {
    "zip": ("zips", zips, _FIELDS, 2048),
    "tar": ("tars", _tars, (mutators.tar_sums, mutators.tar_sums, mutators.words), 4096),
    "apport": ("apport", apports, (mutators.base64_of(), mutators.elsewhere), 1024),
    "makedumpfile": ("makedumpfile", _kdumps, _FIELDS, 1 << 15),
    "flattened": (
        "flattened",
        lambda: [makedumpfile.flatten(CORE, step=64), makedumpfile.flatten(MINI, late=False)],
        _FIELDS,
        6000,
    ),
    "avml": (
        "avml",
        lambda: [lime.write([(0x1000, b"m" * 64), (0x9000, b"n" * 99)], packed=True).data],
        _FIELDS,
        512,
    ),
    "libvirt": (
        "saved",
        lambda: [
            qemu.libvirt(gzip.compress(STATE), form=1),
            qemu.libvirt(zlib.compress(STATE), form=9, order=">", partial=True),
        ],
        _FIELDS,
        2048,
    ),
    "hextext": (
        "hextext",
        lambda: [
            heaps.microdump([(0x7F0000, bytes(range(64)))]),
            heaps.tombstone([(0x7F00, bytes(range(48)))]),
            heaps.tombstone([(0x7F00, bytes(range(48)))], width=4),
            heaps.hs_err((0x7F00, bytes(range(48)))),
        ],
        (mutators.words, mutators.words, mutators.elsewhere),
        2048,
    ),
    "heapsnapshot": (
        "heapsnapshot",
        lambda: [
            heaps.heapsnapshot(["a", 'q"\\\n\ud800', base64.b64encode(PLAIN).decode()]),
        ],
        (mutators.literal((b'"', b"\\", b"\\u", b"\\ud83d", b",", b'"strings":[', b"]}")),),
        1024,
    ),
    "erlang": (
        "erlang",
        lambda: [
            heaps.erl_crash_dump([1 << 99, PLAIN, "a string"], shared=[PLAIN]),
            heaps.erl_crash_dump([1 << 99, PLAIN, "a string"], version="0.3"),
        ],
        (mutators.literal((b"\n", b":B9", b":Yh4:", b"=binary:1\n", b":lI", b"|N", b"=end")),),
        1024,
    ),
    "criu": (
        "criu",
        _checkpoints,
        (mutators.tar_sums, mutators.numbers, mutators.elsewhere),
        1 << 14,
    ),
    "envelope": (
        "envelope",
        lambda: [
            carriers.envelope([({"type": "event"}, b"{}"), ({"type": "attachment"}, CORE)]),
            carriers.envelope([({"type": "event"}, b"{}"), ({"type": "x"}, PLAIN)], sized=False),
            carriers.envelope([({"type": "attachment", "filename": "m"}, MINI)], head={}),
        ],
        (mutators.words, mutators.literal((b"\n", b'{"type":"a"}', b'"length":1e9,', b"{", b"}"))),
        2048,
    ),
    "multipart": (
        "multipart",
        lambda: [
            carriers.upload([("prod", b"a"), ("dump", CORE)], boundary=b"abc"),
            carriers.upload([("a", b""), ("b", MINI)], boundary=b"-", line=b"\n"),
        ],
        (mutators.literal((b"\r\n", b"--abc", b"\r\n--abc\r\n", b"--abc--\r\n", b" ", b"\n---")),),
        2048,
    ),
    "journal": (
        "journal",
        lambda: [
            carriers.entry([("A", b"b"), ("COREDUMP", CORE), ("B", b"one\ntwo")]) * 2,
            carriers.entry([("COREDUMP", gzip.compress(MINI)), ("C", b"\0")]),
        ],
        (mutators.numbers, mutators.literal((b"\n", b"A=b\n", b"A\n" + bytes(8), b"="))),
        2048,
    ),
    "cab": (
        "cabinets",
        lambda: [cabinet.write(MEMBERS), cabinet.write(MEMBERS, packed=False)],
        _FIELDS,
        1024,
    ),
    "unreal": (
        "unreal",
        lambda: [unreal.write(MEMBERS), unreal.write(MEMBERS, late=True)],
        _FIELDS,
        4096,
    ),
}

_ARCHIVES = tuple(
    Target(
        name=f"archive-{name}",
        covers=(f"dump.archives.{module}", "dump.archives.archive", "dump.contents"),
        run=functools.partial(_archive, name),
        seeds=seeds,
        mutate=mutate,
        longest=longest,
    )
    for name, (module, seeds, mutate, longest) in _KINDS.items()
)


def _unopened(data: bytes) -> None:
    """Name what bytes are, or nothing: a name of ours, which says nothing of them."""
    name = archives.sniff_unopened(file_of(data))
    assert name is None or len(name) < 40


_SEALED = Target(
    name="unopened",
    covers=("dump.archives.unopened",),
    run=_unopened,
    seeds=lambda: [
        b"\x8c\x0d\4\x09\3\x0a" + bytes(9) + b"\xd2\x0a\1" + bytes(9),
        b"\xd2\xe5\1" + bytes(31) + b"\xe5" + bytes(32) + b"\3abc",
        b"\x30\x80\6\x09\x2a\x86\x48\x86\xf7\x0d\1\7\3\xa0\x80",
        b"To: a\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\n",
        b"\xc7\x71" + bytes(4) + b"\xa4\x81" + bytes(12) + b"\5\0\0\0\x09\0core\0",
        b"MZ" + next(iter(zips())),
    ],
    mutate=_FIELDS,
    longest=1024,
)

_DISKS = Target(
    name="disks",
    covers=("dump.archives.disks",),
    run=_unopened,
    seeds=lambda: [
        bytes(0x400) + bytes((1, 0, 0, 0) * 14) + b"\x53\xef\1\0\1\0",
        bytes(0x400) + b"\x10\x20\xf5\xf2\1\0\x10\0\x09\0\0\0\3\0\0\0\x0c\0\0\0",
        b"\xeb\x3c\x90mkfs.fat\0\2\4\1\0\2".ljust(0x36) + b"FAT16   ",
        bytes(446) + b"\x80\0\0\0\x83\0\0\0\1\0\0\0\1\0\0\0" + bytes(48) + b"\x55\xaa" + bytes(512),
        bytes(600) + b"conectix".ljust(512, b"\0"),
    ],
    mutate=_FIELDS,
    longest=2048,
)

_TRAILING = Target(
    name="trailing",
    covers=("dump.trailing", "dump.contents"),
    run=functools.partial(_archive, "trailing"),
    seeds=lambda: [
        core + behind
        for core in (CORE, MINI)
        for behind in (gzip.compress(MINI), next(iter(zips())))
    ],
    mutate=_FIELDS,
    longest=2048,
)

TARGETS = (*_LAYERS, *_ARCHIVES, _SEALED, _DISKS, _TRAILING)
