"""What is compressed, encrypted or an archive, and is not opened here: told, to be said.

Most kinds have a magic number at their start. The others are told by more than that: two or three
bytes prove nothing, so what follows them must be as the format has it. Disks and file systems have
a table of their own. This module exists because a dump in such a file is opaque, and a sweep of its
bytes worth nothing; it refuses to guess: whatever else begins so is bytes like any other.
"""

import base64
import binascii
import re
import struct
import zlib
from collections.abc import Callable

from scanner.dump.archives import disks
from scanner.dump.source import File

_HEAD = 512
_TAIL = (1 << 16) + 22
"""Bytes in which the end of a ZIP archive lies."""

_MAGICS: tuple[tuple[str, bytes], ...] = (
    ("7z", b"7z\xbc\xaf\x27\x1c"),
    ("rar", b"Rar!\x1a\x07"),
    ("ar", b"!<arch>\n"),
    ("cpio", b"070701"),
    ("cpio", b"070702"),
    ("cpio", b"070707"),
    ("rpm", b"\xed\xab\xee\xdb"),
    ("lzop", b"\x89LZO\0\r\n\x1a\n"),
    ("lzip", b"LZIP"),
    ("compress", b"\x1f\x9d"),
    ("pack", b"\x1f\x1e"),
    ("lz4 (legacy)", b"\x02\x21\x4c\x18"),
    ("squashfs", b"hsqs"),
    ("xar", b"xar!"),
    ("LUKS", b"LUKS\xba\xbe"),
    ("age", b"age-encryption.org/"),
    ("PGP message", b"-----BEGIN PGP MESSAGE"),
    ("OpenSSL enc", b"Salted__"),
    ("diskdump", b"DISKDUMP"),
    ("sadump", b"sadump\0\0"),
    ("sadump", b"sadu"),
    ("VirtualBox save", b"\x7fVirtualBox SavedState V"),
    ("hibernation", b"hibr"),
    ("hibernation", b"HIBR"),
    ("hibernation", b"RSTR"),
    ("a systemd journal", b"LPKSHHRH"),
    ("perf.data", b"PERFILE2"),
    ("Xen save", b"Xen saved domain, "),
    ("Xen save", b"LinuxGuestRecord"),
    ("Xen save", b"\xff\xff\xff\xff\xff\xff\xff\xffXENF"),
    ("AFF4", b"aff4://"),
    ("WIM", b"MSWIM\0\0\0"),
    ("EWF", b"EVF\t\r\n\xff\0"),
    ("EWF", b"EVF2\r\n\x81"),
    ("EWF", b"LVF\t\r\n\xff\0"),
    ("EWF", b"LEF2\r\n\x81"),
    ("QCOW", b"QFI\xfb"),
    ("VMDK", b"KDMV"),
    ("VHDX", b"vhdxfile"),
    ("SZDD", b"SZDD\x88\xf0'3"),
    ("KWAJ", b"KWAJ\x88\xf0'\xd1"),
    ("lrzip", b"LRZI\0"),
    ("CRX", b"Cr24\2\0\0\0"),
    ("CRX", b"Cr24\3\0\0\0"),
    ("LZFSE", b"bvx"),
    ("pbzx", b"pbzx"),
    ("zpaq", b"7kSt\xa01\x83\xd3"),
    ("zpaq", b"zPQ\1"),
    ("zpaq", b"zPQ\2"),
    ("shar", b"#!/bin/sh\n# This is a shell archive"),
    ("zip", b"PK\7\x08"),
    ("zip", b"PK00"),
)
"""Name, and the first bytes."""


def sniff_unopened(file: File) -> str | None:
    """Name what is known not to be opened here."""
    head = file.read(0, min(_HEAD, file.size))
    named = next((name for name, magic in _MAGICS if head.startswith(magic)), None)
    named = named or next((name for name, tells in _TOLD if tells(file, head)), None)
    return named or _disk(file)


def _disk(file: File) -> str | None:
    foot = min(file.size, 512)
    head = file.read(0, min(file.size, disks.REACH))
    return disks.sniff_disk(head, file.read(file.size - foot, foot), file.size)


