"""Cabinets: files are cut from folders, and what is not unpacked is a fault."""

import shutil
import struct
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


def test_what_a_folder_holds_beside_its_files() -> None:
    """Bytes of a folder before its files, between and behind them are opened like members."""
    for at in range(3):
        named = [file for index, file in enumerate(FILES) if index != at]
        found, rest, dumps = opened(cabinet.write(FILES, unnamed={FILES[at][0]}))
        kept = [data for _, data, _ in dumps]
        assert [name for name, _ in named if name != "Report.wer"] == [
            name for name, _, _ in dumps if name != "beside the files"
        ]
        if at:
            assert FILES[at][1] in kept
            assert found.faults == ()
        else:
            assert FILES[at][1] in rest
            assert codes(found) == {"stray-bytes"}


def test_a_folder_that_is_not_there() -> None:
    """A file of such a folder is a fault."""
    data = bytearray(PLAIN)
    at = data.index(b"core\0") - 8
    data[at : at + 2] = b"\7\0"
    assert "corrupt-archive" in codes(opened(bytes(data))[0])


def test_what_trails_a_cabinet() -> None:
    """A cabinet behind another is opened; a signature has its place there."""
    found, _, dumps = opened(PLAIN + cabinet.write([("x", MINI)]))
    assert [data for _, data, _ in dumps] == [MINI, CORE, MINI]
    assert found.faults == ()
    assert codes(opened(PLAIN + b"words")[0]) == {"stray-bytes"}
    signature = b"\x30\x82\0\x60" + bytes(range(96))
    signed = cabinet.write(FILES, reserved=20)
    place = struct.pack("<5I", 0x100000, len(signed), len(signature), 0, 0)
    assert codes(opened(signed + signature)[0]) == {"stray-bytes"}
    signed = signed.replace(b"reserved".ljust(20, b"."), place)
    assert opened(signed + signature)[0].faults == ()
    assert codes(opened(cabinet.write(FILES, reserved=3000))[0]) == {"stray-bytes"}


@limits(max_examples=30, deadline=None)
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
