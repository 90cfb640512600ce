"""Envelopes of Sentry: a line of JSON, then items, each behind a line of JSON of its own.

An item is as long as its line says, or ends with its line (develop.sentry.dev, "Envelopes"); an
attachment may be a minidump. This module exists because a dump behind lines of text is bytes to
everybody else. It refuses to go on where an item has no header: what follows is nobody's.
"""

import json
import re
from collections.abc import Iterator

from scanner.dump.archives.archive import MAX_MEMBERS, Archive, Member, member_name
from scanner.dump.source import CHUNK, File

MAX_LINE = 1 << 20
"""Bytes of a header."""
FIRST = 4 << 10
"""Bytes in which the end of a line is sought first."""

_OWN = frozenset(("event_id", "dsn", "sdk", "sent_at", "trace"))
"""What the first line may say."""
_LONG = re.compile(
    rb'\{\s*"(?:event_id|dsn|sdk|sent_at|trace)"[^\n]*'
    rb'(?:"https?://[0-9a-f]{32}@|"name"\s*:\s*"sentry\.|"public_key"\s*:\s*"[0-9a-f]{32}")'
)
"""What a first line says that is longer than what a kind is told by."""
_FIRST = (b'{"type":', b'{"length":')
_WHOLE = 500
"""Bytes of which, where there are more, a file's first lines may have been cut off."""
_ITEM = re.compile(rb'\{[^\n]*"type"\s*:\s*"[a-z_]{1,40}"')
_SIZED = re.compile(rb'\{[^\n]*"length"\s*:\s*[0-9]')
_TYPES = re.compile(
    rb'"type"\s*:\s*"(?:event|transaction|attachment|sessions?|log|span|check_in|statsd|feedback'
    rb'|profile(?:_chunk)?|replay_(?:event|recording)|client_report|user_report)"'
)


def sniff(head: bytes) -> bool:
    """Tell an envelope by what its first line has, and by the header of an item behind it."""
    if head[:1] != b"{":
        return False
    first, end, rest = head.partition(b"\n")
    if not end:
        return _LONG.match(head) is not None
    own = _json(first)
    if own is None or "type" in own or (own and not own.keys() & _OWN):
        return False
    second, end, _ = rest.partition(b"\n")
    if not end and len(head) > _WHOLE:  # cut
        return bool(own) and any(word[: len(second)] == second[: len(word)] for word in _FIRST)
    sized = _SIZED.match(second) or _TYPES.search(second)
    return _ITEM.match(second) is not None and sized is not None


def read(archive: Archive) -> Iterator[Member]:
    """Yield the items."""
    file = archive.file
    at = _end_of_line(file, 0)
    if at > MAX_LINE or _json(file.read(0, at)) is None:
        archive.fault("corrupt-archive", "The envelope has no header.")
        return
    archive.know(0, at)
    for _ in range(MAX_MEMBERS):
        if at >= file.size or file.read(at, 1) != b"{":
            return  # empty lines, or what is no item
        start = _end_of_line(file, at)
        item = _json(file.read(at, start - at)) if start - at <= MAX_LINE else None
        if item is None or not isinstance(kind := item.get("type"), str):
            archive.fault("corrupt-archive", "An item of the envelope has no header.")
            return
        archive.know(at, start - at)
        size, name = item.get("length"), item.get("filename")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            end = _end_of_line(file, start)
            size = end - start - (file.read(end - 1, 1) == b"\n")
        if size:
            label = name if isinstance(name, str) and name else kind
            named = member_name(label.encode("utf-8", "replace"))
            yield Member(name=named, chunks=archive.stored(start, size))
        at = start + size
        if at < file.size and file.read(at, 1) != b"\n":
            archive.fault("corrupt-archive", "An item is not as long as its header says.")
            return
        archive.know(at, 1)
        at += 1
    archive.fault("limit-members", f"More than {MAX_MEMBERS} members.")


def _end_of_line(file: File, at: int) -> int:
    """Return the offset behind the next end of a line, or that of the file's end."""
    step = FIRST
    while at < file.size:
        found = file.read(at, min(step, file.size - at)).find(b"\n")
        if found >= 0:
            return at + found + 1
        at, step = at + step, CHUNK
    return file.size


def _json(line: bytes) -> dict[str, object] | None:
    """Return an object of JSON, None where a line is none."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
