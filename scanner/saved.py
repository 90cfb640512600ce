"""A saved report, read back: JSON of schema 1 to the model, strictly.

What is read may have been changed by anyone since it was written, so nothing in it is taken on
trust: types, ranges, sizes and words are those of the schema, a verdict that its own document
contradicts is refused, and so is what stands twice. Unknown fields are ignored, as the contract
says. This module judges nothing anew and repairs nothing.
"""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from scanner import model, spread
from scanner.errors import ReportError, UsageError
from scanner.model import Confidence, Severity, Verdict

FILE_LIMIT = 256 << 20
"""Bytes that a saved report may have."""

_TEXT_LIMIT = 1 << 16
_ROWS_LIMIT = 1 << 20
_LEDGER = ("region", "note", "header", "stream", "slack")
_MAP_LIMIT = 4096
_HEX = re.compile(r"[0-9a-f]{64}")
_ADDRESS = re.compile(r"0x(0|[1-9a-f][0-9a-f]{0,15})")
_FINGERPRINTS = ("spki-sha256", "hmac-sha256", "place-sha256")
_CODE = re.compile(r"[A-Za-z0-9 ._+-]{1,64}")
"""Codes, kinds and names of formats: words of ours, or of a rule file."""
_STATES = ("live", "freed", "unknown")
_ENTROPY = ("zero", "low", "text", "mixed", "random")