# --- encrypted ----------------------------------------------------------------------------------

_CMS = re.compile(
    rb"\x30(?:[\0-\x80]|\x81.|\x82..|\x83...|\x84....)\x06"
    rb"(?:\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07[\x03\x06]"  # EnvelopedData, EncryptedData
    rb"|\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01[\x09\x17])",  # compressed, authenticated
    re.DOTALL,
)
_CMS_TEXT = re.compile(rb"-----BEGIN (?:CMS|PKCS7)-----\r?\n([A-Za-z0-9+/]{40,})")
_FIELD = re.compile(rb"[A-Za-z-]{1,40}: ")
_SMIME = re.compile(
    rb"(?im)^content-type:\s*application/(?:x-)?pkcs7-mime;[^\n]*(?:\n[ \t][^\n]*)*?"
    rb"smime-type=\"?(?:enveloped|authenveloped|encrypted|compressed)-data"
)
_KEY, _PASSWORD, _SEALED, _SEALED_WHOLE, _AEAD = 1, 3, 9, 18, 20
"""Tags of OpenPGP packets (RFC 9580 5; 20 is GnuPG's own)."""


def _is_cms(_: File, head: bytes) -> bool:
    """Tell CMS (RFC 5652) by the type of its content, as DER or as text."""
    if text := _CMS_TEXT.match(head):
        try:
            head = base64.b64decode(text[1][: len(text[1]) & ~3])
        except binascii.Error:
            return False
    return _CMS.match(head) is not None


def _is_smime(_: File, head: bytes) -> bool:
    """Tell an encrypted message (RFC 8551 3.2) by the fields of its head."""
    return _FIELD.match(head) is not None and _SMIME.search(head) is not None


def _is_openpgp(file: File, head: bytes) -> bool:
    """Tell an encrypted or packed OpenPGP message by its first two packets."""
    if head[:1] == b"\xa3" and head[1:2] in (b"\1", b"\2", b"\3"):  # compressed, to the end
        return _inflates(head[1], head[2:])
    packet = _packet(file, 0)
    if packet is None:
        return False
    tag, start, size = packet
    body = file.read(start, min(16, file.size - start)) if start < file.size else b""
    if tag in {_KEY, _PASSWORD}:
        behind = _packet(file, start + size) if size else None
        sealed = behind is not None and behind[0] in {
            _KEY,
            _PASSWORD,
            _SEALED,
            _SEALED_WHOLE,
            _AEAD,
        }
        return sealed and _wraps_key(tag, body)
    if tag in {_SEALED_WHOLE, _AEAD} and body[:1] not in (b"\1", b"\2"):
        return False
    return tag in {_SEALED, _SEALED_WHOLE, _AEAD} and _reaches_the_end(file, start, size)


def _packet(file: File, at: int) -> tuple[int, int, int] | None:
    """Return tag, offset and size of a packet's body (4.2); a size of 0 is not known."""
    head = file.read(at, min(6, file.size - at)) if at < file.size else b""
    if len(head) < 3 or not head[0] & 0x80:
        return None
    if not head[0] & 0x40:
        tag, width = head[0] >> 2 & 0xF, (1, 2, 4, 0)[head[0] & 3]
        return tag, at + 1 + width, int.from_bytes(head[1 : 1 + width], "big")
    tag, first = head[0] & 0x3F, head[1]
    if first < 192:
        return tag, at + 2, first
    if first < 224:
        return tag, at + 3, (first - 192 << 8) + head[2] + 192
    if first < 255:
        return tag, at + 2, 0
    return tag, at + 6, int.from_bytes(head[2:6], "big")


def _wraps_key(tag: int, body: bytes) -> bool:
    """Tell the body of a packet that holds a session key (5.1, 5.3)."""
    if len(body) < 10:
        return False
    if tag == _KEY:
        return (body[0] == 3 and body[9] in _ALGORITHMS) or (body[0] == 6 and body[2] in {4, 6})
    if body[0] == 4:
        return 1 <= body[1] <= 13 and body[2] in {0, 1, 3, 4}
    return body[0] in {5, 6} and 1 <= body[1] <= 33


