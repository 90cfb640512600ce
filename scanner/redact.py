"""A copy of a dump without its secrets, for whoever must send the rest.

Every occurrence of what blocks is overwritten, length for length, in what was decoded; the copy
then goes through the same scan, and takes its name only if it passes. This module exists so that a
redacted dump is a dump that passed the gate, and nothing less: it refuses archives, layers that it
cannot write again, dumps of which not every byte was swept, and to overwrite a byte of a table that
readers of the dump go by. What fails leaves nothing under the name that was asked for.
"""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from scanner import beside, correlate, policy
from scanner.dump import pack, space
from scanner.dump.ledger import joined, lacking, tables
from scanner.engine import scanning
from scanner.engine.answers import MAY_PASS
from scanner.engine.scanning import Scan, ScanRequest
from scanner.errors import RedactError, Unwritten, WorkerLost, cause, phrase
from scanner.model import DumpReport, Finding, Fingerprint, Layout, Verdict
from scanner.policy import Ruling
from scanner.progress import Progress
from scanner.published import Published
from scanner.stages.overwrite import Spans, overwrite

MOST_ROUNDS = 3
"""Scans of the copy: what hid behind something overwritten is seen by the next."""

KINDS = ("private-key", "encrypted-key", "symmetric-key", "token")
"""What can be overwritten; what is public stays."""

_MOST = 1 << 40
"""Occurrences: all of them."""

_FOUND = ("private-key", "secret")
"""Reasons of a verdict that a finding gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What is to be overwritten, and by what the copy is judged."""

    every: bool = False
    """Also what does not block: encrypted and symmetric keys, and all else of KINDS."""
    suppressed: bool = False
    """Also what was set aside: published, allowed, in the baseline."""
    random: bool = False
    """Also all memory that looks random, which may be what is left of a key."""
    ruling: Ruling
    published: Mapping[str, Published]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Overwritten:
    """One range of the content, and whose it is."""

    file_offset: int
    size: int
    rule: str
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """What was, or would be, overwritten."""

    before: DumpReport
    after: DumpReport | None
    """The copy's; None where none was made."""
    rounds: int
    findings: tuple[Finding, ...]
    overwritten: tuple[Overwritten, ...]
    random: Spans = ()
    """What is overwritten for its looks alone."""

    @property
    def size(self) -> int:
        """Bytes that are overwritten, each counted once."""
        return sum(end - start for start, end in spans(self.overwritten, self.random))


def plan(request: ScanRequest, aim: Aim, progress: Progress) -> Redaction:
    """Scan a dump, and say what would be overwritten. Raises ScannerError."""
    scanned, report = _scan(request, aim, progress)
    found = wanted(report, aim)
    ranges = _ranges(found)
    _spare_tables(scanned.layout, ranges)
    return Redaction(
        before=report,
        after=None,
        rounds=0,
        findings=found,
        overwritten=ranges,
        random=_random(scanned) if aim.random else (),
    )


def redact(
    request: ScanRequest,
    output: str,
    aim: Aim,
    progress: Progress,
    *,
    before_named: Callable[[Redaction], None],
) -> Redaction:
    """Write a copy without what ``aim`` names to ``output``, which takes its name at once.

    ``before_named`` is told of a copy that passed before it takes its name; what it raises leaves
    none. Raises ScannerError, RedactError among them, where there is no such copy.
    """
    first, report = _scan(request, aim, progress)
    found = {finding.fingerprint: finding for finding in wanted(report, aim)}
    ranges = set(_ranges(found.values()))
    random = _random(first) if aim.random else ()
    target = Path(os.path.realpath(output))
    with contextlib.ExitStack() as stack:
        with _writing():
            part = stack.enter_context(beside.beside(target))
        for number in range(1, MOST_ROUNDS + 1):
            _spare_tables(first.layout, ranges)
            taken = spans(ranges, random)
            scanning.attend(request, progress, overwrite, str(part), taken, first.content.sha256)
            again = replace(request, path=str(part), resume=None)  # a copy is made anew each time
            scanned, after = _scan(again, aim, progress)
            if shape(scanned.layout) != shape(first.layout):
                raise _refused("its tables would not be the same", "keep the dump where it is")
            left = wanted(after, aim)
            if not left and after.verdict is Verdict.PASS:
                made = Redaction(
                    before=report,
                    after=replace(after, path=output),
                    rounds=number,
                    findings=tuple(found.values()),
                    overwritten=tuple(sorted(ranges)),
                    random=random,
                )
                before_named(made)
                with _writing():
                    beside.rename(part, target)
                return made
            for finding in left:
                found.setdefault(finding.fingerprint, finding)
            ranges.update(_ranges(left))
            if spans(ranges, random) == taken:
                break
    raise _refused(_still(left), "keep the dump where it is; what is left cannot be overwritten")


