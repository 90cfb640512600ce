"""A saved report reads back as it was, or is refused as a whole."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner import fields, saved
from scanner.errors import UsageError
from scanner.model import Report
from scanner.report import json as report_json
from scanner.report import text as report_text
from tests.report import conftest as made

REPORTS = made.REPORTS


def load(folder: Path, raw: bytes | str) -> Report:
    """Write a document and read it back."""
    path = folder / "report.json"
    path.write_bytes(raw if isinstance(raw, bytes) else raw.encode())
    return saved.load(str(path)).report


def plain(report: Report) -> Report:
    """Return what a report is once lone surrogates are written out."""

    def whole(text: str) -> str:
        return text.encode("utf-8", "backslashreplace").decode()

    def walk(value: Any) -> Any:  # noqa: ANN401 - any value of the model
        if type(value) is str:
            return whole(value)
        if isinstance(value, tuple):
            return tuple(map(walk, value))
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {f.name: walk(getattr(value, f.name)) for f in dataclasses.fields(value)}
            return dataclasses.replace(value, **fields)
        return value

    read: Report = walk(report)
    return read


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_round_trip(tmp_path: Path, name: str) -> None:
    """What was written is read back, field by field, and gives the same JSON and text again."""
    report = REPORTS[name]
    written = report_json.render(report)
    read = load(tmp_path, written)
    assert read == plain(report)
    assert report_json.render(read) == written
    for verbose in (False, True):
        said = report_text.render(read, verbose=verbose)
        assert said == report_text.render(report, verbose=verbose)


def filled(value: Any, name: str = "") -> Any:  # noqa: ANN401 - any value of the model
    """Return a value of the model in which no text or flag has its default."""
    if value == "":
        return "ab" * 32 if name.endswith(("sha256", "key_id")) else "said"
    if isinstance(value, tuple):
        return tuple(map(filled, value)) or (("said",) if name in {"names", "accepted"} else ())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return dataclasses.replace(
            value, **{f.name: filled(getattr(value, f.name), f.name) for f in fields}
        )
    return value is False or value


def test_no_field_is_forgotten(tmp_path: Path) -> None:
    """Every field of the model that is written is read back, whatever field is added."""
    report = filled(REPORTS["fleet"])
    assert load(tmp_path, report_json.render(report)) == report


def test_unknown_fields_are_ignored(tmp_path: Path) -> None:
    """A field that a later version adds changes nothing; one that it added may be missing."""
    document = report_json.document(REPORTS["blocked"])
    read = load(tmp_path, json.dumps(document | {"later": [1, {"x": None}]}))
    assert read == REPORTS["blocked"]
    for field in ("accepted",):
        del document["dumps"][0][field]
    del document["baseline_sha256"]
    assert load(tmp_path, json.dumps(document)) == REPORTS["blocked"]
    del document["dumps"][0]["coverage"]["memory"]
    assert load(tmp_path, json.dumps(document)).dumps[0].coverage.memory == ()


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:  # noqa: ANN401
    """Return the paths of all values of a document."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node)
    found = []
    for key, value in pairs:
        found.append((*path, key))
        if isinstance(value, (dict, list)):
            found += places(value, (*path, key))
    return found


DOCUMENT = json.loads(report_json.render(made.whole(made.dump_report(made.Verdict.INCOMPLETE))))
MEMORY = DOCUMENT["dumps"][0]["coverage"]["memory"]
WRONG = (-1, 1.5, "\0", [], {}, [[]], None, True, 1 << 64)


