"""A canary key is in no output of any command, at any verbosity, crash paths included."""

import base64
import dataclasses
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures import elfcore, encodings, keys, minidump, tokens
from scanner import rules
from scanner.detect.algebra import material
from scanner.engine import scanning
from scanner.engine.scanning import ScanRequest
from scanner.processes.workers import InProcess
from tests import inside, poison

ROOT = Path(__file__).resolve().parent.parent
KEY = keys.canary()
EC = keys.ec_key("P-256", label="canary")
OKP = keys.okp_key("ed25519", label="canary")
TOKENS = (
    tokens.github("canary"),
    tokens.slack("canary"),
    tokens.aws_id("canary"),
    tokens.aws_secret("canary"),
    tokens.password("canary"),
    tokens.jwt("canary", {"sub": tokens.text("canary subject", 40)}),
)
GAP = bytes(40)
RUN = 8


def values() -> list[bytes]:
    """Return every private number, as bytes in both orders, and the DER that holds them."""
    numbers = [*KEY.private_values().values(), *EC.private_values().values()]
    numbers = [n for n in numbers if n.bit_length() > 64]
    raw = [encodings.big_endian(n) for n in numbers] + [encodings.little_limbs(n) for n in numbers]
    return [*raw, OKP.seed]


def canaries() -> set[bytes]:
    """Return what must not show: 8-byte runs, raw, in hex of either case, in base64 and decimal."""
    forms: set[bytes] = set()
    for value in values():
        for at in range(0, len(value) - RUN + 1, RUN):
            piece = value[at : at + RUN]
            forms |= {piece, piece.hex().encode(), piece.hex().upper().encode()}
        for shift in range(3):
            text = base64.b64encode(value[shift:]).rstrip(b"=")
            forms |= {text[at : at + 12] for at in range(0, len(text) - 12, 12)}
        forms.add(str(int.from_bytes(value, "big")).encode()[:24])
    for token in TOKENS:
        text = token.removeprefix(b"DB_PASSWORD=")
        forms |= {text[at : at + 12] for at in range(0, len(text) - 12, 4)}
    forms.add(tokens.text("canary subject", 40).encode()[:12])
    for pem in (encodings.pkcs8_pem(KEY), encodings.sec1_pem(EC), encodings.pkcs8_pem(OKP)):
        forms |= {line[:24] for line in pem.splitlines()[2:-2]}
    return forms


CANARIES = canaries()