_ALGORITHMS = frozenset((1, 2, 3, 16, 18, 20, 22, 25, 26, *range(28, 40)))


def _reaches_the_end(file: File, start: int, size: int) -> bool:
    """Tell whether a packet is all that a file holds: as one, or in parts (4.2.1.4)."""
    if size:
        return start + size == file.size
    at = start - 1
    for _ in range(4):
        if at >= file.size:
            return False
        first = file.read(at, 1)[0]
        if not 224 <= first < 255:
            packet = _packet_size(file, at)
            return packet == file.size
        at += 1 + (1 << (first & 0x1F))
    return True


def _packet_size(file: File, at: int) -> int:
    """Return the offset behind the last part of a packet."""
    head = file.read(at, min(5, file.size - at)).ljust(5, b"\0")
    if head[0] < 192:
        return at + 1 + head[0]
    if head[0] < 224:
        return at + 2 + (head[0] - 192 << 8) + head[1] + 192
    return at + 5 + int.from_bytes(head[1:5], "big")


def _inflates(kind: int, data: bytes) -> bool:
    """Tell whether bytes begin a stream of the kind that OpenPGP calls 1, 2 or 3 (9.4)."""
    if kind == 3:
        return data[:3] == b"BZh"
    decoder = zlib.decompressobj(-15 if kind == 1 else 15)
    try:
        return bool(decoder.decompress(data))
    except zlib.error:
        return False


# --- archives, memory, text ---------------------------------------------------------------------

_UUENCODED = re.compile(
    rb"begin(?P<base64>-base64)? [0-7]{3,4} [^\r\n]{1,255}\r?\n(?(base64)[A-Za-z0-9+/]|[!-`])"
)
_MAIL = re.compile(rb"(?:From [^\n]*\n)?[A-Za-z-]{1,40}:[ \t]")
_MIME = re.compile(rb"(?im)^mime-version:")
_ENCODED = re.compile(rb"(?im)^content-transfer-encoding:[ \t]*\"?(?:base64|(?:x-)?uuencode)")
_MAIL_HEAD, _MAIL_PARTS = 64 << 10, 1 << 20
"""Bytes of a mail in which its version stands, and in which a part of it is told to be encoded."""
_RECORD = re.compile(rb"(:|S[0-35-9]|%)([0-9A-F]{8,600})\r?\n(?:[:S%@]|$)")
_VERILOG = re.compile(rb"@[0-9A-F]{8,16}\r?\n(?:[0-9A-F]{2} ){4,}[0-9A-F]{2}")
_CPIO = struct.Struct("13H")
_LOG = 256 << 10
"""Bytes of a text in which a debugger is looked for that printed memory."""
_WORD = rb"(?:0x)?[0-9a-f]{8}(?:`?[0-9a-f]{8})?(?![0-9a-z`])"
_ROW = re.compile(
    rb"(?im)^[ \t]{0,16}(?:0x)?([0-9a-f]{8}`?[0-9a-f]{8}|[0-9a-f]{4,16})(?:[ \t]<[^>\n]{1,200}>)?"
    rb"(?::[ \t]*|[ \t]+)(%b(?:[ \t]{1,4}%b){0,15})" % (_WORD, _WORD)
)
_LEAST_ROWS, _LEAST_PRINTED = 8, 128
"""Lines, and bytes in them, that follow each other in address."""


def _is_cpio(_: File, head: bytes) -> bool:
    """Tell a binary cpio archive of either byte order by the first header, and the name in it."""
    order = {b"\xc7\x71": "<", b"\x71\xc7": ">"}.get(head[:2])
    if order is None or len(head) < 28:
        return False
    fields = struct.unpack_from(f"{order}13H", head)
    mode, size = fields[3], fields[10]
    name = head[26 : 26 + size]
    kinds = {0o4, 0o10, 0o12, 0o2, 0o6, 0o1, 0o14}
    return mode >> 12 in kinds and 2 <= size <= 255 and name.find(b"\0") == size - 1


