"""From a file to findings: what is in a dump is found, once, there, whoever looks."""

import base64
import dataclasses
import functools
import gzip
import io
import json
import lzma
import os
import tempfile
from pathlib import Path

import jsonschema
import pytest
import zstandard
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fixtures import elfcore, encodings, keys, minidump, noise, real, tokens
from scanner import correlate, policy, published, rules
from scanner.detect.credentials import kingfisher
from scanner.dump import windows
from scanner.engine import scanning, sweeping
from scanner.engine.scanning import Scan, ScanRequest
from scanner.errors import Unreadable
from scanner.model import Confidence, DumpReport, Finding, Verdict
from scanner.progress import Silence
from scanner.report import FORMATS
from scanner.report import json as report_json
from tests.dump.test_storage import no_temporary_folder

RULES = rules.load()
PUBLISHED = published.load()
KEY = keys.rsa_key(2048)


def scan(path: Path, **options: object) -> Scan:
    """Scan a file in this process, or as the options say."""
    request = ScanRequest(path=str(path), in_process=True, rules=RULES)
    return scanning.scan(dataclasses.replace(request, **options), Silence())  # type: ignore[arg-type]


def report(path: Path, **options: object) -> DumpReport:
    """Scan a file and judge it."""
    scanned = scan(path, **options)
    found = correlate.findings(scanned, RULES)
    return policy.judge(scanned, *correlate.set_aside(found, PUBLISHED))


def report_bytes(data: bytes, folder: Path) -> DumpReport:
    """Scan bytes."""
    path = folder / "dump"
    path.write_bytes(data)
    return report(path)


def offsets(finding: Finding) -> set[int]:
    """Return where in the file the occurrences of a finding begin."""
    return {extent.file_offset for o in finding.occurrences for extent in o.extents}


# --- real dumps ---------------------------------------------------------------------------------

SCHEMA = json.loads(Path(report_json.__file__).with_name("schema-1.json").read_text("utf-8"))


@functools.cache
def real_report(name: str) -> DumpReport:
    """Scan a real dump and judge it, once."""
    return report(real.path(name))


@pytest.mark.parametrize("name", real.names())
def test_real_dumps(name: str) -> None:
    """Every recoverable key of every real dump is found, by its fingerprint, and nothing else."""
    truth = real.truth(name)
    found = real_report(name)
    wanted = {
        key["spki_sha256"]
        for key in truth["keys"]
        if any(
            form in ("PEM", "DER") or (key["kind"].startswith("rsa") and "digit" not in form)
            for forms in key.get("stands", {}).values()
            for form in forms
        )
    }
    private = {f.fingerprint.value for f in found.findings if f.kind == "private-key"}
    assert wanted <= private
    assert private <= {key["spki_sha256"] for key in truth["keys"]}
    assert found.coverage.scanned_bytes == found.coverage.file_bytes
    assert found.verdict is (Verdict.BLOCKED if private else Verdict.PASS)
    whole = policy.combine([found], rules_sha256=rules.digest(RULES))
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(report_json.render(whole)))


def test_what_openssl_keeps_of_post_quantum_keys() -> None:
    """Without a certificate SLH-DSA blocks and ML-KEM does not; each place of both is told."""
    truth = {key["spki_sha256"]: key for key in real.truth("openssl-keeper")["keys"]}
    found = real_report("openssl-keeper")
    private = {f.fingerprint.value: f for f in found.findings if f.kind == "private-key"}
    assert private.keys() == truth.keys()
    for name, finding in private.items():
        key = truth[name]
        agreement = key["algorithm"] == "ml-kem-768"
        assert finding.algorithm == key["algorithm"]
        assert (finding.confidence, finding.blocks) == (Confidence.PROOF, not agreement)
        assert finding.rule == ("ml-kem-key" if agreement else "slh-dsa-key")
        spans = [
            (extent.file_offset, extent.file_offset + extent.size)
            for occurrence in finding.occurrences
            for extent in occurrence.extents
        ]
        for at in key["forms"]["seed"]["raw"]:
            size = 32 if agreement else key["bits"] // 8
            assert any(start <= at and at + size <= end for start, end in spans)


