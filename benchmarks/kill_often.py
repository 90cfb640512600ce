"""Kill scan, redact, attest and spool at random moments, and check their files after each kill.

    python benchmarks/kill_often.py [KILLS] [SEED]

What each command takes when nobody kills it is measured first, and again now and then, for a
machine is not always as fast. Then each is killed KILLS times, workers and all, at moments drawn
evenly over that time. Spools run two at a time on one folder, and new dumps arrive meanwhile. It
fails at the first partial output under a final name, the first dump that is lost, and the first
that is cleared and did not pass; it ends by letting the spool finish.
"""

import json
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from pathlib import Path

from fixtures import elfcore, encodings, keys, signers
from scanner import claims
from scanner.model import Verdict
from tests import kills, test_secrets

PEM = encodings.pkcs8_pem(keys.ec_key("P-256", label="canary"))
KILLED = -9
MEASURED = 3
"""Runs of which the median is what a command takes: the last ones."""
AGAIN = 20
"""Attempts after which one is not killed, but measured."""
LATER = 1.05
"""Of that time, the last moment at which a command is killed: some are late, some have ended."""

Attempt = Callable[[float | None], tuple[int, bool]]
"""Runs a command once, kills it after so many seconds, checks its files: its exit code, and whether
its output is there."""


def core(path: Path, number: int, secret: bytes = b"") -> Path:
    """Write a core, another for each number, with a key in it or without."""
    data = number.to_bytes(8, "big") + bytes(4096) + secret + bytes(4096)
    path.write_bytes(elfcore.write([elfcore.Segment(address=0x10000, data=data)]).data)
    return path


def scan(folder: Path, after: float | None) -> tuple[int, bool]:
    """Kill a scan that writes its report, and a line of its audit log."""
    path, log = folder / "report", folder / "audit"
    path.unlink(missing_ok=True)
    words = ("-f", "json", "-o", str(path), "--audit-log", str(log), "-j", "1")
    code = kills.run("scan", str(folder / "core"), *words, after=after)
    if path.exists():
        expected = folder / "expected-report"
        if not expected.exists():
            expected.write_bytes(path.read_bytes())
        assert path.read_bytes() == expected.read_bytes(), "a partial report"
    for line in log.read_bytes().splitlines() if log.exists() else ():
        assert json.loads(line)["verdict"] == "blocked", "a partial line"
    sweep(folder)
    return code, path.exists()


def redact(folder: Path, after: float | None) -> tuple[int, bool]:
    """Kill a redaction."""
    copy, expected = folder / "copy", folder / "expected-copy"
    copy.unlink(missing_ok=True)
    words = ("redact", str(folder / "core"), "-o", str(copy), "-j", "1")
    code = kills.run(*words, after=after)
    if copy.exists():
        if not expected.exists():
            expected.write_bytes(copy.read_bytes())
        assert copy.read_bytes() == expected.read_bytes(), "a partial copy"
    sweep(folder)
    return code, copy.exists()


def attest(folder: Path, after: float | None) -> tuple[int, bool]:
    """Kill an attestation."""
    dump, path = folder / "clean", folder / "attestation"
    path.unlink(missing_ok=True)
    words = ("--key", str(folder / "ed25519-1.pem"), "-o", str(path), "-j", "1")
    code = kills.run("attest", str(dump), *words, after=after)
    if path.exists():
        assert kills.holds(dump, path, folder / "ed25519-1.pub") is Verdict.PASS
    sweep(folder)
    return code, path.exists()


def sweep(folder: Path) -> None:
    """Remove what a killed command left behind; none of it holds a key."""
    for left in folder.glob(".keysift-*"):
        test_secrets.assert_silent(left.read_bytes())
        left.unlink()


