"""Print which written forms of credentials are found, as a Markdown table.

    python benchmarks/catalogue.py [--only EXPRESSION]

Every form of ``fixtures/foreign.py`` is written by the program that owns it, where that is on this
machine, and planted between text in an ELF core and in a minidump: bytes as they are, text in
UTF-16LE and UTF-16BE too. A form counts as found when a finding of its kind, under the name of its
key where it has a public half, lies wholly inside of it. Its extents are right when nothing of the
key is found any more once they are overwritten. Exits 1 where one is missed or has wrong extents.
"""

import argparse
import functools
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version as metadata
from pathlib import Path

from fixtures import elfcore, foreign_tools, minidump, noise
from fixtures.foreign import FORMS, Form
from fixtures.written import Written
from scanner import correlate, policy, published, rules
from scanner.engine import scanning
from scanner.engine.scanning import ScanRequest
from scanner.model import DumpReport, Finding
from scanner.progress import Silence

MARGIN = 1024
"""Bytes of text before and behind a form."""

LEAD = 8
"""Zero bytes between that text and the form: it begins where an allocator's block may."""

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
    extents: tuple[tuple[int, int], ...] = ()
    """Where in the file the key was found, within its form: offset and size."""


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
        scanned = scanning.scan(request, Silence())
    found = correlate.findings(scanned, loaded)
    return policy.judge(scanned, *correlate.set_aside(found, published.load()))


def judge(planted: list[Planted], container: str, codec: str | None = None) -> list[Outcome]:
    """Plant all forms in one dump, scan it, and say what was found of each.

    The extents of what was found are overwritten, and the dump scanned again: a form of which
    something is found still has the word ``extents``.
    """
    blocks = []
    for number, one in enumerate(planted):
        data = one.data.decode("latin-1").encode(codec) if codec else one.data
        blocks.append(noise.text(MARGIN, number) + bytes(LEAD) + data + bytes(64))
    written = CONTAINERS[container](blocks)
    spans = []
    for number, block in enumerate(blocks):
        start = written.places[f"segment:{number}"].file_offset + MARGIN + LEAD
        spans.append((start, start + len(block) - MARGIN - LEAD - 64))
    report = scan(written.data)
    first = [outcome(one, report, *span) for one, span in zip(planted, spans, strict=True)]
    blank = bytearray(written.data)
    for offset, size in (extent for said in first for extent in said.extents):
        blank[offset : offset + size] = b"X" * size
    report = scan(bytes(blank))
    second = [outcome(one, report, *span) for one, span in zip(planted, spans, strict=True)]
    return [
        one if two.word == "missed" else replace(one, word="extents")
        for one, two in zip(first, second, strict=True)
    ]


def outcome(one: Planted, report: DumpReport, start: int, end: int) -> Outcome:
    """Say what was found between two offsets of the file."""
    here = [f for f in (*report.findings, *report.suppressed) if [*_places(f, start, end)]]
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
    extents = {place for finding in good for place in _places(finding, start, end)}
    return Outcome(
        word=best.name.lower(), rules=tuple(sorted(names)), extents=tuple(sorted(extents))
    )


def _places(finding: Finding, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the extents of the occurrences that lie wholly between two offsets."""
    for occurrence in finding.occurrences:
        extents = [(extent.file_offset, extent.size) for extent in occurrence.extents]
        if extents and all(start <= at and at + size <= end for at, size in extents):
            yield from extents


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="forms whose name this expression is in")
    options = parser.parse_args()
    chosen = [form for form in FORMS if re.search(options.only, form.name)]
    planted, skipped = make(chosen)
    columns: dict[str, dict[str, Outcome]] = {}
    for container in CONTAINERS:
        for name, codec in CODECS.items():
            chosen = [one for one in planted if one.form.text or not codec]
            said = judge(chosen, container, codec)
            columns[f"{container} {name}".strip()] = {
                one.form.name: outcome for one, outcome in zip(chosen, said, strict=True)
            }
    print(f"| form | tool | {' | '.join(columns)} | fingerprint | extents | rules |")
    print("| --- |" + " --- |" * (len(columns) + 4))
    wrong = 0
    for one in planted:
        cells = [column.get(one.form.name) for column in columns.values()]
        words = [cell.word if cell else "" for cell in cells]
        wrong += words.count("missed") + words.count("extents")
        names = ", ".join(sorted({name for cell in cells if cell for name in cell.rules}))
        missed, astray = "missed" in words, "extents" in words
        name = "wrong" if missed else "right" if one.fingerprint else "none to tell"
        place = "wrong" if missed or astray else "right"
        cut = [tool(one.form), *words, name, place, names]
        print(f"| {one.form.name} | {' | '.join(cut)} |", flush=True)
    for name, reason in skipped.items():
        print(f"| {name} | {' | '.join('' for _ in columns)} | | | | skipped: {reason} |")
    print(f"\n{len(planted)} forms, {wrong} cells wrong, {len(skipped)} skipped")
    return int(wrong > 0)


VERSIONS: dict[str, tuple[str, ...]] = {
    "openssl": ("openssl", "version"),
    "ssh-keygen": ("ssh", "-V"),
    "puttygen": ("puttygen", "--version"),
    "gpg": ("gpg", "--version"),
    "node": ("node", "--version"),
    "age-keygen": ("age", "--version"),
    "minisign": ("minisign", "-v"),
    "dnssec-keygen": ("dnssec-keygen", "-V"),
    "keytool": ("java", "--version"),
    "wg": ("wg", "--version"),
    "tor": ("tor", "--version"),
    "certtool": ("certtool", "--version"),
    "xxd": ("xxd", "--version"),
    "hexdump": ("hexdump", "--version"),
    "od": ("od", "--version"),
    "base64": ("base64", "--version"),
    "mono": ("mono", "--version"),
    "wine": ("wine", "--version"),
    "swtpm": ("swtpm", "--version"),
}
"""How programs say which version they are."""


def tool(form: Form) -> str:
    """Return what wrote a form, and its version."""
    if not form.needs:
        return "our recipe" if "PGP" in form.name else f"cryptography {metadata('cryptography')}"
    name = form.needs[-1] if form.needs[-1] in ("xxd", "hexdump", "od", "base64") else form.needs[0]
    kind, _, library = name.partition(":")
    if library and kind == "python":
        return f"{library} {metadata(library)}"
    if library:
        package = json.loads((foreign_tools.NODE_MODULES / library / "package.json").read_text())
        return f"{package['name']}.js {package['version']}"
    return _versioned(name)


@functools.cache
def _versioned(name: str) -> str:
    """Return a program's name with what it says of its version."""
    if name not in VERSIONS:
        return name
    done = subprocess.run(VERSIONS[name], capture_output=True, check=False, timeout=60)
    version = re.search(rb"[0-9]+[.p][0-9][0-9.p]*", done.stdout + done.stderr)
    return f"{name} {version[0].decode().rstrip('.') if version else ''}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