# --- planted keys -------------------------------------------------------------------------------

N, P, Q = (encodings.little_limbs(v) for v in (KEY.n, KEY.p, KEY.q))
GAP = bytes(24)
LIMBS = {
    "limbs-le": [N, P, Q],
    "bytes-be": [encodings.big_endian(v) for v in (KEY.n, KEY.p, KEY.q)],
}
WRITTEN = {
    "PKCS1-DER": encodings.pkcs1_der(KEY),
    "PKCS8-DER": encodings.pkcs8_der(KEY),
    "PKCS8-PEM": encodings.pkcs8_pem(KEY),
    "PKCS1-PEM": encodings.pkcs1_pem(KEY, "crlf"),
    "PKCS8-PEM escaped": encodings.pkcs8_pem(KEY, "escaped"),
    "PKCS8-PEM utf-16le": encodings.utf16(encodings.pkcs8_pem(KEY)),
    "SEC1-DER": encodings.sec1_der(keys.ec_key()),
    "Ed25519": encodings.pkcs8_der(keys.okp_key()),
}
SURROUNDINGS = ("zeros", "text", "text16", "code", "pointers", "heap", "uniform")


def surround(kind: str, size: int, seed: int) -> bytes:
    """Make surroundings of one kind."""
    made: bytes = getattr(noise, kind)(size, seed)
    return made


def of(form: str) -> str:
    """Return the fingerprint of the key that a form holds."""
    if form == "SEC1-DER":
        return keys.ec_key().spki_sha256
    return keys.okp_key().spki_sha256 if form == "Ed25519" else KEY.spki_sha256


