"""Many dumps over real worker processes: each is reported once, whatever happens to workers."""

import contextlib
import http.client
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from fixtures import elfcore, encodings, keys
from scanner import __version__, gate
from scanner.cli import main, scan
from scanner.dump import windows
from scanner.errors import FleetError, WorkerLost
from scanner.gate import Gate
from scanner.model import DumpReport, Verdict
from scanner.processes.workers import Lost
from scanner.progress import Silence
from scanner.report import json as report_json
from scanner.urls import shown
from tests import errands, stores

distributed = pytest.importorskip("distributed", reason="no Dask here runs a fleet")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")

from distributed.scheduler import KilledWorker  # noqa: E402 - an extra

from scanner import cluster, fleet  # noqa: E402 - they need Dask
from scanner.cluster import Cluster  # noqa: E402
from scanner.shards import Shards  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def buckets() -> Iterator[dict[str, str]]:
    """Give the URL of a bucket in each kind of store that can be had."""
    kinds = [str(one.values[0]) for one in stores.KINDS if not one.marks[0].args[0]]
    with contextlib.ExitStack() as stack:
        yield {kind: stack.enter_context(stores.serving(kind)) for kind in kinds}


@pytest.fixture(scope="module")
def client(buckets: dict[str, str]) -> Iterator[Any]:
    """Give the client of a local cluster of two workers, which know of the buckets."""
    assert set(buckets) <= {"s3", "az", "gs"}
    with cluster.connected(Cluster(jobs=2)) as made:
        yield made


@pytest.fixture(scope="module")
def terms() -> Gate:
    """Return what the command makes of no options."""
    made = scan.gate_of(
        jobs=1,
        deep=False,
        known=(),
        token_rules=(),
        raw=False,
        spool_dir=None,
        policy_path=None,
        fail_on=None,
        baseline_path=None,
    )
    return replace(made, request=replace(made.request, rules=made.request.rules))


@pytest.fixture
def dumps(tmp_path: Path) -> list[str]:
    """Write small cores, of which two hold one key, and name a file that is not there."""
    key = encodings.pkcs8_pem(keys.rsa_key(1024))
    for number in range(4):
        held = key if number % 2 else b""
        segment = elfcore.Segment(address=0x10000, data=held + bytes(8192))
        (tmp_path / f"core.{number}").write_bytes(elfcore.write([segment]).data)
        os.utime(tmp_path / f"core.{number}", (1.7e9 - number, 1.7e9 - number))
    return [str(tmp_path / name) for name in ("core.0", "core.1", "gone", "core.2", "core.3")]


def one_by_one(terms: Gate, paths: list[str]) -> list[tuple[DumpReport, ...]]:
    """Return what a scan says of each file, made in this process."""
    near = replace(terms, request=replace(terms.request, in_process=True))
    return [gate.judged(near, path, Silence(), lambda _error: None) for path in paths]


def kill_one(client: Any) -> None:  # noqa: ANN401 - Dask publishes no types
    """Kill a worker that is at work, if any is, as the kernel would when memory runs out."""
    busy = [address for address, tasks in client.processing().items() if tasks]
    pids = client.run(os.getpid)
    os.kill(pids[busy[0] if busy else next(iter(pids))], signal.SIGKILL)


def test_each_dump_is_reported_once_though_a_worker_is_killed(
    client: Any,  # noqa: ANN401
    terms: Gate,
    dumps: list[str],
) -> None:
    """With a worker killed half-way all dumps are there, in order, as scanned one by one."""
    done: list[int] = []

    def advance() -> None:
        done.append(len(done))
        if len(done) == 2:
            kill_one(client)

    told: list[tuple[str, str, str, bool]] = []
    found = fleet.judged(
        client,
        terms,
        dumps,
        lambda name, one: told.append((name, one.message, one.reason, bool(one.hint))),
        advance,
    )
    assert (dumps[2], "the file cannot be opened", "no such file or directory", True) in told
    assert done == [0, 1, 2, 3, 4]
    assert [one.dumps for one in found] == one_by_one(terms, dumps)
    assert [one.dumps[0].verdict for one in found][1:3] == [Verdict.BLOCKED, Verdict.INCOMPLETE]
    assert [one.modified for one in found] == [1.7e9, 1.7e9 - 1, None, 1.7e9 - 2, 1.7e9 - 3]


