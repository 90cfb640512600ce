"""Cabinets: files are cut from folders, and what is not unpacked is a fault."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from fixtures import cabinet
from tests.dump.dump_bytes import elfcore, minidump
from tests.dump.opening import codes, opened

CORE = elfcore([(0x1000, b"the memory of a core " * 4000, 84_000)])
MINI = minidump(memory=[(0x1000, b"the memory of a minidump" * 200)])
FILES = [("Report.wer", b"Version=1\r\n" * 40), ("a.mdmp", MINI), ("core", CORE)]


@pytest.mark.parametrize("packed", [True, False])
def test_files(packed: bool) -> None:
    """Dumps in a cabinet are dumps of their own; the others are swept with it."""
    found, rest, dumps = opened(cabinet.write(FILES, packed=packed))
    assert found.faults == ()
    assert found.archive == "cab"
    assert [(name, data) for name, data, _ in dumps] == FILES[1:]
    assert FILES[0][1] in rest


def test_other_reader(tmp_path: Path) -> None:
    """Another reader takes what the writer writes for a cabinet."""
    tool = shutil.which("cabextract") or shutil.which("7z")
    if tool is None:
        pytest.skip("neither cabextract nor 7z is here")
    path = tmp_path / "x.cab"
    path.write_bytes(cabinet.write(FILES))
    subprocess.run([tool, "-t" if "cabextract" in tool else "t", str(path)], check=True)


PLAIN = cabinet.write(FILES)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (cabinet.write(FILES, method=3), "unsupported"),
        (cabinet.write(FILES, method=2), "unsupported"),
        (PLAIN[:20], "truncated-archive"),
        (PLAIN[:40], "truncated-archive"),
        (PLAIN[:60], "truncated-archive"),
        (PLAIN[:-1], "truncated-archive"),
        (PLAIN[:30] + b"\1" + PLAIN[31:], "unsupported"),
        (PLAIN.replace(b"CK", b"KC"), "corrupt-member"),
    ],
)
def test_damaged(data: bytes, code: str) -> None:
    """Each kind of damage has its fault."""
    assert code in codes(opened(data)[0])


@limits(max_examples=60, deadline=None)
@given(
    st.sampled_from([PLAIN, cabinet.write(FILES, packed=False)]),
    st.lists(st.tuples(st.integers(4, 400), st.integers(0, 255)), max_size=8),
)
def test_any_damage(data: bytes, changes: list[tuple[int, int]]) -> None:
    """Whatever is overwritten, nothing raises."""
    out = bytearray(data)
    for at, value in changes:
        out[at] = value
    opened(bytes(out))
