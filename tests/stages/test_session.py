"""What a worker holds of a dump: one file, from the survey to the digest."""

import gc
import gzip
import hashlib
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures import elfcore, noise
from scanner.detect.anchors import compile_anchors
from scanner.errors import SpillNeeded, Unreadable
from scanner.stages import session as stage
from scanner.stages.session import Session, Target


def dump(seed: int) -> bytes:
    """Return a core that differs by its seed alone."""
    data = noise.text(1 << 16, seed)
    return elfcore.write([elfcore.Segment(address=0x7F00_0000_0000, data=data)]).data


@pytest.mark.parametrize("begun", [False, True])
def test_the_digest_is_the_files(tmp_path: Path, *, begun: bool) -> None:
    """Whether it was begun beside something else or not, the digest is that of the file."""
    path = tmp_path / "core"
    path.write_bytes(dump(1))
    session = Session(Target(path=str(path), rules=(), anchors=compile_anchors(())))
    stage.survey(session)
    if begun:
        stage.begin_digest(session)
    assert stage.digest(session) == hashlib.sha256(dump(1)).hexdigest()


def test_another_file_by_that_name_is_not_hashed(tmp_path: Path) -> None:
    """A file that took the name after the survey gives no digest to what was swept."""
    path, other = tmp_path / "core", tmp_path / "other"
    path.write_bytes(dump(1))
    other.write_bytes(dump(2))
    session = Session(Target(path=str(path), rules=(), anchors=compile_anchors(())))
    stage.survey(session)
    held = tmp_path / "held"
    path.rename(held)
    other.rename(path)
    stage.begin_digest(session)
    with pytest.raises(Unreadable, match="changed"):
        stage.digest(session)


# --- what is packed -----------------------------------------------------------------------------


def packed(path: Path) -> Target:
    """Write a small packed core, and return what a worker is told of it."""
    path.write_bytes(gzip.compress(dump(1), mtime=0))
    return Target(path=str(path), spool_dir=str(path.parent), rules=(), anchors=compile_anchors(()))


def test_a_little_is_decoded_by_each_worker(tmp_path: Path) -> None:
    """Without storage that is shared; whoever knows the survey decodes the same bytes."""
    target = packed(tmp_path / "core.gz")
    first = Session(target)
    survey = stage.survey(first)
    assert survey.content.layers == ("gzip",)
    other = Session(replace(target, surveyed=survey))
    for session in (first, other):
        assert session.content.read(0, session.content.size) == dump(1)
    fds = [session.spill.fd for session in (first, other)]
    del first, other, session
    gc.collect()
    for fd in fds:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(fd)
    assert [one.name for one in tmp_path.iterdir()] == ["core.gz"]


def test_what_was_packed_anew_is_not_taken_for_the_same(tmp_path: Path) -> None:
    """A worker that finds other bytes says so, even where size and times are what they were."""
    target = packed(tmp_path / "core.gz")
    survey = stage.survey(Session(target))
    (tmp_path / "core.gz").write_bytes(gzip.compress(dump(2), mtime=0))
    again = Session(replace(target, surveyed=replace(survey, identity=None)))
    with pytest.raises(Unreadable, match="changed"):
        _ = again.content


def test_more_than_a_little_needs_storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is large, cut or an archive is asked for again, with storage for all workers."""
    target = packed(tmp_path / "core.gz")
    cut = tmp_path / "cut.gz"
    cut.write_bytes((tmp_path / "core.gz").read_bytes()[:-100])
    inside = tmp_path / "inside.gz"
    with zipfile.ZipFile(tmp_path / "zip", "w") as archive:
        archive.writestr("core", dump(1))
    inside.write_bytes(gzip.compress((tmp_path / "zip").read_bytes()))
    for path in (cut, tmp_path / "zip", inside):
        with pytest.raises(SpillNeeded):
            stage.survey(Session(replace(target, path=str(path))))
    for small in (100, 1 << 16):  # less than is given, and than is decoded
        monkeypatch.setattr(stage, "SMALL", small)
        with pytest.raises(SpillNeeded):
            stage.survey(Session(target))
