"""Make real cores of programs that hold no private key: what a scan must not find is measured here.

    python benchmarks/make_negatives.py FOLDER [--only NAME ...] [--list]

Ordinary programs of a Debian-like machine are started, made to load libraries and to fill their
memory with what is easily mistaken for a key (digests, random and compressed bytes, base64,
certificates, big numbers that are no product of others), and killed: the kernel writes the core,
mapped files included. What is not installed is left out and said. Needs Linux, a core_pattern that
names a file, and a few gigabytes; ``manifest.json`` says what was made. The companion is
``check_negatives.py``.
"""

import argparse
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent"}
READY = b"ready"
PATIENCE = 60
"""Seconds until a program is killed that does not say that it is ready."""

PYTHON_MODULES = """
import importlib, sys, warnings
warnings.simplefilter("ignore")
held = []
for name in sorted(sys.stdlib_module_names - {"antigravity", "this", "idlelib", "turtledemo"}):
    if not name.startswith("_"):
        try:
            held.append(importlib.import_module(name))
        except Exception:
            pass
import ast, pathlib, tokenize
for module in held:
    path = getattr(module, "__file__", None)
    if path and path.endswith(".py"):
        held.append(ast.parse(pathlib.Path(path).read_text("utf-8")))
"""
PYTHON_DIGESTS = """
import base64, hashlib, os, uuid
held = []
for k in range(250_000):
    seed = b"%d" % k
    held.append(hashlib.sha256(seed).digest())
    held.append(os.urandom((32, 48, 66, 64, 28, 57)[k % 6]))
    held.append(hashlib.sha512(seed).hexdigest())
    held.append(base64.b64encode(held[-2]))
    held.append(uuid.uuid4())
held += [os.urandom(n) for n in range(64, 4096)] + [os.urandom(256) for _ in range(20_000)]
"""
PYTHON_NUMBERS = """
import random
sizes = (256, 512, 1024, 2048, 4096)
held = [random.getrandbits(bits) | 1 for bits in sizes for _ in range(20_000)]
held += [pow(3, held[k], held[-k - 1]) for k in range(2_000)]
"""
PYTHON_COMPRESSED = """
import bz2, lzma, pathlib, zlib
held, size = [], 0
for path in sorted(pathlib.Path("/usr/lib/x86_64-linux-gnu").glob("*.so*")):
    if path.is_file() and not path.is_symlink() and size < 250 << 20:
        data = path.read_bytes()
        held.append(zlib.compress(data, 1))
        size += len(held[-1])
        if len(data) < 200_000:
            held += [bz2.compress(data), lzma.compress(data, preset=0)]
"""
PYTHON_CERTIFICATES = """
import base64, pathlib, ssl
context = ssl.create_default_context()
text = pathlib.Path("/etc/ssl/certs/ca-certificates.crt").read_text()
held = [context.get_ca_certs(), text, text.encode("utf-16-le")]
held += [ssl.PEM_cert_to_DER_cert(part + "-----END CERTIFICATE-----\\n")
         for part in text.split("-----END CERTIFICATE-----\\n")[:-1]]
import urllib.request, http.client, email, json, sqlite3, xml.dom.minidom, ctypes, decimal
"""
PYTHON_END = "\nimport sys\nprint('ready', flush=True)\nsys.stdin.read()\n"