@pytest.mark.parametrize("lead", [0, 4])
def test_integers_end_to_end_on_a_32_bit_machine(lead: int, tmp_path: Path) -> None:
    """Behind a pointer and a size each, at words or between, as 32-bit V8 lays its integers."""
    numbers = (KEY.n, KEY.d, KEY.p, KEY.q)
    laid = b"".join(
        b"\xd9\x07\xf0\x1b"
        + (value.bit_length() // 16).to_bytes(4, "little")
        + encodings.little_limbs(value)
        for value in numbers
    )
    segment = minidump.Segment(address=0x1F040000, data=bytes(64 + lead) + laid + bytes(64))
    found = report_bytes(minidump.write([segment], arch="x86").data, tmp_path)
    assert KEY.spki_sha256 in {f.fingerprint.value for f in found.findings}
    assert {o.encoding for f in found.findings for o in f.occurrences} >= {"p limbs-le"}


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    form=st.sampled_from(sorted(WRITTEN)),
    kind=st.sampled_from(SURROUNDINGS),
    at=st.integers(0, 6_000),
    seed=st.integers(0, 1000),
    base=st.integers(0, 1 << 20),
)
@example(form="PKCS8-DER", kind="heap", at=8761, seed=467, base=0)
def test_a_written_key_anywhere(
    tmp_path: Path, form: str, kind: str, at: int, seed: int, base: int
) -> None:
    """A written key at any offset and address in any surroundings is found once, there."""
    data = noise.plant(surround(kind, at + (1 << 12), seed), at, WRITTEN[form])
    dump = elfcore.write([elfcore.Segment(address=0x7F00_0000_0000 + base, data=data)])
    (finding,) = report_bytes(dump.data, tmp_path).findings
    assert finding.fingerprint.value == of(form)
    start = dump["segment:0"].file_offset + at
    # Behind a zero, UTF-16LE at an odd offset, or before a letter, reads as UTF-16BE as well, which
    # begins a byte before (seen between pointers).
    zero = form.endswith("utf-16le") and at and data[at - 1] == 0
    either = {start, start - 1} if zero else {start}
    assert either & offsets(finding)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    form=st.sampled_from(sorted(LIMBS)),
    kind=st.sampled_from(("zeros", "text", "text16", "pointers", "heap")),
    order=st.permutations((0, 1, 2)),
    at=st.lists(st.integers(0, 600), min_size=3, max_size=3),
    seed=st.integers(0, 1000),
    base=st.integers(0, 1 << 12),
)
def test_numbers_anywhere(
    tmp_path: Path, form: str, kind: str, order: list[int], at: list[int], seed: int, base: int
) -> None:
    """n, p and q anywhere, apart, in any order: little-endian at words, big-endian at any byte."""
    data = bytearray(surround(kind, 3 * 5_500, seed))
    step = 8 if form == "limbs-le" else 1
    for slot, (index, offset) in enumerate(zip(order, at, strict=True)):
        start = slot * 5_500 + 64 + offset * step
        number = LIMBS[form][index]
        data[start - 24 : start + len(number) + 24] = GAP + number + GAP
    segment = elfcore.Segment(address=0x7F00_0000_0000 + base * 8, data=bytes(data))
    found = report_bytes(elfcore.write([segment]).data, tmp_path).findings
    assert [(f.fingerprint.value, f.confidence) for f in found] == [
        (KEY.spki_sha256, Confidence.PROOF)
    ]
    assert {o.encoding for o in found[0].occurrences} == {f"p {form}", f"q {form}"}


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    form=st.sampled_from(("PKCS1-DER", "PKCS8-PEM utf-16le", "limbs")),
    cut=st.integers(1, 1100),
    order=st.permutations((0, 1, 2)),
    lists=st.lists(st.sampled_from(("memory", "memory64")), min_size=3, max_size=3),
    shift=st.integers(0, 15),
)
def test_a_key_across_regions(
    tmp_path: Path, form: str, cut: int, order: list[int], lists: list[str], shift: int
) -> None:
    """A key split between regions that adjoin in address is found, in whatever file order."""
    secret = GAP.join([N, P, Q]) if form == "limbs" else WRITTEN[form]
    cut = min(cut, len(secret) - 1) & (~7 if form == "limbs" else ~0) or 8
    data = noise.text(4096, 1) + GAP + secret + GAP + noise.text(4096, 2)
    split = 4096 + 24 + cut
    pieces = (data[:4000], data[4000:split], data[split:])
    starts = (0x10000, 0x10000 + 4000, 0x10000 + split)
    segments = [
        minidump.Segment(address=start, data=piece, listed_in=name, file_order=rank)
        for start, piece, name, rank in zip(starts, pieces, lists, order, strict=True)
    ]
    dump = minidump.write(segments, slack=bytes(shift))
    found = report_bytes(dump.data, tmp_path).findings
    assert [f.fingerprint.value for f in found] == [KEY.spki_sha256]


OTHER_PLACES = {
    "PKCS8-PEM": ("stream", "trailing", "comment", "unknown stream"),
    "PKCS8-DER": ("stream", "trailing"),
    "limbs-le": ("comment", "unknown stream"),
}
"""What stands in each place beside slack, which has every form: what is dear, in two."""


@pytest.mark.parametrize(
    ("form", "where"),
    [
        *((form, "slack") for form in (*sorted(WRITTEN), *LIMBS)),
        *((form, where) for form, places in OTHER_PLACES.items() for where in places),
    ],
)
def test_a_key_outside_of_regions(tmp_path: Path, form: str, where: str) -> None:
    """A key in a stream, in slack or behind the last stream is found, at any alignment."""
    secret = GAP.join(LIMBS[form]) if form in LIMBS else WRITTEN[form]
    secret = GAP + b"\0" + secret + GAP
    filler = [minidump.Segment(address=0x10000, data=noise.text(4096, 3))]
    streams = {
        "stream": [minidump.Stream(type=0x47670007, data=secret)],
        "unknown stream": [minidump.Stream(type=0xABCD_0000, data=secret)],
        "comment": [minidump.Stream(type=10, data=secret)],
        "slack": [minidump.Stream(type=0xFFFF, data=b"x", slack=secret)],
    }.get(where, [])
    dump = minidump.write(filler, streams=streams, trailing=secret if where == "trailing" else b"")
    found = report_bytes(dump.data, tmp_path)
    wanted = KEY.spki_sha256 if form in LIMBS else of(form)
    assert [f.fingerprint.value for f in found.findings] == [wanted]
    assert found.findings[0].occurrences[0].extents[0].address is None


