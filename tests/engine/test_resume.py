"""A scan that is cut short goes on where it was, says the same, and trusts nothing that changed."""

import contextlib
import dataclasses
import datetime as dt
import functools
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fixtures import elfcore, encodings, keys, noise, real
from scanner import correlate, gate, policy, policyfile, published, rules
from scanner.cli import main
from scanner.dump import windows
from scanner.engine import records, resume, scanning
from scanner.engine.resume import Resume
from scanner.engine.scanning import ScanRequest
from scanner.errors import UsageError
from scanner.fields import RefusedError
from scanner.model import DumpReport
from scanner.stages import seals
from scanner.stages.session import Survey
from scanner.stages.sweep import Swept
from tests import inside, stores, test_secrets

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="nothing is kept on Windows")

ROOT = Path(__file__).resolve().parents[2]
RULES = rules.load()
PUBLISHED = published.load()
TASK = 1 << 19


def _chunk(index: int) -> bytes:
    """Return what a task sweeps: text, pointers, numbers, and in some a key."""
    numbers = b"".join(bytes(16) + noise.uniform(48, at) for at in range(14 if index % 2 else 2))
    key = {1: keys.rsa_key(), 9: keys.ec_key()}.get(index)
    secret = encodings.pkcs8_pem(key) if key else b""
    rest = noise.pointers(4096, index) + numbers + bytes(64) + secret + bytes(64)
    return noise.text(TASK - len(rest), index) + rest


CORE = elfcore.write(
    [elfcore.Segment(address=0x7F00_0000_0000, data=b"".join(map(_chunk, range(13))))]
).data
TERMS = (("rules", "a"), ("policy", "b"), ("mode", "default"))
GOES_ON = resume.GOES_ON
ANEW = "the scan begins anew"


class Watch:
    """Progress that interrupts a scan after some tasks of a phase, or at the phase's begin."""

    def __init__(self, phase: str, tasks: int) -> None:
        self._stop, self._left, self._phase = phase, tasks, ""
        self.swept = 0

    def phase(self, name: str, total_bytes: int) -> None:
        """Begin a phase."""
        del total_bytes
        self._phase = name
        self._check()

    def advance(self, count: int) -> None:
        """Count a task."""
        self.swept += count if self._phase == "sweeping" else 0
        self._left -= self._phase == self._stop
        self._check()

    def done(self) -> None:
        """End."""

    def _check(self) -> None:
        if self._phase == self._stop and self._left == 0:
            raise KeyboardInterrupt


@dataclasses.dataclass
class Attempt:
    """What came of one scan: its report, unless it was cut short; what it told; what it swept."""

    report: DumpReport | None
    notes: list[tuple[str, str]]
    swept: int


