"""Where a secret stands in a file, and how the file is made, changes neither verdict nor findings.

A dump is written, with one secret in one kind of place or none at all; its regions are cut and put
in another order, streams that nobody knows and a tail are added, and the whole is packed and put
into archives. What is found is the same each time.
"""

import base64
import bz2
import functools
import gzip
import io
import itertools
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable

import cramjam
import lz4.frame
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import (
    cabinet,
    elfcore,
    encodings,
    heaps,
    kerneldump,
    keys,
    lime,
    macho,
    makedumpfile,
    minidump,
    noise,
    tokens,
)
from tests.dump.opening import judged

RSA, EC, OKP = keys.rsa_key(2048), keys.ec_key("P-256"), keys.okp_key()
GAP = bytes(24)
SECRETS: dict[str, bytes] = {
    "none": b"",
    "numbers": GAP.join(encodings.little_limbs(value) for value in (RSA.n, RSA.p, RSA.q)),
    "big-endian numbers": GAP.join(encodings.big_endian(v) for v in (RSA.n, RSA.p, RSA.q)),
    "DER": encodings.sec1_der(EC),
    "PEM": encodings.pkcs8_pem(OKP),
    "PEM in UTF-16LE": encodings.utf16(encodings.pkcs8_pem(OKP)),
    "token": tokens.github(),
}

Found = tuple[str, frozenset[tuple[str, ...]]]
"""The worst verdict, and of each finding what it is."""


def found(data: bytes) -> Found:
    """Scan bytes, archives opened: the worst verdict, and all findings, wherever they were."""
    reports = judged(data)
    verdicts = {report.verdict.value for report in reports}
    return (
        next(word for word in ("blocked", "incomplete", "pass") if word in verdicts),
        frozenset(
            (
                finding.kind,
                finding.algorithm,
                finding.severity.name,
                finding.confidence.name,
                finding.fingerprint.value if finding.kind == "private-key" else "",
            )
            for report in reports
            for finding in report.findings
        ),
    )


def plain(secret: bytes) -> bytes:
    """Write a core that has a secret in its memory, and nothing else to say."""
    data = noise.text(4096, 1) + GAP + secret + GAP
    return elfcore.write([elfcore.Segment(address=0x10000, data=data)]).data


@functools.cache
def wanted(name: str) -> Found:
    """Return what a secret is in the simplest dump that holds it."""
    return found(plain(SECRETS[name]))


def test_what_is_wanted() -> None:
    """Each secret blocks as one finding; without one the dump passes."""
    for name in SECRETS:
        verdict, what = wanted(name)
        assert (verdict, len(what)) == (("pass", 0) if name == "none" else ("blocked", 1)), name


# --- how a file is packed -----------------------------------------------------------------------