def test_a_key_in_a_note(tmp_path: Path) -> None:
    """A key that stands in a note of an ELF core alone is found."""
    note = elfcore.Note(name="CORE", type=0x12345, data=WRITTEN["PKCS8-DER"])
    dump = elfcore.write([elfcore.Segment(address=0x1000, data=noise.text(4096))], notes=[note])
    (finding,) = report_bytes(dump.data, tmp_path).findings
    assert finding.fingerprint.value == KEY.spki_sha256


def test_a_dump_that_needs_no_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, or a read-only container, is no fault where nothing has to be decoded."""
    monkeypatch.setattr(tempfile, "gettempdir", no_temporary_folder)
    dump = elfcore.write([elfcore.Segment(address=0x1000, data=noise.text(4096))])
    path = tmp_path / "dump"
    path.write_bytes(dump.data)
    assert report(path).verdict is Verdict.PASS
    path.write_bytes(gzip.compress(dump.data))
    with pytest.raises(Unreadable, match="the spill file cannot be written"):
        scan(path)


LEADS = (-1200, -640, -129, -8, -1, 0, 1, 8)
"""How far behind the seam a key begins."""


@pytest.mark.parametrize(
    ("form", "lead"),
    [
        *((form, lead) for form in ("PKCS1-DER", "PKCS8-PEM") for lead in LEADS),
        *(("limbs-le", lead) for lead in LEADS if lead % 8 == 0),
        *(("bytes-be", lead) for lead in LEADS if lead % 8 or lead == 0),
    ],
)
def test_a_key_across_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, lead: int
) -> None:
    """A key across the seam of two windows, chunks or tasks is found once."""
    monkeypatch.setattr(windows, "WINDOW_BYTES", 1 << 16)
    monkeypatch.setattr(windows, "TASK_BYTES", 1 << 17)
    secret = GAP.join(LIMBS[form]) if form in LIMBS else WRITTEN[form]
    data = noise.plant(noise.text(1 << 18, 1), (1 << 17) + lead - 24, GAP + secret + GAP)
    dump = elfcore.write([elfcore.Segment(address=0x7000_0000, data=data)])
    (finding,) = report_bytes(dump.data, tmp_path).findings
    assert finding.fingerprint.value == KEY.spki_sha256
    assert len(finding.occurrences) == (1 if form in WRITTEN else 2)


@pytest.mark.parametrize("kind", [*SURROUNDINGS, "mixed"])
def test_nothing_in_noise(tmp_path: Path, kind: str) -> None:
    """Surroundings without a key pass, with no finding of any confidence."""
    made = getattr(noise, kind)(1 << 18, 77)
    dump = elfcore.write([elfcore.Segment(address=0x7F00_0000_0000, data=made)])
    found = report_bytes(dump.data, tmp_path)
    assert (found.findings, found.verdict) == ((), Verdict.PASS)


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(bits=st.tuples(*[st.integers(1, 8 * len(P) - 1)] * 2), form=st.sampled_from(sorted(LIMBS)))
def test_a_flipped_bit_proves_nothing(tmp_path: Path, bits: tuple[int, int], form: str) -> None:
    """With one bit of each prime flipped there is no key; either one whole would be enough.

    Nor is there one if it is the lowest, but that p - 1 tells of p is a relation of its own.
    """
    write = encodings.little_limbs if form == "limbs-le" else encodings.big_endian
    primes = [write(KEY.p ^ 1 << bits[0]), write(KEY.q ^ 1 << bits[1])]
    data = GAP.join([b"", LIMBS[form][0], *primes, b""])
    dump = elfcore.write([elfcore.Segment(address=0x7F00_0000_0000, data=data)])
    assert report_bytes(dump.data, tmp_path).findings == ()


def test_copies_and_pieces_are_traced(tmp_path: Path) -> None:
    """Every copy of a private number is an occurrence, and so is what a freed block kept of one."""
    freed = bytes(16) + encodings.little_limbs(KEY.d)[16:]
    data = GAP.join([b"", N, P, Q, noise.text(512), P, freed, encodings.big_endian(KEY.dp), b""])
    dump = elfcore.write([elfcore.Segment(address=0x7F00_0000_0000, data=data)])
    path = tmp_path / "dump"
    path.write_bytes(dump.data)
    for options in ({}, {"thorough": True}, {"deep": True}):
        (finding,) = report(path, **options).findings
        seen = sorted((o.encoding, o.extents[0].size) for o in finding.occurrences)
        assert seen == [
            ("d limbs-le (part)", 240),
            ("dp bytes-be", 128),
            ("p limbs-le", 128),
            ("p limbs-le", 128),
            ("q limbs-le", 128),
        ]


@pytest.mark.parametrize("wide", [False, True])
def test_numbers_as_text_are_traced_where_every_byte_is(tmp_path: Path, *, wide: bool) -> None:
    """Hex and base64 of a private number, seen in a signer's stack, are copies of it."""
    big = encodings.big_endian(KEY.p)
    texts = [big.hex().encode(), base64.b64encode(b"\x02" + big)]
    texts = [encodings.utf16(text) if wide else text for text in texts]
    data = GAP.join([b"", N, P, Q, *texts, b""])
    path = tmp_path / "dump"
    path.write_bytes(elfcore.write([elfcore.Segment(address=0x7F00_0000_0000, data=data)]).data)
    (finding,) = report(path, thorough=True).findings
    seen = {o.encoding: o.extents[0].size for o in finding.occurrences}
    ending = " utf-16le" * wide
    assert seen[f"p hex{ending}"] == 256 * (1 + wide)
    assert seen[f"p base64{ending}"] >= 160 * (1 + wide)


