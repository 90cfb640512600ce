"""As many workers as there are cores for them: affinity and quotas count, and doubt is no limit."""

import os
import sys
from pathlib import Path

import pytest

from scanner.processes import cores

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="control groups of Linux")


def groups(folder: Path, monkeypatch: pytest.MonkeyPatch, own: str, **limits: str) -> None:
    """Lay out control groups with their limits, of which one is this process's."""
    for path, text in limits.items():
        group = folder / "groups" / path.replace("__", "/").strip("/")
        group.mkdir(parents=True, exist_ok=True)
        (group / "cpu.max").write_text(text)
    (folder / "own").write_text(own)
    monkeypatch.setattr(cores, "GROUPS", folder / "groups")
    monkeypatch.setattr(cores, "OWN", folder / "own")


def test_no_more_than_there_are() -> None:
    """One at least, and on any system."""
    assert 1 <= cores.workers() <= cores.usable() <= (os.cpu_count() or 1)


def test_no_more_workers_than_a_disk_feeds(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many cores there are; and fewer where there are fewer."""
    for count, expected in ((3, 3), (64, cores.MOST_WORKERS)):
        monkeypatch.setattr(cores, "usable", lambda count=count: count)
        assert cores.workers() == expected


@LINUX
def test_affinity_counts() -> None:
    """What taskset(1) leaves."""
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert cores.usable() == 1
    finally:
        os.sched_setaffinity(0, before)


@LINUX
@pytest.mark.parametrize(
    ("own", "limits", "expected"),
    [
        ("0::/\n", {"__": "50000 100000\n"}, 1),  # of a container, half a core
        ("0::/\n", {"__": "250000 100000\n"}, 3),
        ("0::/\n", {"__": "max 100000\n"}, 64),
        ("0::/a/b\n", {"a": "200000 100000\n", "a__b": "max 100000\n"}, 2),  # of what it is in
        ("0::/a/b\n", {"a": "max 100000\n", "a__b": "700000 100000\n"}, 7),
        ("1:cpu:/x\n0::/a\n", {"a": "400000 100000\n"}, 4),
        ("1:cpu:/a\n", {"a": "400000 100000\n"}, 64),  # of version 1
        ("0::/../..\n", {"__": "100000 100000\n"}, 64),  # outside of its namespace
        ("0::/\n", {"__": "100000 0\n"}, 64),
        ("0::/\n", {"__": "-5 100000\n"}, 64),
        ("", {}, 64),
    ],
)
def test_quotas_count(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    own: str,
    limits: dict[str, str],
    expected: int,
) -> None:
    """The least of the group's own and of those that it is in; what says nothing is no limit."""
    groups(tmp_path, monkeypatch, own, **limits)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    assert cores.usable() == expected
