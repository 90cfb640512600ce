"""Let small programs load throwaway private keys with a library, and keep their cores.

    python benchmarks/make_library_lab.py FOLDER [--table FILE] [--only NAME ...] [--state STATE]

A table (``lab/libraries.toml``) says of each program how it is built and run, and which kinds of
keys it can load; the sources are in ``lab/programs``. A program loads each key, signs with it, and
says ``ready``: in state ``live`` it holds the keys, in state ``freed`` it let go of them and went
on. Then gdb's ``gcore`` takes its memory, a command does (``take``: what runs under Wine), or the
program aborts (``core = "abort"``: another processor's, under qemu; on Windows, it writes its own
minidump and ends). Each is a case for ``matrix.py``; see ``make_lab``
for daemons. A program that cannot be built or run here is left out
and said. Needs Linux, gdb, and bash.

Another table (``lab/platforms.toml``) has other machines too, on which its programs run; what they
link with is built by ``lab/build_libraries.sh``.
"""

import argparse
import itertools
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import find_truth
import lab_keys
import truth
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec, rsa

HERE = Path(__file__).parent / "lab"
PATIENCE = 240
"""Seconds until a program is ready, or is given up."""

LARGE = 64 << 20
"""Bytes of a core that is kept compressed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A row of the table. Commands run in a folder that the states share.

    ``@src@`` is where the sources are, ``@keys@`` the folder of the keys, ``@state@`` and
    ``@kinds@`` what the program is told.
    """

    name: str
    library: str
    run: str
    kinds: tuple[str, ...]
    build: str = ""
    states: tuple[str, ...] = ("live", "freed")
    core: str = "gcore"
    take: str = ""
    """What takes the memory instead of gdb, and calls it ``taken.core``."""
    env: dict[str, str] = field(default_factory=dict)
    machine: dict[str, str] = field(default_factory=dict)
    """What else the commands may name, as ``@host@``."""


