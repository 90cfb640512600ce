"""What a redaction overwrote: as text for a person, and as the record that goes with the copy.

The record says where, how much and by which rule, and names keys by their fingerprints:
``redaction-1.json`` beside this module is its JSON Schema. This module refuses to say when or
where it was made; the same redaction gives the same record.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from scanner import __version__, model
from scanner.fields import unicode
from scanner.redact import Overwritten, Redaction
from scanner.report import wording
from scanner.report.document import written
from scanner.report.printable import printable
from scanner.stages.overwrite import FILL

WIDTH = 100
SHOWN = 5
"""Ranges of one finding that the text shows, unless all are asked for."""


def text(made: Redaction, output: str | None, *, verbose: bool = False) -> str:
    """Return lines of at most WIDTH columns; without an ``output``, of what would be done."""
    count = len(made.overwritten) + len(made.random)
    verb = "overwritten" if output is not None else "would be overwritten"
    done = (
        f"{wording.count(made.size, 'byte', 'bytes')} in {wording.count(count, 'range', 'ranges')}"
    )
    head = "REDACTED" if output is not None else "DRY RUN "
    path = output if output is not None else made.before.path
    lines = [f"{head}  {printable(path, WIDTH - 10)}"]
    lines.append(f"          {done} {verb}; {_outcome(made, output)}")
    if made.findings:
        lines.append("")
    ranges: dict[model.Fingerprint, list[Overwritten]] = defaultdict(list)
    for one in made.overwritten:
        ranges[one.fingerprint].append(one)
    for finding in made.findings:
        lines += _finding(finding, ranges[finding.fingerprint], verbose=verbose or output is None)
    if made.random:
        size = sum(end - start for start, end in made.random)
        places = wording.count(len(made.random), "range", "ranges")
        lines += [
            "",
            "  memory that looks random",
            f"    {places}, {wording.count(size, 'byte', 'bytes')}",
        ]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _outcome(made: Redaction, output: str | None) -> str:
    if output is None:
        return "nothing was written"
    return f"the copy passes (scan {made.rounds})"


def _finding(
    finding: model.Finding, ranges: Sequence[Overwritten], *, verbose: bool
) -> Iterator[str]:
    total = sum(one.size for one in ranges)
    yield f"  {wording.name(finding)} {wording.kind(finding)}  by {printable(finding.rule)}"
    yield f"    {wording.fingerprint_kind(finding)}  {finding.fingerprint.value}"
    places = wording.count(len(ranges), "range", "ranges")
    yield f"    {places}, {wording.count(total, 'byte', 'bytes')}"
    for one in ranges if verbose else ranges[:SHOWN]:
        yield f"      file {one.file_offset:#x}  {one.size:,} bytes"
    if not verbose and len(ranges) > SHOWN:
        yield f"      and {len(ranges) - SHOWN} more (-v shows all)"


def record(made: Redaction, *, rules_sha256: str, policy_sha256: str) -> str:
    """Return the record of a copy that was made, as JSON: ASCII, ended by a line feed."""
    assert made.after is not None
    grouped: dict[tuple[str, model.Fingerprint], list[Overwritten]] = defaultdict(list)
    for one in made.overwritten:
        grouped[one.rule, one.fingerprint].append(one)
    table = {
        "schema": 1,
        "tool": {"name": "keysift", "version": __version__, "rules_sha256": rules_sha256},
        "policy_sha256": policy_sha256 or None,
        "input": _dump(made.before),
        "output": _dump(made.after),
        "verdict": str(made.after.verdict),
        "rounds": made.rounds,
        "fill": FILL,
        "overwritten_bytes": made.size,
        "overwritten": [
            {
                "rule": rule,
                "fingerprint": {"kind": name.kind, "value": name.value},
                "extents": [{"file_offset": one.file_offset, "size": one.size} for one in ranges],
            }
            for (rule, name), ranges in sorted(grouped.items())
        ],
        "random": {
            "ranges": len(made.random),
            "bytes": sum(end - start for start, end in made.random),
        },
    }
    return written(table)


def _dump(dump: model.DumpReport) -> dict[str, Any]:
    return {
        "path": unicode(dump.path),
        "size": dump.size,
        "sha256": dump.sha256,
        "content": {
            "layers": list(dump.content.layers),
            "size": dump.content.size,
            "sha256": dump.content.sha256,
        },
    }
