"""One private number among many objects of its size is found, wherever it is; what is left is told.

Each heap has a harmless twin: the same without the public half, or with that of another key.
"""

import pickle
import re
import struct
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures import crowds, encodings, keys, noise
from scanner import correlate, known, policy
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.integers.runs import gather, join
from scanner.detect.register import Registrar
from scanner.detect.relations.edwards import edges as edwards_edges
from scanner.detect.relations.weierstrass import edges as ec_edges
from scanner.detect.relations.weierstrass.curves import CURVES
from scanner.dump.windows import cut
from scanner.engine import scanning
from scanner.engine.scanning import ScanRequest
from scanner.model import Candidate, Fault, Verdict
from scanner.progress import Silence
from scanner.stages import session as stage
from scanner.stages.relate import relate_edges
from scanner.stages.session import Session, Target
from scanner.stages.sweep import sweep
from tests.stages.shipped import RULES, compiled

COUNT = 300
SEARCH = {"ed25519": "25519", "x25519": "25519", "rsa": "rsa"}


def answers(
    folder: Path, name: str, data: bytes, publics: Sequence[PublicKey] = (), *, deep: bool = False
) -> list[Candidate | Fault]:
    """Return what the edges of a dump give, where some public keys were read."""
    path = folder / "file"
    path.write_bytes(data)
    session = Session(
        Target(path=str(path), rules=RULES, anchors=compiled(), spool_dir=str(folder), deep=deep)
    )
    tasks = cut(stage.survey(session).space_map)
    runs = join(gather([sweep(session, task).runs for task in tasks]))
    met = Registrar()
    for public in publics:
        met.add(public)
    return list(relate_edges(session, name, runs, pickle.dumps(met.register())))


def found(
    folder: Path, crowd: crowds.Crowd, name: str
) -> list[tuple[str, tuple[tuple[int, int], ...]]]:
    """Return name and places, in the file, of each key that is found at the edges of a crowd."""
    heap = crowd.written["segment:0"].file_offset
    rows = [one for one in answers(folder, name, crowd.written.data) if isinstance(one, Candidate)]
    return [
        (one.fingerprint.value, tuple((heap + at.offset, at.size) for at in one.places))
        for one in rows
    ]


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("kind", crowds.KINDS)
def test_one_of_many(tmp_path: Path, kind: str, order: str) -> None:
    """It is found where it is, once; without its public half nothing is."""
    name = SEARCH.get(kind, "ec")
    for index in (0, COUNT // 3, COUNT - 1):
        crowd = crowds.crowd(kind, COUNT, index=index, order=order)
        assert found(tmp_path, crowd, name) == [(crowd.key.spki_sha256, ((crowd.at, crowd.size),))]
    for public in ("none", "other"):
        assert found(tmp_path, crowds.crowd(kind, COUNT, public=public, order=order), name) == []


SPELLED = {
    "bytes": lambda key, size, _: key.x.to_bytes(size, "big") + key.y.to_bytes(size, "big"),
    "limbs": lambda key, size, _: key.x.to_bytes(size, "little") + key.y.to_bytes(size, "little"),
    "montgomery": lambda key, size, p: b"".join(
        ((c << 8 * size) % p).to_bytes(size, "little") for c in (key.x, key.y)
    ),
    "a tag in a word": lambda key, size, _: (
        bytes(3) + b"\4" + key.x.to_bytes(size, "big") + key.y.to_bytes(size, "big") + bytes(4)
    ),
}


@pytest.mark.parametrize("form", SPELLED)
@pytest.mark.parametrize("name", ["P-256", "P-384", "secp256k1", "brainpoolP512r1"])
def test_bare_points(tmp_path: Path, name: str, form: str) -> None:
    """A point is told by its equation, in whatever form a library keeps it."""
    key = keys.ec_key(name)
    point = SPELLED[form](key, key.field_bytes, CURVES[name].p)
    numbers = [noise.uniform(key.field_bytes, at) for at in range(40)]
    numbers[17] = key.d.to_bytes(key.field_bytes, "little")
    data = b"".join(struct.pack("<2Q", 0, 0x51) + number for number in numbers)
    (one,) = answers(tmp_path, "ec", data + bytes(64) + point + bytes(64))
    assert isinstance(one, Candidate)
    assert one.fingerprint.value == key.spki_sha256


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from(sorted(keys.CURVES)),
    st.sampled_from(["little", "big"]),
    st.integers(0, 4),
    st.integers(0, 7),
)
def test_a_scalar_at_any_edge(
    tmp_path: Path, name: str, order: str, behind: int, shift: int
) -> None:
    """Where its key was read, at the beginning of a run or at the end of one, at any address."""
    key, size = keys.ec_key(name), keys.ec_key(name).field_bytes
    scalar = key.d.to_bytes(size, "big" if order == "big" else "little")
    whole = scalar + bytes(-size % 8) if order == "little" else bytes(-size % 8) + scalar
    more = noise.uniform(8 * behind, 3)
    pieces = (whole, more) if shift % 2 else (more, whole)
    data = bytes(64 + 8 * shift) + b"".join(pieces) + bytes(64)
    one, *rest = answers(tmp_path, "ec", data, known.read(encodings.spki_der(key), "key"))
    assert isinstance(one, Candidate)
    assert (one.fingerprint.value, rest) == (key.spki_sha256, [])


