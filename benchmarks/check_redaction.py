"""Redact dumps of which the truth is known, and look at the copies by other means than ours.

    python benchmarks/check_redaction.py [--most BYTES] [--all] [--random] [--cut] FOLDER ...

A folder holds cases, or is one: a dump (``core`` or ``dump.dmp``) and ``truth.json`` with the
private values of its ``secrets``. Each dump is copied by ``keysift redact``, with ``--cut`` its
first seven tenths too, under a policy that accepts what is truncated. A copy must be as large, pass
a scan (without that policy: exit 3 where it is truncated, and for no other reason), hold no 16
bytes of a private value in any spelling of ``tests/remains.py``, and be the same to gdb, lldb,
pyelftools and minidump (``tests/readers.py``) as what it was made of. Prints a row a dump, and ends
with the counts; exits 1 where something is wrong. Of a dump of which not all can be read no copy is
made, which the row says. What is left of a key that no scan can prove, for the dump does not hold
enough of it, counts as left all the same: ``--random`` leaves none of it.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests import readers, remains

ROOT = Path(__file__).resolve().parent.parent
CUT = 0.7
POLICY = 'accept = ["truncated"]\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A dump, and what must not be left of it."""

    name: str
    dump: Path
    private: dict[bytes, str]


def keysift(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    command = [sys.executable, "-m", "scanner", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def check(case: Case, folder: Path, every: list[str], counts: Counter[str]) -> tuple[bool, str]:
    """Redact one dump; return whether all is well, and what is to be said."""
    copy, policy = folder / "copy" / case.dump.name, folder / "policy.toml"
    copy.parent.mkdir()
    policy.write_text(POLICY, "utf-8")
    under = ("--policy", policy, "-j", "1", "-q")
    done = keysift("redact", case.dump, "-o", copy, *every, *under)
    if done.returncode or not copy.exists():
        counts["without a copy"] += 1
        said = [line for line in done.stderr.splitlines() if "why:" in line] or [done.stderr]
        return not copy.exists() and done.returncode == 3, "no copy: " + " ".join(said[0].split())
    counts["copies"] += 1
    wrong: list[str] = []
    if copy.stat().st_size != case.dump.stat().st_size:
        wrong.append("another size")
    strict = keysift("scan", "-f", "json", copy, *under[2:])
    codes = keysift("scan", copy, *under).returncode, strict.returncode
    faults = {
        fault["code"] for fault in json.loads(strict.stdout)["dumps"][0]["coverage"]["faults"]
    }
    if codes != (0, 0) and not (codes == (0, 3) and faults == {"truncated"}):
        wrong.append(f"scans of the copy end with {codes}")
    counts[f"rescans that end with {codes[1]}"] += 1
    before = remains.remains(case.dump.read_bytes(), case.private)
    left = remains.remains(copy.read_bytes(), case.private)
    counts["pieces before"] += len(before)
    counts["pieces left"] += len(left)
    if left:
        names = sorted({name for _, name in left})
        wrong.append(f"left: {', '.join(names)}, the first at {left[0][0]:#x}")
    same, differ = readers.differing(case.dump, copy)
    counts.update(f"alike to {name}" for name in same)
    wrong += [f"not the same to {name}" for name in differ]
    note = f"{len(left)} of {len(before)} pieces left; alike to {', '.join(same) or 'nobody'}"
    return not wrong, "; ".join([note, *wrong])


def main() -> int:
    """Read the command line and check each case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="+", type=Path)
    parser.add_argument("--most", type=float, default=1e12, help="larger dumps are passed over")
    parser.add_argument("--all", action="store_true", help="also what does not block")
    parser.add_argument("--random", action="store_true", help="also all that looks random")
    parser.add_argument("--cut", action="store_true", help="also the first part of each dump")
    options = parser.parse_args()
    every = ["--all", "--suppressed"] if options.all else []
    every += ["--random"] if options.random else []
    counts: Counter[str] = Counter()
    for given in options.folder:
        cases = [given] if (given / "truth.json").exists() else sorted(given.iterdir())
        for case in cases:
            for dump in (case / name for name in ("core", "dump.dmp") if (case / name).exists()):
                if dump.stat().st_size > options.most:
                    continue
                truth = json.loads((case / "truth.json").read_text("utf-8"))
                private = remains.pieces(truth)
                for cut in (False, True)[: 1 + options.cut]:
                    with tempfile.TemporaryDirectory(prefix="keysift-") as name:
                        folder, path = Path(name), dump
                        if cut:
                            path = folder / dump.name
                            path.write_bytes(dump.read_bytes()[: int(dump.stat().st_size * CUT)])
                        one = Case(name=case.name, dump=path, private=private)
                        good, note = check(one, folder, every, counts)
                    counts["dumps"] += 1
                    counts["wrong"] += not good
                    said = f"{case.name}{' (cut)' if cut else ''}"
                    print(f"{said:<34} {'good' if good else 'WRONG':<6} {note}", flush=True)
    print("; ".join(f"{name} {count}" for name, count in sorted(counts.items())))
    return 1 if counts["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
