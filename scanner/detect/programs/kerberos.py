"""Kerberos keys in files: keytabs, and credential caches with the session keys of their tickets.

Sources: MIT Kerberos, "The keytab file format" (version 0502) and "Credential cache file format"
(versions 3 and 4). A keytab holds the long-term keys of services, each as good as a password; a
cache holds what its tickets are worth until they expire. How many principals there are is said,
never who they are. Entries must fill what their lengths say, and keys have the size of their
encryption type: this module looks for no bare keys.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from scanner.detect.asn1.der import Memory
from scanner.detect.cursor import Cursor, Mismatch
from scanner.detect.locked.sealed import Sealed, sealed
from scanner.model import Place
from scanner.rules import Rule

LONGEST = 64 * 1024
"""Bytes of a file that are read."""

MOST_ENTRIES = 1024

KEY_BYTES = {1: 8, 2: 8, 3: 8, 16: 24, 17: 16, 18: 32, 19: 16, 20: 32, 23: 16, 24: 16, 25: 16}
KEY_BYTES |= {26: 32}
"""Bytes of a key by encryption type (RFC 3961 section 8, RFC 3962, RFC 8009, RFC 6803)."""

_COMPONENTS = 8
_NAME_BYTES = 255
_DISTINCT = 5
_MOST_HOLES, _HOLE = 64, 1 << 31
"""Holes before the first entry of a keytab, and from where on a size is one: it is negative."""
_KEYTAB = b"\x05\x02"
_CACHE = (b"\x05\x03\0\0\0", b"\x05\x04\0\0\0\0\0")
"""Version 3, and version 4 without a header, before the type of a name."""

_GRANTING = b"\0\0\0\x06krbtgt"
_AHEAD = 2048
"""Bytes before the first ticket's server in which a cache begins: its owner's name, twice."""

_IN_KEYTAB, _IN_CACHE = 2, 4
"""Bytes of what counts a name or a key."""

_TICKET_BYTES = range(32, LONGEST)
_MOST_DATA = 64


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Keys:
    """What a file holds: keys, how many principals they belong to, and the bytes of the file."""

    keys: int
    principals: int
    bits: int
    """Of the longest key."""
    size: int


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Sealed]:
    """Yield what the keytab or the credential cache at ``offset`` holds, as one finding.

    An anchor is the beginning of a file, or the first server of a cache that grants tickets.
    """
    head = memory.clip(space, offset, len(_KEYTAB))
    if head == _KEYTAB and not _has_entry(memory, space, offset):
        return
    data = memory.clip(space, offset, LONGEST)
    if data.startswith(_GRANTING):
        first = max(offset - _AHEAD, 0)
        start = _beginning(memory.clip(space, first, offset - first))
        if start < 0:
            return
        offset = first + start
        data = memory.clip(space, offset, LONGEST)
    found = keytab(data) if data.startswith(_KEYTAB) else cache(data)
    if found is None:
        return
    name = "keytab" if data.startswith(_KEYTAB) else "credential cache"
    keys = f"{found.keys} key" + ("s" if found.keys > 1 else "")
    owners = f"{found.principals} principal" + ("s" if found.principals > 1 else "")
    yield sealed(
        rule,
        f"Kerberos {name}, {keys} of {owners}",
        Place(space=space, offset=offset, size=found.size),
        data[: found.size],
        algorithm="kerberos",
        bits=found.bits,
    )


def _has_entry(memory: Memory, space: int, offset: int) -> bool:
    """Tell whether an entry begins in a keytab, behind the holes that entries leave.

    For a few bytes: 05 02 ff ff ff is a hole, and in CPython a part of the table of a dictionary's
    keys, of which there are as many as objects of one class. Their order is a hash's, and so of one
    process in many 30,000 had each been read on, up to the limit.
    """
    at = len(_KEYTAB)
    for _ in range(_MOST_HOLES):
        head = memory.clip(space, offset + at, 8)
        size, components, name = (int.from_bytes(head[k:n]) for k, n in ((0, 4), (4, 6), (6, 8)))
        if size < _HOLE:
            return 0 < size < LONGEST and 0 < components <= _COMPONENTS and 0 < name <= _NAME_BYTES
        at += 4 + (1 << 32) - size
        if at > LONGEST:
            return False
    return False


def _beginning(lead: bytes) -> int:
    """Return where the cache begins whose first server stands right behind ``lead``; -1 if none."""
    behind = lead.rfind(_GRANTING) + 1  # the server of another ticket: what is before it is its own
    return max(lead.rfind(mark, behind) for mark in _CACHE)


def keytab(data: bytes) -> Keys | None:
    """Read the keytab at the start of ``data``; None unless its first entry is whole."""
    principals: set[bytes] = set()
    keys = bits = 0
    at = end = len(_KEYTAB)
    for _ in range(MOST_ENTRIES):
        size = int.from_bytes(data[at : at + 4], "big", signed=True)
        at += 4
        if not size or at + abs(size) > len(data):
            break
        if size > 0:
            try:
                principal, key = _entry(data[at : at + size])
            except Mismatch:
                break
            principals.add(principal)
            keys, bits = keys + 1, max(bits, 8 * key)
            end = at + size
        at += abs(size)
    if not keys:
        return None
    return Keys(keys=keys, principals=len(principals), bits=bits, size=end)


def _entry(data: bytes) -> tuple[bytes, int]:
    """Read one entry: the bytes of its principal, and those of its key."""
    fields = Cursor(data)
    components = fields.number(2)
    if not 1 <= components <= _COMPONENTS:
        raise Mismatch
    for _ in range(components + 1):
        _name(fields, _IN_KEYTAB)
    principal = data[: fields.at]
    fields.raw(4 + 4 + 1)  # name type, time, key version
    size = _key(fields, fields.number(2), _IN_KEYTAB)
    if len(data) - fields.at not in (0, 4, 8):  # key version in 32 bits, flags
        raise Mismatch
    return principal, size


def _name(fields: Cursor, width: int, *, empty: bool = False) -> bytes:
    """Return the next counted text: printable bytes."""
    found = fields.counted(width, _NAME_BYTES)
    if not (found or empty) or (found and min(found) < 0x20):
        raise Mismatch
    return found


def _key(fields: Cursor, kind: int, width: int) -> int:
    """Pass over a counted key of an encryption type, and return its bytes."""
    key = fields.counted(width)
    if len(key) != KEY_BYTES.get(kind) or len(set(key)) < _DISTINCT:
        raise Mismatch
    return len(key)


def cache(data: bytes) -> Keys | None:
    """Read the credential cache at the start of ``data``; None unless a session key is whole."""
    version = data[1:2]
    fields = Cursor(data, 2)
    principals: set[bytes] = set()
    keys = bits = end = 0
    try:
        if version == b"\x04":
            fields.counted(2)
        _principal(fields)
        for _ in range(MOST_ENTRIES):
            owner, key = _credential(fields, double=version == b"\x03")
            if key:
                principals.add(owner)
                keys, bits, end = keys + 1, max(bits, 8 * key), fields.at
    except Mismatch:
        pass
    if not keys:
        return None
    return Keys(keys=keys, principals=len(principals), bits=bits, size=end)


def _principal(fields: Cursor) -> bytes:
    start = fields.at
    fields.raw(4)
    if not 1 <= (components := fields.number(4)) <= _COMPONENTS:
        raise Mismatch
    for _ in range(components + 1):
        _name(fields, _IN_CACHE, empty=True)
    return fields.data[start : fields.at]


def _credential(fields: Cursor, *, double: bool) -> tuple[bytes, int]:
    """Read one credential: whose it is, and the bytes of its session key, 0 for a setting."""
    owner = _principal(fields)
    _principal(fields)
    kind = fields.number(2)
    if double:
        fields.raw(2)
    if kind:
        size = _key(fields, kind, _IN_CACHE)
    else:
        size = len(fields.counted(_IN_CACHE))
        if size:
            raise Mismatch
    fields.raw(16)  # four times
    if fields.number(1) > 1:
        raise Mismatch
    fields.raw(4)
    for _ in range(2):  # addresses, authorization data
        if (count := fields.number(4)) > _MOST_DATA:
            raise Mismatch
        for _ in range(count):
            fields.raw(2)
            fields.counted(_IN_CACHE)
    ticket = fields.counted(_IN_CACHE)
    fields.counted(_IN_CACHE)
    if size and (len(ticket) not in _TICKET_BYTES or ticket[:1] != b"\x61"):
        raise Mismatch
    return owner, size