def test_what_is_left_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a public key was read, and never where none was: with both counts, and its curve."""
    monkeypatch.setattr(ec_edges, "MOST", dict.fromkeys(ec_edges.MOST, 100))
    monkeypatch.setattr(edwards_edges, "MOST", 100)
    for kind, other in (("P-256", keys.ec_key("P-256")), ("ed25519", keys.okp_key("ed25519"))):
        public = known.read(encodings.spki_der(other), "key")
        name = SEARCH.get(kind, "ec")
        crowd = crowds.crowd(kind, COUNT, index=COUNT - 1, public="none")
        data = crowd.written.data
        assert answers(tmp_path, name, data) == []
        (told,) = answers(tmp_path, name, data, public)
        assert isinstance(told, Fault)
        assert told.code == "limit-effort"
        left, every = map(int, re.findall(r"^(\d+) of (\d+) numbers of 32 bytes", told.text)[0])
        assert COUNT <= every <= COUNT + 2
        assert every - left == 100
        assert kind in told.text
        assert "--deep" in told.text
        (one,) = answers(tmp_path, name, data, public, deep=True)
        assert isinstance(one, Candidate)
        assert one.fingerprint.value == crowd.key.spki_sha256


def test_the_verdict_of_what_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dump with numbers that were not tried is incomplete."""
    monkeypatch.setattr(ec_edges, "MOST", dict.fromkeys(ec_edges.MOST, 100))
    path = tmp_path / "dump"
    path.write_bytes(crowds.crowd("P-256", COUNT, public="other").written.data)
    request = ScanRequest(path=str(path), in_process=True, rules=RULES)
    (scan,) = scanning.scan_all(request, Silence())
    report = policy.judge(scan, correlate.findings(scan, RULES))
    assert report.verdict is Verdict.INCOMPLETE
    assert {reason.code for reason in report.reasons} == {"limit-effort"}


def primes(key: keys.RsaKey, more: Sequence[int]) -> bytes:
    """Lay numbers down in objects of their own."""
    return b"".join(
        struct.pack("<2Q", 0, 0x111) + number.to_bytes(-(-number.bit_length() // 8), "little")
        for number in (key.p, key.q, *more)
    ) + bytes(64)


def test_a_product_of_two_of_four_primes_is_no_key(tmp_path: Path) -> None:
    """OpenSSL keeps such products of a key of more primes; its own modulus is a multiple."""
    one, other = keys.rsa_key(2048), keys.rsa_key(2048, label="other")
    data = primes(one, [one.n])
    (key,) = answers(tmp_path, "rsa", data)
    assert isinstance(key, Candidate)
    assert (key.n, key.e_assumed) == (one.n, True)
    known_key = replace(*known.read(encodings.spki_der(one), "key"), n=one.n * other.n, bits=4096)
    assert answers(tmp_path, "rsa", data, [known_key]) == []
