"""Guarded workers: whatever happens in one, the parent learns a name and nothing else."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import pytest

from scanner import errors
from scanner.processes import workers
from scanner.processes.later import Later
from scanner.processes.workers import InProcess, Lost, Processes

CANARY = "canary-9f3c71d2"


class Session:
    """The state of a worker under test."""

    def __init__(self, value: int) -> None:
        self.value = value


def add(session: Session, number: int) -> int:
    """Answer."""
    return session.value + number


def slowly(session: Session, number: int) -> int:
    """Answer late, so that nobody answers twice."""
    time.sleep(0.5)
    return session.value + number


def refuse(_session: Session) -> None:
    """Raise an error of ours."""
    raise errors.Damaged("a table is cut", reason="it ends early", hint="scan a whole file")


def crash(_session: Session) -> None:
    """Raise what might hold bytes of a dump."""
    raise ValueError(CANARY)


def exit_quietly(_session: Session) -> None:
    """End as if all were well."""
    raise SystemExit(0)


def unsendable(_session: Session) -> Any:  # noqa: ANN401
    """Answer with what cannot be pickled."""
    return lambda: CANARY


def die(_session: Session, number: int) -> int:
    """Die by a signal for one argument, answer for the others."""
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def leave(_session: Session) -> None:
    """Leave without a word, as a native library may."""
    os._exit(0)


def hoard(_session: Session) -> int:
    """Ask for more memory than a worker may have."""
    return len(bytearray(64 << 30))


def shout(_session: Session) -> int:
    """Print what a native library might print."""
    os.write(1, CANARY.encode())
    os.write(2, CANARY.encode())
    print(CANARY)  # noqa: T201
    return 1


@pytest.fixture
def crew() -> Iterator[Processes]:
    """One worker."""
    made = Processes(1, Session, 40)
    yield made
    made.close()


def test_answers(crew: Processes) -> None:
    """A call is answered, again and again, from one session."""
    assert crew.ask(add, 2) == 42
    assert sorted(crew.map([(add, 1), (add, 2), (add, 3)])) == [(0, 41), (1, 42), (2, 43)]


def test_our_errors_come_back_whole(crew: Processes) -> None:
    """An error of ours keeps its class and its three parts."""
    with pytest.raises(errors.Damaged) as caught:
        crew.ask(refuse)
    assert (caught.value.reason, caught.value.hint) == ("it ends early", "scan a whole file")


@pytest.mark.parametrize("call", [crash, unsendable, exit_quietly, hoard])
def test_anything_else_is_a_class_name(crew: Processes, call: Any) -> None:  # noqa: ANN401
    """No message of a foreign exception leaves a worker, and the worker lives on."""
    with pytest.raises(errors.WorkerLost) as caught:
        crew.ask(call)
    assert CANARY not in repr(vars(caught.value))
    assert crew.ask(add, 1) == 41


def test_a_dead_worker_is_replaced_once(crew: Processes) -> None:
    """The call that killed two workers is lost; with nobody left the others are lost too."""
    answers = dict(crew.map([(die, number) for number in range(6)]))
    assert answers[0] == 0
    assert answers[3] == Lost(cause="SIGKILL")
    assert all(isinstance(answers[number], Lost) for number in (4, 5))


def test_a_pool_outlives_a_death() -> None:
    """With two workers, one call that kills costs only itself."""
    made = Processes(2, Session, 0)
    try:
        answers = dict(made.map([(die, number) for number in range(8)]))
    finally:
        made.close()
    assert answers.pop(3) == Lost(cause="SIGKILL")
    assert answers == {number: number for number in (0, 1, 2, 4, 5, 6, 7)}


def test_a_worker_is_asked_for_what_it_has_loaded() -> None:
    """Of two things that are asked for in turn one is all one worker's.

    Though calls on the other take three times as long, and its worker is free in between.
    """
    short, long = [1], [3]
    pool = Processes(2, Session, 0)
    try:
        assert len(set(dict(pool.map([(_who, [5], "")] * 2)).values())) == 2
        answers = dict(pool.map([(_who, thing, "") for _ in range(6) for thing in (short, long)]))
    finally:
        pool.close()
    assert len({answers[number] for number in range(0, 12, 2)}) == 1, answers


def _who(_session: Session, thing: list[int], _text: str) -> int:
    time.sleep(thing[0] / 50)
    return os.getpid()


def test_what_cannot_be_imported(crew: Processes) -> None:
    """A worker in whose installation a module is missing says what to do about that."""
    with pytest.raises(errors.WorkerLost) as caught:
        crew.ask(Later("scanner.no_such_module", "survey"))
    assert caught.value.reason == "it ended with ModuleNotFoundError"
    assert caught.value.hint.startswith("install keysift again")


def test_a_silent_exit_is_no_answer(crew: Processes) -> None:
    """A worker that exits 0 in the middle of a call is lost."""
    with pytest.raises(errors.WorkerLost):
        crew.ask(leave)


def test_a_hang_is_a_death(crew: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that gives no answer in time is repeated once and then lost."""
    import time

    assert crew.ask(add, 0) == 40
    monkeypatch.setattr(workers, "STALL_SECONDS", 0.2)
    answers = dict(crew.map([(_sleep, 60)]))
    assert answers == {0: Lost(cause="no answer in time")}
    assert time.monotonic() > 0


