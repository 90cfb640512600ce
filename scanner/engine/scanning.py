"""From a path to all that can be said of the dump: tasks, workers, stages, coverage.

The parent never touches a byte of the dump. One guarded worker surveys it, and hashes the file
beside whatever it is asked next; for a large dump others join it. The order of results
is the dump's own, so that a scan says the same whoever did the work. Whatever was not done, by
anyone, for any reason, is a fault: this module decides nothing, and never says ``pass``.
"""

import contextlib
import functools
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from scanner import urls
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.anchors import compile_anchors
from scanner.detect.credentials import kingfisher
from scanner.detect.integers import pool
from scanner.detect.integers.runs import Runs, gather
from scanner.detect.register import Register, Registrar
from scanner.dump import space, storage
from scanner.dump.contents import Part
from scanner.dump.space import SpaceMap
from scanner.dump.windows import cut
from scanner.engine import compiled, coverage, placed, proving, records, resume, sweeping
from scanner.engine.answers import asked, failed
from scanner.engine.resume import Resume
from scanner.engine.traceable import affordable, traced, turns
from scanner.errors import ScannerError, SpillNeeded, Unreadable
from scanner.model import Candidate, Content, Coverage, Fault, Layout, Place, Witness
from scanner.processes import cores
from scanner.processes.handles import Handle
from scanner.processes.workers import Call, Crew, InProcess, Processes, Question
from scanner.progress import Progress
from scanner.rules import Rule
from scanner.stages import session as stage
from scanner.stages.calls import SURVEY, TOKENS, TRACE, TRACE_RUNS, Sighting
from scanner.stages.session import Session, Survey, Target

SHARED = 2 << 20
"""Bytes of a dump that is swept as one task and whose numbers two workers relate sooner than one:
to start the second takes 0.3 s."""

MOST_INSPECTED = 16
"""Dumps within an archive of which ``inspect`` tells."""


