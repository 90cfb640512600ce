"""``info``: what a dump is, on one screen, and nothing of what its process was told."""

import json
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from fixtures import elfcore, real
from scanner.engine import scanning
from scanner.progress import Silence
from scanner.report import info as page
from tests.dump.dump_bytes import minidump

CANARY = "canary-in-an-argument"


def info(path: Path, *arguments: str) -> tuple[int, str]:
    """Run the command; return its exit code and what it wrote."""
    done = subprocess.run(
        [sys.executable, "-m", "scanner", "info", *arguments, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout


def document(path: Path) -> list[dict[str, object]]:
    """Return what is said of each dump, as JSON."""
    request = scanning.ScanRequest(path=str(path), in_process=True, rules=())
    found = scanning.inspect(request, Silence())
    assert not any(survey.faults for _, survey in found)
    dumps: list[dict[str, object]] = json.loads(page.document(found))["dumps"]
    return dumps


def core(arguments: str = f"signer --password {CANARY}") -> bytes:
    """Write a core whose command line holds what must not be shown."""
    return elfcore.write(
        [elfcore.Segment(address=0x10000, data=b"words " * 1000, memory_size=8000)],
        program="signer",
        arguments=arguments,
        files=[elfcore.Mapped(start=0x10000, end=0x11000, name=f"/home/{CANARY}/bin/signer")],
    ).data


def test_core(tmp_path: Path) -> None:
    """A core's program, modules, memory, gaps and bytes are told; its arguments are counted."""
    path = tmp_path / "core"
    path.write_bytes(core())
    (said,) = document(path)
    assert (said["format"], said["arch"], said["process"]) == ("elfcore", "x86_64", "signer")
    assert said["arguments"] == 2
    assert said["gaps"] == {"not-captured": {"count": 1, "bytes": 2000}}
    assert said["regions"] == {"count": 1, "bytes": 6000}
    assert sum(said["ledger"].values()) == path.stat().st_size  # type: ignore[attr-defined]
    code, out = info(path)
    assert code == 0
    assert "signer, 2 arguments" in out
    assert "1 region, 6,000 bytes" in out
    assert CANARY not in out + json.dumps(said)
    assert max(map(len, out.splitlines())) <= 100
    assert out.count("\n") <= 24


def test_arguments_that_were_cut(tmp_path: Path) -> None:
    """Where a command line fills its field, nobody knows how many arguments there were."""
    path = tmp_path / "core"
    path.write_bytes(core("signer " + "a " * 100))
    assert document(path)[0]["arguments"] is None


def test_minidump(tmp_path: Path) -> None:
    """A minidump's system and program are told; a command line is counted and not shown."""
    line = f"signer\0--password\0{CANARY}\0".encode()
    path = tmp_path / "x.dmp"
    path.write_bytes(
        minidump(
            memory=[(0x1000, b"words" * 100)],
            modules=[(0x10000, 4096, f"/home/{CANARY}/signer")],
            streams=[
                (0x47670006, line),
                (7, struct.pack("<H6x4I", 12, 6, 1, 7, 0x8201) + bytes(32)),
            ],
        )
    )
    (said,) = document(path)
    assert (said["arch"], said["system"], said["process"]) == ("arm64", "linux 6.1.7", "signer")
    assert said["arguments"] == 2
    assert CANARY not in json.dumps(said)


def test_names_do_nothing_to_a_terminal(tmp_path: Path) -> None:
    """No character of a name that acts on a terminal is passed on as it is, DEL neither."""
    path = tmp_path / "x.dmp"
    path.write_bytes(minidump(modules=[(0x10000, 4096, "a\x1b[2J\x7f\u202eb.dll")]))
    request = scanning.ScanRequest(path=str(path), in_process=True, rules=())
    found = scanning.inspect(request, Silence())
    for out in (page.text(found), page.document(found)):
        assert not set(out) & set("\x1b\x7f\u202e")
        assert "b.dll" in out


def test_archive(tmp_path: Path) -> None:
    """An archive names its dumps, and each is told of."""
    path = tmp_path / "crash.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("core.1", core())
        archive.writestr("log", b"words")
    rest, member = document(path)
    assert (rest["format"], rest["members"]) == ("zip", ["core.1"])
    assert member["path"] == f"{path}!core.1"


def test_damage_is_no_success(tmp_path: Path) -> None:
    """What cannot be read whole gives 3, and so does what cannot be read at all."""
    path = tmp_path / "core"
    path.write_bytes(core()[:-3000])
    code, out = info(path)
    assert code == 3
    assert "truncated" in out
    assert info(tmp_path / "missing")[0] == 3


@pytest.mark.parametrize("width", [40, 80, 100])
def test_it_fits_a_terminal(width: int) -> None:
    """Lines end where the terminal does, and say how many names they leave out."""
    path = str(real.path("windows-capi"))
    request = scanning.ScanRequest(path=path, in_process=True, rules=())
    out = page.text(scanning.inspect(request, Silence()), width)
    assert max(map(len, out.splitlines())) <= width
    modules = next(line for line in out.splitlines() if "modules" in line)
    assert modules.endswith("more")


@pytest.mark.parametrize("width", [40, 80, 100])
def test_what_does_not_fit_goes_on_below(width: int) -> None:
    """No line ends in dots that stand for more: it goes on under its label, word by word."""
    path = str(real.path("windows-capi"))
    request = scanning.ScanRequest(path=path, in_process=True, rules=())
    out = page.text(scanning.inspect(request, Silence()), width)
    assert "..." not in out
    for said in ("minidump, x86_64, 64-bit, little-endian", "zstd, 3,454,460 bytes within", path):
        assert "".join(said.split()) in "".join(out.split())
    assert page.text(scanning.inspect(request, Silence())).splitlines()[1].endswith("-endian")


def test_a_long_name_of_a_module_is_whole(tmp_path: Path) -> None:
    """A name that has room is not cut."""
    name = "x86_64-linux-gnu-a-library-with-a-rather-long-name.so.6"
    path = tmp_path / "x.dmp"
    path.write_bytes(minidump(modules=[(0x10000, 4096, name)]))
    request = scanning.ScanRequest(path=str(path), in_process=True, rules=())
    assert f"1: {name}" in page.text(scanning.inspect(request, Silence()))


@pytest.mark.parametrize("name", real.names()[:3])
def test_real_dumps(name: str) -> None:
    """A real dump is told of on one screen."""
    request = scanning.ScanRequest(path=str(real.path(name)), in_process=True, rules=())
    out = page.text(scanning.inspect(request, Silence()))
    assert max(map(len, out.splitlines())) <= 100
    assert out.count("\n") <= 24
