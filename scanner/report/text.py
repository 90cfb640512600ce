"""The report for a person: what the verdict is, what to do, and why one should believe it.

It opens with the verdict and the keys to rotate, and its last line can be read alone. Nothing of a
dump is shown as it stands: every string goes through :func:`printable`, and none is ever read as
markup. This module refuses to soften: no certificate's expiry lowers a finding, and no verdict is
told without the bytes that were looked at.
"""

import io
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from scanner.model import DumpReport, Finding, Occurrence, Report, Severity, Verdict
from scanner.report import alike, wording
from scanner.report.printable import printable

WIDTH = 100
"""Columns of the page, at most."""

NARROWEST = 40
"""Columns of the page, at least; a narrower terminal wraps lines by itself."""

SHOWN = 5
"""Places of one key, faults, reasons and suppressed keys shown unless all are asked for."""

_LEAST = 8
"""Columns for what stands at a place, beside where it is."""

MOST_KEYS = 40
"""Keys of a fleet shown unless all are asked for."""

_BADGE = {
    Verdict.PASS: "bold green",
    Verdict.BLOCKED: "bold red",
    Verdict.INCOMPLETE: "bold yellow",
}

_SEVERITY = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "",
    Severity.INFO: "dim",
}

_T = TypeVar("_T")


def render(
    report: Report,
    *,
    color: bool = False,
    verbose: bool = False,
    quiet: bool = False,
    width: int | None = None,
) -> str:
    """Return the report as lines of at most ``width`` columns; ``quiet`` gives the last alone.

    Without a ``width`` the last is one line, however long.
    """
    out = io.StringIO()
    room = WIDTH if width is None else max(width, NARROWEST)
    console = Console(
        file=out,
        width=room,
        force_terminal=color,
        color_system="standard" if color else None,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
        _environ={},
    )
    if not quiet:
        console.print(Group(*_page(report, verbose=verbose)), width=min(room, WIDTH))
    last = Text(report.verdict.value, _BADGE[report.verdict])
    last.append(wording.last_line(report), "default not bold")
    console.print(last, soft_wrap=width is None)
    lines = out.getvalue().removesuffix("\n").split("\n")
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _page(report: Report, *, verbose: bool) -> Iterator[RenderableType]:
    if len(report.dumps) > 1:
        yield from _overview(report, verbose=verbose)
    for number, dump in enumerate(report.dumps):
        if number or len(report.dumps) > 1:
            yield Text("-" * 72, "dim", no_wrap=True, overflow="crop")
        yield from _dump(dump, wording.within(report, number), verbose=verbose)


def _overview(report: Report, *, verbose: bool) -> Iterator[RenderableType]:
    """Give the verdict of all dumps, what to do about their keys, and the verdict of each."""
    yield _headed(report.verdict, Text(wording.tally(report), "bold"))
    yield Text()
    yield from _fleet(report, verbose=verbose)
    grid = _grid()
    for dump in report.dumps:
        grid.add_row(Text(dump.verdict.value, _BADGE[dump.verdict]), Text(printable(dump.path)))
    yield _indented(grid)
    yield Text()


def _fleet(report: Report, *, verbose: bool) -> Iterator[RenderableType]:
    """Say of each key to act on how many dumps have it."""
    keys = wording.over_fleet(report)
    if not keys:
        return
    once = [finding for finding, _ in keys if wording.is_nonce(finding)]
    keys = [(finding, key) for finding, key in keys if not wording.is_nonce(finding)]
    shown = keys if verbose else keys[:MOST_KEYS]
    grid = _grid()
    for finding, key in shown:
        where = Text(wording.spread(key, report))
        grid.add_row(Text(wording.verb(finding), "bold"), Group(_identity(finding), where))
    if len(keys) > len(shown):
        grid.add_row("", _more(len(keys) - len(shown), "key", "keys"))
    _signed(grid, once)
    yield _indented(grid)
    yield Text()


# --- one dump -----------------------------------------------------------------------------------


def _dump(dump: DumpReport, within: int, *, verbose: bool) -> Iterator[RenderableType]:
    path = Text(printable(dump.path, 1000), "bold")
    yield _headed(dump.verdict, path.append(f"\n{wording.headline(dump, within)}", "not bold"))
    to_do = _what_to_do(dump, verbose=verbose)
    if to_do.row_count:
        yield Text()
        yield _indented(to_do)
    told, others = alike.folded(wording.named_first(dump.findings), every=verbose)
    for number, finding in enumerate(told, 1):
        yield Text()
        title = Table.grid(padding=(0, 1, 0, 0))
        title.add_row(Text(str(number), "dim"), _title(finding))
        yield title
        yield _indented(_evidence(finding, verbose=verbose))
    for said in others:
        yield Text()
        yield _label(said)
    yield Text()
    if not wording.unread(dump):
        yield _indented(_coverage(dump, within, verbose=verbose))
        yield Text()


