"""A saved report, read back: JSON of schema 1 to the model, strictly.

What is read may have been changed by anyone since it was written, so nothing in it is taken on
trust: types, ranges, sizes and words are those of the schema, a verdict that its own document
contradicts is refused, and so is what stands twice. Unknown fields are ignored, as the contract
says. This module judges nothing anew and repairs nothing.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from scanner import fields, model, pipes, spread
from scanner.errors import ReportError, UsageError, cause
from scanner.fields import RefusedError, T, Table
from scanner.fingerprint import HMAC, PLACE, SPKI
from scanner.model import Confidence, Severity, Verdict

FILE_LIMIT = 256 << 20
"""Bytes that a saved report may have."""

_LEDGER = ("region", "note", "header", "stream", "slack")
_MAP_LIMIT = 4096
_FINGERPRINTS = (SPKI, HMAC, PLACE)
_STATES = ("live", "freed", "unknown")
_ENTROPY = ("zero", "low", "text", "mixed", "random")
_MEMORY_LIMIT, _PARTS_LIMIT = 256, 1280


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A report and the SHA-256, in lower-case hex, of the file that held it."""

    report: model.Report
    sha256: str


def load(path: str) -> Saved:
    """Read a report. Raises UsageError where the file cannot be read or is no report."""
    try:
        with pipes.open_file(path) as file:
            raw = file.read(FILE_LIMIT + 1)
    except (OSError, ValueError) as error:
        raise _unusable(path, cause(error)) from error
    try:
        return Saved(report=parse(raw), sha256=hashlib.sha256(raw).hexdigest())
    except RefusedError as error:
        raise _unusable(path, str(error)) from None


def _unusable(path: str, reason: str) -> UsageError:
    return UsageError(
        f"the report {path} cannot be used",
        reason=reason,
        hint="name a file that keysift scan --format json wrote",
    )


def received(raw: bytes) -> model.Report:
    """Read a report that another process sent. Raises ReportError where it is none."""
    try:
        return parse(raw)
    except RefusedError as error:
        raise ReportError("the report that came back cannot be used", reason=str(error)) from None


def parse(raw: bytes) -> model.Report:
    """Read the bytes of a document. Raises an error of this module, which :func:`load` tells."""
    if len(raw) > FILE_LIMIT:
        fields.refuse(f"it is larger than {FILE_LIMIT >> 20} MiB")
    try:
        document = json.loads(
            raw.decode("utf-8"), object_pairs_hook=fields.once, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError):
        fields.refuse("it is not JSON")
    if not isinstance(document, dict) or document.get("schema") != 1:
        fields.refuse("it is not a report of schema 1")
    try:
        return _report(document)
    except RecursionError:
        fields.refuse("it is nested too deeply")


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError


# --- the document -------------------------------------------------------------------------------


def _report(table: Table) -> model.Report:
    tool = fields.inner(table, "tool")
    dumps = fields.rows(table, "dumps", _dump)
    verdict = _verdict(table)
    worst = [v for v in (Verdict.BLOCKED, Verdict.INCOMPLETE) if any(d.verdict is v for d in dumps)]
    if verdict is not (worst or [Verdict.PASS if dumps else Verdict.INCOMPLETE])[0]:
        fields.refuse("its verdict is not the worst of its dumps")
    return model.Report(
        tool_version=fields.text(tool, "version"),
        rules_sha256=fields.digest(tool, "rules_sha256"),
        policy_sha256=fields.digest(table, "policy_sha256"),
        known_sha256=fields.digest(table, "known_sha256"),
        baseline_sha256=_newer(table, "baseline_sha256", fields.digest, ""),
        fingerprint_key_id=_newer(table, "fingerprint_key_id", fields.digest, ""),
        mode=fields.code(table, "mode"),
        verdict=verdict,
        dumps=dumps,
        fleet=_fleet(fields.inner(table, "fleet"), dumps) if "fleet" in table else None,
    )


def _newer(table: Table, name: str, read: Callable[[Table, str], T], without: T) -> T:
    """Return a field that older reports do not have, or what stands for it there."""
    return read(table, name) if name in table else without


