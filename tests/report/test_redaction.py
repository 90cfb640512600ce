"""A redaction as text: what is overwritten of each key, however many there are."""

import pytest

from scanner.model import Fingerprint, Verdict
from scanner.redact import Overwritten, Redaction
from scanner.report import redaction
from tests.report.conftest import dump_report, many


def test_many_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each key is told with its own ranges, which are not sought among those of all others."""
    findings = many(300)
    ranges = tuple(
        Overwritten(file_offset=at, size=16, rule=one.rule, fingerprint=one.fingerprint)
        for at, one in enumerate(findings * 2)
    )
    made = Redaction(
        before=dump_report(Verdict.BLOCKED, findings),
        after=None,
        rounds=0,
        findings=findings,
        overwritten=ranges,
    )
    compared: list[object] = []
    equal = Fingerprint.__eq__
    monkeypatch.setattr(
        Fingerprint, "__eq__", lambda one, other: compared.append(other) or equal(one, other)
    )
    text = redaction.text(made, None)
    assert len(compared) <= 10 * len(findings)
    assert text.count("    2 ranges, 32 bytes\n") == 300
    assert text.count("      file 0x") == 600
    assert "      file 0x0  16 bytes\n      file 0x12c  16 bytes\n" in text
