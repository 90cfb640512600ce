"""Try a fleet: many dumps with a worker killed half-way, one huge dump split, and an object store.

    python -m benchmarks.fleet_trial --work FOLDER [--mix MIX.core] [--price 0.05] [TRIAL ...]

Two worker processes of this machine. It fails at the first dump that is reported twice or not at
all, or other than one by one in this process; at the first byte by which the report on the split
dump differs from that of a local scan; and at the first by which objects in S3 (moto's, on this
machine) differ from files. The huge dump is a core with 1 MiB of a mix (``make_mix.py``; random
bytes without one) in every 8 MiB, and holes. It is deleted afterwards.

What a terabyte costs is said under the assumption that core-seconds grow with the bytes that are
no hole, and cores cost what ``--price`` says, in any currency, an hour each.
"""

import argparse
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

from benchmarks import make_mix
from fixtures import elfcore, encodings, keys
from scanner import cluster, fleet, gate
from scanner.cli import scan
from scanner.cluster import Cluster
from scanner.gate import Gate
from scanner.model import DumpReport
from scanner.progress import Silence
from scanner.report import json
from scanner.shards import Shards
from tests import stores

EVERY = 8 << 20
"""A huge dump has a filled extent in each of so many bytes."""


@dataclass
class Meter:
    """Seconds by the clock, and of all cores, since it was made; its block's alone."""

    said: str
    price: float
    size: int = 0
    """Bytes that are no hole, where there are enough of them to say what a terabyte costs."""
    dumps: int = 1

    def __enter__(self) -> Self:
        self.wall, self.cpu = time.monotonic(), cores()
        return self

    def __exit__(self, *_: object) -> None:
        wall, cpu = time.monotonic() - self.wall, cores() - self.cpu
        said = f"{self.said}: {wall:.0f} s, {cpu:.0f} core-seconds, {cpu / self.dumps:.2f} a dump"
        if self.size:
            hours = 1e12 / self.size * cpu / 3600
            said += (
                f"; {self.size / 1e6:.0f} MB filled, {self.size / cpu / 1e6:.1f} MB a core-second, "
                f"{hours:.1f} core-hours and {hours * self.price:.2f} a TB"
            )
        print(said, flush=True)


