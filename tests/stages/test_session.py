"""What a worker holds of a dump: one file, from the survey to the digest."""

import hashlib
from pathlib import Path

import pytest

from fixtures import elfcore, noise
from scanner.detect.anchors import compile_anchors
from scanner.errors import Unreadable
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