def test_other_texts_of_numbers_are_traced(tmp_path: Path) -> None:
    """So are decimal digits, hex with colons, base64url and UTF-16BE."""
    big = encodings.big_endian(KEY.p)
    spelled = (
        str(KEY.p).encode(),
        big.hex(":").encode(),
        base64.urlsafe_b64encode(big),
        big.hex().encode("ascii").decode().encode("utf-16-be"),
    )
    data = GAP.join([b"", N, P, Q, *spelled, b""])
    path = tmp_path / "dump"
    path.write_bytes(elfcore.write([elfcore.Segment(address=0x7F00_0000_0000, data=data)]).data)
    (finding,) = report(path, thorough=True).findings
    extents = [o.extents[0] for o in finding.occurrences]
    content = path.read_bytes()
    for text in spelled:
        at = content.index(text)
        seen = sum(e.size for e in extents if at <= e.file_offset < at + len(text))
        assert seen >= len(text) - 10


def test_words_of_a_scalar_are_traced(tmp_path: Path) -> None:
    """Eight bytes of a scalar, as a register holds them, are a piece of it; zeros are none."""
    key = keys.ec_key("P-256", label="words")
    little = encodings.little_limbs(key.d)
    words = [little[at : at + 8] for at in range(0, 32, 8)]
    data = GAP.join([b"", encodings.sec1_pem(key), *words, b""])
    path = tmp_path / "dump"
    path.write_bytes(elfcore.write([elfcore.Segment(address=0x7F00_0000_0000, data=data)]).data)
    (finding,) = report(path, thorough=True).findings
    seen = [o.encoding for o in finding.occurrences if o.extents[0].size == 8]
    assert seen == ["d limbs-le (part)"] * 4


