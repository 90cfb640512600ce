"""Memory in a checkpoint of CRIU: pages in one image, and where they were in another.

``pages-N.img`` is pages and nothing else, in the order of ``pagemap-PID.img``, which has numbers in
protobuf (images/pagemap.proto) and says in its first record which N; ``core-TID.img`` has vector
registers word by word. This module exists because none of them is a dump by itself: where an
archive has pages and their map, they come out behind the head of an ELF core. It refuses to look
for images outside of the archive, and to guess where pages were.
"""

import re
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from scanner.dump.archives import cores
from scanner.dump.archives.archive import Archive, Member

MAX_MAPS = 16 << 20
"""Bytes of all maps of an archive that are read: a million runs of pages."""
MAX_RUNS = 1 << 18
"""Runs of pages that adjoin: each is a segment of the core."""
MAX_THREADS = 2048
MAX_THREAD = 64 << 10
"""Images of threads whose registers are read, and bytes of one."""
PAGES = (4096, 16384, 65536)
"""Bytes of a page, by machine."""

_IMAGE = re.compile(r"((?:.*/)?)(?:pages-([0-9]{1,10})|(pagemap)-.+|core-[0-9]{1,10})\.img")
_MAP, _CORE = (0x54564319, 0x56084025), (0x54564319, 0x55053847)
"""What images begin with, since CRIU 1.3."""
_IN_PARENT, _PRESENT = 1, 4
"""Flags of a run of pages (include/pagemap.h)."""
_VADDR, _FEW, _PARENT, _FLAGS, _MANY = range(1, 6)
"""Fields of a run of pages; _FEW is the count before CRIU 4, and has 32 bits."""
_MACHINES = {1: 62, 2: 40, 3: 183, 4: 21, 5: 22, 6: 8, 7: 258, 8: 243}
"""e_machine by the first field of a thread (images/core.proto)."""
_FLOATS, _XSAVE, _XMM, _YMM, _ZMM = (2, 3), 13, 10, 2, (6, 7)
_FLOATS_ARM, _VECTORS = (8, 4), 1
"""Where vector registers are in a thread (images/core-x86.proto, core-aarch64.proto)."""
_OPMASK = 64
"""Bytes before the upper halves of ZMM registers in an area of AMD's; they hold no value."""
_NT_FPREGSET, _NT_X86_XSTATE = 2, 0x202

_Read = Callable[[Archive], Iterator[Member]]
_Message = dict[int, list[int | bytes]]
"""A message of protobuf: by field, numbers, and bytes of messages within."""


@dataclass(slots=True)
class _Folder:
    """The images of one folder of an archive."""

    pages: list[tuple[int, Member]] = field(default_factory=list)
    maps: list[Member] = field(default_factory=list)
    threads: list[Member] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Map:
    """What a map says of pages, in their order: address and count of each run that was written."""

    runs: list[tuple[int, int]]
    whole: bool
    """None of the process's pages lies in an earlier checkpoint."""


def joining(read: _Read) -> _Read:
    """Return a reader of archives that gives pages last, and as a core where their map is there."""

    def read_joined(archive: Archive) -> Iterator[Member]:
        folders: dict[str, _Folder] = {}
        for member in read(archive):
            match = _IMAGE.fullmatch(member.name) if member.place else None
            if match is None:
                yield member
                continue
            folder = folders.setdefault(match[1], _Folder())
            if match[2]:
                folder.pages.append((int(match[2]), member))
                continue
            (folder.maps if match[3] else folder.threads).append(member)
            yield member
        yield from _joined(archive, [folder for folder in folders.values() if folder.pages])

    return read_joined


def _joined(archive: Archive, folders: list[_Folder]) -> Iterator[Member]:
    """Yield each image of pages: behind the head of a core, or as it stands where none is known.

    Registers stand in the first core of a folder, whichever process a thread is of.
    """
    room = MAX_MAPS
    for folder in folders:
        maps: dict[int, _Map] = {}
        for member in folder.maps:
            room -= member.place[1] if member.place else 0
            if room < 0:
                archive.fault("limit-bytes", f"More than {MAX_MAPS} bytes of maps of pages.")
                break
            _read_map(archive, member, maps)
        target, notes = _threads(archive, folder.threads)
        if len({number for number, _ in folder.pages}) < len(folder.pages):
            archive.fault("corrupt-archive", "Several images of pages have one number.")
        for number, member in folder.pages:
            head = b""
            if (known := maps.pop(number, None)) is not None:
                head, notes = _head(archive, known, member, target, notes), b""
            yield Member(name=member.name, chunks=_behind(head, member.chunks))