Hire = Callable[..., Crew]
"""Makes a crew of what makes a session, and of what that is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRequest:
    """What to scan, and how."""

    path: str
    """A file's path or URL; ``-`` is standard input."""
    jobs: int | None = None
    raw: bool = False
    """Let a dump of unknown format pass when all its bytes were swept."""
    spool_dir: str | None = None
    in_process: bool = False
    known: tuple[PublicKey, ...] = ()
    """The operator's own keys."""
    token_rules: tuple[str, ...] = ()
    """Paths of the operator's own rules, in Kingfisher's format; ``rules`` holds their anchors."""
    deep: bool = False
    """Spend more on what is unlikely."""
    thorough: bool = False
    """Trace copies, those of tokens too, through every byte, not through random runs alone."""
    rules: tuple[Rule, ...]
    fingerprint_key: bytes = field(default=b"", repr=False)
    """Of the HMAC that names secrets without a public half; without it their place does."""
    hire: Hire | None = None
    """Who works on a large dump in the place of processes of this machine."""
    resume: Resume | None = None
    """Where what was swept is kept, for a scan that is interrupted to go on from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """All that the scan of one dump gave: places and public facts, no verdict."""

    path: str
    size: int
    sha256: str
    content: Content
    layout: Layout
    space_map: SpaceMap
    candidates: tuple[Candidate, ...]
    sightings: tuple[Sighting, ...]
    witnesses: tuple[Witness, ...]
    """Who bears witness to what was found."""
    publics: Register
    """The public keys that were met."""
    runs: Runs
    """Where memory looks random, and texts of numbers; of a thorough scan alone."""
    coverage: Coverage
    raw: bool


_compiled = functools.lru_cache(maxsize=2)(
    functools.partial(compile_anchors, database=compiled.database)
)
"""The rules of one command line are compiled once, however many dumps it names."""


def scan(request: ScanRequest, progress: Progress) -> Scan:
    """Scan a file that is one dump; see :func:`scan_all`. Raises Unreadable where it is several."""
    first, *members = scan_all(request, progress)
    if members:
        raise Unreadable("the file is an archive", reason=f"it holds {len(members)} dumps")
    return first


def scan_all(request: ScanRequest, progress: Progress) -> tuple[Scan, ...]:
    """Scan one file, and behind it the dumps that it holds, where it is an archive.

    Raises ScannerError where there is nothing to report on at all.
    """
    with contextlib.ExitStack() as stack:
        target, lead, survey = _open(request, stack, progress)
        result = _scan(request, replace(target, surveyed=survey), lead, stack, progress)
        within = [_scan_part(request, target, part, progress) for part in survey.members]
    progress.done()
    return (result, *within)


def inspect(request: ScanRequest, progress: Progress) -> tuple[tuple[str, Survey], ...]:
    """Survey one file, and at most MOST_INSPECTED dumps within: (path, what it is) of each.

    Raises ScannerError where a file, or a dump within, cannot be read.
    """
    with contextlib.ExitStack() as stack:
        target, _, survey = _open(request, stack, progress)
        found = [(target.path, survey)]
        for part in survey.members[:MOST_INSPECTED]:
            inner = replace(target, path=f"{target.path}!{part.name}", part=part)
            with contextlib.ExitStack() as own:
                found.append((inner.path, _survey(_crew(request, inner, own), progress, inner)))
    progress.done()
    return tuple(found)


def attend(request: ScanRequest, progress: Progress, call: Call, *arguments: object) -> Any:  # noqa: ANN401 - whatever the call gives
    """Open one file as a scan does, and let its guarded worker answer one call on its session.

    Raises ScannerError where the file cannot be read, and whatever of these the call raises.
    """
    with contextlib.ExitStack() as stack:
        _, lead, _ = _open(request, stack, progress)
        answer = lead.ask(call, *arguments)
    progress.done()
    return answer


def _open(
    request: ScanRequest, stack: contextlib.ExitStack, progress: Progress
) -> tuple[Target, Crew, Survey]:
    """Start the first worker and let it survey the file."""
    stream = _stdin(stack) if request.path == "-" else None
    target = Target(
        path="<stdin>" if stream else urls.shown(request.path),
        url=request.path if urls.is_url(request.path) else "",
        stream=stream,
        spill=_spill(request, stack) if stream else None,
        spool_dir=request.spool_dir or storage.temporary_folder(),
        rules=request.rules,
        anchors=_compiled(request.rules),
        known=request.known,
        token_rules=request.token_rules,
        fingerprint_key=request.fingerprint_key,
        deep=request.deep,
    )
    lead = _crew(request, target, stack)
    try:
        survey = _survey(lead, progress, target)
    except SpillNeeded:
        target = replace(target, spill=_spill(request, stack))
        lead = _crew(request, target, stack)
        survey = _survey(lead, progress, target)
    return target, lead, survey


def _scan_part(request: ScanRequest, target: Target, part: Part, progress: Progress) -> Scan:
    """Scan a dump within an archive; what goes wrong with it says nothing of the others."""
    target = replace(target, path=f"{target.path}!{part.name}", part=part, surveyed=None)
    size = sum(count for _, count in part.pieces)
    with contextlib.ExitStack() as stack:
        try:
            lead = _crew(request, target, stack)
            survey = _survey(lead, progress, target)
            return _scan(request, replace(target, surveyed=survey), lead, stack, progress)
        except ScannerError as error:
            faults = (*part.faults, failed("The member was not scanned", error))
    layout = Layout(format="raw")
    return Scan(
        path=target.path,
        size=size,
        sha256="",
        content=Content(layers=part.layers, size=size, sha256="", faults=faults),
        layout=layout,
        space_map=space.build(layout, size)[0],
        candidates=(),
        sightings=(),
        witnesses=(),
        publics=Registrar().register(),
        runs=gather(()),
        coverage=Coverage(file_bytes=size, scanned_bytes=0, regions=0, gaps=(), faults=faults),
        raw=request.raw,
    )


def _stdin(stack: contextlib.ExitStack) -> Handle:
    fd = os.dup(0)
    stack.callback(os.close, fd)
    return Handle(fd)


def _spill(request: ScanRequest, stack: contextlib.ExitStack) -> Handle:
    spill = storage.create_spill(request.spool_dir)
    stack.callback(spill.close)
    return Handle(spill.fd, writable=True)


def _crew(request: ScanRequest, target: Target, stack: contextlib.ExitStack) -> Crew:
    # A stream can be read once: a second worker would see what the first one left of it.
    once = target.stream and target.surveyed is None and target.part is None
    spare = 0 if once else 1
    crew: Crew = (
        InProcess(Session, target)
        if request.in_process
        else Processes(1, Session, target, spare=spare, fresh=bool(target.stream or target.spill))
    )
    stack.callback(crew.close)
    return crew


def _survey(lead: Crew, progress: Progress, target: Target) -> Survey:
    with contextlib.suppress(OSError):
        named = not (target.stream or target.url) and target.part is None
        progress.phase("reading", os.stat(target.path).st_size if named else 0)  # noqa: PTH116 - what may be no path
    survey: Survey = lead.ask(SURVEY)
    return survey


def _scan(
    request: ScanRequest,
    target: Target,
    lead: Crew,
    stack: contextlib.ExitStack,
    progress: Progress,
) -> Scan:
    survey = target.surveyed
    assert survey is not None
    tasks = cut(survey.space_map)
    faults = [*survey.faults, *_unable(request)]
    asked(lead, [("The file was not hashed", type(None), (stage.begin_digest,))], faults)
    crew, alone = _staffed(request, target, lead, stack, (len(tasks), survey.content.size))
    journal = None
    if request.resume is not None and target.part is None:
        journal = resume.opened(request.resume, stack, survey, tasks, len(request.rules))
    swept = sweeping.sweep_all(crew, tasks, survey.space_map.file_size, journal, faults, progress)
    progress.phase("proving", 0)
    proved = proving.prove(crew, swept, faults, alone=alone)
    proofs = placed.proofs(survey.space_map, proved, faults)
    sightings = _trace(request, crew, tasks, swept.runs, proofs.candidates, faults, progress)
    sightings = placed.sightings(survey.space_map, sightings, faults)
    progress.phase("hashing", 0)
    sha256 = _digest(lead)
    if not sha256:
        faults.append(Fault(code="no-digest", text="The file could not be hashed."))
    _compare(lead, faults)
    content = replace(survey.content, sha256=survey.content.sha256 or sha256)
    found = [*(p for c in proofs.candidates for p in c.places), *(s.place for s in sightings)]
    if journal is not None:
        journal.end(faults)
    return Scan(
        path=target.path,
        size=survey.size,
        sha256=sha256,
        content=content,
        layout=survey.layout,
        space_map=survey.space_map,
        candidates=proofs.candidates,
        sightings=sightings,
        witnesses=proofs.witnesses,
        publics=proofs.publics,
        runs=swept.runs if request.thorough else gather(()),
        coverage=coverage.measure(survey, tasks, swept, faults, found),
        raw=request.raw,
    )


def _staffed(
    request: ScanRequest,
    target: Target,
    lead: Crew,
    stack: contextlib.ExitStack,
    much: tuple[int, int],
) -> tuple[Crew, bool]:
    """Return who works on so many tasks and bytes, and whether that is one process alone."""
    tasks, size = much
    # What lies in storage of this machine alone, no other one can open.
    hire = None if target.stream or target.spill or request.in_process else request.hire
    if hire is not None and tasks > 1:
        crew = hire(Session, replace(target, path=urls.everywhere(target.path)))
        stack.callback(crew.close)
        return crew, False
    if not isinstance(lead, Processes):
        return lead, False
    worth = max(tasks, 2 if size >= SHARED else 1)
    jobs = min(request.jobs or cores.workers(), worth)
    lead.grow(jobs - 1, Session, target)
    return lead, jobs == 1


def _unable(request: ScanRequest) -> list[Fault]:
    """Say what is asked for and cannot be done on this machine."""
    if kingfisher.available() or all(rule.detector != TOKENS for rule in request.rules):
        return []
    text = "Tokens were not searched for: the library that knows them is not installed here."
    return [Fault(code="tokens-unavailable", text=text)]


def _digest(lead: Crew) -> str:
    try:
        digest: str = lead.ask(stage.digest)
    except ScannerError:
        return ""
    return digest


def _trace(
    request: ScanRequest,
    crew: Crew,
    tasks: tuple[tuple[Place, ...], ...],
    runs: Runs,
    candidates: tuple[Candidate, ...],
    faults: list[Fault],
    progress: Progress,
) -> tuple[Sighting, ...]:
    """Run stage three: where else the keys lie, and, if every byte is looked at, the tokens."""
    keys = traced(candidates)
    if not (request.thorough or request.deep):
        keys = tuple(key for key in keys if key.kind != "token")
    left, keys = len(keys), affordable(keys)
    if left > len(keys):
        text = (
            f"Copies of {left - len(keys)} of {left} keys were not looked for: there are too many."
        )
        faults.append(Fault(code="limit-traced", text=text))
    if not keys:
        return ()
    shares = turns(keys)
    batch: list[Question]
    if request.thorough or request.deep:
        batch = [(TRACE, some, task) for some in shares for task in tasks]
        sizes = records.sizes(tasks)
    else:
        parts = list(pool.whole(runs))
        batch = [(TRACE_RUNS, some, part) for some in shares for part in parts]
        sizes = [int((part.end - part.start).sum()) for part in parts]
    sizes *= len(shares)
    progress.phase("tracing", sum(sizes))
    found: set[Sighting] = set()
    for index, answer in crew.map(batch):
        progress.advance(sizes[index])
        if isinstance(answer, tuple):
            found.update(answer)
        else:
            faults.append(failed("Copies of the keys were not traced", answer))
    return tuple(sorted(found))


def _compare(lead: Crew, faults: list[Fault]) -> None:
    """Look at the file's identity again: a change while it was read is a fault."""
    for _, answer in lead.map([(stage.unchanged,)]):
        if answer is True:
            continue
        if answer is False:
            text = "The file changed while it was read."
            faults.append(Fault(code="changed", text=text))
        else:
            faults.append(failed("The file was not there to compare", answer))
