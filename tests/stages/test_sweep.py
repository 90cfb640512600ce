"""Stage one: hits of a task, each once and in order, and an end to those without end."""

from pathlib import Path

import numpy as np
import pytest

from fixtures import elfcore, noise
from scanner import rules
from scanner.detect.anchors import compile_anchors
from scanner.dump.windows import cut
from scanner.errors import LimitExceeded
from scanner.stages import sweep
from scanner.stages.session import Session, Target

HEADER = bytes.fromhex("302e020100300506032b6570")
"""The beginning of an Ed25519 private key (RFC 8410 section 7): one hit at least."""


def swept(folder: Path, data: bytes) -> list[sweep.Swept]:
    """Sweep each task of a core with this memory."""
    path = folder / "core"
    path.write_bytes(elfcore.write([elfcore.Segment(address=0x7F00_0000_0000, data=data)]).data)
    table = rules.load()
    session = Session(Target(path=str(path), rules=table, anchors=compile_anchors(table)))
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
    for part in swept(tmp_path, data + gap + data):
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
