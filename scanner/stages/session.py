"""What a worker holds of one dump: open files, the address space, the anchors.

A session is made in the worker that uses it, from a target that can be pickled, and makes its parts
when they are first asked for, so that a worker which replaces a dead one goes on where that stood.
"""

import hashlib
import weakref
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property

from scanner import dump
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.anchors import AnchorSet, Sweeper, open_sweeper
from scanner.dump import (
    archives,
    codecs,
    contents,
    remote,
    source,
    space,
    storage,
    trailing,
    unexplained,
    unpack,
)
from scanner.dump.contents import Contents, Part
from scanner.dump.ledger import ledger
from scanner.dump.source import File, Identity, Pieces
from scanner.dump.space import Memory, SpaceMap
from scanner.dump.storage import Spill
from scanner.errors import SpillNeeded, Unreadable
from scanner.model import Content, Fault, Layout
from scanner.processes.handles import Handle
from scanner.rules import Rule

CONTENT_BYTES = 1 << 40
"""Most bytes that may be decoded from one input."""

SMALL = 64 << 20
"""Bytes, packed and decoded, up to which each worker decodes a file for itself: sooner done than to
start another worker, which inherits storage that all of them share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One dump, as every worker of a scan is told of it."""

    path: str
    """What reports call it, and what is opened unless one of these says otherwise."""
    url: str = ""
    """An object in a store, as it was named: may hold credentials, and is never shown."""
    stream: Handle | None = None
    """The input where it cannot be sought (stdin)."""
    spill: Handle | None = None
    """Private storage for what is decoded or cannot be sought."""
    spool_dir: str = ""
    """The directory of the spill file, whose free space is watched."""
    part: Part | None = None
    """A dump within what was decoded, where it is that which is scanned."""
    surveyed: "Survey | None" = None
    """What the first worker found out; the others need not ask again."""
    rules: tuple[Rule, ...]
    anchors: AnchorSet
    known: tuple[PublicKey, ...] = ()
    """The operator's own keys: public, like everything here."""
    token_rules: tuple[str, ...] = ()
    """Paths of the operator's own rules, in Kingfisher's format."""
    deep: bool = False
    """Spend more on what is unlikely."""
    fingerprint_key: bytes = field(default=b"", repr=False)
    """Of the HMAC that names secrets without a public half: the operator's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What a dump is, before any of its bytes is judged."""

    size: int
    """Bytes of the file given."""
    sha256: str
    """Of the file given; empty where :func:`digest` must still say it."""
    content: Content
    layout: Layout
    space_map: SpaceMap
    faults: tuple[Fault, ...]
    identity: Identity | None
    ledger: tuple[tuple[str, int], ...]
    """Bytes of each class of the content."""
    pieces: Pieces | None = None
    """Where in the spill file the content lies; None where it is the file given."""
    members: tuple[Part, ...] = ()
    """Dumps within, each to be scanned as one of its own."""


class Session:
    """The state of a worker. Holds open files: never leaves its process."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.rules = target.rules
        self.kept: dict[object, object] = {}
        """What a stage makes once for all tasks of this worker; never leaves it."""
        self.decoded = target.spill is not None
        """What the survey found in storage is there."""

    @cached_property
    def given(self) -> File:
        """The file as the operator named it."""
        known = self.target.surveyed
        return _opened(self.target, known.identity if known is not None else None)

    @cached_property
    def survey(self) -> Survey:
        """Parse the dump's tables, after undoing its compression."""
        return self.target.surveyed or _survey(self)

    @cached_property
    def content(self) -> File:
        """The bytes that are swept: the file given, or what was decoded from it."""
        survey = self.survey
        if survey.pieces is None:
            return self.given
        if not self.decoded:
            _decode_again(self, survey)
        return File(self.spill.fd, survey.pieces)

    @cached_property
    def spill(self) -> Spill:
        """Storage for what is decoded: that of the scan, or else this worker's own."""
        target = self.target
        if target.spill is not None:
            return Spill(target.spill.fd, target.spool_dir)
        spill = storage.create_spill(target.spool_dir or None)
        weakref.finalize(self, spill.close)
        return spill

    @cached_property
    def memory(self) -> Memory:
        """The dump's address space over its bytes."""
        return Memory(self.survey.space_map, self.content)

    @cached_property
    def sweeper(self) -> Sweeper:
        """The anchors of all rules, ready to run."""
        return open_sweeper(self.target.anchors)


def survey(session: Session) -> Survey:
    """Say what the dump is. Raises DumpError where the file cannot be read, and SpillNeeded."""
    return session.survey


def begin_digest(session: Session) -> None:
    """Hash the file given in a thread, beside whatever is asked for next."""
    if not session.survey.sha256:
        session.kept[begin_digest] = ThreadPoolExecutor(1).submit(
            _digest, session.target, session.survey.identity
        )


def digest(session: Session) -> str:
    """Return the SHA-256 of the file given."""
    begun = session.kept.pop(begin_digest, None)
    if isinstance(begun, Future):
        return str(begun.result())
    return session.survey.sha256 or source.digest(session.given)


def _digest(target: Target, identity: Identity | None) -> str:
    with _opened(target, identity) as file:
        return source.digest(file)


def _opened(target: Target, identity: Identity | None) -> File:
    """Open the file as the operator named it; where its identity is known, no other one."""
    file = _open(target)
    if identity is not None and identity != file.identify():
        file.close()
        raise _changed()
    return file