NODE = """
const crypto = require("crypto"), held = [new Map()];
for (const name of require("module").builtinModules) { try { held.push(require(name)); } catch {} }
for (let k = 0; k < 300000; k++) {
  const random = crypto.randomBytes([32, 48, 64, 66, 128, 256][k % 6]);
  const digest = crypto.createHash("sha256").update(random).digest();
  held[0].set(random.toString("base64"), { id: k, digest });
  held.push(random);
}
for (let k = 0; k < 300; k++) held.push(require("zlib").gzipSync(crypto.randomBytes(100000)));
console.log("ready"); setInterval(() => {}, 1000);
"""
JAVA = """
import java.math.BigInteger; import java.security.*; import java.util.*;
public class Negative {
  public static void main(String[] arguments) throws Exception {
    List<Object> held = new ArrayList<>();
    SecureRandom random = new SecureRandom();
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    for (int k = 0; k < 300000; k++) {
      byte[] bytes = new byte[new int[] {32, 48, 64, 66, 128, 256}[k % 6]];
      random.nextBytes(bytes);
      held.add(bytes); held.add(digest.digest(bytes));
      held.add(new BigInteger(1, bytes)); held.add(Base64.getEncoder().encodeToString(bytes));
      held.add(UUID.randomUUID());
    }
    KeyStore roots = KeyStore.getInstance(KeyStore.getDefaultType()); roots.load(null, null);
    held.add(javax.net.ssl.SSLContext.getDefault().getSupportedSSLParameters()); held.add(roots);
    for (Provider provider : Security.getProviders()) held.add(new TreeMap<>(provider));
    System.out.println("ready"); System.out.flush(); Thread.sleep(1000000);
  }
}
"""
PERL = """
use Digest::SHA qw(sha256 sha512_base64); use POSIX; use Encode; use Storable; use Data::Dumper;
my (%held, @held); srand(7);
for my $k (1 .. 300000) {
  my $digest = sha256($k); $held{$digest} = sha512_base64($k);
  push @held, join("", map { chr(int(rand(256))) } 1 .. 48) if $k % 4 == 0;
}
$| = 1; print "ready\\n"; <STDIN>;
"""
SQLITE = """
PRAGMA journal_mode=OFF;
CREATE TABLE held (id INTEGER PRIMARY KEY, body BLOB, text TEXT);
WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < 400000)
INSERT INTO held SELECT n, randomblob(32 + n % 300), hex(randomblob(32)) FROM k;
CREATE INDEX texts ON held (text);
.print ready
"""
BASH = """
declare -A held
for ((k = 0; k < 60000; k++)); do held[$k]=$RANDOM$RANDOM$RANDOM$RANDOM; done
mapfile -t lines < <(head -c 30000000 /dev/urandom | base64)
echo ready; read -r
"""
CPLUSPLUS = "#include <bits/stdc++.h>\n#include <regex>\n" + "".join(
    f"template<int N> struct S{k} {{ std::map<std::string, std::vector<S{k}<N-1>>> m; }};\n"
    f"template<> struct S{k}<0> {{ std::regex r; }};\nS{k}<40> s{k}; int f{k}() "
    f"{{ return s{k}.m.size(); }}\n"
    for k in range(400)
)
GIT = """
git init -q . && cp -r /usr/share/doc . && git add . &&
git cat-file --batch --buffer --batch-all-objects | sleep 1000
"""
TARBALL = "tar -cf - /usr/lib/x86_64-linux-gnu /usr/share 2>/dev/null"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program and what it is given."""

    name: str
    command: tuple[str, ...]
    stdin: str = ""
    files: tuple[tuple[str, str], ...] = ()
    seconds: float = 0
    """Killed after so long; 0 for a program that says when it is ready."""
    victim: str = ""
    """The name of the process to kill, where the command starts others."""


def _python(name: str, code: str) -> Program:
    command = ("/usr/bin/python3", "program.py")
    return Program(name=name, command=command, files=(("program.py", code + PYTHON_END),))


PROGRAMS: tuple[Program, ...] = (
    _python("python-modules", PYTHON_MODULES),
    _python("python-digests", PYTHON_DIGESTS),
    _python("python-numbers", PYTHON_NUMBERS),
    _python("python-compressed", PYTHON_COMPRESSED),
    _python("python-certificates", PYTHON_CERTIFICATES),
    Program(name="node", command=("node", "program.js"), files=(("program.js", NODE),)),
    Program(
        name="java",
        command=("java", "-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "Negative.java"),
        files=(("Negative.java", JAVA),),
    ),
    Program(
        name="java-g1",
        command=("java", "-Xmx1g", "-XX:+UseG1GC", "Negative.java"),
        files=(("Negative.java", JAVA),),
    ),
    Program(name="perl", command=("perl", "program.pl"), files=(("program.pl", PERL),)),
    Program(name="sqlite3", command=("sqlite3", ":memory:"), stdin=SQLITE),
    Program(name="bash", command=("bash", "program.sh"), files=(("program.sh", BASH),)),
    Program(
        name="cc1plus",
        command=("sh", "-c", "exec g++ -O2 -c program.cc -o program.o"),
        files=(("program.cc", CPLUSPLUS),),
        seconds=8,
        victim="cc1plus",
    ),
    Program(name="git", command=("sh", "-c", GIT), seconds=12, victim="git"),
    Program(
        name="zstd",
        command=("sh", "-c", f"{TARBALL} | exec zstd -q -19 -c >/dev/null"),
        seconds=6,
        victim="zstd",
    ),
    Program(
        name="sort",
        command=(
            "sh",
            "-c",
            "head -c 300000000 /dev/urandom | base64 | exec sort -S 900M | sleep 1000",
        ),
        seconds=4,
        victim="sort",
    ),
    Program(
        name="gdb",
        command=("gdb", "-q", "-nx", "/usr/bin/gdb"),
        stdin="info line main\n",
        seconds=4,
    ),
    Program(
        name="vim",
        command=("vim", "-u", "NONE", "-es", "-c", "e! program.txt"),
        files=(("program.txt", "words and words 0123456789\n" * 1_000_000),),
        seconds=4,
    ),
    Program(
        name="openssl",
        command=("openssl", "dgst", "-sha256"),
        stdin="words\n",
        seconds=2,
    ),
    Program(name="curl", command=("curl", "-s", "-T", "-", "file:///dev/null"), seconds=1),
)


def main() -> int:
    """Make the dumps and the manifest."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--list", action="store_true", help="name the programs")
    options = parser.parse_args()
    if options.list:
        print(*(program.name for program in PROGRAMS), sep="\n")
        return 0
    options.folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for program in PROGRAMS:
        if options.only and program.name not in options.only:
            continue
        target = options.folder / f"{program.name}.core"
        size = make(program, target)
        rows.append({"file": target.name, "command": program.command[0], "bytes": size})
        print(f"{program.name:<20} {size:>13,} bytes", flush=True)
    (options.folder / "manifest.json").write_text(json.dumps(rows, indent=1) + "\n")
    print(f"{'together':<20} {sum(row['bytes'] for row in rows):>13,} bytes")
    return 0