@pytest.fixture(autouse=True)
def small_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut dumps finely."""
    monkeypatch.setattr(windows, "TASK_BYTES", TASK)


@pytest.fixture
def core(tmp_path: Path) -> Path:
    """Write a core with two keys."""
    path = tmp_path / "core"
    path.write_bytes(CORE)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """Return where scans are kept."""
    resume.check(str(tmp_path / "kept"))
    return str(tmp_path / "kept")


def attempt(
    path: str | Path,
    folder: str | None,
    stop: tuple[str, int] = ("", 0),
    terms: tuple[tuple[str, str], ...] = TERMS,
    **options: Any,  # noqa: ANN401 - of ScanRequest
) -> Attempt:
    """Scan in this process, until it is interrupted or to its end."""
    notes: list[tuple[str, str]] = []
    ended: list[str] = []
    kept = folder and Resume(
        folder=folder,
        terms=terms,
        tell=lambda what, why: notes.append((what, why)),
        ended=ended.append,
    )
    request = ScanRequest(
        path=str(path), in_process=True, rules=RULES, resume=kept or None, **options
    )
    watch = Watch(*stop)
    try:
        scanned = scanning.scan(request, watch)
    except KeyboardInterrupt:
        return Attempt(None, notes, watch.swept)
    if folder:
        resume.drop(folder, ended)
    found = correlate.findings(scanned, RULES)
    judged = policy.judge(scanned, *correlate.set_aside(found, PUBLISHED))
    return Attempt(judged, notes, watch.swept)


@functools.cache
def _whole() -> DumpReport | None:
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(CORE)
        return attempt(file.name, None).report


def whole(path: Path) -> DumpReport:
    """Return the report on the core, under this path, of a scan in one go."""
    report = _whole()
    assert report is not None
    return dataclasses.replace(report, path=str(path))


def unheard(*_: str) -> None:
    """Hear nothing of what becomes of a journal."""


def journal(folder: str) -> Path:
    """Return the one journal that there is."""
    (path,) = Path(folder).iterdir()
    return path


# --- a scan that is cut short -------------------------------------------------------------------

_MAIN = (
    "import sys; from scanner.dump import windows; "
    f"windows.TASK_BYTES = {TASK}; from scanner.__main__ import main; main()"
)


def command(*words: str) -> list[str]:
    """Return the command line of a scan in worker processes, of finely cut dumps."""
    return [sys.executable, "-c", _MAIN, "scan", "--format", "json", "-j", "2", *words]


def kill_after(lines: int, folder: str, words: list[str]) -> None:
    """Run a command, and kill it and its workers once its journal has so many lines."""
    with subprocess.Popen(
        words,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        while process.poll() is None:
            with contextlib.suppress(ValueError, FileNotFoundError):
                if journal(folder).read_bytes().count(b"\n") >= lines:
                    break
            time.sleep(0.01)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL


def test_a_scan_that_is_killed_again_and_again(core: Path, folder: str) -> None:
    """Killed early, late and past its sweep, it ends with the report of a scan in one go."""
    core.write_bytes(real.load("python-rsa-ed25519"))
    whole = inside.keysift("scan", str(core), "-f", "json")
    assert whole.returncode == 1
    words = command(str(core), "--resume", folder)
    for lines in (4, 11):
        kill_after(lines, folder, words)
        test_secrets.assert_silent(journal(folder).read_bytes())
    done = subprocess.run(words, cwd=ROOT, capture_output=True, check=False)
    assert (done.returncode, done.stdout.decode()) == (1, whole.stdout)
    assert GOES_ON in done.stderr.decode()
    assert re.search(r"why: 5,[0-9,]+ of 7,0[0-9,]+ bytes", done.stderr.decode())
    assert list(Path(folder).iterdir()) == []


@pytest.mark.parametrize("stop", [("sweeping", 1), ("sweeping", 9)])
def test_an_interrupted_scan_goes_on(core: Path, folder: str, stop: tuple[str, int]) -> None:
    """Interrupted, it keeps what was swept, and the next scan sweeps what is left."""
    first = attempt(core, folder, stop)
    kept = len(journal(folder).read_bytes().splitlines()) - 1
    assert first.report is None
    assert not first.notes
    assert 0 < kept <= 11
    second = attempt(core, folder, ("proving", 0))
    assert [what for what, _ in second.notes] == [GOES_ON]
    assert len(CORE) - (kept + 1) * TASK <= second.swept <= len(CORE) - (kept - 1) * TASK
    third = attempt(core, folder, ("checking", 2))  # cut short while it looks at what it has
    assert third.notes == []
    last = attempt(core, folder)
    assert last.report == whole(core)
    assert not list(Path(folder).iterdir())


def test_a_scan_in_one_go_leaves_nothing(core: Path, folder: str) -> None:
    """Kept and not interrupted, a scan says the same, and tells nothing."""
    done = attempt(core, folder)
    assert done.report == whole(core)
    assert done.notes == []
    assert list(Path(folder).iterdir()) == []


# --- what must be the same ----------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, _ in TERMS])
def test_other_terms_begin_anew(core: Path, folder: str, name: str) -> None:
    """Other rules, another policy or another mode, and nothing of the past counts; it is said."""
    attempt(core, folder, ("sweeping", 3))
    terms = tuple((term, "c" if term == name else value) for term, value in TERMS)
    second = attempt(core, folder, ("proving", 0), terms)
    assert second.notes == [(ANEW, f"not what it was when it began: {name}")]
    assert second.swept == swept_of(core)
    assert attempt(core, folder, ("proving", 0), terms).notes[0][0] == GOES_ON


def test_all_that_a_verdict_depends_on_is_a_term() -> None:
    """What a gate goes by, digests and ways of looking, is compared."""
    request = ScanRequest(path="", rules=RULES)
    ruling = policy.Ruling(
        policy=policyfile.DEFAULT, baseline=policy.Baseline(), today=dt.date(2026, 1, 1)
    )
    digests = dict.fromkeys(
        ("rules_sha256", "known_sha256", "policy_sha256", "baseline_sha256"), "a"
    )
    plain = gate.Gate(request=request, ruling=ruling, **digests)
    others = [
        *(dataclasses.replace(plain, **{name: "b"}) for name in digests),
        *(
            dataclasses.replace(plain, request=dataclasses.replace(request, **asked))
            for asked in ({"deep": True}, {"raw": True}, {"fingerprint_key": b"k" * 32})
        ),
    ]
    kept = [gate.kept(one, "x", unheard, unheard).request.resume for one in (plain, *others)]
    assert len({one.terms for one in kept if one is not None}) == 1 + len(others)


def _flip(path: Path) -> None:
    """Change a byte, and put back the time of the last change."""
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(TASK // 2)
        byte = file.read(1)
        file.seek(TASK // 2)
        file.write(bytes([byte[0] ^ 1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def _grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"x")


def _touch(path: Path) -> None:
    os.utime(path, ns=(1, 1))


CHANGES: dict[Callable[[Path], None], str] = {
    _flip: "changed",
    _grow: "size, modified, changed, layout",
    _touch: "modified, changed",
}


@pytest.mark.parametrize("change", CHANGES)
def test_another_file_begins_anew(core: Path, folder: str, change: Callable[[Path], None]) -> None:
    """A file that was written to is another one, whatever its time says."""
    attempt(core, folder, ("sweeping", 3))
    change(core)
    second = attempt(core, folder, ("proving", 0))
    assert second.notes == [(ANEW, f"not what it was when it began: {CHANGES[change]}")]
    assert second.swept == swept_of(core)


def test_a_byte_that_nothing_tells_of_begins_anew(core: Path, folder: str) -> None:
    """Bytes that changed under the same size and times are seen, and all is swept once."""
    attempt(core, folder, ("proving", 0))
    _flip(core)
    head, rest = journal(folder).read_bytes().split(b"\n", 1)
    table = json.loads(head.partition(b" ")[2])
    table["same"]["changed"] = str(core.stat().st_ctime_ns)  # as if no clock had seen it
    journal(folder).write_bytes(resume._line(b"", table) + rest)
    second = attempt(core, folder, ("proving", 0))
    assert second.notes == [(ANEW, "bytes that were swept are not what they were")]
    assert second.swept == swept_of(core)
    third = attempt(core, folder)
    assert [what for what, _ in third.notes] == [GOES_ON]
    assert third.report == attempt(core, None).report


def test_another_dump_has_a_journal_of_its_own(core: Path, folder: str, tmp_path: Path) -> None:
    """Dumps do not share what was swept, be they the same to the byte."""
    attempt(core, folder, ("sweeping", 3))
    shutil.copy(core, tmp_path / "copy")
    assert attempt(tmp_path / "copy", folder, ("sweeping", 3)).notes == []
    assert len(list(Path(folder).iterdir())) == 2


# --- which dumps --------------------------------------------------------------------------------


def test_what_is_packed_is_not_kept(folder: str) -> None:
    """Of a compressed dump nothing is kept, which is said."""
    done = attempt(real.path("python-rsa-ed25519"), folder, ("proving", 0))
    assert [what for what, _ in done.notes] == [resume._UNKEPT]
    assert "packed" in done.notes[0][1]
    assert list(Path(folder).iterdir()) == []


def test_a_small_dump_is_not_kept(tmp_path: Path, folder: str) -> None:
    """What is one task begins anew anyway."""
    path = tmp_path / "small"
    path.write_bytes(CORE[: TASK // 2])
    assert attempt(path, folder, ("proving", 0)).notes == []
    assert list(Path(folder).iterdir()) == []


def test_stdin_and_stores_that_say_nothing(core: Path, folder: str) -> None:
    """What cannot be told from another is not kept."""
    survey, tasks = surveyed(core)
    assert survey.identity is not None
    told = dataclasses.replace(survey.identity, device=0, inode=0, tag="")
    for identity in (None, told):
        notes: list[str] = []
        tell = lambda _, why: notes.append(why)  # noqa: B023, E731 - called at once
        kept = Resume(folder=folder, terms=TERMS, tell=tell, ended=unheard)
        with contextlib.ExitStack() as stack:
            other = dataclasses.replace(survey, identity=identity)
            assert resume.opened(kept, stack, other, tasks, len(RULES)) is None
        assert len(notes) == 1


@stores.needs_s3
def test_an_object_goes_on_by_its_tag(folder: str) -> None:
    """An object in a store is known by what the store says of it; what takes its place is not."""
    with stores.serving() as bucket:
        url = f"{bucket}/core"
        stores.files().pipe(url, CORE)
        assert attempt(url, folder, ("sweeping", 4)).notes == []
        assert b"dumps" not in journal(folder).read_bytes()
        second = attempt(url, folder, ("proving", 0))
        assert [what for what, _ in second.notes] == [GOES_ON]
        stores.files().pipe(url, CORE[:-1] + b"x")
        third = attempt(url, folder, ("proving", 0))
        assert (third.notes, third.swept) == ([], swept_of(url))


# --- a journal that is torn, forged or another's ------------------------------------------------


def swept_of(path: Path | str) -> int:
    """Return the bytes of all tasks: registers that are saved in halves are swept twice."""
    return sum(records.sizes(surveyed(path)[1]))


def surveyed(path: Path | str) -> tuple[Survey, records.Tasks]:
    """Return what a dump is, and its tasks."""
    request = ScanRequest(path=str(path), in_process=True, rules=RULES)
    ((_, survey),) = scanning.inspect(request, Watch("", 0))
    return survey, windows.cut(survey.space_map)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path, Any]]:
    """Interrupt a scan before its end; give the dump, its journal and what is read of that."""
    folder = tmp_path_factory.mktemp("begun")
    path = folder / "core"
    path.write_bytes(CORE)
    resume.check(str(folder / "kept"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "TASK_BYTES", TASK)
        attempt(path, str(folder / "kept"), ("sweeping", 5))
        yield path, journal(str(folder / "kept")), surveyed(path)


def reopened(content: bytes, begun: tuple[Path, Path, Any], folder: Path) -> dict[int, Swept]:
    """Return what is read of a journal with this content."""
    _, original, (survey, tasks) = begun
    shutil.rmtree(folder, ignore_errors=True)
    resume.check(str(folder))
    (folder / original.name).write_bytes(content)
    (folder / original.name).chmod(0o600)
    kept = Resume(folder=str(folder), terms=TERMS, tell=unheard, ended=unheard)
    with contextlib.ExitStack() as stack:
        opened = resume.opened(kept, stack, survey, tasks, len(RULES))
        assert opened is not None
        return dict(opened.past.swept)


def same(one: Swept, other: Swept) -> bool:
    """Tell whether two tasks have the same places."""
    return all(
        np.array_equal(getattr(getattr(one, part), name), getattr(getattr(other, part), name))
        for part, names in (("hits", ("rule", "space", "offset")), ("runs", ("space", "start")))
        for name in names
    )


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(at=st.floats(0, 1, exclude_max=True), damage=st.sampled_from(("cut", "flip", "twice")))
@example(at=0.0, damage="cut")
def test_a_torn_journal(
    tmp_path: Path, begun: tuple[Path, Path, Any], at: float, damage: str
) -> None:
    """Wherever it is cut or damaged, what is before counts, and nothing else does."""
    content = begun[1].read_bytes()
    whole = reopened(content, begun, tmp_path / "whole")
    assert len(whole) == content.count(b"\n") - 1 > 3
    place = int(at * len(content))
    before = content[:place].count(b"\n")
    if damage == "cut":
        content = content[:place]
    elif damage == "flip":
        content = content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :]
    else:
        start = content.rindex(b"\n", 0, place) + 1 if before else 0
        content = content[: content.index(b"\n", place) + 1] + content[start:]
        before += 1
    read = reopened(content, begun, tmp_path / "torn")
    assert list(read) == list(whole)[: max(before - 1, 0)]
    assert all(same(read[index], whole[index]) for index in read)


def test_lines_of_another_scan(tmp_path: Path, begun: tuple[Path, Path, Any]) -> None:
    """What a scan left behind the head of a later one, on a disk that lost power, is no line."""
    head, rest = begun[1].read_bytes().split(b"\n", 1)
    table = json.loads(head.partition(b" ")[2])
    table["salt"] = "00" * 32
    assert reopened(resume._line(b"", table) + rest, begun, tmp_path / "kept") == {}


MISPLACED: dict[str, Callable[[dict[str, Any]], object]] = {
    "no task": lambda t: t.update(task=14),
    "another task": lambda t: t.update(task=t["task"] + 1),
    "a task before": lambda t: t.update(task=-1),
    "a hit before its space": lambda t: t["hits"]["offset"].__setitem__(0, -1),
    "a hit behind the dump": lambda t: t["hits"]["offset"].__setitem__(0, 1 << 62),
    "the last number": lambda t: t["hits"]["offset"].__setitem__(0, (1 << 63) - 1),
    "too large a number": lambda t: t["hits"]["offset"].__setitem__(0, 1 << 64),
    "no space": lambda t: t["hits"]["space"].__setitem__(0, 1 << 40),
    "a space before": lambda t: t["runs"]["space"].__setitem__(0, -1),
    "no rule": lambda t: t["hits"]["rule"].__setitem__(0, len(RULES)),
    "a rule before": lambda t: t["hits"]["rule"].__setitem__(0, -1),
    "a run of nothing": lambda t: t["runs"]["end"].__setitem__(0, t["runs"]["start"][0]),
    "a run behind the task": lambda t: t["runs"]["end"].__setitem__(-1, 1 << 40),
    "columns": lambda t: t["runs"]["end"].append(8),
    "fewer rules": lambda t: t["hits"]["rule"].pop(),
    "no number": lambda t: t["runs"]["end"].__setitem__(0, 0.5),
    "a word": lambda t: t["runs"]["end"].__setitem__(0, "8"),
    "ragged": lambda t: t["runs"]["end"].__setitem__(0, [8, 8]),
    "no list": lambda t: t["runs"].update(end="8"),
    "no column": lambda t: t["runs"].pop("end"),
    "no cell": lambda t: t["shades"]["cell"].__setitem__(0, 4096),
    "too many words": lambda t: t["shades"]["counts"].__setitem__(0, 1 << 40),
    "fewer words": lambda t: t["shades"]["counts"].pop(),
    "no seal": lambda t: t.update(seal=""),
}


@pytest.mark.parametrize("wrong", MISPLACED)
def test_a_place_outside_of_its_task(begun: tuple[Path, Path, Any], wrong: str) -> None:
    """A record that no sweep of its task can have made is refused."""
    _, path, (survey, tasks) = begun
    bounds = records.Bounds(survey.space_map, tasks, len(RULES))
    tables = [json.loads(line.partition(b" ")[2]) for line in path.read_bytes().splitlines()[1:]]
    table = next(t for t in tables if t["hits"]["rule"] and t["runs"]["end"])
    index, swept, shades = bounds.read(table)
    again = dataclasses.replace(swept, shades=shades)
    assert records.written(index, again) == table
    MISPLACED[wrong](table)
    with pytest.raises(RefusedError):
        bounds.read(table)


def test_a_line_that_is_too_long(
    tmp_path: Path, core: Path, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task with too much to say is not kept, and a longer line is not read."""
    monkeypatch.setattr(resume, "MOST_RECORD", 2200)
    attempt(core, folder, ("proving", 0))
    lines = journal(folder).read_bytes().splitlines(keepends=True)
    assert 1 < len(lines) < 9
    assert max(map(len, lines)) <= 2200
    assert tmp_path.exists()