@settings(max_examples=30)
@given(st.sampled_from(places(DOCUMENT)), st.sampled_from(WRONG), st.booleans())
def test_a_wrong_value_is_refused_or_read(path: tuple[Any, ...], value: object, drop: bool) -> None:
    """Any field with any value, or missing, is an error of ours or a report that can be written."""
    document = json.loads(json.dumps(DOCUMENT))
    node = document
    for step in path[:-1]:
        node = node[step]
    if drop:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    try:
        read = saved.parse(json.dumps(document).encode())
    except fields.RefusedError:
        return
    assert report_json.render(read)
    assert report_text.render(read, verbose=True)


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (("schema",), 2, "schema 1"),
        (("verdict",), "pass", "worst of its dumps"),
        (("dumps",), [], "worst of its dumps"),
        (("dumps", 0, "verdict"), "pass", "a pass has one"),
        (("dumps", 0, "verdict"), "incomplete", "what blocks"),
        (("dumps", 0, "reasons"), [], "no reason"),
        (("dumps", 0, "coverage", "scanned_bytes"), 1 << 40, "more bytes"),
        (("dumps", 0, "coverage", "map"), [{}] * 5000, "missing"),
        (("dumps", 0, "coverage", "map", 0, "swept"), 1 << 40, "beyond its end"),
        (("dumps", 0, "coverage", "memory"), [MEMORY[0]] * 2, "overlap"),
        (("dumps", 0, "coverage", "memory"), MEMORY[::-1], "overlap"),
        (("dumps", 0, "coverage", "memory", 2, "size"), 1 << 64, "end nowhere"),
        (("dumps", 0, "coverage", "memory", 0, "size"), 0x8001, "overlap"),
        (("dumps", 0, "coverage", "memory", 0, "size"), 0x7FFF, "more than addresses"),
        (("dumps", 0, "coverage", "memory", 0, "bytes"), 0, "no bytes"),
        (("dumps", 0, "coverage", "memory", 0, "address"), None, "no address"),
        (("dumps", 0, "coverage", "memory", 0, "label"), None, "no text"),
        (("dumps", 0, "coverage", "memory", 0, "cells"), ["<b>"], "unknown value"),
        (("dumps", 0, "coverage", "memory", 0, "cells"), [["low"]], "unknown value"),
        (("dumps", 0, "coverage", "memory", 0, "cells"), [], "no bytes"),
        (("dumps", 0, "coverage", "memory", 0, "cells"), ["low"] * 1281, "too many"),
        (
            ("dumps", 0, "coverage", "memory"),
            [MEMORY[0] | {"address": hex(k << 16)} for k in range(257)],
            "too many",
        ),
        (("dumps", 0, "findings", 0, "severity"), "CRITICAL", "unknown value"),
        (("dumps", 0, "findings", 0, "kind"), "[x](y)", "no word"),
        (("dumps", 0, "findings", 0, "fingerprint", "value"), None, "no SHA-256"),
        (("dumps", 0, "findings", 0, "bits"), True, "no size"),
        (("dumps", 0, "findings", 0, "occurrences", 0, "extents"), [], "nowhere"),
        (
            ("dumps", 0, "findings", 0, "occurrences", 0, "extents", 0, "address"),
            "0x1" + "0" * 16,
            "address",
        ),
    ],
)
def test_refused(tmp_path: Path, path: tuple[Any, ...], value: object, reason: str) -> None:
    """A document that contradicts its schema or itself is refused, and it is said why."""
    document: Any = json.loads(report_json.render(REPORTS["blocked"]))
    node = document
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    with pytest.raises(UsageError) as caught:
        load(tmp_path, json.dumps(document))
    assert reason in caught.value.reason


def test_a_pass_that_is_none_is_refused(tmp_path: Path) -> None:
    """Bytes that were not swept, or a fault that nobody accepted, are no pass."""
    document: Any = json.loads(report_json.render(REPORTS["pass"]))
    (dump,) = document["dumps"]
    assert load(tmp_path, json.dumps(document)).verdict.value == "pass"
    dump["coverage"]["scanned_bytes"] -= 1
    with pytest.raises(UsageError) as caught:
        load(tmp_path, json.dumps(document))
    assert caught.value.reason == "a dump passes of which bytes were not swept"
    dump["coverage"]["scanned_bytes"] += 1
    dump["coverage"]["faults"] = [{"code": "truncated", "text": "Bytes are missing."}]
    with pytest.raises(UsageError) as caught:
        load(tmp_path, json.dumps(document))
    assert caught.value.reason == "a dump passes that has a fault which nobody accepted"
    dump["accepted"] = ["truncated"]
    assert load(tmp_path, json.dumps(document)).verdict.value == "pass"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        b"null",
        b"[" * 100_000,
        b'{"schema": 1, "schema": 1}',
        b'{"schema": NaN}',
        b'{"schema": 1' + b"0" * 10_000 + b"}",
        b'{"schema": true}',
    ],
)
def test_what_is_no_report(tmp_path: Path, raw: bytes) -> None:
    """Whatever else a file holds, it is an error that names the file and says what to do."""
    with pytest.raises(UsageError) as caught:
        load(tmp_path, raw)
    assert "report.json" in caught.value.message
    assert caught.value.reason
    assert caught.value.hint


@pytest.mark.parametrize(
    ("field", "value"), [("dumps", [0, 1]), ("dumps", [0, 1, 2, 9]), ("first", 3)]
)
def test_a_fleet_that_contradicts_its_dumps_is_refused(
    tmp_path: Path, field: str, value: object
) -> None:
    """A key is said to be in the dumps that have it, all of them and no others."""
    document = report_json.document(REPORTS["fleet"])
    document["fleet"]["keys"][0][field] = value
    with pytest.raises(UsageError):
        load(tmp_path, json.dumps(document))
    del document["fleet"]["keys"][0]
    with pytest.raises(UsageError):
        load(tmp_path, json.dumps(document))
