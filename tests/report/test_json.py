"""The JSON report keeps the contract of schema 1 whatever the dump says of itself."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from scanner.model import Report
from scanner.report import json as report_json

SCHEMA = Path(report_json.__file__).with_name("schema-1.json")


def read(report: Report) -> dict[str, Any]:
    """Return the rendered document as a strict reader gets it."""
    document: dict[str, Any] = json.loads(report_json.render(report).encode("ascii"))
    return document


def test_schema_is_valid() -> None:
    """The schema that ships in the package is JSON Schema 2020-12 itself."""
    jsonschema.Draft202012Validator.check_schema(json.loads(SCHEMA.read_text()))


def test_reports_fit_the_schema(report: Report) -> None:
    """Every report, hostile strings included, is valid under schema 1."""
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(read(report))


def test_schema_names_every_field(report: Report) -> None:
    """Nothing is written that the schema does not name: a field is added in both places."""
    schema = json.loads(SCHEMA.read_text())

    def close(node: object) -> object:
        if isinstance(node, dict):
            closed = {key: close(value) for key, value in node.items()}
            return closed | {"additionalProperties": False} if "properties" in node else closed
        return node

    jsonschema.Draft202012Validator(close(schema)).validate(read(report))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), 2),
        (("verdict",), "clean"),
        (("dumps", 0, "findings", 0, "occurrences", 0, "extents", 0, "address"), 4096),
        (("dumps", 0, "findings", 0, "occurrences", 0, "extents", 0, "file_offset"), "0x10"),
        (("dumps", 0, "findings", 0, "fingerprint", "value"), "AB" * 32),
    ],
)
def test_schema_refuses(blocked: Report, path: tuple[str | int, ...], value: object) -> None:
    """The schema is no rubber stamp: a retyped or unknown value is refused."""
    document: Any = read(blocked)
    node = document
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(document)


def test_contract_by_name(blocked: Report) -> None:
    """The names and types that readers rely on stand where they must."""
    document = read(blocked)
    assert document["schema"] == 1
    assert document["tool"]["name"] == "keysift"
    finding = document["dumps"][0]["findings"][1]
    assert finding["kind"] == "private-key"
    assert finding["algorithm"] == "rsa"
    assert finding["severity"] == "critical"
    assert finding["confidence"] == "proof"
    assert finding["curve"] is None
    assert finding["fingerprint"] == {"kind": "spki-sha256", "value": "7d9c2f10" * 8}
    first, _, third = finding["occurrences"][:3]
    assert first["extents"][0] == {"address": "0x55d04c108b40", "file_offset": 127808, "size": 128}
    assert third["extents"][0]["address"] is None


def test_output_is_inert(hostile: Report) -> None:
    """Printed to a terminal or fed to a strict reader, a hostile dump's text does nothing."""
    text = report_json.render(hostile)
    assert text.isascii()
    assert not re.search(r"[^\n -~]", text)
    path = json.loads(text)["dumps"][0]["path"]
    assert path.encode("utf-8")  # no lone surrogate is left
    assert "\\udc80" in path


def test_pure(report: Report) -> None:
    """The same report gives the same bytes."""
    first = report_json.render(report)
    assert first == report_json.render(dataclasses.replace(report))
    assert first.endswith("}\n")
