"""Crash reports of Unreal Engine: a minidump, a log and more, one behind the other.

Within its zlib stream a report begins with two names of 260 bytes, a size and the number of its
files; each of these has a number, a name of 260 bytes, a size and its bytes. Where the writer did
not know the count in time, the same header follows the last file (so in real reports). This module
exists because the minidump in it is bytes to everybody else.
"""

import struct
from collections.abc import Iterator

from scanner.dump.archives.archive import MAX_MEMBERS, Archive, Member, member_name

_NAME = 260
_LENGTH = struct.pack("<I", _NAME)
_HEAD = struct.Struct(f"<4x{_NAME}s4x{_NAME}s2I")
_FILE = struct.Struct(f"<2I{_NAME}sI")


def sniff(head: bytes) -> bool:
    """Tell a report by the lengths of its names, and by a first one that is text."""
    if head[:4] != _LENGTH or head[4 + _NAME : 8 + _NAME] != _LENGTH:
        return False
    name = head[4 : 4 + _NAME].rstrip(b"\0")
    return name.isascii() and name.decode("ascii").isprintable()


def read(archive: Archive) -> Iterator[Member]:
    """Yield the files of a report."""
    file, at = archive.file, _HEAD.size
    if file.size < at:
        archive.fault("truncated-archive", "The report has no whole header.")
        return
    told: int = _HEAD.unpack(file.read(0, at))[-1]
    for number in range(MAX_MEMBERS):
        if file.size - at < _FILE.size:
            break
        index, length, name, size = _FILE.unpack(file.read(at, _FILE.size))
        if (index, length) != (number, _NAME):
            break
        at += _FILE.size
        yield Member(name=member_name(name.split(b"\0")[0]), chunks=archive.stored(at, size))
        at += size
    else:
        archive.fault("limit-members", f"More than {MAX_MEMBERS} members.")
        return
    if file.size - at == _HEAD.size:
        told = _HEAD.unpack(file.read(at, _HEAD.size))[-1]
    elif at != file.size:
        told = -1
    archive.know(0, file.size)
    if told != number:
        archive.fault("truncated-archive", "The report does not have the files that it claims.")