def _is_lzma(_: File, head: bytes) -> bool:
    """Tell LZMA alone by its properties, a large dictionary, and a zero: its range coder begins so.

    Three bytes are a count of 93 as well.
    """
    return head[:3] == b"\x5d\0\0" and head[13:14] == b"\0"


def _is_hibernation(_: File, head: bytes) -> bool:
    """Tell hiberfil.sys from which a system woke: four letters, a type or version below 16."""
    binary = len(head) == _HEAD and head[4] < 16 and not any(head[5:8])
    return binary and head[:4] in (b"WAKE", b"wake")


def _is_lz4_java(_: File, head: bytes) -> bool:
    """Tell blocks of lz4-java's LZ4BlockOutputStream by the method of the first."""
    return head[:8] == b"LZ4Block" and len(head) > 8 and head[8] & 0xF0 in {0x10, 0x20}


def _is_uuencoded(_: File, head: bytes) -> bool:
    """Tell text of uuencode by its first line."""
    return _UUENCODED.match(head) is not None


def _is_mail(file: File, head: bytes) -> bool:
    """Tell a mail (RFC 2045) with a part in base64: what is attached to it is packed so."""
    if not _MAIL.match(head) or not _MIME.search(file.read(0, min(_MAIL_HEAD, file.size))):
        return False
    return _ENCODED.search(file.read(0, min(_MAIL_PARTS, file.size))) is not None


def _is_records(_: File, head: bytes) -> bool:
    """Tell memory as records of hex by the first one: its count, and but for Tektronix' its sum."""
    match = _RECORD.match(head)
    if match is None:
        return _VERILOG.match(head) is not None
    mark, digits = match.groups()
    if mark == b"%":
        return len(digits) == int(digits[:2], 16) and digits[2:3] in b"368"
    data = bytes.fromhex(digits[: len(digits) & ~1].decode())
    behind, total = (5, 0) if mark == b":" else (1, 0xFF)
    return len(data) == data[0] + behind and sum(data) & 0xFF == total


def _is_printed(file: File, head: bytes) -> bool:
    """Tell memory that a debugger printed as words of four or eight bytes, by its addresses.

    Each follows from the one before it and the words behind that. Seen in logs of gdb (x/32wx),
    lldb and WinDbg (dd, dq), each of which says other things before.
    """
    if b"\0" in head:
        return False
    rows = printed = expected = 0
    for match in _ROW.finditer(file.read(0, min(_LOG, file.size))):
        address = int(match[1].replace(b"`", b""), 16)
        words = re.sub(rb"0x|`", b"", match[2].lower()).split()
        size = sum(map(len, words)) // 2
        rows, printed = (rows + 1, printed + size) if address == expected else (1, size)
        if rows >= _LEAST_ROWS and printed >= _LEAST_PRINTED:
            return True
        expected = address + size
    return False


def _ends_as_zip(file: File, _: bytes) -> bool:
    """Tell a ZIP archive behind other bytes, as one that unpacks itself, by its directory."""
    start = max(file.size - _TAIL, 0)
    tail = file.read(start, file.size - start)
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) - at < 22:
        return False
    size = int.from_bytes(tail[at + 12 : at + 16], "little")
    place = start + at - size
    return 46 <= size <= start + at and file.read(place, 4) == b"PK\1\2"


_Tells = Callable[[File, bytes], bool]

_TOLD: tuple[tuple[str, _Tells], ...] = (
    ("an OpenPGP message", _is_openpgp),
    ("CMS", _is_cms),
    ("S/MIME", _is_smime),
    ("cpio", _is_cpio),
    ("lzma", _is_lzma),
    ("hibernation", _is_hibernation),
    ("lz4-java", _is_lz4_java),
    ("uuencode", _is_uuencoded),
    ("a mail with something attached", _is_mail),
    ("memory as records of hex", _is_records),
    ("memory as a debugger prints it", _is_printed),
    ("a ZIP archive behind other bytes", _ends_as_zip),
)
