"""Archives from the command line on: each dump within has a verdict, and so has all the rest."""

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures import elfcore, encodings, keys
from scanner import correlate, policy, rules
from scanner.engine import scanning
from scanner.engine.scanning import Scan, ScanRequest
from scanner.errors import Unreadable
from scanner.model import Verdict
from scanner.progress import Silence

RULES = rules.load()
KEY = encodings.pkcs8_der(keys.rsa_key(2048))
CLEAN = elfcore.write([elfcore.Segment(address=0x10000, data=b"words and words " * 1000)]).data
BAD = elfcore.write([elfcore.Segment(address=0x10000, data=b"x" * 5000 + KEY + b"y" * 5000)]).data


def zipped(folder: Path, **members: bytes) -> Path:
    """Write a ZIP archive into a folder."""
    path = folder / "crash.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def scans(path: Path, **options: object) -> tuple[Scan, ...]:
    """Scan a file in this process, or as the options say."""
    request = ScanRequest(**{"path": str(path), "in_process": True, "rules": RULES} | options)  # type: ignore[arg-type]
    return scanning.scan_all(request, Silence())


def verdicts(path: Path, *, raw: bool = False) -> dict[str, str]:
    """Scan a file in this process; return the verdict of each path."""
    judged = [policy.judge(one, correlate.findings(one, RULES)) for one in scans(path, raw=raw)]
    assert all(d.coverage.scanned_bytes == d.coverage.file_bytes for d in judged)
    return {os.path.basename(dump.path): dump.verdict.value for dump in judged}  # noqa: PTH119


def command(*arguments: str, stdin: bytes = b"") -> tuple[int, dict[str, str]]:
    """Run a scan; return its exit code, and the verdict of each path."""
    done = subprocess.run(
        [sys.executable, "-m", "scanner", "scan", "-f", "json", *arguments],
        input=stdin,
        capture_output=True,
        check=False,
    )
    dumps = json.loads(done.stdout)["dumps"]
    assert all(
        dump["coverage"]["scanned_bytes"] == dump["coverage"]["file_bytes"] for dump in dumps
    )
    return done.returncode, {os.path.basename(dump["path"]): dump["verdict"] for dump in dumps}  # noqa: PTH119


def test_each_dump_has_a_verdict(tmp_path: Path) -> None:
    """Dumps within an archive are reported one by one, behind the archive itself."""
    path = zipped(tmp_path, clean=CLEAN, log=b"a log", bad=gzip.compress(BAD))
    assert verdicts(path) == {
        "crash.zip": "pass",
        "crash.zip!clean": "pass",
        "crash.zip!bad": "blocked",
    }
    assert verdicts(zipped(tmp_path, clean=CLEAN)) == {
        "crash.zip": "pass",
        "crash.zip!clean": "pass",
    }
    archive = gzip.compress(zipped(tmp_path, clean=CLEAN, bad=BAD).read_bytes())
    assert command("-", stdin=archive) == (
        1,
        {"<stdin>": "pass", "<stdin>!clean": "pass", "<stdin>!bad": "blocked"},
    )


def test_the_name_in_a_gzip_header_is_no_stray(tmp_path: Path) -> None:
    """What ``gzip`` writes of a tar or a ZIP archive is known whole, its name too."""
    tape, box = io.BytesIO(), zipped(tmp_path, core=CLEAN).read_bytes()
    with tarfile.open(fileobj=tape, mode="w") as archive:
        info = tarfile.TarInfo("core")
        info.size = len(CLEAN)
        archive.addfile(info, io.BytesIO(CLEAN))
    for name, data in (("crash.tar", tape.getvalue()), ("crash.zip", box)):
        path = tmp_path / f"{name}.gz"
        with (
            path.open("wb") as raw,
            gzip.GzipFile(filename=name, fileobj=raw, mode="wb") as packed,
        ):
            packed.write(data)
        assert set(verdicts(path).values()) == {"pass"}
        named = path.read_bytes().replace(name.encode(), b"crash.%b" % KEY.hex().encode(), 1)
        path.write_bytes(named)
        assert verdicts(path)[path.name] == "blocked"


def test_a_key_beside_the_dumps(tmp_path: Path) -> None:
    """A key in a member that is no dump, or in a comment, is found."""
    path = zipped(tmp_path, clean=CLEAN, notes=b"see: " + KEY)
    assert verdicts(path) == {"crash.zip": "blocked", "crash.zip!clean": "pass"}
    path = zipped(tmp_path, clean=CLEAN)
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = KEY
    assert verdicts(path)["crash.zip"] == "blocked"