def _fleet(table: Table, dumps: tuple[model.DumpReport, ...]) -> tuple[model.Spread, ...]:
    keys = fields.rows(table, "keys", _spread)
    said = [(key.fingerprint, key.dumps) for key in keys]
    if said != list(spread.places(dumps).items()) or any(
        key.first not in key.dumps for key in keys
    ):
        fields.refuse("its keys are not in the dumps that it says")
    return keys


def _spread(table: Table) -> model.Spread:
    numbers = fields.field(table, "dumps")
    if not isinstance(numbers, list) or not all(type(number) is int for number in numbers):
        fields.refuse("the field dumps is no list of numbers")
    return model.Spread(
        fingerprint=_fingerprint(fields.inner(table, "fingerprint")),
        dumps=tuple(numbers),
        first=fields.number(table, "first"),
        first_seen=fields.optional(table, "first_seen"),
    )


def _fingerprint(name: Table) -> model.Fingerprint:
    return model.Fingerprint(
        kind=fields.word(name, "kind", _FINGERPRINTS),
        value=fields.digest(name, "value", needed=True),
    )


def _dump(table: Table) -> model.DumpReport:
    content = fields.inner(table, "content")
    coverage = _coverage(fields.inner(table, "coverage"))
    findings = fields.rows(table, "findings", _finding)
    verdict = _verdict(table)
    reasons = fields.rows(table, "reasons", _reason)
    if (verdict is Verdict.PASS) is bool(reasons):
        fields.refuse("a verdict has no reason, or a pass has one")
    if verdict is Verdict.PASS and coverage.scanned_bytes != coverage.file_bytes:
        fields.refuse("a dump passes of which bytes were not swept")
    accepted: tuple[str, ...] = _newer(table, "accepted", fields.texts, ())
    if verdict is Verdict.PASS and any(f.code not in accepted for f in coverage.faults):
        fields.refuse("a dump passes that has a fault which nobody accepted")
    if verdict is not Verdict.BLOCKED and any(finding.blocks for finding in findings):
        fields.refuse("a dump is not blocked that holds what blocks")
    return model.DumpReport(
        path=fields.text(table, "path"),
        size=fields.number(table, "size"),
        sha256=fields.digest(table, "sha256"),
        content=model.Content(
            layers=fields.texts(content, "layers"),
            size=fields.number(content, "size"),
            sha256=fields.digest(content, "sha256"),
            faults=fields.rows(content, "faults", _fault),
            alone=_newer(content, "alone", fields.flag, without=False),
        ),
        format=fields.code(table, "format"),
        arch=fields.code(table, "arch"),
        verdict=verdict,
        reasons=reasons,
        coverage=coverage,
        findings=findings,
        suppressed=fields.rows(table, "suppressed", _finding),
        accepted=accepted,
    )


def _coverage(table: Table) -> model.Coverage:
    cells = fields.rows(table, "map", _cell)
    if len(cells) > _MAP_LIMIT:
        fields.refuse(f"a map has more than {_MAP_LIMIT} cells")
    covered = model.Coverage(
        file_bytes=fields.number(table, "file_bytes"),
        scanned_bytes=fields.number(table, "scanned_bytes"),
        regions=fields.number(table, "regions"),
        gaps=fields.rows(table, "gaps", _gap),
        faults=fields.rows(table, "faults", _fault),
        map=cells,
        ledger=_ledger(table),
        memory=_memory(table),
    )
    if covered.scanned_bytes > covered.file_bytes:
        fields.refuse("more bytes were swept than there are")
    return covered


def _ledger(table: Table) -> tuple[tuple[str, int], ...]:
    if "ledger" not in table:
        return ()
    rows = fields.inner(table, "ledger")
    return tuple((name, fields.number(rows, name)) for name in _LEDGER if name in rows)


def _memory(table: Table) -> tuple[model.Stretch, ...]:
    if "memory" not in table:
        return ()
    found = fields.rows(table, "memory", _stretch)
    if len(found) > _MEMORY_LIMIT or sum(len(one.cells) for one in found) > _PARTS_LIMIT:
        fields.refuse("a map of memory has too many stretches or cells")
    ends = [0, *(one.address + one.size for one in found)]
    if any(one.address < end for one, end in zip(found, ends, strict=False)) or ends[-1] > 1 << 64:
        fields.refuse("the stretches of a map of memory overlap, or end nowhere")
    return found