def make(program: Program, target: Path) -> int:
    """Run a program, kill it and keep its core; return its bytes, 0 where there is none."""
    if shutil.which(program.command[0], path=ENVIRONMENT["PATH"]) is None:
        return 0
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        for name, text in program.files:
            (Path(folder) / name).write_text(text, "utf-8")
        process = subprocess.Popen(
            program.command,
            cwd=folder,
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_allow_core,  # noqa: PLW1509 - nothing here has threads
        )
        try:
            _feed(process, program)
            victim = _victim(process.pid, program.victim)
            os.kill(victim, signal.SIGSYS)  # the one that no program handles
            return _collect(victim, Path(folder), target)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _allow_core() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    Path("/proc/self/coredump_filter").write_text("0x7f")


def _feed(process: "subprocess.Popen[bytes]", program: Program) -> None:
    """Write the program's input and wait until it is ready."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(program.stdin.encode())
    process.stdin.flush()
    if program.seconds:
        time.sleep(program.seconds)
        return
    deadline = time.monotonic() + PATIENCE
    os.set_blocking(process.stdout.fileno(), False)
    seen = b""
    while READY not in seen and time.monotonic() < deadline and process.poll() is None:
        seen += process.stdout.read() or b""
        time.sleep(0.05)


def _victim(session: int, name: str) -> int:
    """Return the process of a session that has this name; its leader where none is asked for."""
    for entry in Path("/proc").iterdir() if name else ():
        if entry.name.isdigit() and _is(entry, session, name):
            return int(entry.name)
    return session


def _is(entry: Path, session: int, name: str) -> bool:
    try:
        head, _, tail = (entry / "stat").read_text().rpartition(")")
    except OSError:
        return False
    return head.partition("(")[2] == name and int(tail.split()[3]) == session


def _collect(victim: int, folder: Path, target: Path) -> int:
    """Wait until the kernel has written the core, and move it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        state = Path(f"/proc/{victim}/stat")
        gone = not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"
        found = [path for path in folder.rglob("core*") if path.is_file()] if gone else []
        if found:
            core = max(found, key=lambda path: path.stat().st_size)
            shutil.move(core, target)
            return target.stat().st_size
        if gone:
            return 0
        time.sleep(0.1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