def _changed() -> Unreadable:
    return Unreadable(
        "the dump changed while it was read",
        reason="its size, times or inode are not what they were",
        hint="scan it again when nothing writes to it",
    )


def _open(target: Target) -> File:
    return remote.open_url(target.url) if target.url else source.open_file(target.path)


def unchanged(session: Session) -> bool:
    """Tell whether the file is still the one that was surveyed, by descriptor and by path."""
    identity = session.survey.identity
    if identity is None:
        return True
    if session.given.identify() != identity:
        return False
    with _open(session.target) as again:
        return again.identify() == identity


def _spill_needed() -> SpillNeeded:
    return SpillNeeded("this input must be copied to seekable storage first")


@dataclass(slots=True)
class _Tally:
    """Counts and hashes the bytes of a stream as they go by."""

    size: int
    sha256: "hashlib._Hash"

    def count(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.size += len(chunk)
            self.sha256.update(chunk)
            yield chunk


def _survey(session: Session) -> Survey:
    target = session.target
    if target.part is not None:
        return _survey_part(session, target.part)
    identity: Identity | None = None
    tally = _Tally(0, hashlib.sha256())
    if target.stream is not None:
        inside = _expand(session, tally.count(unpack.copy_stream(target.stream.fd)))
        size, sha256 = tally.size, tally.sha256.hexdigest()
    else:
        given = session.given
        identity, size = given.identify(), given.size
        if _archived(given):
            inside, sha256 = _expand(session, given), source.digest(given)
        elif _packed(given):
            inside = _expand(session, tally.count(given.chunks()), small=size <= SMALL)
            sha256 = tally.sha256.hexdigest() if tally.size == size else ""
        else:
            layout = _layout(given)
            if not trailing.find(given, layout):
                plain = Content(layers=(), size=size, sha256="")
                return _surveyed(given, plain, layout, size=size, identity=identity)
            inside, sha256 = _expand(session, given), source.digest(given)
    file = File(session.spill.fd, inside.pieces)
    content = Content(
        layers=inside.layers,
        size=inside.size,
        sha256=source.digest(file),
        faults=inside.faults,
        alone=not (inside.archive or inside.members or _holds_more(file)),
    )
    if not inside.archive:
        layout = _layout(file)
    else:
        layout = Layout(format=inside.archive if inside.members or inside.dump else "raw")
    return _surveyed(
        file, content, layout, size=size, sha256=sha256, identity=identity, inside=inside
    )


def _archived(file: File) -> bool:
    return archives.sniff(file.read(0, min(archives.HEAD, file.size))) is not None


def _packed(file: File) -> bool:
    """Tell whether a file is not scanned as it stands."""
    head = file.read(0, min(codecs.HEAD, file.size))
    return _archived(file) or codecs.sniff_layer(head) is not None


def _holds_more(file: File) -> bool:
    """Tell whether a scan of a file would open something in it."""
    return _packed(file) or bool(trailing.find(file))


def _layout(file: File) -> Layout:
    """Read the layout; what is packed or encrypted and not opened here is a fault, with --raw too.

    An unknown format may pass where the operator says that a sweep is enough: of such a file it is
    not.
    """
    layout = dump.read_layout(file)
    if layout.format != "raw":
        return layout
    kind = archives.sniff_unopened(file)
    if kind is None:
        return layout
    text = f"The file is {kind}, which is not opened: unpack it and scan what it holds."
    return replace(layout, faults=(Fault(code="unopened", text=text),))


def _survey_part(session: Session, part: Part) -> Survey:
    file = File(session.spill.fd, part.pieces)
    sha256 = source.digest(file)
    content = Content(layers=part.layers, size=file.size, sha256=sha256, faults=part.faults)
    return _surveyed(
        file, content, dump.read_layout(file), size=file.size, sha256=sha256, pieces=part.pieces
    )


def _surveyed(
    file: File,
    content: Content,
    layout: Layout,
    *,
    size: int,
    sha256: str = "",
    identity: Identity | None = None,
    pieces: Pieces | None = None,
    inside: Contents | None = None,
) -> Survey:
    space_map, doubts = space.build(layout, file.size)
    return Survey(
        size=size,
        sha256=sha256,
        content=content,
        layout=layout,
        space_map=space_map,
        faults=(*content.faults, *layout.faults, *doubts, *unexplained.judge(file, layout)),
        identity=identity,
        ledger=ledger(layout, file.size),
        pieces=inside.pieces if inside else pieces,
        members=inside.members if inside else (),
    )


def _expand(session: Session, given: File | Iterator[bytes], *, small: bool = False) -> Contents:
    """Decode into the scan's storage, or what is ``small``, and whole, into the worker's own."""
    target, shared = session.target, session.target.spill is not None
    if not (shared or small):
        raise _spill_needed()
    inside = contents.expand(
        given,
        session.spill,
        scratch=lambda: storage.create_spill(target.spool_dir or None),
        is_dump=dump.is_dump,
        max_bytes=CONTENT_BYTES if shared else SMALL,
    )
    if not shared and (inside.archive or inside.members or inside.faults):
        raise _spill_needed()
    session.decoded = True
    return inside


def _decode_again(session: Session, survey: Survey) -> None:
    """Decode what another worker has surveyed. Raises Unreadable where it is not the same."""
    inside = _expand(session, session.given.chunks(), small=True)
    file = File(session.spill.fd, inside.pieces)
    if source.digest(file) != survey.content.sha256:
        raise _changed()