def _what_to_do(dump: DumpReport, *, verbose: bool) -> Table:
    grid = _grid()
    every = [finding for finding in wording.named_first(dump.findings) if wording.acts(finding)]
    once = [finding for finding in every if wording.is_nonce(finding)]
    acting = [finding for finding in every if not wording.is_nonce(finding)]
    told, others = alike.folded(acting, every=verbose)
    for finding in told:
        grid.add_row(Text(wording.verb(finding), "bold"), _identity(finding))
    for said in others:
        grid.add_row("", _label(said))
    _signed(grid, once)
    if any(map(wording.certified, acting)):
        grid.add_row(_label("note"), Text(wording.EXPIRY))
    shown, rest = _some(wording.reasons(dump, every=verbose), verbose=verbose)
    for number, reason in enumerate(shown):
        grid.add_row(_label("" if number else "because"), Text(reason))
    if rest:
        grid.add_row("", _more(rest, "reason", "reasons"))
    if dump.verdict is not Verdict.PASS:
        grid.add_row(_label("then"), Text(wording.next_step(dump)))
    return grid


def _signed(grid: Table, nonces: Sequence[Finding]) -> None:
    """Tell all nonces together: their own points are in nobody's list of keys."""
    if nonces:
        which, why = wording.signed_with(nonces)
        grid.add_row(Text("rotate", "bold"), Group(Text(which, "bold"), Text(why)))


def _identity(finding: Finding) -> RenderableType:
    """Return the lines by which an engineer knows which key it is."""
    lines = [Text(wording.name(finding), "bold"), *map(Text, wording.certificate(finding))]
    lines += map(Text, wording.otherwise_known(finding))
    known = _Digest(finding.fingerprint.value, wording.fingerprint_kind(finding))
    return Group(Text("\n").join(lines), known)


# --- one finding --------------------------------------------------------------------------------


def _title(finding: Finding) -> Text:
    line = Text(f"{wording.name(finding)} {wording.kind(finding)}", "bold")
    line.append("  ").append(
        finding.severity.name.lower(), f"not bold {_SEVERITY[finding.severity]}"
    )
    line.append(f", {finding.confidence.name.lower()}")
    named = finding.kind == "token" or wording.named(finding)
    return line.append("" if named else ", unnamed")


def _evidence(finding: Finding, *, verbose: bool) -> RenderableType:
    grid = _grid()
    public = finding.public
    said: tuple[tuple[str, str | _Digest], ...] = (
        ("certificate", "\n".join(wording.certificate(finding))),
        ("SSH", printable(public.ssh_fingerprint)),
        ("key id", printable(public.kid)),
        ("named by", wording.names(finding)),
        ("issuer", printable(public.issuer)),
        ("audience", printable(public.audience)),
        ("expires", printable(public.not_after) if finding.kind == "token" else ""),
        (wording.fingerprint_kind(finding), _Digest(finding.fingerprint.value)),
        ("proof", printable(finding.proof)),
        ("protected by", printable(finding.protection)),
        ("exponent", "not found, taken to be 65537" if public.e_assumed else ""),
        ("policy", printable(finding.note, 1000)),
    )
    for label, value in said:
        if value:
            grid.add_row(_label(label), Text(value) if isinstance(value, str) else value)
    shown, rest = _some(finding.occurrences, verbose=verbose)
    for number, (head, places) in enumerate(wording.places_by_region(shown)):
        grid.add_row(
            _label("" if number else "where"), Group(Text(head), _Places(tuple(_places(places))))
        )
    if rest:
        grid.add_row("", _more(rest, "place", "places"))
    grid.add_row(_label("to do"), Text(wording.advice(finding)))
    if verbose:
        grid.add_row(_label("rule"), Text(f"{printable(finding.rule)}, id {printable(finding.id)}"))
    return grid


def _places(occurrences: Iterable[Occurrence]) -> Iterator[tuple[Text, ...]]:
    """Give of each extent address, offset and size, and of the first what stands there."""
    for occurrence in occurrences:
        state = "" if occurrence.state == "unknown" else f", {printable(occurrence.state)}"
        said = f"{printable(occurrence.encoding)}{state}"
        if len(occurrence.extents) > 1:
            said += f", in {len(occurrence.extents)} pieces"
        for extent in occurrence.extents:
            size = wording.count(extent.size, "byte", "bytes")
            yield (*map(Text, wording.coordinate(extent)), Text(size), _label(said))
            said = ""


