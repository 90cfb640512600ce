"""Scan cores in which one of many random objects is a private number, and its harmless twin.

    python benchmarks/check_crowds.py [KIND ...] [--count 3000 10000] [--order big] [--other]

The dumps are those of fixtures/crowds.py. For each kind and count the real command scans a dump
with the number's public half and one without it, and prints exit code, whether the key was found,
and seconds. Exits 1 where a dump with the public half exits 0, or a twin does not. Keys of X25519
do not block by default: ``--fail-on medium`` is said for them. With ``--other``, a dump with the
public half of another key is scanned too, which is judged like a twin.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fixtures import crowds

COUNTS = (3_000, 10_000, 30_000, 300_000)


def scan(path: Path, kind: str, jobs: int) -> tuple[int, dict[str, object], float]:
    """Return the exit code, the report on the dump, and seconds."""
    report = path.with_suffix(".json")
    command = [sys.executable, "-m", "scanner", "scan", "-q", "-j", str(jobs), "-f", "json"]
    command += ["--fail-on", "medium"] * (kind == "x25519")
    start = time.perf_counter()
    done = subprocess.run([*command, "-o", str(report), str(path)], check=False)
    took = time.perf_counter() - start
    dump: dict[str, object] = json.loads(report.read_text("utf-8"))["dumps"][0]
    report.unlink()
    return done.returncode, dump, took


def found(dump: dict[str, object], crowd: crowds.Crowd) -> bool:
    """Tell whether a report has the key, with a place in the private number."""
    findings = dump["findings"]
    assert isinstance(findings, list)
    return any(
        finding["fingerprint"]["value"] == crowd.key.spki_sha256
        and any(
            crowd.at <= extent["file_offset"] < crowd.at + crowd.size
            for occurrence in finding["occurrences"]
            for extent in occurrence["extents"]
        )
        for finding in findings
    )


def reasons(dump: dict[str, object]) -> str:
    """Return the codes of what a report gives as reasons."""
    listed = dump["reasons"]
    assert isinstance(listed, list)
    return ", ".join(sorted({reason["code"] for reason in listed}))


def main() -> int:
    """Make, scan and judge each dump."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kinds", nargs="*", default=crowds.KINDS, metavar="KIND")
    parser.add_argument("--count", type=int, nargs="+", default=COUNTS)
    parser.add_argument("--order", choices=("little", "big"), default="little")
    parser.add_argument("--other", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    failed = False
    print(f"{'kind':10}{'objects':>8}  {'public':7}{'exit':>4}  {'found':6}{'seconds':>8}  reasons")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "crowd.core"
        for count in options.count:
            for kind in options.kinds:
                for public in ("own", "none", *["other"] * options.other):
                    crowd = crowds.crowd(kind, count, public=public, order=options.order)
                    path.write_bytes(crowd.written.data)
                    code, dump, took = scan(path, kind, options.jobs)
                    wrong = (code == 0) if public == "own" else (code != 0)
                    seen = "yes" if found(dump, crowd) else "no"
                    print(
                        f"{kind:10}{count:8}  {public:7}{code:4}  {seen:6}{took:8.1f}  "
                        f"{reasons(dump)}{'  WRONG' * wrong}",
                        flush=True,
                    )
                    failed |= wrong
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