def main() -> int:
    """Make the cases; exit 1 where a program was not ready."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--table", type=Path, default=HERE / "libraries.toml")
    parser.add_argument("--only", nargs="*", default=[""], help="expressions of names")
    parser.add_argument("--state", nargs="*", default=["live", "freed"])
    options = parser.parse_args()
    failed = 0
    for program in programs(options.table):
        if any(re.search(only, program.name) for only in options.only):
            states = [state for state in program.states if state in options.state]
            failed += not make(program, states, options.folder)
    return int(bool(failed))


def programs(table: Path) -> Iterator[Program]:
    """Yield the rows of a table; a row with ``variants`` stands for one with each of them.

    A row with ``machines`` stands for one on each of those, which the table describes.
    """
    read = tomllib.loads(table.read_text("utf-8"))
    known = {machine["name"]: machine for machine in read.get("machine", ())}
    for row in read["program"]:
        machines, variants = row.pop("machines", [""]), row.pop("variants", [{}])
        for machine, variant in itertools.product(machines, variants):
            fields: dict[str, Any] = row | variant
            if machine:
                fields = known[machine]["program"] | fields | {"machine": known[machine]}
                fields["name"] = f"{machine}-{fields['name']}"
                fields["library"] = f"{known[machine]['title']}: {fields['library']}"
            fields |= {name: tuple(fields[name]) for name in ("kinds", "states") if name in fields}
            yield Program(**fields)


def make(program: Program, states: list[str], folder: Path) -> bool:
    """Build a program and make a case of each state; say what came of it."""
    where = Path(tempfile.mkdtemp(prefix=f"{program.name}."))
    fill = {"src": str(HERE / "programs"), "kinds": " ".join(program.kinds)}
    fill |= {name: text for name, text in program.machine.items() if isinstance(text, str)}
    environment = os.environ | program.env
    try:
        if program.build:
            _shell(_filled(program.build, fill), where, environment)
        for state in states:
            keys = where / state
            keys.mkdir()
            secrets = [_key(kind, keys) for kind in program.kinds]
            command = _filled(program.run, fill | {"keys": str(keys), "state": state})
            take = _filled(program.take, fill)
            core, said = _dumped(command, where, environment, program.core, take)
            case = folder / f"{program.name}-{state}"
            _keep(case, core, program, state, secrets)
            print(f"{case.name}: {said.strip() or 'made'}", flush=True)
    except (OSError, subprocess.SubprocessError, TimeoutError) as error:
        print(f"{program.name}: left out: {str(error)[-600:]}", flush=True)
        return False
    finally:
        shutil.rmtree(where, ignore_errors=True)
    return True


def _filled(text: str, known: dict[str, str]) -> str:
    return re.sub(r"@(\w+)@", lambda match: known.get(match[1], match[0]), text)


def _shell(command: str, where: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        ["bash", "-ec", command],
        cwd=where,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=900,
        check=False,
    )
    if done.returncode:
        raise OSError(done.stderr or done.stdout)


def _key(kind: str, folder: Path) -> dict[str, Any]:
    """Make a key and its files: those of ``lab_keys``, its numbers, and what is bare."""
    held = lab_keys.make(kind, kind, folder)
    secret: dict[str, Any] = truth.secret(kind, held.key)
    files = {f"{name}.num": bytes.fromhex(text) for name, text in secret["private"].items()}
    files |= {f"{name}.num": bytes.fromhex(text) for name, text in secret["public"].items()}
    if isinstance(held.key, rsa.RSAPrivateKey):
        own = held.key.private_numbers()
        files["e.num"] = (65537).to_bytes(3, "big")
        files["qinv.num"] = own.iqmp.to_bytes(held.key.key_size // 16, "big")
    if isinstance(held.key, ec.EllipticCurvePrivateKey):
        size = -(-held.key.key_size // 8)
        files["raw"] = held.key.private_numbers().private_value.to_bytes(size, "big")
        how = form.Encoding.X962, form.PublicFormat.UncompressedPoint
        files["point"] = held.key.public_key().public_bytes(*how)
    elif kind in truth.OKP:
        files["raw"] = bytes.fromhex(next(iter(secret["private"].values())))
    if not kind.startswith(("ed", "x", "ml")):
        plain = form.PrivateFormat.TraditionalOpenSSL, form.NoEncryption()
        files["trad.der"] = held.key.private_bytes(form.Encoding.DER, *plain)
    for end, data in files.items():
        (folder / f"{kind}.{end}").write_bytes(data)
    return secret


def _dumped(
    command: str, where: Path, environment: dict[str, str], how: str, take: str
) -> tuple[Path, str]:
    """Run a program until it is ready, and return its core and what it complained of."""
    for old in where.glob("*core*"):
        old.unlink()
    abort = how == "abort"
    started = subprocess.Popen(
        ["bash", "-c", f"ulimit -c {'unlimited' if abort else 0}; exec {command}"],
        cwd=where,
        env=environment | ({"LAB_ABORT": "1"} if abort else {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        complaints = _ready(started)
        if abort:
            started.wait(PATIENCE)
        elif take:
            _shell(take, where, environment)
        else:
            target = ["gcore", "-o", str(where / "taken.core"), str(started.pid)]
            subprocess.run(target, capture_output=True, timeout=300, check=False)
    finally:
        if started.poll() is None:
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()
    cores = sorted(where.glob("*core*"), key=lambda path: path.stat().st_size)
    if not cores:
        message = "no core: " + "".join(complaints)
        raise TimeoutError(message)
    return cores[-1], "".join(complaints)


def _ready(started: subprocess.Popen[str]) -> list[str]:
    """Wait until a program says that it is ready; return what it says else."""
    lines: queue.Queue[str | None] = queue.Queue()
    said: list[str] = []

    def listen(stream: Any, *, ends: bool) -> None:  # noqa: ANN401 - a text stream
        for line in stream:
            lines.put(line)
        if ends:
            lines.put(None)

    for stream, ends in ((started.stdout, True), (started.stderr, False)):
        threading.Thread(target=listen, args=(stream,), kwargs={"ends": ends}, daemon=True).start()
    end = time.monotonic() + PATIENCE
    while True:
        try:
            line = lines.get(timeout=max(end - time.monotonic(), 0.01))
        except queue.Empty:
            line = None
        if line is None:
            time.sleep(0.2)
            message = "not ready: " + "".join(said + list(filter(None, lines.queue)))
            raise TimeoutError(message)
        if line.strip() == "ready":
            return said
        if "fail" in line or "rror" in line:
            said.append(line)


def _keep(
    case: Path, core: Path, program: Program, state: str, secrets: list[dict[str, Any]]
) -> None:
    """Make a case of a core."""
    shutil.rmtree(case, ignore_errors=True)
    case.mkdir(parents=True)
    shutil.move(core, case / "core")
    known = {"case": case.name, "program": program.name, "library": program.library}
    known |= {"state": state, "dumped": program.core, "secrets": secrets}  # type: ignore[dict-item]
    (case / "truth.json").write_text(json.dumps(known, indent=1) + "\n", "utf-8")
    found = find_truth.search(case)
    (case / "present.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    if (case / "core").stat().st_size > LARGE:
        subprocess.run(["zstd", "-1", "-q", "--rm", str(case / "core")], check=True)


if __name__ == "__main__":
    sys.exit(main())