def wanted(report: DumpReport, aim: Aim) -> tuple[Finding, ...]:
    """Return the findings that are to be overwritten."""
    rules = aim.ruling.policy
    return tuple(
        finding
        for finding in (*report.findings, *(report.suppressed if aim.suppressed else ()))
        if finding.kind in KINDS and (aim.every or policy.blocks(finding, rules))
    )


def spans(ranges: Iterable[Overwritten], others: Spans = ()) -> Spans:
    """Return the ranges, and others, as disjoint ones, in order."""
    mine = ((one.file_offset, one.file_offset + one.size) for one in ranges)
    return tuple(joined((*mine, *others)))


def shape(layout: Layout) -> Layout:
    """Return a layout without what may be overwritten: names, and what registers hold together."""
    return replace(
        layout,
        regions=tuple(replace(region, name="") for region in layout.regions),
        modules=tuple(replace(module, name="") for module in layout.modules),
        process="",
        arguments=None,
        joined=(),
    )


def _scan(request: ScanRequest, aim: Aim, progress: Progress) -> tuple[Scan, DumpReport]:
    """Scan and judge. Raises RedactError where something other than a finding keeps it here.

    WorkerLost where that may be otherwise another time.
    """
    scanned, *members = scanning.scan_all(replace(request, thorough=True), progress)
    layers = scanned.content.layers
    unknown = [layer for layer in layers if layer not in pack.LAYERS]
    if members or unknown:
        raise RedactError(
            "the dump cannot be redacted",
            reason="it lies in an archive" if members else f"it is wrapped in {unknown[0]}",
            hint=f"unpack it, and redact the dump; {', '.join(pack.LAYERS)} may stay",
        )
    found = correlate.findings(scanned, request.rules, most=_MOST)
    counting, aside = correlate.set_aside(found, dict(aim.published))
    report = policy.judge(scanned, counting, aside, aim.ruling)
    missing = [reason for reason in report.reasons if reason.code not in _FOUND]
    if missing:
        passing = any(reason.code in MAY_PASS for reason in missing)
        unknown_alone = all(reason.code == "unknown-format" for reason in missing)
        raise (WorkerLost if passing else RedactError)(
            "the dump cannot be redacted",
            reason=f"a scan of it is incomplete: {phrase(missing[0].text)}",
            hint="try --raw, if a sweep of its bytes is enough"
            if unknown_alone
            else "keysift scan says all that is missing; no copy could pass",
        )
    return scanned, report


def _ranges(findings: Iterable[Finding]) -> tuple[Overwritten, ...]:
    """Return the extents of all occurrences, those of one finding that touch joined."""
    ranges: set[Overwritten] = set()
    for finding in findings:
        name = finding.fingerprint
        mine = [
            Overwritten(file_offset=e.file_offset, size=e.size, rule=finding.rule, fingerprint=name)
            for occurrence in finding.occurrences
            for e in occurrence.extents
        ]
        ranges.update(
            Overwritten(file_offset=start, size=end - start, rule=finding.rule, fingerprint=name)
            for start, end in spans(mine)
        )
    return tuple(sorted(ranges))


def _random(scanned: Scan) -> Spans:
    """Return the memory that looks random, but for tables and for what a file on disk holds too.

    That is what a program maps from a file and cannot write.
    """
    runs, layout = scanned.runs, scanned.layout
    public = (
        (region.file_offset, region.file_offset + region.size)
        for region in layout.regions
        if region.name and region.perms and "w" not in region.perms
    )
    looks = space.in_file(scanned.space_map, runs.space, runs.start, runs.end)
    return tuple(lacking(looks, (*tables(layout), *public)))


def _spare_tables(layout: Layout, ranges: Iterable[Overwritten]) -> None:
    """Raise RedactError where a range has a byte of what readers of the dump go by."""
    kept = tables(layout)
    index = 0
    for start, end in spans(ranges):
        while index < len(kept) and kept[index][1] <= start:
            index += 1
        if index < len(kept) and kept[index][0] < end:
            raise _refused(
                f"a secret at {start} lies in its headers or tables",
                "keep the dump where it is",
            )


def _still(left: Iterable[Finding]) -> str:
    places = [
        (extent.file_offset, finding.rule)
        for finding in left
        for occurrence in finding.occurrences
        for extent in occurrence.extents
    ]
    if not places:
        return "the copy does not pass"
    offset, rule = min(places)
    return f"{len(places)} places hold secrets still, the first at {offset} by the rule {rule}"


def _refused(reason: str, hint: str) -> RedactError:
    return RedactError("the dump cannot be redacted", reason=reason, hint=hint)


@contextlib.contextmanager
def _writing() -> Iterator[None]:
    """Say of what the system refuses that the copy cannot be written."""
    try:
        yield
    except OSError as error:
        raise Unwritten(
            "the redacted copy cannot be written",
            reason=cause(error),
            hint="name another place with --output",
        ) from error
