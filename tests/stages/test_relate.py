"""Numbers are related within a section of the pool; the likeliest scalars, across all of them."""

import pickle
import struct
from pathlib import Path

import pytest

from fixtures import containers, encodings, keys, noise
from scanner import known
from scanner.detect.integers import pool
from scanner.detect.integers.runs import chosen, gather, join
from scanner.detect.register import Registrar
from scanner.detect.relations.rsa import shelf
from scanner.dump.windows import cut
from scanner.engine import proving, scanning
from scanner.engine.scanning import ScanRequest
from scanner.model import Candidate, Fault
from scanner.progress import Silence
from scanner.stages import session as stage
from scanner.stages.relate import MODULI, POINTS, SCALARS, SHARED, distinct, likely, relate
from scanner.stages.session import Session, Target
from scanner.stages.sweep import sweep
from tests.detect.relations.rsa import test_waste as waste_tests
from tests.stages.shipped import RULES, compiled

SECTION = 1 << 16
PARTED = 3 * SECTION // 2
"""Random bytes between a scalar and its point, in chunks: more than a section here holds."""


def chunk(data: bytes) -> bytes:
    """Put an object behind its size, as glibc does."""
    return struct.pack("<Q", len(data) + 8 | 1) + data


BETWEEN = b"".join(chunk(noise.uniform(504, at)) for at in range(PARTED // 512))


@pytest.mark.parametrize(
    ("detector", "kind", "late"), [("ec", "P-384", True), ("edwards", "ed25519", False)]
)
def test_a_public_half_in_another_section(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, detector: str, kind: str, *, late: bool
) -> None:
    """A scalar that an allocator's size announces is found, however far from it its point is."""
    monkeypatch.setattr(pool, "SECTION", SECTION)
    if detector == "ec":
        key = keys.ec_key(kind)
        halves = [key.d.to_bytes(48, "big") + bytes(8), key.x.to_bytes(48, "big") + bytes(8)]
    else:
        okp = keys.okp_key(kind)
        public = okp.private_key.public_key().public_bytes_raw()
        halves = [okp.seed + bytes(8), public + bytes(8)]
    first, last = halves[::-1] if late else halves
    found, sections = related(tmp_path, detector, chunk(first) + BETWEEN + chunk(last))
    assert sections > 2
    assert {(one.algorithm, one.places[0].size) for one in found} == {
        ("ec" if detector == "ec" else kind, len(halves[0]) - 8)
    }


def related(folder: Path, detector: str, data: bytes) -> tuple[list[Candidate], int]:
    """Return what a relation finds in bytes, and in how many sections."""
    answers, sections = answered(folder, detector, data)
    return [one for one in answers if isinstance(one, Candidate)], sections


def answered(folder: Path, detector: str, data: bytes) -> tuple[list[Candidate | Fault], int]:
    """Return what a relation says of bytes, and in how many sections."""
    path = folder / "file"
    path.write_bytes(data)
    session = Session(
        Target(path=str(path), rules=RULES, anchors=compiled(), spool_dir=str(folder))
    )
    tasks = cut(stage.survey(session).space_map)
    runs = join(gather([sweep(session, task).runs for task in tasks]))
    parts = list(pool.sections(chosen(runs, distinct(session, runs)[1])))
    shared = [likely(session, part, len(parts)) for part in parts]
    cuts = [pool.merged((part, *shared)) for part in parts]
    return [one for part in cuts for one in relate(session, detector, part, ())], len(cuts)


def test_what_a_relation_gives_up_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what it had found until then is told."""
    monkeypatch.setattr(shelf, "WASTED", 0)
    key = keys.rsa_key(2048)
    data = waste_tests.laid([key.p, key.q, key.n, *waste_tests.multiples()])
    (found, fault), _ = answered(tmp_path, "rsa", data)
    assert isinstance(found, Candidate)
    assert found.n == key.n
    assert isinstance(fault, Fault)
    assert fault.code == "limit-effort"


def test_a_modulus_in_another_section(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both primes are here, and their product anywhere: seen in Deno, with a key it had made."""
    monkeypatch.setattr(pool, "SECTION", SECTION)
    key = keys.rsa_key(2048)
    n, p, q = (encodings.little_limbs(number) for number in (key.n, key.p, key.q))
    primes = chunk(p + bytes(8)) + chunk(q + bytes(8))
    found, sections = related(tmp_path, "rsa", primes + BETWEEN + chunk(n + bytes(8)))
    assert sections > 1
    assert {one.n for one in found} == {key.n}


def test_a_compressed_point_in_another_section(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is as long as its length says, and others are as likely to be the scalar: Node.js's."""
    monkeypatch.setattr(pool, "SECTION", SECTION)
    key = keys.ec_key("P-384")
    point = struct.pack("<QB", 49, 2 + key.y % 2) + key.x.to_bytes(48, "big") + bytes(15)
    numbers = [noise.uniform(48, at) for at in range(80)] + [key.d.to_bytes(48, "big")]
    scalars = b"".join(chunk(number + bytes(8)) for number in numbers)
    found, sections = related(tmp_path, "ec", scalars + BETWEEN + point)
    assert sections > 1
    assert {one.fingerprint.value for one in found} == {key.spki_sha256}


def test_what_all_sections_look_at_grows_not_with_their_number(tmp_path: Path) -> None:
    """Of many sections each gives few, so that no section has more of others than of its own."""
    path = tmp_path / "file"
    path.write_bytes(b"".join(chunk(noise.uniform(40, at)) for at in range(500)) + bytes(64))
    session = Session(
        Target(path=str(path), rules=RULES, anchors=compiled(), spool_dir=str(tmp_path))
    )
    (task,) = cut(stage.survey(session).space_map)
    runs = join(sweep(session, task).runs)
    counts = [len(likely(session, runs, sections)) for sections in (1, 2, 64, 1 << 20)]
    assert counts[0] == counts[1] > counts[2] > counts[3] > 0
    assert counts[2] * 64 <= SHARED * len(SCALARS + MODULI + POINTS)


def test_public_keys_may_come_pickled(tmp_path: Path) -> None:
    """What is found is the same, and each of two sets of keys is told from the other."""
    one, other = keys.ec_key("P-256", label="relate"), keys.ec_key("P-256", label="relate again")
    path = tmp_path / "file"
    path.write_bytes(chunk(one.d.to_bytes(32, "big") + bytes(8)) + bytes(64))
    session = Session(
        Target(path=str(path), rules=RULES, anchors=compiled(), spool_dir=str(tmp_path))
    )
    (task,) = cut(stage.survey(session).space_map)
    runs = join(sweep(session, task).runs)
    part = chosen(runs, distinct(session, runs)[1])
    for key in (one, other, one):
        met = Registrar()
        met.add(*known.read(encodings.spki_der(key), "key"))
        publics = met.register()
        plain = relate(session, "ec", part, publics)
        assert bool(plain) == (key is one)
        assert plain == relate(session, "ec", part, pickle.dumps(publics))


PRIVATE_FILES = {
    "BCRYPT RSA2": containers.cng_rsa2,
    "BCRYPT RSA3": containers.cng_rsa3,
    "CAPI": encodings.capi_blob,
    "PKCS1": encodings.pkcs1_der,
    "PKCS8": encodings.pkcs8_der,
    "OpenSSH fields": containers.openssh_fields,
    "OpenSSH file": containers.openssh_file,
    "JWK": containers.jwk_private,
}


@pytest.mark.parametrize("form", PRIVATE_FILES)
def test_what_is_not_searched_holds_no_private_number(tmp_path: Path, form: str) -> None:
    """Of public keys whose places are left out, none is as large as its private file."""
    key = keys.rsa_key()
    data = bytes(4096) + PRIVATE_FILES[form](key) + bytes(4096)
    path = tmp_path / "dump"
    path.write_bytes(data)
    request = ScanRequest(path=str(path), jobs=1, in_process=True, raw=True, rules=RULES)
    left_out = scanning.scan(request, Silence()).publics.places(proving.READ)
    private = [
        number.to_bytes(256, order).strip(b"\0")
        for number in (key.p, key.q, key.d)
        for order in ("big", "little")
    ]
    for first, end in zip(left_out.start.tolist(), left_out.end.tolist(), strict=True):
        assert not any(number in data[first:end] for number in private)


def test_a_damaged_blob_is_searched_for_its_numbers(tmp_path: Path) -> None:
    """The place of a public key may be a private blob: one prime in it is still a key."""
    key = keys.rsa_key()
    blob = containers.cng_rsa2(key)
    p = key.p.to_bytes(128, "big")
    assert p in blob
    path = tmp_path / "dump"
    path.write_bytes(bytes(4096) + blob.replace(p, bytes(8) + p[8:]) + bytes(4096))
    request = ScanRequest(path=str(path), jobs=1, in_process=True, rules=RULES)
    found = scanning.scan(request, Silence()).candidates
    assert key.spki_sha256 in {one.fingerprint.value for one in found if one.rule == "rsa-limbs"}
