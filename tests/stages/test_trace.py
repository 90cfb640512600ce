"""Copies of keys are traced: all of them, and at a cost that grows with the dump alone."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures import encodings, keys, noise
from scanner import rules
from scanner.cli import console
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.keys import Proved
from scanner.detect.integers import readings
from scanner.detect.locked.sealed import Sealed
from scanner.engine import scanning
from scanner.engine.scanning import ScanRequest
from scanner.model import Candidate
from scanner.stages import trace
from scanner.stages.calls import TOKENS
from scanner.stages.session import Session
from scanner.stages.trace import MOST_SHARED

HALF = 16
"""Bytes of a seed that are another's, too."""


def test_what_many_keys_share_is_told_of_a_few_alone(tmp_path: Path) -> None:
    """A dump of keys that share their bytes has no table of each key at each other's place."""
    count = 5 * MOST_SHARED
    common = noise.uniform(HALF, 77)
    seeds = [noise.uniform(HALF, 100 + number) + common for number in range(count)]
    made = [
        encodings.okp_pkcs8_der(
            keys.OkpKey(label=str(number), algorithm="ed25519", seed=seed, public=b""),
            with_public=False,
        )
        for number, seed in enumerate(seeds)
    ]
    data = bytearray(1 << 16)
    for number, der in enumerate(made):
        at = 1024 * (number + 1)
        data[at : at + len(der)] = der
    path = tmp_path / "dump"
    path.write_bytes(data)
    request = ScanRequest(path=str(path), jobs=1, in_process=True, rules=rules.load())
    with console.progress(str(path), quiet=True, color=False) as progress:
        scan = scanning.scan(request, progress)
    assert len({one.fingerprint.value for one in scan.candidates}) == count
    assert len(scan.sightings) <= (MOST_SHARED + 1) * count
    covered = {
        offset
        for sighting in scan.sightings
        for offset in range(sighting.place.offset, sighting.place.offset + sighting.place.size)
    }
    for seed in seeds:
        at = data.index(seed)
        assert covered.issuperset(range(at, at + len(seed)))


def test_compiled_or_not_the_same_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether pieces are compiled or looked up word by word, in a dump that is swept whole."""
    key = keys.rsa_key(label="traced")
    forms = (
        encodings.pkcs8_pem(key),
        encodings.little_limbs(key.p),
        encodings.big_endian(key.d)[5:50],
        f"{key.q:x}".encode(),
    )
    path = tmp_path / "dump"
    path.write_bytes(b"\x01\0\0".join((bytes(37), *forms, bytes(9))))
    ours = [rule for rule in rules.load() if rule.detector != TOKENS]
    request = ScanRequest(path=str(path), jobs=1, in_process=True, rules=tuple(ours), thorough=True)
    seen = []
    for cost in (0, 1 << 40):
        monkeypatch.setattr(trace, "_COMPILED", cost)
        with console.progress(str(path), quiet=True, color=False) as progress:
            seen.append(scanning.scan(request, progress).sightings)
    assert seen[0] == seen[1]
    assert {sighting.encoding for sighting in seen[0]} >= {
        "p limbs-le",
        "q hex",
        "d bytes-be (part)",
    }


def test_copies_in_cells_whatever_is_behind_their_tags(tmp_path: Path) -> None:
    """Seen in phpseclib: copies of digits in memory that was used before."""
    key = keys.rsa_key(label="traced")
    (how,) = (how for how in readings.LITTLE_ENDIAN if how.name == "zval-26")
    p, q, d = (
        readings.encode(how, number, number.bit_length()) for number in (key.p, key.q, key.d)
    )
    used = b"".join(d[at : at + 12] + b"3031" for at in range(0, len(d), 16))
    n = encodings.little_limbs(key.n)
    path = tmp_path / "dump"
    path.write_bytes(b"".join(bytes(64) + part for part in (n, p, q, d, used)) + bytes(64))
    for thorough in (False, True):
        request = ScanRequest(
            path=str(path), jobs=1, in_process=True, rules=rules.load(), thorough=thorough
        )
        with console.progress(str(path), quiet=True, color=False) as progress:
            sightings = scanning.scan(request, progress).sightings
        whole = [one.place.size for one in sightings if one.encoding == "d zval-26"]
        assert whole == [len(d), len(used)]


def test_a_text_of_many_keys_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that one gzip member holds are proved again together, not each with all others."""
    seeds = [noise.uniform(32, 900 + number) for number in range(5)]
    made = [keys.OkpKey(label="many", algorithm="ed25519", seed=s, public=b"") for s in seeds]
    ders = [encodings.okp_pkcs8_der(key, with_public=False) for key in made]
    path = tmp_path / "dump"
    path.write_bytes(bytes(64) + gzip.compress(b"".join(ders), mtime=0) + bytes(64))
    again: list[Candidate] = []
    inner = trace.examined

    def counted(session: Session, candidate: Candidate) -> Iterator[Proved | PublicKey | Sealed]:
        again.append(candidate)
        return inner(session, candidate)

    monkeypatch.setattr(trace, "examined", counted)
    request = ScanRequest(path=str(path), jobs=1, in_process=True, rules=rules.load())
    with console.progress(str(path), quiet=True, color=False) as progress:
        scan = scanning.scan(request, progress)
    assert len({one.fingerprint.value for one in scan.candidates}) == len(seeds)
    assert len(again) == 1