class Spool:
    """A folder in which dumps arrive, while spools on it are killed two at a time."""

    def __init__(self, folder: Path, secret: Path, public: Path) -> None:
        self.folder, self._public = folder, public
        words = ("spool", str(folder), "--once", "--settle", "0", "-j", "1", "--key", str(secret))
        self._words = words
        self.good: set[str] = set()
        self.bad: set[str] = set()
        self._arrived = 0
        claims.prepare(folder)

    def attempt(self, *after: float | None) -> list[int]:
        """Let two dumps arrive and run a spool for each moment at a time; their exit codes."""
        self._arrive()
        codes: list[int] = []
        threads = [
            threading.Thread(target=lambda at=one: codes.append(kills.run(*self._words, after=at)))
            for one in after
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        kills.check_spool(self.folder, self.good, self.bad, self._public)
        return codes

    def finish(self) -> int:
        """Let a spool file away what is left; how many bundles there are."""
        assert kills.run(*self._words) in (0, 1)
        filed = kills.check_spool(self.folder, self.good, self.bad, self._public)
        assert filed == self.good | self.bad, "a dump was not filed away"
        assert not list((self.folder / "incoming").iterdir())
        places = (self.folder / "cleared", self.folder / "quarantine")
        return sum(1 for place in places for _ in place.iterdir())

    def _arrive(self) -> None:
        """Put two dumps into the spool, as an upload does: under another name first."""
        self._arrived += 1
        for secret, into in ((b"", self.good), (PEM, self.bad)):
            incoming = self.folder / "incoming"
            path = core(incoming / ".upload", self._arrived, secret)
            into.add(kills.digest(path))
            path.rename(incoming / f"core.{self._arrived}.{'bad' if secret else 'good'}")


def moments(run: Callable[[], object], drawn: random.Random) -> Iterator[float]:
    """Yield moments at which to kill something, spread evenly over what it takes."""
    took: deque[float] = deque(maxlen=MEASURED)
    while True:
        for _ in range(MEASURED if not took else 1):
            began = time.monotonic()
            run()
            took.append(time.monotonic() - began)
        for _ in range(AGAIN):
            yield drawn.uniform(0, LATER * statistics.median(took))


def kill_one(name: str, attempt: Attempt, wanted: int, drawn: random.Random) -> None:
    """Kill a command as often as is wanted, and print what happened."""
    at = moments(lambda: attempt(None), drawn)
    counts: Counter[str] = Counter()
    while counts["killed"] < wanted:
        code, there = attempt(next(at))
        assert code in (0, 1, KILLED)
        counts["killed" if code == KILLED else "ended"] += 1
        counts["there"] += there
    print(
        f"{name}: {counts['killed']} killed, {counts['ended']} had ended; "
        f"{counts['there']} outputs, all whole",
        flush=True,
    )


def kill_spools(spool: Spool, wanted: int, drawn: random.Random) -> None:
    """Kill spools, two at a time, as often as is wanted; print what happened."""
    at = moments(lambda: spool.attempt(None, None), drawn)
    counts: Counter[str] = Counter()
    while counts["killed"] < wanted:
        for code in spool.attempt(next(at), next(at)):
            assert code in (0, 1, KILLED)
            counts["killed" if code == KILLED else "ended"] += 1
    print(f"spool: what is left of {counts['killed']} kills is filed now", flush=True)
    bundles = spool.finish()
    print(
        f"spool: {counts['killed']} killed, {counts['ended']} had ended; {len(spool.good)} clean "
        f"and {len(spool.bad)} blocking dumps filed in {bundles} bundles: none lost, none cleared "
        "wrongly",
        flush=True,
    )


def main(wanted: int, seed: int) -> None:
    """Kill each command."""
    drawn = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="keysift-") as name:
        folder = Path(name)
        secret, public = signers.write(folder)
        core(folder / "core", 0, PEM)
        core(folder / "clean", 0)
        for one in (scan, redact, attest):
            kill_one(one.__name__, lambda after, one=one: one(folder, after), wanted, drawn)
        kill_spools(Spool(folder / "spool", secret, public), wanted, drawn)


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*given, *(200, 1)[len(given) :])