def test_an_archive_without_a_dump(tmp_path: Path) -> None:
    """It is of no known format: incomplete, and with --raw a pass."""
    path = zipped(tmp_path, log=b"a log of words " * 100)
    assert verdicts(path) == {"crash.zip": "incomplete"}
    assert verdicts(path, raw=True) == {"crash.zip": "pass"}


def test_offsets_are_of_the_member(tmp_path: Path) -> None:
    """A place in a member is told as in the member alone, and so is its digest."""
    path = tmp_path / "crash.tar"
    with tarfile.open(path, "w") as archive:
        for name, data in (("clean", CLEAN), ("bad", BAD)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    alone = tmp_path / "bad"
    alone.write_bytes(BAD)
    (one,) = scans(alone)
    rest, clean, bad = scans(path)
    assert bad.candidates == one.candidates
    assert (bad.sha256, bad.size, bad.layout) == (one.sha256, one.size, one.layout)
    assert clean.candidates == rest.candidates == ()
    assert rest.layout.format == "tar"
    assert bad.path == f"{path}!bad"


def test_what_stands_alone(tmp_path: Path) -> None:
    """What is decoded is a file by itself unless there was an archive, or it begins like one."""
    path = tmp_path / "crash"
    packed = gzip.compress(CLEAN)
    for data, alone in (
        (packed, True),
        (packed + b"\n" + packed, False),
        (zipped(tmp_path, log=b"a log of words " * 9).read_bytes(), False),
        (zipped(tmp_path, clean=CLEAN, a=packed[:2], b=packed[2:]).read_bytes(), False),
        (b"\x1f\x8b\x08\x08" + bytes(6) + b"ProblemType: C\0" + gzip.compress(b"")[10:], False),
    ):
        path.write_bytes(data)
        assert scans(path)[0].content.alone == alone


def test_a_damaged_member_says_nothing_of_the_others(tmp_path: Path) -> None:
    """A member that cannot be parsed is incomplete by itself."""
    rest, broken, clean = scans(zipped(tmp_path, broken=BAD[:40], clean=CLEAN))
    assert {fault.code for fault in broken.coverage.faults} == {"damaged"}
    assert clean.coverage.faults == rest.coverage.faults == ()


def test_scan_of_one_dump_refuses_several(tmp_path: Path) -> None:
    """Whoever asks for one scan does not get the first of several."""
    request = ScanRequest(path=str(zipped(tmp_path, clean=CLEAN)), in_process=True, rules=RULES)
    with pytest.raises(Unreadable):
        scanning.scan(request, Silence())


@pytest.mark.parametrize("wrap", [bytes, gzip.compress])
@pytest.mark.parametrize(
    ("magic", "name"), [(b"7z\xbc\xaf\x27\x1c", "7z"), (b"Rar!\x1a\x07\1\0", "rar")]
)
def test_what_is_not_opened_does_not_pass(
    tmp_path: Path, magic: bytes, name: str, wrap: Callable[[bytes], bytes]
) -> None:
    """A file that is packed and not opened here is incomplete, with --raw too, and says why."""
    path = tmp_path / "crash"
    path.write_bytes(wrap(magic + b"packed bytes " * 400))
    for raw in (False, True):
        [scanned] = scans(path, raw=raw)
        judged = policy.judge(scanned, ())
        assert judged.verdict is Verdict.INCOMPLETE
        [reason] = [reason for reason in judged.reasons if reason.code == "unopened"]
        assert f"is {name}, which is not opened: unpack it" in reason.text


def test_too_deep_does_not_pass(tmp_path: Path) -> None:
    """Twelve archives within each other are more than are opened."""
    data = CLEAN
    for level in range(12):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as archive:
            info = tarfile.TarInfo(f"{level}.tar")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        data = out.getvalue()
    path = tmp_path / "crash.tar"
    path.write_bytes(data)
    assert verdicts(path) == {"crash.tar": "incomplete"}
    assert verdicts(path, raw=True) == {"crash.tar": "incomplete"}


def test_an_archive_behind_other_bytes(tmp_path: Path) -> None:
    """An archive that unpacks itself begins as a program: it is told by its end."""
    path = zipped(tmp_path, clean=CLEAN)
    path.write_bytes(b"MZ" + bytes(5000) + path.read_bytes())
    for raw in (False, True):
        assert verdicts(path, raw=raw) == {"crash.zip": "incomplete"}