def test_a_task_done_twice_is_delivered_once(client: Any, tmp_path: Path) -> None:  # noqa: ANN401
    """Dask does a task again whose worker died; each answer comes once."""
    marks = str(tmp_path / "marks")
    answers = list(cluster.each(client, errands.die, [(marks, n, int(n == 2)) for n in range(4)]))
    assert sorted(answers) == [(number, number) for number in range(4)]
    assert (tmp_path / "marks").read_text("ascii").split().count("2") >= 2


def test_a_task_that_kills_its_workers_is_given_up(client: Any, tmp_path: Path) -> None:  # noqa: ANN401
    """It is tried up to a bound; with it goes what waits on the same workers, each time."""
    marks = str(tmp_path / "marks")
    rows = [(marks, number, 99 if number == 5 else 0) for number in range(8)]
    answers = list(cluster.each(client, errands.die, rows))
    assert sorted(index for index, _ in answers) == list(range(8))
    said = dict(answers)
    killed = {number for number, answer in said.items() if isinstance(answer, KilledWorker)}
    assert 5 in killed
    assert len(killed) <= cluster.AHEAD * 2
    assert all(answer == number for number, answer in said.items() if number not in killed)
    assert 0 < (tmp_path / "marks").read_text("ascii").split().count("5") <= cluster.RETRIES + 1


def test_few_tasks_are_handed_out_at_a_time(client: Any) -> None:  # noqa: ANN401
    """However many dumps there are, the scheduler holds a few of them."""
    stream = cluster.each(client, errands.wait, [(0.01,)] * 60)
    most = 0
    for _ in stream:
        most = max(most, client.run_on_scheduler(_tasks))
    assert 0 < most <= cluster.AHEAD * 2 + 1


def _tasks(dask_scheduler: Any) -> int:  # noqa: ANN401
    return len(dask_scheduler.tasks)


def test_a_local_cluster_is_this_machine_s_alone(client: Any) -> None:  # noqa: ANN401
    """It is reached by TLS, over the loopback device, and serves no page."""
    import psutil

    assert client.scheduler.address.startswith("tls://127.0.0.1:")
    me = psutil.Process()
    processes = [me, *me.children(recursive=True)]
    heard = [c.laddr.ip for p in processes for c in p.net_connections() if c.status == "LISTEN"]
    assert set(heard) == {"127.0.0.1"}
    web = http.client.HTTPConnection("127.0.0.1", client.scheduler_info()["services"]["dashboard"])
    for page in ("/status", "/health", "/metrics", "/json/counts.json", "/info/main/workers.html"):
        web.request("GET", page)
        answer = web.getresponse()
        assert answer.read() is not None
        assert answer.status == http.HTTPStatus.NOT_FOUND
    web.close()
    limits = client.run(_core_limit)
    assert set(limits.values()) == {0}


def _core_limit() -> int:
    import resource

    from scanner.processes.hardening import harden

    harden()
    return resource.getrlimit(resource.RLIMIT_CORE)[0]


@pytest.mark.parametrize("kind", stores.KINDS)
def test_objects_that_vanish_are_incomplete(
    client: Any,  # noqa: ANN401
    kind: str,
    buckets: dict[str, str],
    terms: Gate,
    dumps: list[str],
) -> None:
    """Dumps in a store are read by the workers; one that is not there is tried again, and said."""
    bucket = buckets[kind]
    stores.files(kind).put(dumps[1], "dumps/here")
    urls = [f"{bucket}/here", f"{bucket}/vanished?sig=5ec2e7"]
    heard: list[str] = []
    found = fleet.judged(client, terms, urls, lambda name, _: heard.append(name), lambda: None)
    assert found[0].modified is not None
    near = one_by_one(terms, dumps[1:2])[0][0]
    assert found[0].dumps == (replace(near, path=urls[0]),)
    (gone,) = found[1].dumps
    assert (gone.path, gone.verdict) == (shown(urls[1]), Verdict.INCOMPLETE)
    assert "there is no such object" in gone.reasons[0].text
    assert heard == [gone.path]


# --- one dump over all workers ------------------------------------------------------------------