@pytest.mark.parametrize("number", range(12))
def test_a_short_number_as_wide_hex_is_traced(tmp_path: Path, number: int) -> None:
    """A scalar as hex in UTF-16LE is found whatever its digits, though few are in a piece."""
    key = keys.ec_key("P-256", label=f"wide {number}")
    hexed = encodings.utf16(key.d.to_bytes(32, "big").hex().encode())
    data = GAP.join([b"", encodings.sec1_pem(key), hexed, b""])
    path = tmp_path / "dump"
    path.write_bytes(elfcore.write([elfcore.Segment(address=0x7F00_0000_0000, data=data)]).data)
    (finding,) = report(path, thorough=True).findings
    seen = {o.encoding: o.extents[0].size for o in finding.occurrences}
    assert seen["d hex utf-16le"] == 128


def test_an_expired_certificate_names_and_lowers_nothing(tmp_path: Path) -> None:
    """A certificate names the key it was issued for; that it has expired changes nothing."""
    certificate = encodings.certificate_der(KEY, common_name="signer.example", expired=True)
    data = GAP.join([b"", N, P, Q, certificate, b""])
    dump = elfcore.write([elfcore.Segment(address=0x7F00_0000_0000, data=data)])
    found = report_bytes(dump.data, tmp_path)
    (finding,) = found.findings
    assert (finding.names, finding.public.subject) == (("certificate",), "CN=signer.example")
    assert finding.public.not_after < "2026"
    assert (finding.severity.name, found.verdict) == ("CRITICAL", Verdict.BLOCKED)


# --- whole, whoever scans -----------------------------------------------------------------------


