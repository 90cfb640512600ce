"""The report as a short Markdown summary, for the page of a pipeline's run or a merge request.

GitHub Flavored Markdown. Whatever a dump says of itself stands in code spans, where nothing is
markup, a link or a mention. It says the verdict, what to do and why, and leaves places to the
other formats.
"""

import re
from collections.abc import Iterator

from scanner import model
from scanner.model import Verdict
from scanner.report import wording
from scanner.report.printable import printable

SHOWN = 50
"""Keys, reasons and suppressed keys of one dump that are written."""

_BADGE = {Verdict.PASS: "✅", Verdict.BLOCKED: "⛔", Verdict.INCOMPLETE: "⚠️"}


def render(report: model.Report) -> str:
    """Return the summary as lines of Markdown."""
    lines = [f"## {_BADGE[report.verdict]} keysift: {report.verdict.value}", ""]
    if len(report.dumps) > 1:
        lines += [wording.tally(report), ""]
    lines += _fleet(report)
    if len(report.dumps) > 1:
        lines += ["| verdict | dump |", "| --- | --- |"]
        lines += [f"| {d.verdict.value} | {code(d.path, cell=True)} |" for d in report.dumps]
        lines.append("")
    for number, dump in enumerate(report.dumps):
        lines += _dump(dump, wording.within(report, number))
    lines.append(f"**{report.verdict.value}**{_words(wording.last_line(report))}")
    return "\n".join(lines) + "\n"


def _fleet(report: model.Report) -> Iterator[str]:
    keys = wording.over_fleet(report)
    for finding, key in keys[:SHOWN]:
        which = [*wording.certificate(finding), *wording.otherwise_known(finding)]
        name = code(f"{wording.name(finding)} {wording.kind(finding)}")
        known = f"{code('; '.join(which))} {code(finding.fingerprint.value)}"
        yield f"- {name} {known}: {code(wording.spread(key, report))}"
    yield from _more(len(keys), "- and {} more")
    if keys:
        yield ""


def _dump(dump: model.DumpReport, within: int) -> Iterator[str]:
    yield f"### {_BADGE[dump.verdict]} {code(dump.path)}"
    yield ""
    yield _words(wording.headline(dump, within))
    yield ""
    if dump.findings:
        yield "| what | which | severity | confidence | fingerprint |"
        yield "| --- | --- | --- | --- | --- |"
        yield from map(_row, wording.named_first(dump.findings)[:SHOWN])
        yield from _more(len(dump.findings), "| and {} more | | | | |")
        yield ""
    if dump.verdict is not Verdict.PASS:
        reasons = wording.reasons(dump, every=False)
        yield from (f"- {code(reason)}" for reason in reasons[:SHOWN])
        yield from _more(len(reasons), "- and {} more")
        yield f"- {wording.next_step(dump)}"
        yield ""
    if dump.suppressed:
        yield f"Set aside ({len(dump.suppressed)}):"
        yield ""
        for finding in dump.suppressed[:SHOWN]:
            why = code(finding.note or "no reason given")
            yield f"- {code(wording.name(finding))} {code(finding.fingerprint.value)}: {why}"
        yield from _more(len(dump.suppressed), "- and {} more")
        yield ""


def _row(finding: model.Finding) -> str:
    which = [*wording.certificate(finding), *wording.otherwise_known(finding)]
    said = (
        code(f"{wording.name(finding)} {wording.kind(finding)}", cell=True),
        code("; ".join(which) or wording.names(finding), cell=True),
        f"**{finding.severity.name.lower()}**" if finding.blocks else finding.severity.name.lower(),
        finding.confidence.name.lower(),
        code(finding.fingerprint.value, cell=True),
    )
    return f"| {' | '.join(said)} |"


def _more(count: int, form: str) -> Iterator[str]:
    if count > SHOWN:
        yield form.format(f"{count - SHOWN:,}")


def _words(text: str) -> str:
    """Return a sentence of ours with whatever it quotes as plain text (CommonMark 2.4)."""
    return re.sub(r"([\\`*_\[\]<>|~@#&!]|(?<=\w):(?=/)|(?<=www)\.)", r"\\\1", text)


def code(text: str, *, cell: bool = False) -> str:
    """Return a code span (CommonMark 6.1) that ends where it should; in a table, pipes escaped."""
    shown = printable(text, 400)
    fence = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    if not shown.strip():
        return ""
    if "`" in shown or shown[0] == " ":
        shown = f" {shown} "
    return f"{fence}{shown.replace('|', chr(92) + '|') if cell else shown}{fence}"
