"""A place outside of the dump makes a scan ``incomplete``, and costs none of its other findings."""

import json
from pathlib import Path

import pytest

from fixtures import elfcore, encodings, keys
from scanner.dump import space
from scanner.engine import placed
from scanner.model import Candidate, Confidence, Fault, Fingerprint, Layout, Place, Witness
from scanner.stages.calls import Proofs, Sighting
from tests import poison
from tests.test_gate import keysift, whole

SPACES = space.build(Layout(format="raw"), 1000)[0]
NAME = Fingerprint(kind="spki-sha256", value="0" * 64)
INSIDE, ACROSS, BEFORE = (Place(space=0, offset=at, size=100) for at in (900, 950, -40))
BEYOND, NOWHERE = Place(space=0, offset=1000, size=8), Place(space=7, offset=0, size=8)


def candidate(*places: Place, roles: tuple[str, ...] = ()) -> Candidate:
    """Return a candidate at some places."""
    return Candidate(
        rule="rsa-limbs",
        kind="private-key",
        algorithm="rsa",
        encoding="limbs-le",
        confidence=Confidence.PROOF,
        proof="p*q = n",
        fingerprint=NAME,
        bits=2048,
        places=places,
        roles=roles,
    )


@pytest.mark.parametrize(
    ("places", "kept", "roles"),
    [
        ((INSIDE,), (INSIDE,), "p"),
        ((ACROSS,), (Place(space=0, offset=950, size=50),), "p"),
        ((BEFORE, INSIDE), (Place(space=0, offset=0, size=60), INSIDE), "pq"),
        ((BEYOND, INSIDE), (INSIDE,), "q"),
        ((NOWHERE, INSIDE), (INSIDE,), "q"),
        ((BEYOND,), (), ""),
        ((Place(space=-1, offset=0, size=8),), (), ""),
    ],
)
def test_what_lies_in_the_dump_is_kept(
    places: tuple[Place, ...], kept: tuple[Place, ...], roles: str
) -> None:
    """Of places what lies in the dump stays, with its role; anything else is a fault."""
    faults: list[Fault] = []
    found = candidate(*places, roles=tuple("pq"[: len(places)]))
    good = candidate(INSIDE)
    result = placed.proofs(SPACES, Proofs(candidates=(found, good)), faults)
    assert result.candidates[-1] is good
    held = result.candidates[:-1]
    assert [one.places for one in held] == ([kept] if kept else [])
    assert [one.roles for one in held] == ([tuple(roles)] if kept else [])
    assert [fault.code for fault in faults] == ([] if kept == places else ["misplaced"])
    for one in held:
        for place in one.places:
            assert space.extents(SPACES, place)


def test_witnesses_and_sightings() -> None:
    """A witness whose place is nowhere bears witness still; a sighting there is none."""
    faults: list[Fault] = []
    witness = Witness(kind="certificate", fingerprint=NAME, subject="CN=a", place=NOWHERE)
    result = placed.proofs(SPACES, Proofs(candidates=(), witnesses=(witness,)), faults)
    assert [(one.subject, one.place) for one in result.witnesses] == [("CN=a", None)]
    seen = [
        Sighting(fingerprint=NAME.value, encoding="p limbs-le", place=place)
        for place in (BEYOND, INSIDE)
    ]
    assert placed.sightings(SPACES, seen, faults) == (seen[1],)
    assert [fault.code for fault in faults] == ["misplaced"] * 2


_MISPLACED = """
import dataclasses
import scanner.detect.asn1.keys as keys
made = keys.candidate
def candidate(parsed, rule, encoding, places):
    found = made(parsed, rule, encoding, places)
    if found.algorithm != "ed25519":
        return found
    places = tuple(dataclasses.replace(place, space=99) for place in places)
    return dataclasses.replace(found, places=places)
keys.candidate = candidate
"""

_MISLED = """
import scanner.detect.asn1.keys as keys
from scanner.detect.algebra.material import Okp
made = keys.candidate
def candidate(parsed, rule, encoding, places):
    if isinstance(parsed.material, Okp):
        from scanner.errors import Unmapped
        raise Unmapped("no byte")
    return made(parsed, rule, encoding, places)
keys.candidate = candidate
"""


@pytest.mark.parametrize(("body", "code"), [(_MISPLACED, "misplaced"), (_MISLED, "unmapped")])
def test_the_other_findings_stay(tmp_path: Path, body: str, code: str) -> None:
    """A detector that names no place of the dump, or reads there, hides no other key."""
    rsa, okp = keys.rsa_key(2048), keys.okp_key("ed25519")
    folder = poison.folder(tmp_path, "scanner.detect.texts.pem", body)
    for secrets, exit_code, kinds in (((rsa, okp), 1, ["rsa"]), ((okp,), 3, [])):
        data = bytes(64) + bytes(64).join(map(encodings.pkcs8_der, secrets)) + bytes(64)
        path = tmp_path / "core"
        path.write_bytes(elfcore.write([elfcore.Segment(address=0x10000, data=data)]).data)
        done = keysift("scan", path, "-f", "json", "-j", "1", poisoned=folder)
        assert done.returncode == exit_code, whole(done)
        (dump,) = json.loads(done.stdout)["dumps"]
        assert [one["algorithm"] for one in dump["findings"]] == kinds
        assert code in {fault["code"] for fault in dump["coverage"]["faults"]}