def test_a_split_dump_has_the_same_report(
    client: Any,  # noqa: ANN401
    terms: Gate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The tasks of one dump over all workers give the same bytes, with a worker killed half-way."""
    monkeypatch.setattr(windows, "TASK_BYTES", 1 << 19)
    key = keys.rsa_key(1024)
    held = encodings.little_limbs(key.n) + bytes(64) + encodings.pkcs8_pem(key)
    data = [held + bytes(1 << 16), bytes(4 << 20) + held]
    segments = [
        elfcore.Segment(address=at, data=one)
        for at, one in zip((0x10000, 0x7F00_0000_0000), data, strict=True)
    ]
    path = tmp_path / "core"
    path.write_bytes(elfcore.write(segments).data)
    hired: list[int] = []

    def hire(*setup: Any) -> Shards:  # noqa: ANN401
        hired.append(1)
        return Shards(client, *setup)

    class Killing(Silence):
        def advance(self, _count: int) -> None:
            if len(hired) == 1:
                hired.append(1)
                kill_one(client)

    over = replace(terms, request=replace(terms.request, hire=hire))
    outcome = fleet.one(over, str(path), Killing(), lambda *_: None)
    assert len(hired) == 2
    near = one_by_one(terms, [str(path)])[0]
    ours, theirs = (report_json.render(gate.report(terms, one)) for one in (outcome.dumps, near))
    assert ours == theirs
    assert outcome.dumps[0].verdict is Verdict.BLOCKED
    assert set(client.run(errands.children).values()) == {0}


def test_a_name_means_the_same_file_in_any_folder(
    client: Any,  # noqa: ANN401
    terms: Gate,
    dumps: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Workers run in folders of their own: what was named from here is read, or nothing is."""
    monkeypatch.chdir(Path(dumps[1]).parent)
    (many,) = fleet.judged(client, terms, ["core.1"], lambda *_: None, lambda: None)
    assert [many.dumps] == one_by_one(terms, ["core.1"])
    assert (many.dumps[0].path, many.dumps[0].verdict) == ("core.1", Verdict.BLOCKED)
    monkeypatch.setattr(windows, "TASK_BYTES", 4096)  # several tasks, so that workers are asked
    over = replace(terms, request=replace(terms.request, hire=partial(Shards, client)))
    (split,) = fleet.one(over, "core.1", Silence(), lambda *_: None).dumps
    assert (split.path, split.verdict, split.coverage.faults) == ("core.1", Verdict.BLOCKED, ())


def test_a_guarded_process_that_dies_costs_its_question_alone(client: Any) -> None:  # noqa: ANN401
    """What kills a guarded process twice is lost; the Dask workers and other answers are not."""
    before = client.run(os.getpid)
    crew = Shards(client, int, 7)
    answers = dict(crew.map([(errands.kill_guarded, number) for number in range(6)]))
    assert answers.pop(3) == Lost(cause="SIGKILL")
    assert answers == {number: number for number in (0, 1, 2, 4, 5)}
    crew.close()
    assert client.run(os.getpid) == before
    assert set(client.run(errands.children).values()) == {0}


# --- a scheduler that runs already --------------------------------------------------------------


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Cluster]:
    """Run a scheduler with a worker, which a test may kill, and say how to reach it."""
    with scheduler(tmp_path / "scheduler", ROOT) as made:
        yield made


