"""All that one file holds: layers undone, archives opened, down to what is neither.

What was decoded lies in one spill file. Each member that is a dump is a dump of its own, a range
of it; everything else (members of other kinds, headers, names, comments, padding) is the content of
the archive itself, and is swept as it stands. Strays, which trail a stream or lie in a gap of an
archive, are opened like members. This module exists so that every byte belongs to one of them;
bounds are on bytes, depth and counts, never on ratios. It refuses to pass over what it knows and
cannot open, and strays that it does not know: that is a fault.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

from scanner.dump import archives, trailing, unpack
from scanner.dump.archives.archive import MAX_MEMBERS, Archive
from scanner.dump.source import CHUNK, File, Pieces
from scanner.dump.storage import Spill
from scanner.dump.trailing import HEAD, NOTHING
from scanner.model import Fault

MAX_DEPTH = 8
"""Archives within archives, and streams that trail streams with something between them."""
MAX_DUMPS = 512
"""Members that are scanned as dumps of their own."""
BEHIND = "bytes behind"
"""What trails a stream or a dump is called so, behind the name of its file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A dump within an archive: a range of the spill file."""

    name: str
    """The names of the members that lead to it, joined by ``!``, as the archives spell them."""
    layers: tuple[str, ...]
    """Archives and layers that were undone, outermost first."""
    pieces: Pieces
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What one file holds."""

    layers: tuple[str, ...]
    archive: str
    """The kind of the outermost archive; empty where there is none."""
    dump: bool
    """That archive is a dump itself, of a kind whose contents are known."""
    pieces: Pieces
    """All that is no dump of its own; without an archive, everything."""
    size: int
    faults: tuple[Fault, ...]
    members: tuple[Part, ...]


def expand(
    given: File | Iterator[bytes],
    spill: Spill,
    *,
    scratch: Callable[[], Spill],
    is_dump: Callable[[File], bool],
    max_bytes: int,
) -> Contents:
    """Open everything that a file or stream holds into a spill file.

    ``scratch`` makes further spill files, for archives within; they are closed here. Raises
    Unreadable where the input cannot be read or a spill file cannot be written.
    """
    spill.clear()
    expander = _Expander(spill, scratch, is_dump, max_bytes)
    if isinstance(given, File):
        kind = archives.sniff(given.read(0, min(HEAD, given.size)))
        if kind is not None:
            layers: tuple[str, ...] = (kind.name,)
            expander.archive(given, kind, "", layers)
            spill.finish()
            return expander.contents(layers, kind.name)
    chunks = given.chunks() if isinstance(given, File) else given
    layers, name = expander.stream(chunks, "", ())
    spill.finish()
    return expander.contents(layers, name)


