"""The target that is everything: from a file to a verdict and its reports, in this process.

An arbitrary file gives a verdict; it passes only where every byte was swept and nothing is wrong.
"""

import functools
import gzip
from collections.abc import Iterable

from fixtures import encodings, heaps, lime, tokens
from fixtures import keys as recipes
from scanner import correlate, policy, published, rules, saved
from scanner.engine import scanning
from scanner.model import Verdict
from scanner.progress import Silence
from scanner.report import FORMATS
from scanner.report import json as report_json
from tests.dump import dump_bytes
from tests.fuzz import mutators
from tests.fuzz.files import written
from tests.fuzz.formats import HEAP
from tests.fuzz.packed import CORE, apports, zips
from tests.fuzz.target import Target

RULES = rules.load()


@functools.cache
def _published() -> dict[str, published.Published]:
    return published.load()


def _scan(data: bytes) -> None:
    """Scan a file, judge it and write every report: a verdict, whatever it is."""
    path = written("dump", data)
    request = scanning.ScanRequest(path=str(path), in_process=True, rules=RULES)
    judged = []
    for scanned in scanning.scan_all(request, Silence()):
        found = correlate.findings(scanned, RULES)
        one = policy.judge(scanned, *correlate.set_aside(found, _published()))
        judged.append(one)
        covered = one.coverage
        assert sum(size for _, size in covered.ledger) in (0, covered.file_bytes)
        assert covered.scanned_bytes <= covered.file_bytes
        if one.verdict is Verdict.PASS:
            assert covered.scanned_bytes == covered.file_bytes, "a byte was not looked at"
            assert not covered.faults, "a fault passed"
            assert one.format != "raw", "an unknown format passed"
            assert not any(finding.blocks for finding in one.findings)
        if one.verdict is Verdict.INCOMPLETE:
            assert one.reasons
        for fault in covered.faults:
            ours = {"worker-lost", "short", "misplaced", "unmapped"}
            assert fault.code not in ours, f"a fault of our own: {fault.text}"
    whole = policy.combine(judged, rules_sha256="a" * 64, known_sha256="", policy_sha256="")
    assert whole.verdict in {one.verdict for one in judged}
    document = report_json.render(whole)
    assert saved.parse(document.encode()).verdict is whole.verdict
    for _, render in FORMATS:
        assert render(whole, color=False, verbose=True, quiet=False, width=100)


def _dumps() -> Iterable[bytes]:
    key = encodings.pkcs8_der(recipes.okp_key("ed25519"))
    for memory in (key + bytes(64), tokens.github() + bytes(32), b"plain words of a process " * 4):
        yield dump_bytes.elfcore([(0x1000, memory, len(memory))])
        yield dump_bytes.minidump(memory=[(0x1000, memory)])
    yield gzip.compress(CORE)
    yield next(iter(zips()))
    yield from apports()
    yield heaps.hprof(HEAP)
    yield lime.write([(0x1000, b"m" * 64)]).data
    yield encodings.pkcs8_pem(recipes.ec_key())


TARGETS = (
    Target(
        name="whole-scan",
        covers=("engine", "stages.session", "correlate", "policy", "report"),
        run=_scan,
        seeds=_dumps,
        mutate=(mutators.numbers, mutators.elsewhere, mutators.packed("gzip")),
        longest=2048,
    ),
)