def _sleep(_session: Session, seconds: float) -> None:
    import time

    time.sleep(seconds)


def test_what_a_worker_prints_goes_nowhere(
    crew: Processes, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither stdout nor stderr of a worker is ours."""
    assert crew.ask(shout) == 1
    captured = capfd.readouterr()
    assert CANARY not in captured.out + captured.err


def test_workers_dump_no_core(crew: Processes) -> None:
    """A worker is hardened: RLIMIT_CORE is 0."""
    resource = pytest.importorskip("resource")
    assert crew.ask(_core_limit) == 0
    assert resource.RLIMIT_CORE >= 0


def _core_limit(_session: Session) -> int:
    import resource

    return resource.getrlimit(resource.RLIMIT_CORE)[0]


def test_in_process_answers_alike() -> None:
    """The unguarded crew answers as the others do."""
    crew = InProcess(Session, 1)
    assert crew.ask(add, 1) == 2
    assert list(crew.map([(add, 1), (add, 2)])) == [(0, 2), (1, 3)]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_worker_that_starts_hears_no_interrupt() -> None:
    """Ctrl-C goes to every process of a terminal: one that still imports would show a traceback."""
    made = Processes(1, Session, 1)
    try:
        assert made.ask(_mask) - _mask(None) == {signal.SIGINT}
    finally:
        made.close()
    assert signal.SIGINT not in _mask(None)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_nothing_ends_a_process_while_it_starts_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that had not been told yet what it is would show a traceback; the signal waits."""
    heard: list[set[signal.Signals]] = []
    start = SpawnProcess.start

    def watched(process: SpawnProcess) -> None:
        heard.append(_mask(None))
        start(process)

    monkeypatch.setattr(SpawnProcess, "start", watched)
    Processes(1, Session, 1).close()
    assert [{signal.SIGTERM, signal.SIGHUP} <= mask for mask in heard] == [True]
    assert signal.SIGTERM not in _mask(None)


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="POSIX signals")
def test_what_is_started_uninterrupted_hears_no_interrupt() -> None:
    """Ctrl-C at the terminal reaches this thread, and no process that was started in the block."""
    with workers.uninterrupted():
        made = Processes(1, Session, 0)
    try:
        assert signal.SIGINT in made.ask(_mask)
    finally:
        made.close()
    assert signal.SIGINT not in _mask(None)


def _mask(_session: Session | None) -> set[signal.Signals]:
    return {signal.Signals(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, ())}


def test_a_prepared_worker_is_the_first_of_the_next_crew() -> None:
    """It gets its setup when there is one; others, and crews to come, have workers of their own."""
    workers.prepare("scanner.errors")
    workers.prepare("scanner.errors")
    (ready,) = workers._ready
    crews = [
        Processes(1, Session, 0, fresh=True),
        Processes(2, Session, 40),
        Processes(1, Session, 7),
    ]
    try:
        pids = [crew._workers[0].process.pid for crew in crews]
        assert pids[1] == ready.process.pid
        assert len({*pids, crews[1]._workers[1].process.pid}) == 4
        assert [crew.ask(add, 2) for crew in crews] == [2, 42, 9]
    finally:
        for crew in crews:
            crew.close()