def cores() -> float:
    """Return the core-seconds of this process and of all that it waited for."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


def terms() -> Gate:
    """Return what the command makes of no options, but for one process a dump."""
    return scan.gate_of(
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


def small(folder: Path, count: int) -> list[str]:
    """Write small cores: every third has one of five keys, every tenth is cut."""
    held = [encodings.pkcs8_pem(keys.ec_key("P-256", label=f"fleet {n}")) for n in range(5)]
    paths = []
    for number in range(count):
        secret = held[number % 5] if number % 3 == 0 else b""
        data = number.to_bytes(8, "big") + bytes(65536) + secret + bytes(65536)
        whole = elfcore.write([elfcore.Segment(address=0x10000, data=data)]).data
        path = folder / f"core.{number}"
        path.write_bytes(whole[:-4096] if number % 10 == 9 else whole)
        paths.append(str(path))
    return paths


def one_by_one(made: Gate, paths: list[str]) -> list[tuple[DumpReport, ...]]:
    """Scan files one after the other, in this process."""
    near = replace(made, request=replace(made.request, in_process=True))
    return [gate.judged(near, path, Silence(), lambda _error: None) for path in paths]


def kill_one(client: Any) -> None:  # noqa: ANN401 - Dask publishes no types
    """Kill a worker that is at work, if any is."""
    busy = [address for address, tasks in client.processing().items() if tasks]
    pids = client.run(os.getpid)
    os.kill(pids[busy[0] if busy else next(iter(pids))], signal.SIGKILL)


def many(asked: argparse.Namespace) -> None:
    """Scan many dumps, a worker killed half-way."""
    paths = small(asked.work, asked.dumps)
    made = terms()
    done: list[int] = []
    with (
        Meter("a fleet of small dumps", asked.price, dumps=len(paths)),
        cluster.connected(Cluster(jobs=2)) as at,
    ):

        def advance() -> None:
            done.append(1)
            if len(done) == len(paths) // 2:
                kill_one(at)

        found = fleet.judged(at, made, paths, lambda *_: None, advance)
    assert len(done) == len(paths), "a dump was delivered twice, or not at all"
    with Meter("one by one, in this process", asked.price, dumps=len(paths)):
        near = one_by_one(made, paths)
    assert [one.dumps for one in found] == near
    verdicts = [str(one.dumps[0].verdict) for one in found]
    print({name: verdicts.count(name) for name in sorted(set(verdicts))}, "same as one by one")


def extents(mix: Path) -> Iterator[bytes]:
    """Yield the whole extents of a mix, from behind its header."""
    with mix.open("rb") as file:
        file.seek(make_mix.PAGE)
        while len(part := file.read(make_mix.EXTENT)) == make_mix.EXTENT:
            yield part


def huge(asked: argparse.Namespace) -> tuple[Path, int]:
    """Write the huge dump; return it, and how many of its bytes are filled."""
    parts = list(extents(asked.mix)) if asked.mix else [os.urandom(make_mix.EXTENT)]
    count = int(asked.bytes) // EVERY
    path = Path(asked.work) / "huge.core"
    with path.open("wb") as file:
        file.write(make_mix.header(count * EVERY))
        for index in range(count):
            file.seek(make_mix.PAGE + index * EVERY)
            file.write(parts[index % len(parts)])
        file.truncate(make_mix.PAGE + count * EVERY)
    return path, count * make_mix.EXTENT


def split(asked: argparse.Namespace) -> None:
    """Scan one huge dump over the workers of a cluster, and with processes of our own."""
    path, filled = huge(asked)
    try:
        print(f"one dump of {path.stat().st_size} bytes")
        made = terms()
        with (
            Meter("split", asked.price, filled),
            cluster.connected(Cluster(jobs=2)) as at,
        ):
            over = replace(made, request=replace(made.request, hire=partial(Shards, at)))
            far = fleet.one(over, str(path), Silence(), lambda *_: None).dumps
        with Meter("local", asked.price, filled):
            near = gate.judged(made, str(path), Silence(), lambda _error: None)
        ours, theirs = (json.render(gate.report(made, dumps)) for dumps in (far, near))
        assert ours == theirs, "the report differs"
        print(f"same {len(ours)} bytes of report: {near[0].verdict}, {len(near[0].findings)} keys")
    finally:
        path.unlink()


def s3(asked: argparse.Namespace) -> None:
    """Scan objects in S3, of which one is not there."""
    paths = small(asked.work, 12)
    made = terms()
    with stores.serving() as bucket:
        for path in paths:
            stores.files().put(path, f"dumps/{Path(path).name}")
        urls = [f"{bucket}/{Path(path).name}" for path in paths]
        with cluster.connected(Cluster(jobs=2)) as at:
            found = fleet.judged(at, made, [*urls, f"{bucket}/gone"], print, lambda: None)
    near = [(replace(d, path=u),) for (d,), u in zip(one_by_one(made, paths), urls, strict=True)]
    assert [one.dumps for one in found[:-1]] == near
    assert str(found[-1].dumps[0].verdict) == "incomplete"
    print(f"{len(urls)} objects in S3: same reports as files; one that is not there: incomplete")


TRIALS: tuple[tuple[str, Callable[[argparse.Namespace], None]], ...] = (
    ("many", many),
    ("split", split),
    ("s3", s3),
)


def main() -> None:
    """Run the trials that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trials", nargs="*", choices=[name for name, _ in TRIALS])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--mix", type=Path, help="a core that make_mix.py wrote")
    parser.add_argument("--dumps", type=int, default=200)
    parser.add_argument("--bytes", type=float, default=8e9)
    parser.add_argument("--price", type=float, default=0.05, help="of a core for an hour")
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    for name, trial in TRIALS:
        if not asked.trials or name in asked.trials:
            trial(asked)


if __name__ == "__main__":
    main()