@contextlib.contextmanager
def scheduler(folder: Path, keysift: Path) -> Iterator[Cluster]:
    """Run a scheduler with a worker that has the package in a folder."""
    folder.mkdir()
    with subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "scheduler.py"), str(folder)],
        cwd=keysift,
        env={**os.environ, "PYTHONPATH": str(keysift)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            while not (folder / "address").exists() and process.poll() is None:
                time.sleep(0.05)
            yield Cluster(
                scheduler=(folder / "address").read_text("ascii"),
                tls_ca=str(folder / "cert.pem"),
                tls_cert=str(folder / "cert.pem"),
                tls_key=str(folder / "key.pem"),
                jobs=process.pid,
            )
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_a_lost_scheduler_leaves_the_rest_incomplete(
    running: Cluster,
    terms: Gate,
    dumps: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A scheduler reached by TLS, whose worker is a daemon, scans; what it takes along is said."""
    monkeypatch.setattr(cluster, "PATIENCE", 20)
    done: list[int] = []

    def advance() -> None:
        done.append(1)
        if len(done) == 1:
            os.killpg(running.jobs, signal.SIGKILL)

    paths = [dumps[1], *dumps, *dumps]
    with cluster.connected(running) as client:
        found = fleet.judged(client, terms, paths, lambda *_: None, advance)
    verdicts = [one.dumps[0].verdict for one in found]
    assert len(found) == len(done) == len(paths)
    assert verdicts[0] is Verdict.BLOCKED
    assert set(verdicts[5:]) == {Verdict.INCOMPLETE}
    assert "lost" in found[-1].dumps[0].reasons[0].text


def test_a_scheduler_that_cannot_be_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing answers that is told soon, and so is an address or a file that is none."""
    monkeypatch.setattr(cluster, "ANSWER", 1)
    (tmp_path / "pem").write_text("no certificate")
    pem = str(tmp_path / "pem")
    began = time.monotonic()
    for made, reason in (
        (Cluster(scheduler="tcp://127.0.0.1:1", insecure=True, jobs=1), "no scheduler answers"),
        (Cluster(scheduler="nonsense", insecure=True, jobs=1), "that is no address"),
        (
            Cluster(scheduler="tls://127.0.0.1:1", tls_ca=pem, tls_cert=pem, tls_key=pem, jobs=1),
            "a file that --tls-ca",
        ),
    ):
        with pytest.raises(FleetError) as caught, cluster.connected(made):
            pytest.fail("it was used")
        assert caught.value.reason.startswith(reason)
        assert caught.value.hint
    assert time.monotonic() - began < 30


def test_workers_of_another_release_are_refused(tmp_path: Path) -> None:
    """Before any dump is handed out; which release it is, is said."""
    shutil.copytree(ROOT / "scanner", tmp_path / "old" / "scanner")
    (tmp_path / "old" / "scanner" / "__init__.py").write_text('__version__ = "0.0.9"\n', "ascii")
    with (
        scheduler(tmp_path / "scheduler", tmp_path / "old") as old,
        pytest.raises(FleetError) as caught,
        cluster.connected(old),
    ):
        pytest.fail("it was used")
    assert caught.value.reason == f"1 of 1 have not keysift {__version__}, but 0.0.9"


def test_a_worker_that_comes_later_is_told_by_its_answer(terms: Gate) -> None:
    """What Dask raises where another release cannot read our errand says so, and names no text."""
    for error in (AttributeError("secret"), ModuleNotFoundError("secret"), TypeError("secret")):
        with pytest.raises(WorkerLost) as caught:
            fleet._outcome(error, terms, "core")
        assert "another release of keysift, or none" in caught.value.reason
        assert "secret" not in repr(vars(caught.value))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (["--scheduler", "tcp://127.0.0.1:1"], "TLS"),
        (["--scheduler", "tls://127.0.0.1:1"], "certificate"),
        (["-"], "standard input"),
        (["--insecure"], "no scheduler"),
        (["--tls-ca", "ca.pem"], "no scheduler"),
    ],
)
def test_what_cannot_be_is_usage(said: list[str], why: str) -> None:
    """Nothing travels in the clear unasked, and nothing is scanned then."""
    told: list[str] = []
    code = main.run(["fleet", str(ROOT / "README.md"), *said], lambda *parts: told.extend(parts))
    assert code == main.USAGE
    assert why in told[0]


def test_without_dask_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three parts, and exit code 2."""
    monkeypatch.setattr("scanner.cli.fleet.find_spec", lambda _name: None)
    told: list[str] = []
    code = main.run(["fleet", "core"], lambda *parts: told.extend(parts))
    assert code == main.USAGE
    assert [bool(part) for part in told] == [True, True, True]
    assert "pip install '.[fleet]'" in told[2]


def test_help_imports_no_dask() -> None:
    """Nobody pays for Dask but who runs a fleet."""
    program = (
        "import sys\nfrom scanner.cli.main import run\nrun(['fleet', '--help'], print)\n"
        "sys.exit(bool({'dask', 'distributed', 'fsspec', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "--scheduler" in done.stdout
