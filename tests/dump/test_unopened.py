"""What is known and not opened: told by more than a magic number, and nothing else is told so."""

import base64
import hashlib
import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from scanner.dump import archives, codecs
from tests.dump.dump_bytes import elfcore, file_of
from tests.dump.opening import codes, judged, opened
from tests.dump.test_contents import tarred, zipped

CORE = elfcore([(0x1000, b"the memory of a core" * 300, 6000)])
SEALED = hashlib.shake_128(b"sealed").digest(9000)


def told(data: bytes) -> str | None:
    """Name what bytes are."""
    with file_of(data) as file:
        return archives.sniff_unopened(file)


def old(tag: int, body: bytes, *, width: int = 1) -> bytes:
    """Write a packet with a header of the old form; a width of 0 says nothing of its length."""
    kind = {1: 0, 2: 1, 4: 2, 0: 3}[width]
    return (
        bytes((0x80 | tag << 2 | kind,)) + len(body).to_bytes(width, "big")[-width:][:width] + body
    )


def new(tag: int, body: bytes, *, part: int = 0) -> bytes:
    """Write a packet with a header of the new form, or in parts of two to the power of ``part``."""
    out = bytes((0xC0 | tag,))
    while part and len(body) > 1 << part:
        out += bytes((224 + part,)) + body[: 1 << part]
        body = body[1 << part :]
    if len(body) < 192:
        return out + bytes((len(body),)) + body
    return out + b"\xff" + len(body).to_bytes(4, "big") + body


KEY = b"\3" + bytes(range(8)) + b"\1" + SEALED[:260]
PASSWORD = b"\4\x09\3\x0a" + SEALED[:8] + b"\xad"
TYPE = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07"


def zipped_behind(before: bytes, behind: bytes = b"") -> bytes:
    """Write a ZIP archive behind other bytes, as one that unpacks itself."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("core", CORE)
    return before + out.getvalue() + behind


def cpio(order: str, name: bytes = b"core\0", mode: int = 0o100644) -> bytes:
    """Write a header of a binary cpio archive, and the member's name."""
    return struct.pack(order + "13H", 0o70707, 1, 2, mode, 0, 0, 1, 0, 3, 4, len(name), 0, 9) + name


def mail(encoding: bytes) -> bytes:
    """Write a mail with something attached."""
    head = b"Subject: a core\nFrom: me@here\nMIME-Version: 1.0\nContent-Type: multipart/mixed;"
    part = b"\n\n--part\nContent-Type: text/plain\n\nsee there\n\n--part\n"
    fields = b"Content-Type: application/gzip\nContent-Transfer-Encoding: " + encoding
    return head + b' boundary="part"' + part + fields + b"\n\nH4sIAAAA\n--part--\n"