def _behind(head: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from chunks


def _head(
    archive: Archive, known: _Map, member: Member, target: cores.Target, notes: bytes
) -> bytes:
    """Return what stands before the pages in a core; nothing where a core cannot say where."""
    size = member.place[1] if member.place else 0
    count = sum(pages for _, pages in known.runs)
    page = next((page for page in PAGES if page * count == size), PAGES[0])
    if page * count > size:
        archive.fault("truncated-archive", "An image of pages lacks some that its map names.")
    elif page * count < size:
        archive.fault("corrupt-archive", "An image has pages that its map does not name.")
    if not known.whole:
        text = "Pages of a process lie in an earlier checkpoint, and were not joined with these."
        archive.fault("unsupported", text)
    segments: list[tuple[int, int]] = []
    for address, pages in known.runs:
        held = min(pages * page, size)
        size -= held
        if segments and sum(segments[-1]) == address:
            segments[-1] = (segments[-1][0], segments[-1][1] + held)
        elif held:
            segments.append((address, held))
    if len(segments) > MAX_RUNS or any(sum(segment) > 1 << 63 for segment in segments):
        archive.fault("limit-runs", "Pages of a process have no place in one core.")
        return b""
    if not any(address for address, _ in segments):
        return b""  # shared memory, from its start on: its addresses are nobody's
    return cores.head(target, segments, notes=notes, align=PAGES[0])


def _read_map(archive: Archive, member: Member, maps: dict[int, _Map]) -> None:
    """Read a map of pages; one that cannot be read is a fault, and so are two for one image."""
    try:
        records = _records(archive, member, _MAP)
        number = _number(_message(next(records, b"")), 1)
        rows = [_row(_message(record)) for record in records]
    except ValueError:
        archive.fault("corrupt-member", "A map of pages cannot be read.")
        return
    if number in maps:
        archive.fault("corrupt-archive", "Several maps are of the same pages.")
    runs = [(address, pages) for address, pages, flags in rows if flags & _PRESENT]
    whole = not any(flags & _IN_PARENT for _, _, flags in rows)
    maps.setdefault(number, _Map(runs, whole))


def _row(message: _Message) -> tuple[int, int, int]:
    """Return address, count and flags of a run of pages. Raises ValueError."""
    if max(message, default=0) > _MANY:
        raise ValueError("packed pages, or what is not known yet")
    flags = _number(message, _FLAGS) if _FLAGS in message else _PRESENT
    if _number(message, _PARENT):  # before there were flags
        flags = _IN_PARENT
    many = _number(message, _MANY if _MANY in message else _FEW)
    return _number(message, _VADDR), many, flags


def _threads(archive: Archive, images: Sequence[Member]) -> tuple[cores.Target, bytes]:
    """Return the machine that threads ran on, and notes with their vector registers."""
    target, notes = cores.Target(), bytearray()
    if len(images) > MAX_THREADS:
        archive.fault("limit-threads", f"More than {MAX_THREADS} threads.")
    for index, member in enumerate(images[:MAX_THREADS]):
        try:
            thread = _message(next(_records(archive, member, _CORE, most=MAX_THREAD), b""))
            if index == 0:
                target = cores.Target(machine=_MACHINES.get(_number(thread, 1), 0))
            notes += _registers(target, thread)
        except ValueError:
            archive.fault("corrupt-member", "The registers of a thread cannot be read.")
    return target, bytes(notes)


def _registers(target: cores.Target, thread: _Message) -> bytes:
    """Return a note with a thread's vector registers, of x86-64 as XSAVE has them. ValueError."""
    floats = _within(thread, _FLOATS)
    if floats:
        state = _within(floats, (_XSAVE,))
        area = bytearray(576)
        area[160:416] = _words(floats, _XMM, "I").ljust(256, b"\0")[:256]
        area[512:520] = struct.pack("<Q", _number(state, 1))
        area += _words(state, _YMM, "I").ljust(256, b"\0") + bytes(_OPMASK)
        area += b"".join(_words(state, number, "Q") for number in _ZMM)
        return cores.note(target, b"LINUX", bytes(area), kind=_NT_X86_XSTATE)
    vectors = _words(_within(thread, _FLOATS_ARM), _VECTORS, "Q")
    return cores.note(target, b"CORE", vectors, kind=_NT_FPREGSET) if vectors else b""


# --- protobuf -----------------------------------------------------------------------------------


def _records(
    archive: Archive, member: Member, magic: tuple[int, int], *, most: int = MAX_MAPS
) -> Iterator[bytes]:
    """Yield the records of an image, each behind its size. Raises ValueError."""
    start, size = member.place or (0, 0)
    start = min(start, archive.file.size)
    data = archive.file.read(start, min(size, archive.file.size - start, most))
    if data[:8] != struct.pack("<2I", *magic):
        raise ValueError("no such image")
    at = 8
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4], "little")
        if end > len(data):
            raise ValueError("a record is cut")
        yield data[at + 4 : end]
        at = end


def _message(data: bytes) -> _Message:
    """Return the fields of a message. Raises ValueError."""
    found: _Message = {}
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        value: int | bytes = 0
        if kind == 0:
            value, at = _varint(data, at)
        elif kind in {1, 5}:
            at += 8 if kind == 1 else 4
        elif kind == 2:
            size, at = _varint(data, at)
            value = data[at : at + size]
            at += size
        else:
            raise ValueError("no kind of field")
        if at > len(data):
            raise ValueError("a field is cut")
        found.setdefault(key >> 3, []).append(value)
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at == len(data):
            break
        byte = data[at]
        value, at = value | (byte & 0x7F) << shift, at + 1
        if byte < 0x80:
            return value & (1 << 64) - 1, at
    raise ValueError("a number without an end")


def _number(message: _Message, number: int) -> int:
    value = message.get(number, [0])[-1]
    return value if isinstance(value, int) else 0


def _words(message: _Message, number: int, form: str) -> bytes:
    """Return the numbers of a field, each as one word, little-endian."""
    values = [value for value in message.get(number, ()) if isinstance(value, int)]
    mask = (1 << 8 * struct.calcsize(form)) - 1
    return struct.pack(f"<{len(values)}{form}", *(value & mask for value in values))


def _within(message: _Message, path: Sequence[int]) -> _Message:
    """Return the message within a message, empty where there is none. Raises ValueError."""
    for number in path:
        value = message.get(number, [b""])[-1]
        message = _message(value) if isinstance(value, bytes) else {}
    return message