def _link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir(0o700)


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


HOSTILE: dict[str, Callable[[Path], object]] = {
    "readable by others": lambda path: path.chmod(0o640),
    "writable by others": lambda path: path.chmod(0o602),
    "a link": _link,
    "a second name": lambda path: path.with_name("second").hardlink_to(path),
    "a folder": _folder,
    "a pipe": _pipe,
    "folder writable by a group": lambda path: path.parent.chmod(0o720),
    "folder readable by others": lambda path: path.parent.chmod(0o705),
    "no folder": lambda path: shutil.rmtree(path.parent),
}


@pytest.mark.parametrize("doubt", HOSTILE)
def test_what_another_could_have_written(core: Path, folder: str, doubt: str) -> None:
    """Of what is not ours alone nothing is read, the scan goes on without, and that is said."""
    attempt(core, folder, ("sweeping", 3))
    HOSTILE[doubt](journal(folder))
    second = attempt(core, folder, ("proving", 0))
    assert [what for what, _ in second.notes] == [resume._UNKEPT]
    assert second.swept == swept_of(core)


@pytest.mark.skipif(os.geteuid() != 0 if sys.platform != "win32" else True, reason="not root")
def test_what_another_owns(core: Path, folder: str) -> None:
    """A journal, and a folder, of another account are not used."""
    attempt(core, folder, ("sweeping", 3))
    os.chown(journal(folder), 12345, -1)
    assert attempt(core, folder, ("proving", 0)).notes[0][0] == resume._UNKEPT
    os.chown(folder, 12345, -1)
    with pytest.raises(UsageError):
        resume.check(folder)