def printed(row: str, step: int, *, rows: int = 12, size: int = 16) -> bytes:
    """Write what a debugger says of memory, a line after the other, behind other words of it."""
    words = [int.from_bytes(SEALED[at : at + 8]) for at in range(0, 16 * rows, 8)]
    lines = [
        row.format(0x7FFE7BF67E30 + step * index, *words[2 * index : 2 * index + size // 8])
        for index in range(rows)
    ]
    return "\n".join(["#0  main () at signer.c:7", "", *lines, ""]).encode()


FILES = {
    "gpg-c": old(3, PASSWORD) + new(18, b"\1" + SEALED, part=10),
    "gpg-e": old(1, KEY, width=2) + new(18, b"\1" + SEALED, part=13),
    "gpg-e-rsa-4096": old(1, KEY + SEALED[:260], width=2) + new(18, b"\1" + SEALED),
    "gpg-two-keys": old(1, KEY, width=2) * 2 + old(9, SEALED, width=4),
    "gpg-aead": new(3, b"\5\x09\2\3\x0a" + SEALED[:24]) + new(20, b"\1\x09\2\x10" + SEALED),
    "rfc9580": new(1, b"\6\x21\6" + SEALED[:70]) + new(18, b"\2\x09\2\x10" + SEALED),
    "sealed": new(18, b"\1" + SEALED),
    "sealed-old": old(9, SEALED, width=2),
    "sealed-parts": new(9, SEALED, part=11),
    "gpg-s-zip": b"\xa3\1" + zlib.compress(CORE)[2:-4],
    "gpg-s-zlib": b"\xa3\2" + zlib.compress(CORE),
    "gpg-s-bzip2": b"\xa3\3BZh9" + SEALED,
    "cms": b"\x30\x83\1\x11\xe0" + TYPE + b"\3\xa0" + SEALED,
    "cms-ber": b"\x30\x80" + TYPE + b"\6\xa0\x80" + SEALED,
    "cms-pem": b"-----BEGIN CMS-----\n" + base64.b64encode(b"\x30\x80" + TYPE + b"\3\xa0" + SEALED),
    "smime": b"MIME-Version: 1.0\nContent-Type: application/x-pkcs7-mime;\n"
    b' smime-type=enveloped-data; name="smime.p7m"\n\nMIMR4aAGCSq\n',
    "ewf2": b"EVF2\r\n\x81\0" + SEALED,
    "szdd": b"SZDD\x88\xf0'3A\0" + SEALED,
    "kwaj": b"KWAJ\x88\xf0'\xd1" + SEALED,
    "vdi": b"<<< Oracle VM VirtualBox Disk Image >>>\n".ljust(64, b"\0") + b"\x7f\x10\xda\xbe",
    "iso": bytes(32768) + b"\1CD001\1" + bytes(2041),
    "udf": bytes(32768) + b"\0BEA01\1" + bytes(2041),
    "cpio-le": cpio("<"),
    "cpio-be": cpio(">"),
    "crx": b"Cr24\3\0\0\0" + SEALED,
    "lrzip": b"LRZI\0\6" + SEALED,
    "uuencode": b"begin 644 core\nM?T5,1@(!`0``\n",
    "uuencode-m": b"begin-base64 644 core.gz\nH4sIAAAA\n====\n",
    "uuencode-m-elf": b"begin-base64 644 core\nf0VMRgIBAQAAAAAA\n====\n",
    "zpaq": b"7kSt\xa01\x83\xd3\x8c\xb2(\xb0\xd3zPQ\2\1" + SEALED,
    "shar": b"#!/bin/sh\n# This is a shell archive (produced by GNU sharutils 4.15.2).\n",
    "mail": mail(b"base64"),
    "mailbox": b"From me@here Mon Jan  1 00:00:00 2024\n" + mail(b"base64"),
    "mail-crlf": mail(b'"Base64"').replace(b"\n", b"\r\n"),
    "mail-uu": mail(b"x-uuencode"),
    "ihex": b":100000000200010000000000000011223344556688\n:00000001FF\n",
    "srec": b"S0090000672E73726563B4\r\nS3158C7A71A058757A8CFE7F0000CDB3E91D847F0000FA\r\n",
    "tekhex": b"%526C7C7FFE8C7A71A058757A8CFE7F0000CDB3E91D847F00002200000000000000C025FF1D847F0000"
    b"\n%0A81010000\n",
    "verilog": b"@00007FFE8C7A71A0\n58 75 7A 8C FE 7F 00 00 CD B3 E9 1D 84 7F 00 00\n",
    "perf.data": b"PERFILE2" + bytes(96) + SEALED,
    "xl": b"Xen saved domain, xl format\n \0 \r" + SEALED,
    "xen-2": b"\xff" * 8 + b"XENF\0\0\0\2" + SEALED,
    "hiberfil-wake": b"WAKE".ljust(4096, b"\0") + SEALED,
    "hiberfil-wake-xp": b"wake".ljust(4096, b"\0") + SEALED,
    "lz4-java": b"LZ4Block\x25" + SEALED,
    "aff4": b"aff4://685e15cc-d0fb-4dbc-ba47-48117fc77044",
    "gdb-x": printed("{:#x}:\t{:#018x}\t{:#018x}", 16),
    "gdb-x-names": printed("{:#x} <keys+16>:\t{:#018x}\t{:#018x}", 16),
    "lldb-x": printed("{:#x}: {:#018x} {:#018x}", 16),
    "windbg-dps": printed("{:016x}  {:016x} signer!main+0x7", 8, rows=16, size=8),
    "windbg-dq": b"".join(
        b"00007ffe`7bf67e%02x  0f1e2d3c`4b5a6978 8796a5b4`c3d2e1f0\n" % at
        for at in range(0, 256, 16)
    ),
    "windbg-dd": b"".join(
        b"0012f%03x  0f1e2d3c 4b5a6978 8796a5b4 c3d2e1f0\n" % at for at in range(0, 256, 16)
    ),
    "zip-behind": zipped_behind(b"MZ" + bytes(1000)),
    "zip-between": zipped_behind(b"#!/bin/sh\n", bytes(5000)),
}

ORDINARY = {
    "one-packet": old(3, PASSWORD),
    "no-such-version": old(3, b"\7" + PASSWORD[1:]) + new(18, b"\1" + SEALED),
    "no-sealed-packet": old(1, KEY, width=2) + SEALED,
    "a-public-key": old(6, b"\4" + SEALED[:270], width=2) + old(13, b"name"),
    "sealed-and-more": new(18, b"\1" + SEALED) + b"words",
    "sealed-version": new(18, b"\7" + SEALED),
    "a-header-that-is-cut": b"\x86\0\0",
    "a-length-past-the-end": b"\x8d\xff\xff" + SEALED[:9],
    "no-stream": b"\xa3\1 words and words",
    "certificates": b"\x30\x80" + TYPE + b"\2\xa0\x80" + SEALED,
    "a-key": b"\x30\x82\4\xa2\2\1\0" + SEALED,
    "pem": b"-----BEGIN CERTIFICATE-----\nMIIB" + b"A" * 60 + b"\n",
    "a-mail": b"MIME-Version: 1.0\nContent-Type: text/plain\n\nsmime-type=enveloped-data\n",
    "mail-of-text": mail(b"quoted-printable"),
    "fields": b"Host: here\nContent-Transfer-Encoding: base64\n\nRVhBTVBMRQ==\n",
    "ihex-sum": b":10000000020001000000000000001122334455663A\n:00000001FF\n",
    "srec-sum": b"S0090000672E73726563B5\nS5030001FB\n",
    "tekhex-count": b"%536C7C7FFE8C7A71A058757A8CFE\n%0A81010000\n",
    "addresses": b"@00007FFE8C7A71A0\nwords\n",
    "times": b":00:00:00:01\n:00:00:00:02\n",
    "few-words": printed("{:#x}:\t{:#018x}\t{:#018x}", 16, rows=7),
    "addresses-elsewhere": printed("{:#x}:\t{:#018x}\t{:#018x}", 24),
    "mappings": printed("{:#x} {:#x} {:#x}", 16),
    "a-table": b"".join(b"%d 12345678 87654321\n" % at for at in range(1000, 2000)),
    "signed": b"To: me\nContent-Type: application/pkcs7-mime; smime-type=signed-data\n\nMIIB\n",
    "cpio-mode": cpio("<", mode=0),
    "cpio-name": cpio("<", name=b"core"),
    "begin": b"begin 644 words\n\n",
    "begins": b"begin with care\n",
    "wake": b"wake up, and WAKE others " * 90,
    "wake-alone": b"WAKE\0\0\0\0",
    "lz4-java-name": b"LZ4BlockOutputStream",
    "xen": b"Xen saved domains, as a text has it",
    "no-directory": zipped_behind(b"MZ").replace(b"PK\1\2", b"PK\1\3"),
    "text": b"words " * 9000,
    "zeros": bytes(40_000),
    "sealed-bytes": SEALED,
    "nothing": b"",
}


@pytest.mark.parametrize("name", FILES)
def test_told(name: str) -> None:
    """Each kind is told, as a member of an archive and alone, with --raw too."""
    assert told(FILES[name]) is not None
    assert codes(opened(tarred(("core", CORE), ("held", FILES[name])))[0]) == {"unopened"}
    [report] = judged(FILES[name], raw=True)
    assert report.verdict.value == "incomplete"


@pytest.mark.parametrize("name", [*FILES][::6])
def test_told_where_it_was_compressed(name: str) -> None:
    """A stream changes nothing of that."""
    [report] = judged(zlib.compress(FILES[name]), raw=True)
    assert report.verdict.value == "incomplete"


@pytest.mark.parametrize("name", ORDINARY)
def test_not_told(name: str) -> None:
    """What begins like one of them, or is damaged beyond use, is bytes like any other."""
    assert told(ORDINARY[name]) is None


def test_aff4() -> None:
    """An AFF4 image is told by its comment, or by the member that says so."""
    name = FILES["aff4"]
    for comment, members in (
        (name, (("data/0", SEALED),)),
        (b"", (("container.description", name), ("data/0", SEALED))),
    ):
        data = zipped(*members, ("core", CORE), comment=comment)
        assert codes(opened(data)[0]) == {"unopened"}
    assert codes(opened(zipped(("core", CORE), comment=b"see aff4://"))[0]) == set()


@limits(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.data())
def test_any_damage(name: str, data: st.DataObject) -> None:
    """Whatever is cut or changed, nothing raises."""
    whole = bytearray(FILES[name])
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(0, 255))
    told(bytes(whole[: data.draw(st.integers(0, len(whole)))]))


@pytest.mark.parametrize("bits", range(9, 16))
@pytest.mark.parametrize("level", [0, 1, 6, 9])
def test_zlib_of_any_window(bits: int, level: int) -> None:
    """A zlib stream is told whatever its window and level; words that begin so are none."""
    coder = zlib.compressobj(level, wbits=bits)
    packed = coder.compress(CORE) + coder.flush()
    assert codecs.sniff_layer(packed[: codecs.HEAD]) == "zlib"
    assert codecs.sniff_layer(packed[:2] + b"and words and words " * 9) in {None, "zlib"}


@pytest.mark.parametrize("head", [b"HK", b"Hj", b"(S", b"8O", b"h\x05", b"X\x85", b"\x08\x1d"])
def test_what_begins_like_zlib(head: bytes) -> None:
    """Two bytes that may begin a stream make none."""
    for rest in (b" words and words" * 9, bytes(200), SEALED[:200], b"\xff" * 200, b"\1\0" * 99):
        assert codecs.sniff_layer(head + rest) is None