def _stretch(table: Table) -> model.Stretch:
    address, cells = fields.address(table), fields.field(table, "cells")
    if address is None:
        fields.refuse("a stretch of memory has no address")
    if not isinstance(cells, list) or not all(
        cell is None or (isinstance(cell, str) and cell in (*_ENTROPY, "unswept")) for cell in cells
    ):
        fields.refuse("the field cells holds an unknown value")
    stretch = model.Stretch(
        address=address,
        size=fields.number(table, "size", (1 << 64) + 1),
        bytes=fields.number(table, "bytes", (1 << 64) + 1),
        label=fields.text(table, "label"),
        cells=tuple(cells),
    )
    if not 0 < stretch.bytes <= stretch.size or not stretch.cells:
        fields.refuse("a stretch of memory has no bytes, or more than addresses")
    return stretch


def _cell(table: Table) -> model.Cell:
    cell = model.Cell(
        bytes=fields.number(table, "bytes"),
        swept=fields.number(table, "swept"),
        entropy=fields.word(table, "entropy", _ENTROPY),
    )
    if cell.swept > cell.bytes:
        fields.refuse("a cell of a map is swept beyond its end")
    return cell


def _gap(table: Table) -> model.Gap:
    return model.Gap(
        code=fields.code(table, "code"),
        start=fields.address(table),
        size=fields.number(table, "size", 1 << 128),
    )


def _fault(table: Table) -> model.Fault:
    return model.Fault(code=fields.code(table, "code"), text=fields.text(table, "text"))


def _reason(table: Table) -> model.Reason:
    return model.Reason(code=fields.code(table, "code"), text=fields.text(table, "text"))


def _finding(table: Table) -> model.Finding:
    public = fields.inner(table, "public")
    severities = tuple(severity.name.lower() for severity in Severity)
    confidences = tuple(confidence.name.lower() for confidence in Confidence)
    return model.Finding(
        id=fields.code(table, "id"),
        rule=fields.code(table, "rule"),
        kind=fields.code(table, "kind"),
        algorithm=fields.text(table, "algorithm"),
        curve=fields.optional(table, "curve"),
        bits=fields.number(table, "bits"),
        severity=Severity[fields.word(table, "severity", severities).upper()],
        confidence=Confidence[fields.word(table, "confidence", confidences).upper()],
        proof=fields.optional(table, "proof"),
        names=fields.texts(table, "names"),
        fingerprint=_fingerprint(fields.inner(table, "fingerprint")),
        public=model.Public(
            subject=fields.optional(public, "subject"),
            serial=fields.optional(public, "serial"),
            not_after=fields.optional(public, "not_after"),
            kid=fields.optional(public, "kid"),
            ssh_fingerprint=fields.optional(public, "ssh_fingerprint"),
            issuer=_newer(public, "issuer", fields.optional, ""),
            audience=_newer(public, "audience", fields.optional, ""),
            e_assumed=fields.flag(public, "e_assumed"),
        ),
        occurrences=fields.rows(table, "occurrences", _occurrence),
        note=_newer(table, "note", fields.optional, ""),
        protection=_newer(table, "protection", fields.optional, ""),
        session=_newer(table, "session", fields.flag, without=False),
        blocks=_newer(table, "blocks", fields.flag, without=False),
    )


def _occurrence(table: Table) -> model.Occurrence:
    extents = fields.rows(table, "extents", _extent)
    if not extents:
        fields.refuse("an occurrence lies nowhere")
    return model.Occurrence(
        encoding=fields.text(table, "encoding"),
        region=fields.optional(table, "region"),
        owner=fields.optional(table, "owner"),
        state=fields.word(table, "state", _STATES),
        extents=extents,
    )


def _extent(table: Table) -> model.Extent:
    return model.Extent(
        address=fields.address(table),
        file_offset=fields.number(table, "file_offset"),
        size=fields.number(table, "size"),
    )


def _verdict(table: Table) -> Verdict:
    return Verdict(fields.word(table, "verdict", tuple(verdict.value for verdict in Verdict)))