@pytest.mark.parametrize("mode", [0o720, 0o705, 0o777, 0o1777])
def test_a_folder_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    """Neither it, nor what lies in one whose owner others are not bound to."""
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(mode)
    with pytest.raises(UsageError, match="scans cannot be kept"):
        resume.check(str(tmp_path / "open"))
    if mode == 0o777:  # whoever may rename what is in it could put another folder there
        with pytest.raises(UsageError):
            resume.check(str(tmp_path / "open" / "mine"))
    elif mode == 0o1777:
        resume.check(str(tmp_path / "open" / "mine"))


def test_a_folder_that_cannot_be_used_is_a_matter_of_usage(tmp_path: Path) -> None:
    """The command line says what to do, and scans nothing."""
    told: list[str] = []
    words = ("scan", "--resume", str(tmp_path / "no" / "where"), str(tmp_path / "core"))
    assert main.run(words, lambda *parts: told.extend(parts)) == 2
    assert told[1] == "no such file or directory"
    assert "mode 700" in told[2]


def test_two_scans_of_one_dump(core: Path, folder: str) -> None:
    """The second one is not kept, says so, and takes nothing from the first."""
    survey, tasks = surveyed(core)
    kept = Resume(folder=folder, terms=TERMS, tell=unheard, ended=unheard)
    with contextlib.ExitStack() as stack:
        assert resume.opened(kept, stack, survey, tasks, len(RULES)) is not None
        second = attempt(core, folder, ("proving", 0))
        assert second.notes == [(resume._UNKEPT, "another scan of this dump is at it")]
        assert journal(folder).read_bytes().count(b"\n") == 1


