"""The table of formats is what the command line offers."""

import dataclasses

from scanner import spread
from scanner.model import Report
from scanner.report import FORMATS, wording


def test_every_format_renders(report: Report) -> None:
    """Each format takes every report and gives lines that end."""
    for _, render in FORMATS:
        assert render(report, color=False, verbose=True, quiet=False, width=100).endswith("\n")


def test_names() -> None:
    """Text is the default; no name stands twice."""
    names = [name for name, _ in FORMATS]
    assert names == ["text", "json", "sarif", "junit", "markdown", "html"]


def test_pure(report: Report) -> None:
    """Each format gives the same bytes for the same report, all but text however it is to look."""
    for name, render in FORMATS:
        look = {"color": False, "verbose": True, "quiet": False, "width": 100}
        other = {"color": True, "verbose": False, "quiet": True, "width": 20}
        first = render(report, **look)
        assert first == render(report, **look)
        assert (first == render(report, **other)) == (name != "text")


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


def test_what_to_rotate_comes_before_the_list_of_dumps(several: Report) -> None:
    """Of a fleet one reads first which keys to act on, however many dumps there are."""
    fleet = spread.spread(several.dumps, [1.7e9] * len(several.dumps))
    report = dataclasses.replace(several, fleet=fleet)
    _, key = wording.over_fleet(report)[0]
    listed = [dump.path for number, dump in enumerate(report.dumps) if number != key.first]
    for name, render in FORMATS:
        if name in {"text", "markdown", "html"}:
            text = render(report, color=False, verbose=False, quiet=False, width=200)
            assert text.index("first seen 2023-11-14T22:13:20Z") < min(map(text.index, listed))