def test_jobs_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One worker, two workers and none at all give the same report, byte for byte."""
    monkeypatch.setattr(windows, "TASK_BYTES", 1 << 19)
    path = tmp_path / "core"
    path.write_bytes(real.load("openssl-server-rsa"))
    render = dict(FORMATS)["json"]
    made = [
        render(
            policy.combine([report(path, **options)], rules_sha256=rules.digest(RULES)),
            color=False,
            verbose=False,
            quiet=False,
            width=100,
        )
        for options in (
            {},
            {"in_process": False, "jobs": 1},
            {"in_process": False, "jobs": 2},
        )
    ]
    assert made[0] == made[1] == made[2]


def test_compression_changes_nothing(tmp_path: Path) -> None:
    """The same dump, compressed, has the same findings at the same offsets of its contents."""
    others = (encodings.sec1_pem(keys.ec_key()), encodings.pkcs8_pem(keys.okp_key()))
    forms = [N, P, Q, WRITTEN["PKCS8-PEM"], *others]
    segment = elfcore.Segment(address=0x7000_0000, data=noise.text(1 << 16) + GAP.join(forms))
    data = elfcore.write([segment]).data
    wanted = report_bytes(data, tmp_path)
    assert (len(wanted.findings), wanted.content.layers) == (3, ())
    for wrap, packed in {
        "zstd": zstandard.ZstdCompressor().compress(data),
        "gzip": gzip.compress(data, 1),
        "xz": lzma.compress(data, preset=0),
    }.items():
        found = report_bytes(packed, tmp_path)
        assert found.content.layers == (wrap,)
        assert found.coverage.file_bytes == len(data)
        assert (found.findings, found.verdict) == (wanted.findings, wanted.verdict)


@pytest.mark.parametrize("name", ["openssl-server-rsa", "windows-capi"])
def test_a_truncated_dump_never_passes(tmp_path: Path, name: str) -> None:
    """Wherever a dump is cut, it is blocked or incomplete, and every byte left was swept."""
    data = real.load(name)
    for size in (1, len(data) // 9, len(data) // 3, len(data) - 1):
        found = report_bytes(data[:size], tmp_path)
        assert found.verdict is not Verdict.PASS
        assert found.coverage.scanned_bytes == size


def test_unknown_bytes_are_incomplete(tmp_path: Path) -> None:
    """A file of no known format is swept, and passes only where the operator says so."""
    path = tmp_path / "blob"
    path.write_bytes(noise.text(5000))
    assert report(path).verdict is Verdict.INCOMPLETE
    assert report(path, raw=True).verdict is Verdict.PASS
    path.write_bytes(noise.text(5000) + WRITTEN["PKCS8-DER"])
    assert report(path, raw=True).verdict is Verdict.BLOCKED


def test_an_empty_file_is_incomplete(tmp_path: Path) -> None:
    """No bytes are no pass."""
    assert report_bytes(b"", tmp_path).verdict is Verdict.INCOMPLETE


def test_a_file_that_changes_is_incomplete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dump that is written to while it is read does not pass."""
    path = tmp_path / "core"
    path.write_bytes(elfcore.write([elfcore.Segment(address=0x1000, data=noise.text(9000))]).data)
    assert report(path).verdict is Verdict.PASS
    sweep = sweeping.sweep

    def touch_then_sweep(*arguments: object) -> object:
        os.utime(path, ns=(1, 1))
        return sweep(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(sweeping, "sweep", touch_then_sweep)
    found = report(path)
    assert found.verdict is Verdict.INCOMPLETE
    assert "changed" in {reason.code for reason in found.reasons}


def test_many_small_regions(tmp_path: Path) -> None:
    """Thousands of regions of a few bytes are swept whole, and a key among them is found."""
    segments = [
        elfcore.Segment(address=0x10000 + 4096 * k, data=noise.text(40 + k % 9, k))
        for k in range(3000)
    ]
    segments.append(elfcore.Segment(address=0x7000_0003, data=GAP.join(LIMBS["bytes-be"])))
    dump = elfcore.write(segments, align=1)
    found = report_bytes(dump.data, tmp_path)
    assert [f.fingerprint.value for f in found.findings] == [KEY.spki_sha256]
    assert found.coverage.scanned_bytes == len(dump.data)


def test_text_report_of_a_real_dump() -> None:
    """The text report's last line has verdict, counts and coverage."""
    scanned = real_report("openssl-server-rsa")
    text = dict(FORMATS)["text"](
        policy.combine([scanned], rules_sha256=""),
        color=False,
        verbose=False,
        quiet=False,
        width=None,
    )
    last = io.StringIO(text).read().splitlines()[-1]
    assert last.startswith("blocked: 1 private key, 3 symmetric keys, 8 suppressed; swept ")


# --- tokens -------------------------------------------------------------------------------------


def test_tokens_are_found_with_their_copies(tmp_path: Path) -> None:
    """A secret beside its id is found there; by a thorough scan, so are copies that stand alone."""
    key_id, secret = tokens.aws_id(), tokens.aws_secret()
    wide = encodings.utf16(secret)
    data = GAP.join([b"", key_id, secret, bytes(1 << 16), secret, wide, bytes(8192), key_id, b""])
    dump = elfcore.write([elfcore.Segment(address=0x7F00_0000_0000, data=data)])
    path = tmp_path / "dump"
    path.write_bytes(dump.data)
    for options, copies in (({}, (1, 1)), ({"thorough": True}, (2, 3)), ({"deep": True}, (2, 3))):
        found = report(path, **options)
        assert [(f.algorithm, len(f.occurrences)) for f in found.findings] == [
            ("betterleaks.aws-access-token", copies[0]),
            ("betterleaks.aws-secret-access-key", copies[1]),
        ]
        assert found.verdict is Verdict.BLOCKED


def test_what_is_left_of_a_token_is_traced(tmp_path: Path) -> None:
    """Parts of 16 bytes, in either width, and base64 of a token are copies of it."""
    text = tokens.github("left")
    parts = (
        text[8:24],
        encodings.utf16(text)[40:56],
        text.decode().encode("utf-16-be"),
        base64.b64encode(b"\x02" + text),
    )
    data = GAP.join([b"", b"token " + text, *parts, b""])
    path = tmp_path / "dump"
    path.write_bytes(elfcore.write([elfcore.Segment(address=0x10000, data=data)]).data)
    (finding,) = report(path, thorough=True).findings
    assert [o.encoding for o in finding.occurrences] == [
        "text",
        "text (part)",
        "text utf-16le (part)",
        "text utf-16le",  # of UTF-16BE all but its first byte, a zero
        "base64",
    ]


def test_tokens_with_a_part_in_common_keep_their_names(tmp_path: Path) -> None:
    """A secret is named by where it was found, not by where a part of it lies: others have it."""
    claims = {"iss": "https://issuer.example", "sub": "who holds both of them"}
    one, other = tokens.jwt("one", claims), tokens.jwt("other", claims)
    data = GAP.join([b"", one.split(b".")[1], one, other, b""])
    path = tmp_path / "dump"
    path.write_bytes(elfcore.write([elfcore.Segment(address=0x10000, data=data)]).data)
    plain, thorough = report(path), report(path, thorough=True)
    names = [f.fingerprint for f in thorough.findings]
    assert len(set(names)) == 2
    assert {f.fingerprint for f in plain.findings} == set(names)


def test_a_web_token_says_who_issued_it(tmp_path: Path) -> None:
    """Issuer, audience and expiry are in the report; that it has expired lowers nothing."""
    claims = {"iss": "https://i.example", "aud": "api", "exp": 1300819380, "sub": "nobody"}
    data = GAP + tokens.jwt("told", claims) + GAP
    dump = elfcore.write([elfcore.Segment(address=0x7F00_0000_0000, data=data)])
    found = report_bytes(dump.data, tmp_path)
    (finding,) = found.findings
    public = finding.public
    said = (public.issuer, public.audience, public.not_after)
    assert said == ("https://i.example", "api", "2011-03-22T18:43:00Z")
    assert (finding.names, finding.severity.name, found.verdict) == ((), "HIGH", Verdict.BLOCKED)


def test_a_guess_and_an_example_do_not_block(tmp_path: Path) -> None:
    """What a name alone announces is told and passes; what everybody may read is set aside."""
    example = b"AKIAIOSFODNN7" + b"EXAMPLE"
    secret = b"wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + b"EXAMPLEKEY"
    data = GAP.join([b"", tokens.password(), example, secret, b""])
    found = report_bytes(
        elfcore.write([elfcore.Segment(address=0x10000, data=data)]).data, tmp_path
    )
    assert [f.rule for f in found.findings] == ["probable-token"]
    assert len(found.suppressed) == 2
    assert all(f.note.startswith("published: AWS") for f in found.suppressed)
    assert found.verdict is Verdict.PASS


def test_without_the_library_nothing_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the library for tokens is missing, nothing passes; keys are found all the same."""
    monkeypatch.setattr(kingfisher, "MODULE", "no_such_library")
    for data, verdict in ((b"", Verdict.INCOMPLETE), (WRITTEN["Ed25519"], Verdict.BLOCKED)):
        whole = GAP.join([b"", tokens.github(), data, b""])
        dump = elfcore.write([elfcore.Segment(address=0x10000, data=whole)])
        found = report_bytes(dump.data, tmp_path)
        assert "tokens-unavailable" in {reason.code for reason in found.reasons}
        assert found.verdict is verdict


def test_a_library_that_fails_takes_no_key_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the library for tokens raises is a fault, and the keys are proved."""
    broken = (
        'class Rules:\n    def __init__(self, *a, **k):\n        raise RuntimeError("no rules")\n'
    )
    (tmp_path / "broken_library.py").write_text('__version__ = "1"\n' + broken)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(kingfisher, "MODULE", "broken_library")
    kingfisher.scanner.cache_clear()
    kingfisher.catalogue.cache_clear()
    whole = GAP.join([b"", tokens.github(), WRITTEN["Ed25519"], b""])
    dump = elfcore.write([elfcore.Segment(address=0x10000, data=whole)])
    found = report_bytes(dump.data, tmp_path)
    assert [f.kind for f in found.findings] == ["private-key"]
    assert [fault.code for fault in found.coverage.faults] == ["tokens-failed"]
