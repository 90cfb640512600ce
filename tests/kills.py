"""Commands that are killed in the middle, and what must hold of their files then.

Whatever the moment: no partial output stands under a final name, no dump is lost, and none is
cleared that did not pass.
"""

import contextlib
import datetime as dt
import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from scanner import attest, signing
from scanner.model import Verdict

ROOT = Path(__file__).resolve().parent.parent


def run(*words: str, after: float | None = None) -> int:
    """Run the command, and kill it with its workers ``after`` so many seconds; its exit code."""
    with subprocess.Popen(
        [sys.executable, "-m", "scanner", *words],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            return process.wait(after)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            return process.wait()


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def holds(dump: Path, attestation: Path, public: Path) -> Verdict:
    """Return the verdict of an attestation that holds for a dump; raise for any other."""
    keys = signing.public_keys([str(public)])
    payload, _ = signing.unsealed(str(attestation), attest.PAYLOAD_TYPE, keys)
    said = attest.read(payload)
    demands = attest.Demands(now=dt.datetime.now(dt.UTC), max_age=dt.timedelta(days=1))
    attest.check(said, digest(dump), demands)
    return said.verdict


def check_spool(spool: Path, clean: set[str], blocked: set[str], public: Path) -> set[str]:
    """Fail unless all of a spool is as it may be; return the digests of what was filed away.

    ``clean`` and ``blocked`` are the digests of the dumps that were put in, all of them.
    """
    filed: set[str] = set()
    for bundle in (spool / "cleared").glob("*"):
        (dump,) = [path for path in bundle.iterdir() if path.suffix != ".json"]
        assert digest(dump) in clean
        assert holds(dump, bundle / "attestation.json", public) is Verdict.PASS
        assert json.loads((bundle / "report.json").read_bytes())["verdict"] == "pass"
        filed.add(digest(dump))
    for bundle in (spool / "quarantine").glob("*"):
        (dump,) = [path for path in bundle.iterdir() if path.suffix != ".json"]
        assert digest(dump) in blocked
        assert holds(dump, bundle / "attestation.json", public) is Verdict.BLOCKED
        filed.add(digest(dump))
    held = {digest(path) for path in spool.rglob("*") if path.is_file() and path.suffix != ".lock"}
    assert clean | blocked <= held, "a dump is lost"
    return filed