@dataclass(frozen=True, slots=True)
class _Places:
    """Places in columns; where these have no room, each place's parts below each other."""

    rows: tuple[tuple[Text, ...], ...]

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        columns = tuple(zip(*self.rows, strict=True))[:3]
        wide = sum(max(cell.cell_len for cell in column) + 2 for column in columns)
        if 2 + wide + _LEAST > options.max_width:
            for first, *rest in self.rows:
                yield _indented(first)
                yield _indented(Group(*filter(None, rest)), 4)
            return
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, justify="right")
        table.add_column(overflow="fold")
        for row in self.rows:
            table.add_row(*row)
        yield _indented(table)


# --- what was looked at -------------------------------------------------------------------------


def _coverage(dump: DumpReport, within: int, *, verbose: bool) -> RenderableType:
    grid = _grid()
    size = wording.count(dump.size, "byte", "bytes")
    grid.add_row(_label("file"), Text(f"{wording.made_of(dump)}, {size}"))
    if dump.sha256:
        grid.add_row(_label("SHA-256"), _Digest(dump.sha256))
    regions = wording.count(dump.coverage.regions, "region", "regions")
    grid.add_row(_label("looked at"), Text(f"{wording.swept([dump])}, {regions}"))
    if within:
        said = f"{wording.count(within, 'dump', 'dumps')}, told below; looked at is the rest"
        grid.add_row(_label("within"), Text(said))
    for code, gaps in wording.gaps_by_code(dump.coverage.gaps):
        grid.add_row(_label(code.replace("-", " ")), Text(wording.gaps_said(code, gaps)))
        for gap in gaps if verbose else ():
            start = "no address" if gap.start is None else hex(gap.start)
            grid.add_row("", _label(f"  {start}  {wording.count(gap.size, 'byte', 'bytes')}"))
    every = tuple(dict.fromkeys(dump.content.faults + dump.coverage.faults))
    faults, rest = _some(every, verbose=verbose)
    for fault in faults:
        grid.add_row(_label("fault"), Text(f"{printable(fault.code)}: {printable(fault.text)}"))
    if rest:
        grid.add_row("", _more(rest, "fault", "faults"))
    if dump.accepted:
        grid.add_row(_label("accepted"), Text(f"{', '.join(map(printable, dump.accepted))}"))
    _set_aside(grid, dump, verbose=verbose)
    return grid


def _set_aside(grid: Table, dump: DumpReport, *, verbose: bool) -> None:
    suppressed, rest = _some(dump.suppressed, verbose=verbose)
    for number, (why, group) in enumerate(wording.by_note(suppressed)):
        grid.add_row(_label("" if number else "suppressed"), Text(why))
        for finding in group:
            grid.add_row("", _Digest(finding.fingerprint.value, f"{wording.name(finding):<10}"))
    if rest:
        grid.add_row("", _more(rest, "suppressed finding", "suppressed findings"))


@dataclass(frozen=True, slots=True)
class _Digest:
    """A digest in hex, after a label: beside it, below it, or in equal parts, as there is room."""

    text: str
    label: str = ""

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        value = printable(self.text)
        line = Text(f"{self.label} " if self.label else "", "dim")
        if len(line) + len(value) > options.max_width:
            line.append("\n" if self.label else "")
            size = len(value)
            while size > options.max_width:
                size = -(-size // 2)
            value = "\n".join(textwrap.wrap(value, max(size, 1)))
        yield line.append(value, "not dim")


# --- layout -------------------------------------------------------------------------------------


def _headed(verdict: Verdict, said: Text) -> Table:
    """Return the verdict and, beside it, what is said of it."""
    grid = _grid(None)
    grid.add_row(Text(verdict.upper(), _BADGE[verdict]), said)
    return grid


def _some(items: Sequence[_T], *, verbose: bool) -> tuple[Sequence[_T], int]:
    shown = items if verbose else items[:SHOWN]
    return shown, len(items) - len(shown)


def _more(rest: int, one: str, many: str) -> Text:
    return _label(f"and {wording.count(rest, f'more {one}', f'more {many}')} (-v shows all)")


def _label(text: str) -> Text:
    return Text(text, "dim")


def _grid(width: int | None = 13) -> Table:
    """Return a table of two columns without lines: labels, and what folds beside them.

    On a terminal of 80 columns a SHA-256 has room beside a label, and two columns before that.
    """
    grid = Table.grid(padding=(0, 1 if width else 2, 0, 0))
    grid.add_column(width=width, overflow="fold")
    grid.add_column(overflow="fold")
    return grid


def _indented(part: RenderableType, by: int = 2) -> Padding:
    return Padding(part, (0, 0, 0, by), expand=False)
