"""Which key is in which dumps: counted over the whole fleet, and dated by the oldest file."""

from scanner import report as reports
from scanner import spread
from scanner.model import Spread, Verdict
from tests.report import conftest as made

KEYS = made.keys()


def test_the_oldest_file_is_where_a_key_was_first_seen() -> None:
    """Every named key is told with all its dumps; the earliest dated one is the first."""
    fleet = made.REPORTS["fleet"].fleet
    assert fleet
    names = list(dict.fromkeys(finding.fingerprint for finding in KEYS))
    assert [key.fingerprint for key in fleet] == [n for n in names if n.kind != "place-sha256"]
    expected = Spread(
        fingerprint=names[0], dumps=(0, 1, 2), first=1, first_seen="2020-09-13T12:26:40Z"
    )
    assert fleet[0] == expected


def test_dates_that_are_none() -> None:
    """Without a date, or with one beyond the calendar, the first dump named is the first."""
    dump = made.dump_report(Verdict.BLOCKED, KEYS)
    for dates in ((None, None), (1e18, None), (float("inf"), float("nan"))):
        key = spread.spread((dump, dump), dates)[0]
        assert (key.dumps, key.first, key.first_seen) == ((0, 1), 0, "")
    assert spread.spread((dump, dump), (1e18, 0.0))[0].first == 1


def test_places_are_no_keys() -> None:
    """A secret known by its place alone is the same as no other, and is not counted."""
    dump = made.dump_report(Verdict.BLOCKED, (made.token(),))
    placed = {f.fingerprint.kind for f in dump.findings} == {"place-sha256"}
    assert placed
    assert spread.spread((dump, dump), (None, None)) == ()


def test_people_are_told() -> None:
    """The reports for people say how many dumps have a key, and since when."""
    report = made.REPORTS["fleet"]
    for name, render in reports.FORMATS:
        if name in {"text", "markdown", "html"}:
            said = render(report, color=False, verbose=False, quiet=False, width=100)
            assert "in 3 dumps, first seen 2020-09-13T12:26:40Z in" in said.replace("\n", " ")
            one = render(
                made.whole(*report.dumps), color=False, verbose=False, quiet=False, width=100
            )
            assert "first seen" not in one