def test_a_full_disk_costs_the_journal_alone(core: Path, folder: str) -> None:
    """What was kept before counts, what is swept later is not kept, and the report is the same."""
    import resource

    attempt(core, folder, ("proving", 0))
    room = journal(folder).stat().st_size // 2
    journal(folder).unlink()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        first = attempt(core, folder, ("proving", 0))
        kept = journal(folder).read_bytes().count(b"\n")
        second = attempt(core, folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [what for what, _ in first.notes] == ["no more of this scan is kept"]
    assert kept > 2
    assert [what for what, _ in second.notes] == [GOES_ON, "no more of this scan is kept"]
    assert second.report == whole(core)
    assert list(Path(folder).iterdir()) == []


# --- what stands in a journal -------------------------------------------------------------------


def leaves(value: object) -> Iterator[object]:
    """Yield what a JSON value is made of."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


def test_a_journal_holds_places_only(
    tmp_path: Path, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers and keyed digests: no byte of a key, no name of the dump, no hash of a task."""
    monkeypatch.setattr(windows, "TASK_BYTES", 1 << 13)
    monkeypatch.setattr(seals, "LEAST", 1)
    path = test_secrets.planted(tmp_path)[0]
    content = path.read_bytes()
    attempt(path, folder, ("proving", 0))
    raw = journal(folder).read_bytes()
    test_secrets.assert_silent(raw, os.fsencode(journal(folder)))
    head, *lines = (json.loads(line.partition(b" ")[2]) for line in raw.splitlines())
    assert len(lines) > 1
    for table in lines:
        seal = table.pop("seal")
        assert re.fullmatch("[0-9a-f]{64}", seal)
        assert all(type(leaf) is int for leaf in leaves(table))
        assert table["hits"]["rule"] or table["runs"]["start"]
    survey, tasks = surveyed(path)
    for task in tasks:
        part = b"".join(content[p.offset : p.offset + p.size] for p in task)
        assert hashlib.sha256(part).hexdigest().encode() not in raw
    for secret in (*test_secrets.TOKENS, path.name.encode(), str(path).encode(), content):
        assert hashlib.sha256(secret).hexdigest().encode() not in raw
    assert set(head) == {"salt", "same"}
    assert survey.identity is not None


def test_little_is_not_sealed(core: Path, folder: str) -> None:
    """A task that is nearly all zeros is swept again: its digest would test guesses of the rest."""
    core.write_bytes(CORE[:TASK] + bytes(2 * TASK) + b"password=hunter2" + bytes(TASK))
    attempt(core, folder, ("proving", 0))
    assert journal(folder).read_bytes().count(b"\n") == 2


@pytest.mark.parametrize("key", [b"", b"k" * 32])
def test_a_seal_is_of_all_that_was_seen(key: bytes) -> None:
    """A byte, a zero, the salt or the key, and the seal is another; zeros are told by place."""
    buffer = np.frombuffer(CORE[: 2 * seals.LEAST], np.uint8).copy()
    whole = [(0, len(buffer))]

    def of(data: Any, filled: Any = None, salt: bytes = b"s" * 32, with_key: bytes = key) -> str:  # noqa: ANN401 - arrays
        seal = seals.Seal(salt, with_key)
        seal.add(data, whole if filled is None else filled)
        return seal.value()

    flipped = buffer.copy()
    flipped[-1] ^= 1
    half = [(0, seals.LEAST)]
    made = [
        of(buffer),
        of(flipped),
        of(buffer, salt=b"t" * 32),
        of(buffer, with_key=b"l" * 32),
        of(buffer, half),
        of(buffer, [(4096, seals.LEAST + 4096)]),
        of(buffer[: seals.LEAST], half),
    ]
    assert len({*made, ""}) == 8
    assert of(buffer) == made[0]
    assert of(buffer, [(0, seals.LEAST - 1)]) == ""
    assert of(buffer, salt=b"") == ""
