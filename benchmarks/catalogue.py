"""Print which written forms of credentials are found, as a Markdown table.

    python benchmarks/catalogue.py [--only TEXT]

Every form of ``fixtures/foreign.py`` is written by the program that owns it, where that is on this
machine, and planted between text in an ELF core and in a minidump: bytes as they are, text in
UTF-16LE and UTF-16BE too. A form counts as found when a finding of its kind, under the name of its
key where it has a public half, lies wholly inside of it. Exits 1 where one is missed.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from fixtures import elfcore, minidump, noise
from fixtures.foreign import FORMS, Form
from fixtures.written import Written
from scanner import correlate, engine, policy, published, rules
from scanner.engine import ScanRequest
from scanner.model import DumpReport, Finding

MARGIN = 1024
"""Bytes of text before and behind a form."""

BASE, STEP = 0x7F00_0000_0000, 0x10_0000


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A form in bytes, and what must be found of it."""

    form: Form
    data: bytes
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was found of one form."""

    word: str
    """``proof``, ``structure`` or ``shape``; ``missed``."""
    rules: tuple[str, ...]


class _Silence:
    """Progress that nobody watches."""

    def phase(self, name: str, total_bytes: int) -> None:
        """Begin a phase."""

    def advance(self, count: int) -> None:
        """Count bytes."""

    def done(self) -> None:
        """End."""


def core(blocks: list[bytes]) -> Written:
    """Return an ELF core with a segment for each block."""
    return elfcore.write(
        [elfcore.Segment(address=BASE + STEP * i, data=data) for i, data in enumerate(blocks)]
    )


def dump(blocks: list[bytes]) -> Written:
    """Return a minidump with a range for each block."""
    return minidump.write(
        [minidump.Segment(address=BASE + STEP * i, data=data) for i, data in enumerate(blocks)]
    )


CONTAINERS: dict[str, Callable[[list[bytes]], Written]] = {"core": core, "minidump": dump}
CODECS = {"": None, "UTF-16LE": "utf-16-le", "UTF-16BE": "utf-16-be"}


def make(forms: Iterable[Form]) -> tuple[list[Planted], dict[str, str]]:
    """Write every form; what could not be written has a reason instead."""
    planted, skipped = [], {}
    for form in forms:
        missing = form.missing()
        if missing:
            skipped[form.name] = f"no {', '.join(missing)}"
            continue
        try:
            with tempfile.TemporaryDirectory() as folder:
                data, fingerprint = form.make(Path(folder))
        except subprocess.CalledProcessError as error:
            skipped[form.name] = f"{error.cmd[0]} exits {error.returncode}"
            continue
        planted.append(Planted(form=form, data=data, fingerprint=fingerprint))
    return planted, skipped


def scan(data: bytes) -> DumpReport:
    """Scan a dump in this process and judge it."""
    loaded = rules.load()
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        request = ScanRequest(path=file.name, in_process=True, rules=loaded)
        scanned = engine.scan(request, _Silence())
    found = correlate.findings(scanned, loaded)
    return policy.judge(scanned, *correlate.set_aside(found, published.load()))


def judge(planted: list[Planted], container: str, codec: str | None = None) -> list[Outcome]:
    """Plant all forms in one dump, scan it, and say what was found of each."""
    blocks = []
    for number, one in enumerate(planted):
        data = one.data.decode("latin-1").encode(codec) if codec else one.data
        blocks.append(noise.text(MARGIN, number) + b"\0" * 2 + data + bytes(64))
    written = CONTAINERS[container](blocks)
    report = scan(written.data)
    outcomes = []
    for number, (one, block) in enumerate(zip(planted, blocks, strict=True)):
        start = written.places[f"segment:{number}"].file_offset + MARGIN + 2
        end = start + len(block) - MARGIN - 2 - 64
        outcomes.append(outcome(one, report, start, end))
    return outcomes


def outcome(one: Planted, report: DumpReport, start: int, end: int) -> Outcome:
    """Say what was found between two offsets of the file."""
    here = [f for f in (*report.findings, *report.suppressed) if _inside(f, start, end)]
    good = [
        finding
        for finding in here
        if finding.kind == one.form.kind and one.fingerprint in ("", finding.fingerprint.value)
    ]
    if not good:
        said = {f"{f.kind} by {f.rule}" for f in here}
        return Outcome(word="missed", rules=tuple(sorted(said)))
    best = max(finding.confidence for finding in good)
    names = {finding.rule for finding in good}
    return Outcome(word=best.name.lower(), rules=tuple(sorted(names)))


def _inside(finding: Finding, start: int, end: int) -> bool:
    return any(
        all(start <= e.file_offset and e.file_offset + e.size <= end for e in o.extents)
        for o in finding.occurrences
        if o.extents
    )


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="forms whose name holds this text")
    options = parser.parse_args()
    planted, skipped = make(form for form in FORMS if options.only in form.name)
    columns: dict[str, dict[str, Outcome]] = {}
    for container in CONTAINERS:
        for name, codec in CODECS.items():
            chosen = [one for one in planted if one.form.text or not codec]
            said = judge(chosen, container, codec)
            columns[f"{container} {name}".strip()] = {
                one.form.name: outcome for one, outcome in zip(chosen, said, strict=True)
            }
    print(f"| form | {' | '.join(columns)} | rules |")
    print("| --- |" + " --- |" * (len(columns) + 1))
    missed = 0
    for form in (one.form for one in planted):
        cells = [column.get(form.name) for column in columns.values()]
        words = [cell.word if cell else "" for cell in cells]
        missed += words.count("missed")
        names = sorted({name for cell in cells if cell for name in cell.rules})
        print(f"| {form.name} | {' | '.join(words)} | {', '.join(names)} |")
    for name, reason in skipped.items():
        print(f"| {name} | {' | '.join('' for _ in columns)} | skipped: {reason} |")
    print(f"\n{len(planted)} forms, {missed} cells missed, {len(skipped)} skipped")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
