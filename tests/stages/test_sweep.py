"""Stage one: hits of a task, each once and in order, and an end to those without end."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fixtures import elfcore, noise
from scanner.dump import source
from scanner.dump.windows import cut, windows
from scanner.errors import LimitExceeded
from scanner.stages import sweep
from scanner.stages.session import Session, Target
from tests.stages.shipped import RULES, compiled

HEADER = bytes.fromhex("302e020100300506032b6570")
"""The beginning of an Ed25519 private key (RFC 8410 section 7): one hit at least."""


def core(data: bytes) -> bytes:
    """Return a core with this memory."""
    return elfcore.write([elfcore.Segment(address=0x7F00_0000_0000, data=data)]).data


def opened(path: Path) -> Session:
    """Return the session of a worker that sweeps a file."""
    return Session(Target(path=str(path), rules=RULES, anchors=compiled()))


def swept(folder: Path, data: bytes) -> list[sweep.Swept]:
    """Sweep each task of a core with this memory."""
    path = folder / "core"
    path.write_bytes(core(data))
    session = opened(path)
    return [sweep.sweep(session, task) for task in cut(session.survey.space_map)]


def headers(size: int, apart: int) -> bytes:
    """Return random bytes with a header at each multiple of ``apart``."""
    rows = np.frombuffer(bytearray(noise.uniform(size, 1)), np.uint8).reshape(-1, apart)
    rows[:, : len(HEADER)] = np.frombuffer(HEADER, np.uint8)
    return rows.tobytes()


def test_hits_are_told_once_and_in_order(tmp_path: Path) -> None:
    """Whatever windows and blocks overlap; zeros between them leave gaps in what is read."""
    data = headers(1 << 20, 128)
    gap = bytes(64 << 10)
    parts = swept(tmp_path, data + gap + data)
    assert sum(len(part.hits.space) for part in parts) >= 2 * len(data) // 128
    for part in parts:
        places = list(
            zip(
                part.hits.space.tolist(),
                part.hits.offset.tolist(),
                part.hits.rule.tolist(),
                strict=True,
            )
        )
        assert places == sorted(set(places))
        second = len(data) + len(gap)
        rows = {*range(0, len(data), 128), *range(second, second + len(data), 128)}
        assert {offset & -128 for _, offset, _ in places} == rows


def test_anchors_without_end_are_given_up(tmp_path: Path) -> None:
    """One every sixteen bytes, in a window of millions."""
    with pytest.raises(LimitExceeded, match="too many anchors"):
        swept(tmp_path, headers(4 << 20, 16))


def test_a_crowd_that_a_store_of_keys_has_is_not_given_up(tmp_path: Path) -> None:
    """One every 96 bytes, as points of P-256 in their SPKI."""
    (part,) = swept(tmp_path, headers(96 << 15, 96))
    assert len(np.unique(part.hits.offset)) >= 1 << 15


def test_a_hole_is_swept_as_zeros(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A window in a hole is not read, and what is said of the dump is the same, its seal too."""
    path = tmp_path / "core"
    data = core(headers(1 << 19, 128) + bytes(24 << 20) + headers(1 << 19, 128))
    with path.open("wb") as file:
        for at in range(0, len(data), source.HOLE):
            if any(data[at : at + source.HOLE]):
                file.seek(at)
                file.write(data[at : at + source.HOLE])
    if path.stat().st_blocks * 512 >= len(data):
        pytest.skip("this file system keeps no holes")
    written = path.stat().st_mtime
    monkeypatch.setattr(source.time, "time", lambda: written)
    read = opened(path)
    (task,) = cut(read.memory.map)
    later = written + source.SETTLED + 1
    monkeypatch.setattr(source.time, "time", lambda: later)
    skipped = opened(path)
    assert not any(window.hole for window in windows(read.memory, task))
    assert sum(window.hole for window in windows(skipped.memory, task)) >= 4
    seen: list[int] = []
    texts = sweep.number_words.find
    monkeypatch.setattr(sweep.number_words, "find", lambda *a: seen.append(1) or texts(*a))
    one, other = (sweep.sweep(session, task, b"salt") for session in (read, skipped))
    assert len(seen) <= 2 * 3, "zeros are searched"
    assert one.swept_bytes == other.swept_bytes == len(data)
    assert one.seal == other.seal
    for some, same in ((one.hits, other.hits), (one.runs, other.runs), (one.texts, other.texts)):
        for name in some.__slots__:
            assert np.array_equal(getattr(some, name), getattr(same, name))
    assert np.array_equal(one.shades, other.shades)


@pytest.mark.parametrize("spaces", [1, 3])
def test_hits_travel_whole_and_small(spaces: int) -> None:
    """A table of hits is the same behind a pickle, which takes half the bytes of what it says."""
    at = np.arange(6000, dtype=np.int64)
    hits = sweep.Hits(rule=at % 90, space=at // (6000 // spaces), offset=at * 512)
    raw = pickle.dumps(hits)
    other = pickle.loads(raw)  # noqa: S301 - written above
    assert all((getattr(other, name) == getattr(hits, name)).all() for name in hits.__slots__)
    assert (other.rule.dtype, other.space.dtype, other.offset.dtype) == ("u2", "i8", "i8")
    assert len(raw) < 11 * 6000
    many = pickle.loads(pickle.dumps(replace(hits, rule=at * 11)))  # noqa: S301 - written here
    assert (many.rule == at * 11).all()


def test_tables_of_a_dump_are_small(tmp_path: Path) -> None:
    """Of all tasks together, hits are taken out by who examines them, and all are in one space."""
    sent = pickle.dumps(swept(tmp_path, headers(1 << 16, 128)))
    parts = dict(enumerate(pickle.loads(sent)))  # noqa: S301 - written above
    (hits,) = sweep.gathered(parts, parts[0].shades).hits
    assert len(hits.rule) >= 512
    assert hits.rule.dtype == np.uint16
    assert hits.space.strides == (0,)