def planted(folder: Path) -> list[Path]:
    """Write the canary key in every form into a core and a minidump, and a core cut in half."""
    limbs = [encodings.little_limbs(v) for v in (KEY.n, KEY.p, KEY.q, KEY.d)]
    forms = [
        *limbs,
        encodings.pkcs1_der(KEY),
        encodings.pkcs8_pem(KEY),
        encodings.utf16(encodings.pkcs8_pem(KEY, "crlf")),
        encodings.sec1_pem(EC),
        encodings.pkcs8_der(OKP),
        encodings.certificate_der(KEY, common_name="canary.example"),
        *TOKENS,
        *map(encodings.utf16, TOKENS),
    ]
    data = GAP + GAP.join(forms) + GAP
    core = elfcore.write([elfcore.Segment(address=0x7F00_0000_0000, data=data)]).data
    streams = [minidump.Stream(type=10, data=encodings.pkcs8_pem(KEY))]
    dump = minidump.write([minidump.Segment(address=0x10000, data=data)], streams=streams).data
    paths = [folder / "core", folder / "dump.dmp", folder / "cut", folder / "raw"]
    for path, content in zip(paths, (core, dump, core[: len(core) // 2], data), strict=True):
        path.write_bytes(content)
    return paths


def texts() -> bytes:
    """Return the canary keys and all tokens as texts: what is found in them costs little."""
    pem, wide = encodings.pkcs8_pem(KEY), encodings.utf16(TOKENS[0])
    others = (encodings.sec1_pem(EC), encodings.pkcs8_pem(OKP))
    data = GAP.join([pem, encodings.utf16(pem), *others, *TOKENS, wide])
    return elfcore.write([elfcore.Segment(address=0x10000, data=data)]).data


def assert_silent(*outputs: bytes) -> None:
    """Fail if any canary is in any output."""
    for output in outputs:
        assert not [form for form in CANARIES if form in output]


def test_scan_says_no_part_of_a_key(tmp_path: Path) -> None:
    """Neither stdout nor stderr nor a saved report holds a canary, and no other file is made.

    Dumps of two kinds in workers, and all four here. The other options are tried one after the
    other, as the command line has them, by ``test_canaries``.
    """
    paths, report = planted(tmp_path), tmp_path / "report"
    options = ("-v", "--color", "always", "--raw", "-j", "2")
    done = subprocess.run(
        [sys.executable, "-m", "scanner", "scan", *options, *map(str, paths[1::2])],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    near = inside.keysift("scan", "-f", "json", "-v", "-o", str(report), *map(str, paths))
    assert (done.returncode, near.returncode) == (1, 1)
    said = (done.stdout, done.stderr, near.stdout.encode(), near.stderr.encode())
    assert_silent(*said, report.read_bytes())
    assert set(tmp_path.iterdir()) == {*paths, report}


@pytest.mark.parametrize(
    ("options", "where"),
    [
        (("-v",), "parse_private"),
        (("-f", "json"), "parse_private"),
        (("--debug",), "parse_private"),
        (("--debug",), "candidate"),
        (("-v", "--debug"), "complete"),
    ],
)
def test_a_crash_over_a_key_says_nothing(
    tmp_path: Path, options: tuple[str, ...], where: str
) -> None:
    """An exception whose text, arguments and locals hold the key leaves no trace of it."""
    body = f"""
import scanner.detect.asn1.keys as keys
from scanner.detect.relations.rsa import rsa
def crash(*arguments, **named):
    secret = repr(arguments) + repr(named)
    raise ValueError(secret, arguments)
for module in (keys, rsa):
    if hasattr(module, {where!r}):
        setattr(module, {where!r}, crash)
"""
    folder = poison.folder(tmp_path, "scanner.stages.trace", body, "both")
    (dump, *_) = planted(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "scanner", "scan", *options, str(dump)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        check=False,
    )
    assert done.returncode in (1, 3)
    assert_silent(done.stdout, done.stderr)


def test_what_travels_between_processes_holds_places_only(tmp_path: Path) -> None:
    """No answer of any stage, pickled, holds a canary; the request and the target do not either."""
    sent: list[bytes] = []

    class Listening(InProcess):
        """Pickles what would cross a pipe."""

        def ask(self, call, *arguments):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN002, ANN202
            answer = super().ask(call, *arguments)
            sent.append(pickle.dumps((arguments, answer)))
            return answer

        def map(self, batch):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
            for index, answer in super().map(batch):
                sent.append(pickle.dumps((batch, answer)))
                yield index, answer

    class Silence:
        """Progress that keeps what it is told."""

        def phase(self, name: str, total_bytes: int) -> None:
            sent.append(f"{name} {total_bytes}".encode())

        def advance(self, count: int) -> None:
            sent.append(str(count).encode())

        def done(self) -> None:
            """End."""

    for path in planted(tmp_path):
        request = ScanRequest(path=str(path), in_process=True, rules=rules.load())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(scanning, "InProcess", Listening)
            scanned = scanning.scan(request, Silence())
        sent += [pickle.dumps(scanned), repr(scanned).encode()]
    assert len(sent) > 20
    assert_silent(*sent)


@pytest.mark.parametrize(
    "key",
    [
        material.Rsa(n=KEY.n, e=KEY.e, d=KEY.d, p=KEY.p, q=KEY.q),
        material.Ec(curve="P-256", d=EC.d, x=EC.x, y=EC.y),
        material.Okp(algorithm="ed25519", seed=OKP.seed, public=OKP.public),
    ],
    ids=["rsa", "ec", "okp"],
)
def test_material_refuses_to_be_written_down(key: material.Material) -> None:
    """Secret material has no repr, no pickle, no copy, no asdict that shows it."""
    import copy

    assert "withheld" in repr(key)
    assert_silent(repr(key).encode(), str(key).encode(), f"{key}".encode())
    for write in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            write(key)
    assert dataclasses.is_dataclass(key)