def tarred(data: bytes, form: int = tarfile.PAX_FORMAT) -> bytes:
    """Put a file into a tar archive, behind a text."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, part in (("environ", b"LANG=C\0"), ("coredump", data)):
            info = tarfile.TarInfo(name)
            info.size = len(part)
            archive.addfile(info, io.BytesIO(part))
    return out.getvalue()


def zipped(data: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Put a file into a ZIP archive, before a text."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("coredump", data)
        archive.writestr("environ", b"LANG=C\0")
    return out.getvalue()


def apport(data: bytes) -> bytes:
    """Put a file into an Apport report."""
    lines = base64.encodebytes(gzip.compress(data, 1)).splitlines()
    return b"ProblemType: Crash\nCoreDump: base64\n " + b"\n ".join(lines) + b"\nSignal: 11\n"


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, 1),
    "gzip, two members": lambda data: gzip.compress(data[:999], 1) + gzip.compress(data[999:], 1),
    "zstd": lambda data: zstandard.ZstdCompressor().compress(data),
    "zstd, two frames": lambda data: b"".join(
        zstandard.ZstdCompressor().compress(part) for part in (data[:999], data[999:])
    ),
    "xz": lambda data: lzma.compress(data, preset=0),
    "bzip2": bz2.compress,
    "lz4": lz4.frame.compress,
    "zlib": zlib.compress,
    "snappy": lambda data: bytes(cramjam.snappy.compress(data)),
    "base64 of gzip": lambda data: base64.encodebytes(gzip.compress(data, 1)),
    "tar": tarred,
    "tar of GNU": lambda data: tarred(data, tarfile.GNU_FORMAT),
    "zip": zipped,
    "zip, stored": lambda data: zipped(data, zipfile.ZIP_STORED),
    "zip, bzip2": lambda data: zipped(data, zipfile.ZIP_BZIP2),
    "zip, lzma": lambda data: zipped(data, zipfile.ZIP_LZMA),
    "apport": apport,
    "cabinet": lambda data: cabinet.write([("a.txt", b"a text"), ("core", data)]),
    "cabinet, stored": lambda data: cabinet.write([("core", data)], packed=False),
    "flattened": makedumpfile.flatten,
}


@pytest.mark.parametrize(
    ("wrap", "secret"),
    [
        *((wrap, secret) for wrap in PACKED for secret in ("none", "PEM in UTF-16LE")),
        *((wrap, "numbers") for wrap in ("zstd", "base64 of gzip", "tar", "zip", "flattened")),
    ],
)
def test_packing_changes_nothing(wrap: str, secret: str) -> None:
    """Each codec and each archive alone."""
    assert found(PACKED[wrap](plain(SECRETS[secret]))) == wanted(secret)


# --- how a file is made -------------------------------------------------------------------------


def pieces(draw: st.DrawFn, secret: bytes, inside: bool) -> list[tuple[int, bytes]]:
    """Return memory as (address, bytes): cut anywhere into regions that adjoin, and another."""
    lead = noise.text(2048 + draw(st.integers(0, 64)), 2)
    whole = lead + GAP + (secret if inside else b"words") + GAP + noise.text(1024, 3)
    cuts = sorted(set(draw(st.lists(st.integers(1, len(whole) - 1), max_size=4))))
    edges = [0, *cuts, len(whole)]
    start = 0x7F00_0000_0000 + (-len(lead) - len(GAP)) % 16  # where numbers stand is aligned
    parts = [(start + a, whole[a:b]) for a, b in itertools.pairwise(edges)]
    return [*parts, (0x5000_0000, noise.pointers(3000, 4))]


ASIDE = GAP + b"\0"
"""Puts what stands outside of memory at an odd place."""


def place(secret: bytes, where: str, name: str) -> bytes:
    """Return the secret where it is wanted, something else elsewhere."""
    return ASIDE + secret + GAP if where == name else b"nothing of note"


IN_MINIDUMPS = (
    *("memory", "comment", "stream", "environment", "unused entry", "slack", "slack of a stream"),
    *("context", "tail"),
)


@st.composite
def minidumps(draw: st.DrawFn, secret: bytes) -> bytes:
    """Write a minidump with a secret somewhere."""
    where = draw(st.sampled_from(IN_MINIDUMPS))
    memory = pieces(draw, secret, where == "memory")
    ranks = draw(st.permutations(range(len(memory))))
    listed = st.sampled_from(("memory", "memory64"))
    unknown = draw(st.lists(st.integers(0x10000, 0xFFFFFFFF), max_size=3))
    streams = [
        minidump.Stream(type=10, data=place(secret, where, "comment")),
        minidump.Stream(type=0x47670007, data=place(secret, where, "environment")),
        minidump.Stream(type=0xABCD0000, data=place(secret, where, "stream")),
        minidump.Stream(type=0, data=place(secret, where, "unused entry")),
        minidump.Stream(type=11, data=b"", slack=place(secret, where, "slack of a stream")),
        *(minidump.Stream(type=kind, data=noise.text(200, kind)) for kind in unknown),
    ]
    stack = memory[-1]
    return minidump.write(
        [
            minidump.Segment(address=at, data=data, listed_in=draw(listed), file_order=rank)
            for (at, data), rank in zip(memory, ranks, strict=True)
        ],
        streams=draw(st.permutations(streams)),
        threads=[
            minidump.Thread(
                id=7,
                stack_start=stack[0],
                stack_size=len(stack[1]),
                context=place(secret, where, "context"),
            )
        ],
        byte_order=draw(st.sampled_from(("little", "big"))),
        padded_lists=draw(st.booleans()),
        unused_entries=draw(st.integers(0, 2)),
        data_align=draw(st.sampled_from((1, 4, 16))),
        slack=place(secret, where, "slack"),
        trailing=place(secret, where, "tail"),
    ).data


IN_CORES = ("memory", "note", "gap", "tail")


@st.composite
def cores(draw: st.DrawFn, secret: bytes) -> bytes:
    """Write an ELF core with a secret somewhere."""
    where = draw(st.sampled_from(IN_CORES))
    memory = pieces(draw, secret, where == "memory")
    ranks = draw(st.permutations(range(len(memory))))
    at = draw(st.integers(0, len(memory) - 1))
    unknown = draw(st.lists(st.integers(0x10000, 0xFFFFFFFF), max_size=3))
    return elfcore.write(
        [
            elfcore.Segment(
                address=start,
                data=data,
                file_order=rank,
                gap_before=place(secret, where, "gap") if index == at else b"",
                memory_size=len(data) + (4096 if index == len(memory) - 1 else 0),
            )
            for index, ((start, data), rank) in enumerate(zip(memory, ranks, strict=True))
        ],
        notes=[
            elfcore.Note(name="GDB", type=0xFF000000, data=b"<target/>"),
            elfcore.Note(name="LINUX", type=0x202, data=place(secret, where, "note")),
            *(elfcore.Note(name="X", type=kind, data=noise.text(99, kind)) for kind in unknown),
        ],
        align=draw(st.sampled_from((1, 16, 4096))),
        xnum=draw(st.booleans()),
        trailing=place(secret, where, "tail"),
    ).data


def aligned(secret: bytes, where: str) -> bytes:
    """Return memory that may have a secret, where numbers stand: at a multiple of eight."""
    return noise.text(1000, 1) + GAP + (secret if where == "memory" else b"words") + GAP


OTHERS: dict[str, Callable[[bytes, str], bytes]] = {
    "Mach-O core": lambda secret, where: (
        macho.write(
            [(0x100000000, aligned(secret, where), 1 << 14)],
            notes=[("load binary", place(secret, where, "note"))],
            trailing=place(secret, where, "tail"),
        ).data
    ),
    "Java heap": lambda secret, where: (
        heaps.hprof(
            [
                (1, bytes(8) + place(secret, where, "note")),
                (0x1C, aligned(secret, where)),
                (0x2C, b""),
            ]
        )
        + place(secret, where, "tail")
    ),
    "triage dump": lambda secret, where: (
        kerneldump.write_triage(
            [(0xFFFF8000_00001000, aligned(secret, where))],
            stack=(0xFFFF8000_00009000, b"a stack " * 20),
            strings=place(secret, where, "note"),
            trailing=place(secret, where, "tail"),
        ).data
    ),
}


@pytest.mark.parametrize("secret", SECRETS)
@settings(max_examples=4, deadline=None)
@given(data=st.data())
def test_no_place_in_a_minidump_changes_anything(secret: str, data: st.DataObject) -> None:
    """Lists, order, cuts, alignment, byte order, unknown streams, a tail, and packing."""
    wraps = data.draw(st.lists(st.sampled_from(sorted(PACKED)), max_size=2))
    dump = data.draw(minidumps(SECRETS[secret]))
    for wrap in wraps:
        dump = PACKED[wrap](dump)
    assert found(dump) == wanted(secret)


@pytest.mark.parametrize("secret", SECRETS)
@settings(max_examples=4, deadline=None)
@given(data=st.data())
def test_no_place_in_a_core_changes_anything(secret: str, data: st.DataObject) -> None:
    """Order, cuts, alignment, gaps, unknown notes, a count that is too large, a tail, packing."""
    wraps = data.draw(st.lists(st.sampled_from(sorted(PACKED)), max_size=2))
    dump = data.draw(cores(SECRETS[secret]))
    for wrap in wraps:
        dump = PACKED[wrap](dump)
    assert found(dump) == wanted(secret)


@pytest.mark.parametrize(
    ("where", "secret"),
    [
        *(("memory", secret) for secret in SECRETS),
        *(("note", secret) for secret in ("none", "numbers")),
        *(("tail", secret) for secret in ("numbers", "PEM")),
    ],
)
@pytest.mark.parametrize("form", OTHERS)
def test_no_place_in_other_dumps_changes_anything(form: str, where: str, secret: str) -> None:
    """Memory, what a dump says beside it, and what follows it."""
    assert found(OTHERS[form](SECRETS[secret], where)) == wanted(secret)


@pytest.mark.parametrize(
    ("packed", "secret"),
    [
        *((False, secret) for secret in SECRETS),
        *((True, one) for one in ("none", "numbers", "PEM")),
    ],
)
def test_memory_of_a_machine_changes_nothing(secret: str, packed: bool) -> None:
    """Physical memory without tables of pages never passes; what is in it is found all the same."""
    page = aligned(SECRETS[secret], "memory").ljust(4096, b"\0")
    data = lime.write([(0x1000, page)], packed=packed).data
    verdict, what = found(data)
    assert what == wanted(secret)[1]
    assert verdict == ("blocked" if what else "incomplete")


LIBRARY = "/usr/lib/libc.so.6"


@pytest.mark.parametrize(
    ("form", "name", "perms"),
    [
        *(("core", LIBRARY, perms) for perms in ("", "r", "rw", "rx", "rwx")),
        *(("core", name, perms) for name, perms in (("", ""), ("[heap]", "rx"))),
        *(("minidump", LIBRARY, perms) for perms in ("", "rx", "rwx")),
        *(("minidump", name, perms) for name, perms in (("", "rw"), ("[heap]", "r"))),
    ],
)
def test_no_region_is_passed_over(form: str, name: str, perms: str) -> None:
    """What memory is called, and what may be done with it, does not matter.

    Each name and each right stands in each form, not with each other.
    """
    data = aligned(SECRETS["numbers"], "memory")
    if form == "core":
        mapped = [elfcore.Mapped(start=0x10000, end=0x12000, name=name)] if name else []
        segment = elfcore.Segment(address=0x10000, data=data, perms=perms)
        made = elfcore.write([segment], files=mapped).data
    else:
        made = minidump.write(
            [minidump.Segment(address=0x10000, data=data, perms=perms)],
            modules=[minidump.Module(start=0x10000, size=0x2000, name=name or "a.exe")],
        ).data
    assert found(made) == wanted("numbers")
