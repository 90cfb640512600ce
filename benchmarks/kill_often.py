"""Kill redact, attest and spool at random moments, and check their files after each kill.

    python benchmarks/kill_often.py [RUNS] [SEED]

Each run begins a command on small dumps and kills it, workers and all, at a random moment between
its start and somewhat after its usual end; spools run two at a time on one folder, and new dumps
arrive meanwhile. It fails at the first partial output under a final name, the first dump that is
lost, and the first that is cleared and did not pass; it ends by letting the spool finish.
"""

import random
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from fixtures import elfcore, encodings, keys, signers
from scanner import claims
from scanner.model import Verdict
from tests import kills, test_secrets

PEM = encodings.pkcs8_pem(keys.ec_key("P-256", label="canary"))
KILLED = -9


def core(path: Path, number: int, secret: bytes = b"") -> Path:
    """Write a core, another for each number, with a key in it or without."""
    data = number.to_bytes(8, "big") + bytes(4096) + secret + bytes(4096)
    path.write_bytes(elfcore.write([elfcore.Segment(address=0x10000, data=data)]).data)
    return path


def usual(*words: str) -> float:
    """Return how long a command takes when nobody kills it."""
    began = time.monotonic()
    assert kills.run(*words) in (0, 1)
    return time.monotonic() - began


def redact(folder: Path, moment: float) -> tuple[int, bool]:
    """Kill a redaction; return its exit code, and whether there is a copy."""
    dump, copy = folder / "core", folder / "copy"
    copy.unlink(missing_ok=True)
    code = kills.run("redact", str(dump), "-o", str(copy), "-j", "1", after=moment)
    if copy.exists():
        assert kills.digest(copy) == kills.digest(folder / "expected"), "a partial copy"
    for left in folder.glob(".keysift-*"):
        test_secrets.assert_silent(left.read_bytes())
        left.unlink()
    return code, copy.exists()


def attest(folder: Path, moment: float) -> tuple[int, bool]:
    """Kill an attestation; return its exit code, and whether it is there."""
    dump, path = folder / "clean", folder / "attestation"
    path.unlink(missing_ok=True)
    words = ("--key", str(folder / "ed25519-1.pem"), "-o", str(path), "-j", "1")
    code = kills.run("attest", str(dump), *words, after=moment)
    if path.exists():
        assert kills.holds(dump, path, folder / "ed25519-1.pub") is Verdict.PASS
    for left in folder.glob(".keysift-*"):
        left.unlink()
    return code, path.exists()


def main(runs: int, seed: int) -> None:
    """Run, kill, check, and print what happened."""
    moments = random.Random(seed)
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="keysift-") as name:
        folder, spool = Path(name), Path(name) / "spool"
        secret, public = signers.write(folder)
        core(folder / "core", 0, PEM)
        core(folder / "clean", 0)
        claims.prepare(spool)
        good: set[str] = set()
        bad: set[str] = set()
        took = {
            "redact": usual("redact", str(folder / "core"), "-o", str(folder / "expected")),
            "attest": usual(
                "attest", str(folder / "clean"), "--key", str(secret), "-o", str(folder / "x")
            ),
        }
        words = ("spool", str(spool), "--once", "--settle", "0", "-j", "1", "--key", str(secret))
        for number in range(1, runs + 1):
            match ("redact", "attest", "spool", "spool")[number % 4]:
                case "spool":
                    arrive(spool, number, good, bad)
                    codes = two(words, moments.uniform(0.2, 3.0), moments.uniform(0.2, 3.0))
                    kills.check_spool(spool, good, bad, public)
                    counts["spool"] += 2
                    counts["killed"] += codes.count(KILLED)
                case "redact":
                    code, there = redact(folder, moment(moments, took["redact"]))
                    counts["redact"] += 1
                    counts["copies"] += there
                    counts["killed"] += code == KILLED
                case _:
                    code, there = attest(folder, moment(moments, took["attest"]))
                    counts["attest"] += 1
                    counts["attestations"] += there
                    counts["killed"] += code == KILLED
        print(f"killed {counts['killed']} times; what is left is filed now", flush=True)
        assert kills.run(*words) in (0, 1)
        filed = kills.check_spool(spool, good, bad, public)
        assert filed == good | bad, "a dump was not filed away"
        assert not list((spool / "incoming").iterdir())
        bundles = sum(1 for place in ("cleared", "quarantine") for _ in (spool / place).iterdir())
    print(
        f"{counts['redact']} redact, {counts['attest']} attest, {counts['spool']} spool; "
        f"{counts['killed']} killed; {counts['copies']} copies and {counts['attestations']} "
        f"attestations, all whole; {len(good)} clean and {len(bad)} blocking dumps filed in "
        f"{bundles} bundles: none lost, none cleared wrongly"
    )


def moment(moments: random.Random, usual_end: float) -> float:
    """Return a moment of a command: any, or as likely one about its end, when things get names."""
    return usual_end * moments.choice((moments.uniform(0.1, 1.0), moments.uniform(0.85, 1.3)))


def arrive(spool: Path, number: int, good: set[str], bad: set[str]) -> None:
    """Put two dumps into the spool, as an upload does: under another name first."""
    for secret, into in ((b"", good), (PEM, bad)):
        path = core(spool / "incoming" / ".upload", number, secret)
        into.add(kills.digest(path))
        path.rename(spool / "incoming" / f"core.{number}.{'bad' if secret else 'good'}")


def two(words: tuple[str, ...], *moments: float) -> list[int]:
    """Run two spools at a time, each killed at its moment; return their exit codes."""
    codes: list[int] = []
    threads = [
        threading.Thread(target=lambda after=one: codes.append(kills.run(*words, after=after)))
        for one in moments
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return codes


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*given, *(200, 1)[len(given) :])
