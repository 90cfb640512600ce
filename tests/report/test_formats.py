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
    assert names == ["text", "json"]