_T = TypeVar("_T")
_Table = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A report and the SHA-256, in lower-case hex, of the file that held it."""

    report: model.Report
    sha256: str


class _RefusedError(Exception):
    """What is wrong with a document, in our words; never leaves this module."""


def load(path: str) -> Saved:
    """Read a report. Raises UsageError where the file cannot be read or is no report."""
    try:
        with Path(path).open("rb") as file:
            raw = file.read(FILE_LIMIT + 1)
    except (OSError, ValueError) as error:
        raise _unusable(path, getattr(error, "strerror", None) or "it is no path") from error
    try:
        return Saved(report=parse(raw), sha256=hashlib.sha256(raw).hexdigest())
    except _RefusedError as error:
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
    except _RefusedError as error:
        raise ReportError("The report that came back cannot be used", reason=str(error)) from None


def parse(raw: bytes) -> model.Report:
    """Read the bytes of a document. Raises an error of this module, which :func:`load` tells."""
    if len(raw) > FILE_LIMIT:
        _refuse(f"it is larger than {FILE_LIMIT >> 20} MiB")
    try:
        document = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError):
        _refuse("it is not JSON")
    if not isinstance(document, dict) or document.get("schema") != 1:
        _refuse("it is not a report of schema 1")
    try:
        return _report(document)
    except RecursionError:
        _refuse("it is nested too deeply")


def _refuse(reason: str) -> NoReturn:
    raise _RefusedError(reason)


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError


def _once(pairs: list[tuple[str, Any]]) -> _Table:
    table = dict(pairs)
    if len(table) != len(pairs):
        _refuse("a field stands twice in one object")
    return table


# --- the document -------------------------------------------------------------------------------


def _report(table: _Table) -> model.Report:
    tool = _object(table, "tool")
    dumps = _rows(table, "dumps", _dump)
    verdict = _verdict(table)
    worst = [v for v in (Verdict.BLOCKED, Verdict.INCOMPLETE) if any(d.verdict is v for d in dumps)]
    if verdict is not (worst or [Verdict.PASS if dumps else Verdict.INCOMPLETE])[0]:
        _refuse("its verdict is not the worst of its dumps")
    return model.Report(
        tool_version=_text(tool, "version"),
        rules_sha256=_digest(tool, "rules_sha256"),
        policy_sha256=_digest(table, "policy_sha256"),
        known_sha256=_digest(table, "known_sha256"),
        baseline_sha256=_digest(table, "baseline_sha256") if "baseline_sha256" in table else "",
        mode=_code(table, "mode"),
        verdict=verdict,
        dumps=dumps,
        fleet=_fleet(_object(table, "fleet"), dumps) if "fleet" in table else None,
    )


def _fleet(table: _Table, dumps: tuple[model.DumpReport, ...]) -> tuple[model.Spread, ...]:
    keys = _rows(table, "keys", _spread)
    said = [(key.fingerprint, key.dumps) for key in keys]
    if said != list(spread.places(dumps).items()) or any(
        key.first not in key.dumps for key in keys
    ):
        _refuse("its keys are not in the dumps that it says")
    return keys


def _spread(table: _Table) -> model.Spread:
    numbers = _field(table, "dumps")
    if not isinstance(numbers, list) or not all(type(number) is int for number in numbers):
        _refuse("the field dumps is no list of numbers")
    return model.Spread(
        fingerprint=_fingerprint(_object(table, "fingerprint")),
        dumps=tuple(numbers),
        first=_number(table, "first"),
        first_seen=_optional(table, "first_seen"),
    )


def _fingerprint(name: _Table) -> model.Fingerprint:
    return model.Fingerprint(
        kind=_word(name, "kind", _FINGERPRINTS), value=_digest(name, "value", needed=True)
    )


def _dump(table: _Table) -> model.DumpReport:
    content = _object(table, "content")
    coverage = _coverage(_object(table, "coverage"))
    findings = _rows(table, "findings", _finding)
    verdict = _verdict(table)
    reasons = _rows(table, "reasons", _reason)
    if (verdict is Verdict.PASS) is bool(reasons):
        _refuse("a verdict has no reason, or a pass has one")
    if verdict is Verdict.PASS and coverage.scanned_bytes != coverage.file_bytes:
        _refuse("a dump passes of which bytes were not swept")
    if verdict is not Verdict.BLOCKED and any(finding.blocks for finding in findings):
        _refuse("a dump is not blocked that holds what blocks")
    return model.DumpReport(
        path=_text(table, "path"),
        size=_number(table, "size"),
        sha256=_digest(table, "sha256"),
        content=model.Content(
            layers=_texts(content, "layers"),
            size=_number(content, "size"),
            sha256=_digest(content, "sha256"),
            faults=_rows(content, "faults", _fault),
        ),
        format=_code(table, "format"),
        arch=_code(table, "arch"),
        verdict=verdict,
        reasons=reasons,
        coverage=coverage,
        findings=findings,
        suppressed=_rows(table, "suppressed", _finding),
        accepted=_texts(table, "accepted") if "accepted" in table else (),
    )


def _coverage(table: _Table) -> model.Coverage:
    cells = _rows(table, "map", _cell)
    if len(cells) > _MAP_LIMIT:
        _refuse(f"a map has more than {_MAP_LIMIT} cells")
    covered = model.Coverage(
        file_bytes=_number(table, "file_bytes"),
        scanned_bytes=_number(table, "scanned_bytes"),
        regions=_number(table, "regions"),
        gaps=_rows(table, "gaps", _gap),
        faults=_rows(table, "faults", _fault),
        map=cells,
        ledger=_ledger(table),
    )
    if covered.scanned_bytes > covered.file_bytes:
        _refuse("more bytes were swept than there are")
    return covered


def _ledger(table: _Table) -> tuple[tuple[str, int], ...]:
    if "ledger" not in table:
        return ()
    rows = _object(table, "ledger")
    return tuple((name, _number(rows, name)) for name in _LEDGER if name in rows)


def _cell(table: _Table) -> model.Cell:
    cell = model.Cell(
        bytes=_number(table, "bytes"),
        swept=_number(table, "swept"),
        entropy=_word(table, "entropy", _ENTROPY),
    )
    if cell.swept > cell.bytes:
        _refuse("a cell of a map is swept beyond its end")
    return cell


def _gap(table: _Table) -> model.Gap:
    return model.Gap(
        code=_code(table, "code"), start=_address(table), size=_number(table, "size", 1 << 128)
    )


def _fault(table: _Table) -> model.Fault:
    return model.Fault(code=_code(table, "code"), text=_text(table, "text"))


def _reason(table: _Table) -> model.Reason:
    return model.Reason(code=_code(table, "code"), text=_text(table, "text"))


def _finding(table: _Table) -> model.Finding:
    public = _object(table, "public")
    severities = tuple(severity.name.lower() for severity in Severity)
    confidences = tuple(confidence.name.lower() for confidence in Confidence)
    return model.Finding(
        id=_code(table, "id"),
        rule=_code(table, "rule"),
        kind=_code(table, "kind"),
        algorithm=_text(table, "algorithm"),
        curve=_optional(table, "curve"),
        bits=_number(table, "bits"),
        severity=Severity[_word(table, "severity", severities).upper()],
        confidence=Confidence[_word(table, "confidence", confidences).upper()],
        proof=_optional(table, "proof"),
        names=_texts(table, "names"),
        fingerprint=_fingerprint(_object(table, "fingerprint")),
        public=model.Public(
            subject=_optional(public, "subject"),
            serial=_optional(public, "serial"),
            not_after=_optional(public, "not_after"),
            kid=_optional(public, "kid"),
            ssh_fingerprint=_optional(public, "ssh_fingerprint"),
            issuer=_optional(public, "issuer") if "issuer" in public else "",
            audience=_optional(public, "audience") if "audience" in public else "",
            e_assumed=_flag(public, "e_assumed"),
        ),
        occurrences=_rows(table, "occurrences", _occurrence),
        note=_optional(table, "note") if "note" in table else "",
        protection=_optional(table, "protection") if "protection" in table else "",
        blocks=_flag(table, "blocks") if "blocks" in table else False,
    )


def _occurrence(table: _Table) -> model.Occurrence:
    extents = _rows(table, "extents", _extent)
    if not extents:
        _refuse("an occurrence lies nowhere")
    return model.Occurrence(
        encoding=_text(table, "encoding"),
        region=_optional(table, "region"),
        owner=_optional(table, "owner"),
        state=_word(table, "state", _STATES),
        extents=extents,
    )


def _extent(table: _Table) -> model.Extent:
    return model.Extent(
        address=_address(table),
        file_offset=_number(table, "file_offset"),
        size=_number(table, "size"),
    )


# --- values -------------------------------------------------------------------------------------


def _field(table: _Table, name: str) -> Any:  # noqa: ANN401 - a JSON value
    if name not in table:
        _refuse(f"the field {name} is missing")
    return table[name]


def _object(table: _Table, name: str) -> _Table:
    value = _field(table, name)
    if not isinstance(value, dict):
        _refuse(f"the field {name} is no object")
    return value


def _rows(table: _Table, name: str, read: Callable[[_Table], _T]) -> tuple[_T, ...]:
    value = _field(table, name)
    if not isinstance(value, list) or len(value) > _ROWS_LIMIT:
        _refuse(f"the field {name} is no list, or too long")
    if not all(isinstance(row, dict) for row in value):
        _refuse(f"the field {name} holds what is no object")
    return tuple(map(read, value))


def _text(table: _Table, name: str) -> str:
    value = _field(table, name)
    if not isinstance(value, str) or len(value) > _TEXT_LIMIT:
        _refuse(f"the field {name} is no text, or too long")
    return value


def _code(table: _Table, name: str) -> str:
    value = _field(table, name)
    if not isinstance(value, str) or not _CODE.fullmatch(value):
        _refuse(f"the field {name} is no word")
    return value


def _texts(table: _Table, name: str) -> tuple[str, ...]:
    value = _field(table, name)
    if not isinstance(value, list) or len(value) > _ROWS_LIMIT:
        _refuse(f"the field {name} is no list, or too long")
    if not all(isinstance(text, str) and len(text) <= _TEXT_LIMIT for text in value):
        _refuse(f"the field {name} holds what is no text")
    return tuple(value)


def _optional(table: _Table, name: str) -> str:
    return "" if _field(table, name) is None else _text(table, name)


def _digest(table: _Table, name: str, *, needed: bool = False) -> str:
    value = _field(table, name)
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        _refuse(f"the field {name} is no SHA-256")
    return value


def _number(table: _Table, name: str, limit: int = 1 << 63) -> int:
    value = _field(table, name)
    if type(value) is not int or not 0 <= value < limit:
        _refuse(f"the field {name} is no size")
    return value


def _flag(table: _Table, name: str) -> bool:
    value = _field(table, name)
    if not isinstance(value, bool):
        _refuse(f"the field {name} is neither true nor false")
    return value


def _word(table: _Table, name: str, words: tuple[str, ...]) -> str:
    value = _field(table, name)
    if not isinstance(value, str) or value not in words:
        _refuse(f"the field {name} has an unknown value")
    return value


def _verdict(table: _Table) -> Verdict:
    return Verdict(_word(table, "verdict", tuple(verdict.value for verdict in Verdict)))


def _address(table: _Table) -> int | None:
    value = _field(table, "address")
    if value is None:
        return None
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        _refuse("the field address is neither null nor a hex number below 2**64")
    return int(value, 16)