def test_each_crew_to_come_has_a_prepared_worker_of_its_own() -> None:
    """No more are started than crews were announced, and none has two setups."""
    workers.prepare("scanner.errors", 2)
    pids = []
    for base in (1, 2, 3):
        ready = [worker.process.pid for worker in workers._ready]
        crew = Processes(1, Session, base)
        try:
            pids.append(crew._workers[0].process.pid)
            assert ready in ([pids[-1]], [])
            assert crew.ask(add, 2) == base + 2
        finally:
            crew.close()
    assert len(set(pids)) == 3
    assert not workers._ready


_STILLBORN = """
import multiprocessing.spawn, sys
from scanner import errors
from scanner.processes import workers
sound = sys.executable
multiprocessing.spawn.set_executable(sys.argv[1])
crew = workers.Processes(1, bytearray, bytes(4 << 20), spare=int(sys.argv[2]))
multiprocessing.spawn.set_executable(sound)
try:
    print(crew.ask(len))
except errors.WorkerLost as error:
    print(error.reason)
crew.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such program there")
@pytest.mark.parametrize(("spare", "said"), [("1", str(4 << 20)), ("0", "it ended with exit")])
def test_a_worker_that_dies_as_it_starts(spare: str, said: str) -> None:
    """Nobody waits for it to take its setup, however large: it is replaced, or it is lost."""
    program = shutil.which("true")
    assert program is not None
    done = subprocess.run(
        [sys.executable, "-c", _STILLBORN, program, spare],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert said in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="a working folder cannot be deleted there")
def test_a_worker_that_cannot_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its start looks for the working folder, which somebody deleted: that is no bug of ours."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(errors.WorkerLost, match="could not be started") as raised:
        Processes(1, Session, 0)
    assert raised.value.reason == "no such file or directory"


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit there")
def test_a_worker_for_which_no_file_is_left() -> None:
    """Where the process may open no more, the message names the limit and what needs fewer."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    spare = os.open(os.devnull, os.O_RDONLY)
    os.close(spare)
    resource.setrlimit(resource.RLIMIT_NOFILE, (spare + 2, hard))
    try:
        with pytest.raises(errors.WorkerLost, match="could not be started") as raised:
            Processes(1, Session, 0)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert raised.value.reason == "too many open files"
    assert "ulimit -n" in raised.value.hint
    assert "--jobs" in raised.value.hint


def test_a_prepared_worker_that_died_is_replaced() -> None:
    """As any other; and one whose module cannot be imported is a worker all the same."""
    workers.prepare("scanner.no_such_module")
    crew = Processes(1, Session, 40)
    assert crew.ask(add, 2) == 42
    crew.close()
    workers.prepare("scanner.errors")
    (ready,) = workers._ready
    ready.process.kill()
    ready.process.join()
    crew = Processes(1, Session, 40)
    assert crew.ask(add, 2) == 42
    crew.close()


def test_a_crew_that_grows_takes_the_worker_of_the_next() -> None:
    """Of a large dump's crew nobody idles beside it: its memory is that of so many workers."""
    workers.prepare("scanner.errors", 2)
    crew = Processes(1, Session, 1)
    try:
        (ready,) = workers._ready
        crew.grow(1, Session, 100)
        assert {answer for _, answer in crew.map([(slowly, 0)] * 2)} == {1, 100}
        assert crew._workers[1].process.pid == ready.process.pid
        assert not workers._ready
    finally:
        crew.close()


def test_a_crew_grows_by_workers_of_another_setup() -> None:
    """The first worker stays the first asked; the others, and who replaces one, have the new."""
    crew = Processes(1, Session, 1)
    try:
        assert crew.ask(add, 0) == 1
        crew.grow(1, Session, 100)
        assert crew.ask(add, 0) == 1
        assert {answer for _, answer in crew.map([(slowly, 0)] * 2)} == {1, 100}
        assert dict(crew.map([(die, 3)])) == {0: Lost(cause="SIGKILL")}
        assert {answer for _, answer in crew.map([(slowly, 0)] * 2)} == {100}
    finally:
        crew.close()
