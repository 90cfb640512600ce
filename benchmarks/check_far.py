"""Scan sparse dumps of 20 GB with keys far inside: past 4 GiB, across it, past 16 GiB, at the end.

    python benchmarks/check_far.py FOLDER [--gigabytes 20] [--step 16] [core] [minidump]

Writes an ELF core and a minidump with full memory into the folder, as files with holes: a page of
noise in every 16 MiB, keys at stated offsets, nothing else. Scans each by the real command, prints
seconds and the peak memory of all processes, and removes it. Exits 1 if a key was not found where
it stands, if a byte was not swept, or if memory passed 512 MB.
"""

import argparse
import json
import resource
import struct
import subprocess
import sys
import time
from pathlib import Path

from scan_speed import resident

from fixtures import encodings, keys, noise

GIB = 1 << 30
MOST_BYTES = 512 << 20
HEAD = 1 << 16
"""Bytes before the memory."""
BASE = 0x7F00_0000_0000

RSA, EC, OKP = keys.rsa_key(2048), keys.ec_key("P-256", label="far"), keys.okp_key(label="far")
GAP = bytes(32)
LIMBS = GAP + GAP.join(map(encodings.little_limbs, (RSA.p, RSA.n))) + GAP


def plants(size: int) -> list[tuple[int, bytes, int, str]]:
    """Return file offset, bytes, how far in the key begins, and fingerprint of what is planted."""
    der, pem = encodings.sec1_der(EC), encodings.pkcs8_pem(OKP)
    found = [(size - len(pem), pem, 0, OKP.spki_sha256), (4 * GIB - 70, der, 0, EC.spki_sha256)]
    far = (5 * GIB + 4096, 16 * GIB + (1 << 20))
    found += [(at, LIMBS, len(GAP), RSA.spki_sha256) for at in far]
    return sorted(plant for plant in found if plant[0] + len(plant[1]) <= size)


def core(size: int) -> bytes:
    """Return header and program headers of a core with one PT_LOAD for each GiB, all adjoining."""
    starts = range(HEAD, size, GIB)
    ident = b"\x7fELF" + bytes((2, 1, 1)) + bytes(9)
    out = ident + struct.pack("<2HI3QI6H", 4, 62, 1, 0, 64, 0, 0, 64, 56, len(starts), 64, 0, 0)
    for at in starts:
        count = min(GIB, size - at)
        out += struct.pack("<2I6Q", 1, 6, at, BASE + at, 0, count, count, 4096)
    return out


def minidump(size: int) -> bytes:
    """Return header, directory and Memory64List of a minidump with a range for each GiB."""
    starts = range(HEAD, size, GIB)
    rows = b"".join(struct.pack("<2Q", BASE + at, min(GIB, size - at)) for at in starts)
    listed = struct.pack("<2Q", len(starts), HEAD) + rows
    system = struct.pack("<H", 9).ljust(56, b"\0")
    entries = struct.pack("<6I", 7, len(system), 56, 9, len(listed), 56 + len(system))
    return struct.pack("<4I16x", 0x504D444D, 0xA793, 2, 32) + entries + system + listed


def write(path: Path, head: bytes, size: int, step: int) -> None:
    """Write a file of ``size`` bytes that is mostly holes."""
    pages = [noise.heap(4096, seed) for seed in range(64)]
    with path.open("wb") as file:
        file.write(head)
        for index, at in enumerate(range(HEAD + step // 2, size - 4096, step)):
            file.seek(at)
            file.write(pages[index % len(pages)])
        for at, data, _, _ in plants(size):
            file.seek(at)
            file.write(data)
        file.truncate(size)


def scan(path: Path) -> tuple[dict[str, object], str, int]:
    """Scan a file: the report on it, how long it took, and peak bytes of all processes."""
    report = path.with_suffix(".json")
    command = [sys.executable, "-m", "scanner", "scan", "-j", "1", "-f", "json", "-o", str(report)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start, peak = time.perf_counter(), 0
    with subprocess.Popen([*command, str(path)]) as process:
        while process.poll() is None:
            peak = max(peak, resident(process.pid))
            time.sleep(0.1)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    took = f"{time.perf_counter() - start:.0f} s ({cpu:.0f} s CPU)"
    dump: dict[str, object] = json.loads(report.read_text("utf-8"))["dumps"][0]
    report.unlink()
    return dump, took, peak


def check(dump: dict[str, object], size: int) -> list[str]:
    """Say what a report lacks."""
    wrong = []
    coverage = dump["coverage"]
    assert isinstance(coverage, dict)
    if not coverage["scanned_bytes"] == coverage["file_bytes"] == size or coverage["faults"]:
        wrong.append("not every byte was swept")
    findings = dump["findings"]
    assert isinstance(findings, list)
    places = {
        (finding["fingerprint"]["value"], extent["file_offset"])
        for finding in findings
        for occurrence in finding["occurrences"]
        for extent in occurrence["extents"]
    }
    wrong += [
        f"no key at {at + lead:#x}"
        for at, _, lead, name in plants(size)
        if (name, at + lead) not in places
    ]
    return wrong


def main() -> int:
    """Write, scan and check each dump."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("kinds", nargs="*", default=["core", "minidump"])
    parser.add_argument("--gigabytes", type=float, default=20)
    parser.add_argument("--step", type=int, default=16, help="MiB from one page of noise on")
    options = parser.parse_args()
    size = int(options.gigabytes * 1e9)
    failed = False
    for kind in options.kinds:
        path = options.folder / f"far.{kind}"
        write(path, {"core": core, "minidump": minidump}[kind](size), size, options.step << 20)
        held = getattr(path.stat(), "st_blocks", 0) * 512
        dump, took, peak = scan(path)
        path.unlink()
        wrong = check(dump, size) + ["too much memory"] * (peak > MOST_BYTES)
        print(
            f"{kind}: {size / 1e9:.1f} GB, {held / 1e6:.0f} MB on disk, {took}, "
            f"{peak / 1e6:.0f} MB; {'; '.join(wrong) or 'every key found, every byte swept'}",
            flush=True,
        )
        failed |= bool(wrong)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
