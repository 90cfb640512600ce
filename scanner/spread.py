"""Which key is in which dumps, over a report on many. Pure.

A key of which only its place in one dump is known cannot be told from another's, and is not here.
Dates are those of the files: this module reads no clock.
"""

import datetime as dt
from collections.abc import Sequence

from scanner.fingerprint import PLACE
from scanner.model import DumpReport, Fingerprint, Spread


def spread(dumps: Sequence[DumpReport], modified: Sequence[float | None]) -> tuple[Spread, ...]:
    """Return every key that has a name of its own, in the order in which dumps have them.

    ``modified`` says when each dump's file was last written, in seconds since 1970 UTC.
    """
    where = places(dumps)
    return tuple(_one(name, numbers, modified) for name, numbers in where.items())


def places(dumps: Sequence[DumpReport]) -> dict[Fingerprint, tuple[int, ...]]:
    """Return the numbers of the dumps that have each key, counted from 0, both in order."""
    found: dict[Fingerprint, dict[int, None]] = {}
    for number, dump in enumerate(dumps):
        for finding in dump.findings:
            if finding.fingerprint.kind != PLACE:
                found.setdefault(finding.fingerprint, {}).setdefault(number)
    return {name: tuple(numbers) for name, numbers in found.items()}


def _one(name: Fingerprint, numbers: tuple[int, ...], modified: Sequence[float | None]) -> Spread:
    dated = [(when, n) for n in numbers if (when := modified[n]) is not None and _said(when)]
    when, first = min(dated, default=(None, numbers[0]))
    return Spread(fingerprint=name, dumps=numbers, first=first, first_seen=_said(when))


def _said(when: float | None) -> str:
    """Return a time as ISO 8601 in UTC, to the second; empty for none, and for no date at all."""
    if when is None:
        return ""
    try:
        return f"{dt.datetime.fromtimestamp(when // 1, dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):
        return ""
