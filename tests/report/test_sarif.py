"""The SARIF log is valid under the standard's own schema and keeps keys apart by fingerprint."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from scanner.model import Report
from scanner.report import sarif

SCHEMA = json.loads(Path(__file__).with_name("sarif-2.1.0.json").read_text("utf-8"))
"""The JSON Schema of SARIF 2.1.0 (errata 01, as published in SchemaStore), without white space."""


def run_of(report: Report) -> dict[str, Any]:
    """Return the one run of a rendered log, after the standard's schema agreed to the log."""
    log = json.loads(sarif.render(report).encode("ascii"))
    jsonschema.Draft4Validator(SCHEMA).validate(log)
    (run,) = log["runs"]
    made: dict[str, Any] = run
    return made


def test_valid(report: Report, foul: Report) -> None:
    """Every report, hostile strings included, is valid SARIF."""
    for each in (report, foul):
        run = run_of(each)
        ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        assert len(ids) == len(set(ids))
        assert all(ids[result["ruleIndex"]] == result["ruleId"] for result in run["results"])


def test_results_are_the_findings(blocked: Report) -> None:
    """Each key is one result with its places as byte regions; what was set aside is suppressed."""
    run, (dump,) = run_of(blocked), blocked.dumps
    results = run["results"]
    assert len(results) == len(dump.findings) + len(dump.suppressed)
    assert ["suppressions" in r for r in results] == [False] * len(dump.findings) + [True]
    rsa = results[1]
    assert rsa["partialFingerprints"] == {"spki-sha256/v1": "7d9c2f10" * 8}
    first, *_, last = rsa["locations"]
    place = first["physicalLocation"]
    assert place["region"] == {"byteOffset": 0x1F340, "byteLength": 128}
    assert place["address"] == {"name": "0x55d04c108b40"}
    assert first["message"]["text"].startswith(
        "raw-LE at 0x55d04c108b40, file 0x1f340, in 2 pieces"
    )
    assert len(rsa["locations"]) == len(dump.findings[1].occurrences)
    assert last["physicalLocation"]["artifactLocation"]["index"] == 0
    assert [r["level"] for r in results[:4]] == ["error", "error", "error", "warning"]


@pytest.mark.parametrize(
    ("name", "code", "successful"),
    [("passed", 0, True), ("blocked", 1, True), ("halted", 3, False)],
)
def test_invocation(name: str, code: int, successful: bool, request: pytest.FixtureRequest) -> None:
    """A scan that is not whole did not succeed, and says why in notifications."""
    run = run_of(request.getfixturevalue(name))
    (invocation,) = run["invocations"]
    assert (invocation["exitCode"], invocation["executionSuccessful"]) == (code, successful)
    assert bool(invocation["toolExecutionNotifications"]) is not successful


def test_places_are_bounded(blocked: Report) -> None:
    """A key in very many places gives a bounded log that says how many there are."""
    (dump,) = blocked.dumps
    many = dataclasses.replace(dump.findings[1], occurrences=dump.findings[1].occurrences * 500)
    report = dataclasses.replace(blocked, dumps=(dataclasses.replace(dump, findings=(many,)),))
    result = run_of(report)["results"][0]
    assert len(result["locations"]) == sarif.MOST_LOCATIONS
    assert result["properties"]["places"] == len(many.occurrences) > sarif.MOST_LOCATIONS


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("core.1", "core.1"),
        ("a b/c:d", "a%20b/c%3Ad"),
        ("/var/crash/core", "file:///var/crash/core"),
        ("C:\\dumps\\a.dmp", "file:///C%3A/dumps/a.dmp"),
        ("<stdin>", "%3Cstdin%3E"),
        ("\udc80", "%5Cudc80"),
    ],
)
def test_paths_are_uris(passed: Report, path: str, uri: str) -> None:
    """A path is a URI reference, whatever stands in it."""
    dump = dataclasses.replace(passed.dumps[0], path=path)
    run = run_of(dataclasses.replace(passed, dumps=(dump,)))
    assert run["artifacts"][0]["location"]["uri"] == uri


def test_messages_hold_no_link_and_no_placeholder(blocked: Report) -> None:
    """Brackets and braces of a subject are text to a viewer."""
    (dump,) = blocked.dumps
    public = dataclasses.replace(dump.findings[1].public, subject="CN=[x](1){0}")
    finding = dataclasses.replace(dump.findings[1], public=public)
    report = dataclasses.replace(blocked, dumps=(dataclasses.replace(dump, findings=(finding,)),))
    assert "CN=\\[x\\](1){{0}}" in run_of(report)["results"][0]["message"]["text"]


def integers(value: Any) -> Iterator[int]:  # noqa: ANN401 - any part of a log
    """Yield the typed integers of a log: those of property bags have no type."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from integers(part) if name != "properties" else ()
    elif isinstance(value, list):
        for part in value:
            yield from integers(part)
    elif isinstance(value, int):
        yield value


def test_large_dumps_give_logs_that_viewers_load(blocked: Report) -> None:
    """What is beyond 32 bits, at which Microsoft's SDK gives the log up, is no typed integer."""
    (dump,) = blocked.dumps
    place = dump.findings[1].occurrences[1]
    extent = dataclasses.replace(place.extents[0], address=1 << 63, file_offset=1 << 33)
    places = (dataclasses.replace(place, extents=(extent,)),)
    finding = dataclasses.replace(dump.findings[1], occurrences=places)
    large = dataclasses.replace(dump, size=1 << 35, findings=(finding,))
    run = run_of(dataclasses.replace(blocked, dumps=(large,)))
    assert max(integers(run)) < 1 << 31
    (location,) = run["results"][0]["locations"]
    assert location["physicalLocation"]["properties"]["byteOffset"] == 1 << 33
    assert "0x8000000000000000, file 0x200000000" in location["message"]["text"]
    assert run["artifacts"][0]["properties"]["bytes"] == 1 << 35
