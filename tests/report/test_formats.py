"""The table of formats is what the command line offers."""

from scanner.model import Report
from scanner.report import FORMATS


def test_every_format_renders(report: Report) -> None:
    """Each format takes every report and gives lines that end."""
    for _, render in FORMATS:
        assert render(report, color=False, verbose=True, quiet=False, width=100).endswith("\n")


def test_names() -> None:
    """Text is the default; no name stands twice."""
    names = [name for name, _ in FORMATS]
    assert names == ["text", "json", "sarif", "junit", "markdown", "html"]


def test_pure(report: Report) -> None:
    """Each format gives the same bytes for the same report."""
    for _, render in FORMATS:
        look = {"color": False, "verbose": True, "quiet": False, "width": 100}
        assert render(report, **look) == render(report, **look)


def test_nothing_of_a_dump_acts(foul: Report) -> None:
    """Whatever string is hostile, no format writes a character that moves, hides or reorders."""
    for _, render in FORMATS:
        text = render(foul, color=False, verbose=True, quiet=False, width=100)
        assert all(line.replace("\ufe0f", "").isprintable() for line in text.split("\n"))


def test_verdict_and_keys_are_in_every_format(report: Report) -> None:
    """Each format says the verdict and names each key by its fingerprint."""
    for _, render in FORMATS:
        text = render(report, color=False, verbose=True, quiet=False, width=100).lower()
        assert report.verdict.value in text
        for dump in report.dumps:
            for finding in (*dump.findings, *dump.suppressed):
                assert finding.fingerprint.value[:16] in text