class _Expander:
    """Walks down from one input, and remembers what became of its bytes."""

    def __init__(
        self,
        spill: Spill,
        scratch: Callable[[], Spill],
        is_dump: Callable[[File], bool],
        max_bytes: int,
    ) -> None:
        self._spill, self._scratch, self._is_dump = spill, scratch, is_dump
        self._room = max_bytes
        self._count = 0
        self._depth = 0
        self._behind = 0
        """Streams whose strays are being opened, each of them one that trails another."""
        self._rest: list[tuple[int, int]] = []
        self._faults: dict[tuple[str, str], Fault] = {}
        self._members: list[Part] = []

    def contents(self, layers: tuple[str, ...], archive: str) -> Contents:
        """Return what was found."""
        return Contents(
            layers=layers,
            archive=archive,
            dump=any(kind.name == archive and kind.dump for kind in archives.KINDS),
            pieces=tuple(self._rest),
            size=sum(size for _, size in self._rest),
            faults=tuple(self._faults.values()),
            members=tuple(self._members),
        )

    def stream(
        self, chunks: Iterator[bytes], name: str, outer: tuple[str, ...], *, stray: bool = False
    ) -> tuple[tuple[str, ...], str]:
        """Undo the layers of a stream, and open it or keep it; return what it was made of."""
        opened = unpack.peel(chunks, max_bytes=max(self._room, 0), head=HEAD)
        inner = self._open(opened, name, outer, stray=stray)
        for behind in opened.strays:
            self._trails(behind, name, outer)
        return inner

    def _trails(
        self, chunks: Iterator[bytes], name: str, layers: tuple[str, ...], said: str = BEHIND
    ) -> None:
        """Open what trails a stream or a dump, unless too many do so in turn."""
        self._behind += 1
        if self._behind > MAX_DEPTH:
            self._fault("limit-depth", f"More than {MAX_DEPTH} streams trail each other.")
            self._keep(chunks)
        else:
            self._stray(chunks, f"{name}!{said}" if name else said, layers)
        self._behind -= 1

    def _open(
        self, opened: unpack.Opened, name: str, outer: tuple[str, ...], *, stray: bool
    ) -> tuple[tuple[str, ...], str]:
        """Open what lies below the layers of a stream."""
        layers = outer + opened.layers
        kind = archives.sniff(opened.head)
        if kind is not None and self._depth == MAX_DEPTH:
            self._fault("limit-depth", f"More than {MAX_DEPTH} archives within each other.")
            kind = None
        if kind is None:
            self._leaf(opened, name, layers, stray=stray)
            return layers, ""
        layers = (*layers, kind.name)
        with closing(self._scratch()) as temporary:
            self._copy(opened.pieces, temporary)
            temporary.finish()
            self._note(opened.faults)
            self.archive(File(temporary.fd), kind, name, layers)
        self._keep(iter(opened.aside))
        return layers, kind.name

    def archive(self, file: File, kind: archives.Kind, name: str, layers: tuple[str, ...]) -> None:
        """Open the members of an archive, and keep what none of them took."""
        archive = Archive(file)
        self._depth += 1
        for member in kind.read(archive):
            self._count += 1
            if self._full():
                break
            path = f"{name}!{member.name}" if name else member.name
            if member.stray:
                self._stray(member.chunks, path, layers)
            else:
                self.stream(member.chunks, path, layers)
        doubted = bool(archive.faults)
        self._note(archive.faults)
        for start, size in archive.left():
            self._keep(file.chunks(start, start + size))
        for start, size in archive.gaps():
            chunks = file.chunks(start, start + size)
            if start == 0:  # it begins as the archive does, and would be opened for ever
                self._keep(chunks)
                if not doubted:
                    self._unknown()
                continue
            path = f"{name}!bytes at {start}" if name else f"bytes at {start}"
            self._stray(chunks, path, layers, doubted=doubted)
        self._depth -= 1
        behind = trailing.behind_text(file) if kind.text else None
        if behind is not None:
            self._trails(file.chunks(*behind), name, layers)

    def _full(self) -> bool:
        """Tell whether nothing more is opened: that is a fault."""
        if self._count > MAX_MEMBERS:
            self._fault("limit-members", f"More than {MAX_MEMBERS} members in all.")
        if self._room <= 0:
            self._fault("limit-bytes", "The archive holds more than may be decoded.")
        return self._count > MAX_MEMBERS or self._room <= 0

    def _stray(
        self, chunks: Iterator[bytes], name: str, layers: tuple[str, ...], *, doubted: bool = False
    ) -> None:
        """Open bytes that belong to nothing, like a member; zeros and empty lines are padding.

        What is not known is a fault, unless the archive is ``doubted`` as it is.
        """
        rest = b""
        for chunk in chunks:
            rest = chunk.lstrip(NOTHING)
            self._keep(iter((chunk[: len(chunk) - len(rest)],)))
            if rest:
                break
        chunks = itertools.chain((rest,), chunks)
        self._count += bool(rest)
        if rest and not self._full():
            self.stream(chunks, name, layers, stray=not doubted)
        else:
            self._keep(chunks)

    def _leaf(
        self, opened: unpack.Opened, name: str, layers: tuple[str, ...], *, stray: bool
    ) -> None:
        """Keep what holds nothing else: as a dump of its own, or with the rest."""
        start = self._spill.size
        self._copy(itertools.chain(opened.pieces, opened.aside), self._spill)
        piece = (start, self._spill.size - start)
        within = self._depth > 0 or stray
        own = within and self._held(piece)
        if own and len(self._members) == MAX_DUMPS:
            self._fault("limit-dumps", f"More than {MAX_DUMPS} dumps; the rest are swept raw.")
            own = False
        if own:
            self._members.append(
                Part(name=name, layers=layers, pieces=(piece,), faults=tuple(opened.faults))
            )
        else:
            self._rest += [piece] if piece[1] else []
            self._note(opened.faults)
            unopened = self._unopened(piece) if within else None
            if unopened is not None:
                self._fault("unopened", f"A member is {unopened}, which is not opened.")
            elif stray and not opened.layers:
                self._unknown()
        decoded = piece[1] - sum(map(len, opened.aside))
        self._packed_behind((start, max(decoded, 0)), name, layers)

    def _packed_behind(self, piece: tuple[int, int], name: str, layers: tuple[str, ...]) -> None:
        """Open what is packed behind the end of a dump or in its slack, which it keeps."""
        self._spill.finish()
        file = File(self._spill.fd, (piece,))
        for start, end in trailing.find(file):
            said = BEHIND if end == file.size else f"bytes at {start}"
            self._trails(file.chunks(start, end), name, layers, said)

    def _unknown(self) -> None:
        text = "Bytes are of no stream or member, and what they hold is not known."
        self._fault("stray-bytes", text)

    def _unopened(self, piece: tuple[int, int]) -> str | None:
        """Name what was copied last, where it is known and not opened."""
        self._spill.finish()
        return archives.sniff_unopened(File(self._spill.fd, (piece,)))

    def _held(self, piece: tuple[int, int]) -> bool:
        """Tell whether what was copied last is a dump."""
        self._spill.finish()
        return self._is_dump(File(self._spill.fd, (piece,)))

    def _keep(self, pieces: Iterator[bytes]) -> None:
        start = self._spill.size
        self._copy(pieces, self._spill)
        size = self._spill.size - start
        if size and self._rest and sum(self._rest[-1]) == start:
            self._rest[-1] = (self._rest[-1][0], self._rest[-1][1] + size)
        elif size:
            self._rest.append((start, size))

    def _copy(self, pieces: Iterator[bytes], spill: Spill) -> None:
        """Write small pieces many at a time: each write asks what room the disk has."""
        held = bytearray()
        try:
            for piece in pieces:
                held += piece
                if len(held) >= CHUNK:
                    full, held = bytes(held), bytearray()
                    self._write(full, spill)
        finally:
            self._write(bytes(held), spill)

    def _write(self, piece: bytes, spill: Spill) -> None:
        spill.write(piece)
        self._room -= len(piece)

    def _note(self, faults: list[Fault]) -> None:
        for fault in faults:
            self._faults.setdefault((fault.code, fault.text), fault)

    def _fault(self, code: str, text: str) -> None:
        self._note([Fault(code=code, text=text)])
