"""Candidates to findings: one key one finding, its places told once, and nothing hangs on order."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner import correlate, rules
from scanner.detect.asn1.keys import SEC1_WITHIN
from scanner.detect.integers.runs import gather
from scanner.detect.register import Registrar
from scanner.dump import space
from scanner.engine.scanning import Scan
from scanner.model import (
    NONCE,
    Candidate,
    Confidence,
    Content,
    Coverage,
    Finding,
    Fingerprint,
    Layout,
    Module,
    Place,
    Region,
    Severity,
    Witness,
)
from scanner.published import Published
from scanner.stages.calls import Sighting

RULES = rules.load()
LIMBS, PEM = "rsa-limbs", "private-key-pem"
FILE_SIZE = 4096
LAYOUT = Layout(
    format="elfcore",
    regions=(
        Region(start=0x1000, size=1024, file_offset=0, perms="rw"),
        Region(start=0x1400, size=1024, file_offset=2048, perms="rw"),  # adjoins in address alone
        Region(start=0x9000, size=1024, file_offset=0, perms="r"),  # the first one's bytes again
    ),
    modules=(Module(start=0x1400, size=1024, name="/usr/lib/libexample.so"),),
)
MAP, _ = space.build(LAYOUT, FILE_SIZE)
BARE = int(MAP.addressed.sum())
"""The first space without addresses; it begins at file offset 1024."""


def candidate(
    *places: Place,
    rule: str = PEM,
    key: str = "a",
    algorithm: str = "rsa",
    encoding: str = "PKCS8-PEM",
    confidence: Confidence = Confidence.PROOF,
    e_assumed: bool = False,
) -> Candidate:
    """Make a candidate of a key that has a letter for a name."""
    return Candidate(
        rule=rule,
        kind="private-key",
        algorithm=algorithm,
        encoding=encoding,
        confidence=confidence,
        proof="p*q = n" if confidence is Confidence.PROOF else "",
        fingerprint=fingerprint(key),
        bits=2048,
        places=places,
        e_assumed=e_assumed,
    )


def fingerprint(key: str) -> Fingerprint:
    """Name a key."""
    return Fingerprint(kind="spki-sha256", value=key * 64)


def sighting(place: Place, key: str = "a", encoding: str = "p limbs-le") -> Sighting:
    """Make a sighting."""
    return Sighting(fingerprint=fingerprint(key).value, encoding=encoding, place=place)


def witness(kind: str, key: str = "a", **fields: str) -> Witness:
    """Make a witness."""
    return Witness(kind=kind, fingerprint=fingerprint(key), **fields)  # type: ignore[arg-type]


def at(offset: int, size: int, number: int = 0) -> Place:
    """Make a place in a space."""
    return Place(space=number, offset=offset, size=size)


def findings(
    candidates: Sequence[Candidate],
    sightings: Sequence[Sighting] = (),
    witnesses: Sequence[Witness] = (),
) -> tuple[Finding, ...]:
    """Correlate."""
    scan = Scan(
        path="core",
        size=FILE_SIZE,
        sha256="",
        content=Content(layers=(), size=FILE_SIZE, sha256=""),
        layout=LAYOUT,
        space_map=MAP,
        candidates=tuple(candidates),
        sightings=tuple(sightings),
        runs=gather(()),
        witnesses=tuple(witnesses),
        publics=Registrar().register(),
        coverage=Coverage(
            file_bytes=FILE_SIZE, scanned_bytes=FILE_SIZE, regions=3, gaps=(), faults=()
        ),
        raw=False,
    )
    return correlate.findings(scan, RULES)


def spans(finding: Finding) -> list[list[tuple[int, int]]]:
    """Return the file ranges of each occurrence."""
    return [
        [(e.file_offset, e.file_offset + e.size) for e in occurrence.extents]
        for occurrence in finding.occurrences
    ]


# --- one key, one finding -----------------------------------------------------------------------


def test_a_key_is_one_finding() -> None:
    """Candidates of one key make one finding, with the strongest confidence and its proof."""
    weak = candidate(at(0, 10), confidence=Confidence.STRUCTURE)
    strong = candidate(at(100, 10), at(200, 10), rule=LIMBS, encoding="limbs-le")
    (finding,) = findings([weak, strong])
    assert (finding.confidence, finding.proof) == (Confidence.PROOF, "p*q = n")
    assert finding.rule == LIMBS
    assert spans(finding) == [[(0, 10)]]


def test_e_is_assumed_only_where_nobody_says_it() -> None:
    """An exponent that one candidate read is not assumed."""
    assumed = candidate(at(0, 10), rule=LIMBS, e_assumed=True)
    read = candidate(at(50, 10), confidence=Confidence.STRUCTURE)
    assert findings([assumed])[0].public.e_assumed
    assert not findings([assumed, read])[0].public.e_assumed


def test_scattered_parts_stand_where_nothing_else_does() -> None:
    """The parts of a scattered key are one occurrence, unless all its numbers were sighted."""
    parts = candidate(at(100, 10), at(200, 10), rule=LIMBS)
    assert spans(findings([parts])[0]) == [[(100, 110), (200, 210)]]
    seen = [sighting(at(100, 10)), sighting(at(300, 10))]
    assert spans(findings([parts], seen)[0]) == [[(100, 110)], [(300, 310)]]


# --- names and severity -------------------------------------------------------------------------


def test_names() -> None:
    """Certificates, SSH, JWK, the operator and key files name a key; a bare public key does not."""
    limbs = candidate(at(0, 10), rule=LIMBS)
    kinds = ("known", "certificate", "jwk", "ssh", "public-key", "certificate")
    assert findings([limbs])[0].names == ()
    assert findings([limbs], (), [witness("public-key")])[0].names == ()
    assert findings([limbs], (), [witness("certificate", "b")])[0].names == ()
    named = findings([limbs], (), [witness(kind) for kind in kinds])[0]
    assert named.names == ("certificate", "jwk", "known", "ssh")
    assert findings([candidate(at(0, 10))])[0].names == ("key-file",)


def test_what_no_file_holds_names_nothing() -> None:
    """An ECPrivateKey without its curve is what the JDK keeps in an object: a handshake's, too."""
    bare = candidate(at(0, 39), rule="sec1-der", algorithm="ec", encoding=SEC1_WITHIN)
    whole = candidate(at(0, 138), rule="pkcs8-der", algorithm="ec", encoding="PKCS8-DER")
    assert findings([bare])[0].names == ()
    assert findings([bare])[0].severity is Severity.CRITICAL
    assert findings([bare, whole])[0].names == ("key-file",)


def test_the_product_of_the_primes_is_told_where_it_closed() -> None:
    """Seen in exim: n stood elsewhere, and what was read of the file had no n."""
    part = replace(candidate(at(0, 10), rule="headless-text"), proof="e*dp = 1 mod p-1")
    whole = candidate(at(100, 10), rule=LIMBS)
    assert findings([part])[0].proof == "e*dp = 1 mod p-1"
    assert findings([part, whole])[0].proof == findings([whole, part])[0].proof == "p*q = n"


def test_a_nonce_stands_behind_the_places_of_the_key_that_signed() -> None:
    """It is no key of its own, unless somebody names it, or nobody found who signed."""
    own = candidate(at(400, 32), rule="ec-scalar", encoding="d bytes-be", key="a")
    once = candidate(at(100, 32), rule="ec-scalar", encoding="d limbs-le", key="b")
    once = replace(once, proof=NONCE, more=bytes.fromhex("a" * 64))
    seen = sighting(at(200, 32), key="b", encoding="d bytes-be (part)")
    (found,) = findings([once, own], [seen])
    assert found.fingerprint == own.fingerprint
    assert found.proof == own.proof
    assert [(o.encoding, o.extents[0].file_offset) for o in found.occurrences] == [
        ("d bytes-be", 400),
        ("nonce limbs-le", 100),
        ("nonce bytes-be (part)", 200),
    ]
    assert len(findings([once, own], [seen], [witness("certificate", "b")])) == 2
    assert len(findings([once, replace(once, proof="d*G = Q"), own])) == 2
    (alone,) = findings([once], [seen])
    assert (alone.severity, alone.fingerprint) == (Severity.CRITICAL, once.fingerprint)


def test_a_scalar_whose_curve_is_torn_is_the_key_that_was_proved() -> None:
    """A whole scalar of a proved key in it makes it that key; a part, or other numbers, do not."""
    named, torn = (
        replace(candidate(place, rule="gnupg-private-key", algorithm="ec", key=key), curve=curve)
        for place, key, curve in ((at(0, 32), "a", "P-256"), (at(100, 41), "b", ""))
    )
    torn = replace(
        torn,
        confidence=Confidence.STRUCTURE,
        proof="",
        bits=0,
        fingerprint=Fingerprint(kind="place-sha256", value="ec:1"),
    )
    (one,) = findings([torn, named], [sighting(at(108, 32), encoding="d bytes-be")])
    assert (one.curve, one.confidence, one.bits) == ("P-256", Confidence.PROOF, 2048)
    assert spans(one) == [[(0, 32)], [(100, 141)]]
    for place, encoding, kind in (
        (at(108, 24), "d bytes-be (part)", "ec"),
        (at(110, 32), "d bytes-be", "ec"),
        (at(108, 32), "p bytes-be", "ec"),
        (at(108, 32), "d bytes-be", "rsa"),
    ):
        other = replace(named, algorithm=kind)
        assert len(findings([torn, other], [sighting(place, encoding=encoding)])) == 2


def test_key_agreement_without_a_name() -> None:
    """Numbers of X25519, X448, ML-KEM and DH alone are medium; named or written, critical."""
    agreement = ("x25519", "x448", "ml-kem-512", "ml-kem-768", "ml-kem-1024")
    for algorithm, rule in (
        *itertools.product(agreement, (LIMBS, "x25519-scalar", "ml-kem-key")),
        ("dh", "dh-exponent"),
        ("dhx", "dsa-exponent"),
    ):
        raw = candidate(at(0, 32), rule=rule, algorithm=algorithm)
        written = candidate(at(100, 48), algorithm=algorithm, confidence=Confidence.STRUCTURE)
        assert findings([raw])[0].severity is Severity.MEDIUM
        assert findings([raw], (), [witness("public-key")])[0].severity is Severity.MEDIUM
        assert findings([written])[0].severity is Severity.CRITICAL
        assert findings([raw, written])[0].severity is Severity.CRITICAL
        assert findings([raw], (), [witness("known")])[0].severity is Severity.CRITICAL
    raw = candidate(at(0, 32), rule=LIMBS, algorithm="ed25519")
    assert findings([raw])[0].severity is Severity.CRITICAL


def test_what_a_handshake_sent_is_its_own() -> None:
    """An EC key of which a hello has the point is told apart, and no less grave."""
    raw = candidate(at(0, 32), rule="ec-scalar", algorithm="ec")
    written = candidate(at(100, 48), algorithm="ec", confidence=Confidence.STRUCTURE)
    sent = witness("key-share")
    (found,) = findings([raw], (), [sent, witness("public-key")])
    assert (found.severity, found.names, found.session) == (Severity.CRITICAL, (), True)
    assert not findings([raw])[0].session
    assert not findings([raw, written], (), [sent])[0].session
    assert not findings([raw], (), [sent, witness("certificate")])[0].session


def test_a_file_is_as_grave_as_it_is_alone() -> None:
    """Bare numbers of a key that prove more, under a rule that says less, take nothing away."""
    raw = candidate(at(0, 32), rule="dh-exponent", algorithm="dh")
    written = candidate(at(100, 48), algorithm="dh", confidence=Confidence.STRUCTURE)
    doubted = candidate(at(100, 48), algorithm="dh", confidence=Confidence.SHAPE)
    assert findings([raw])[0].severity is Severity.MEDIUM
    assert findings([raw, doubted])[0].severity is Severity.MEDIUM
    for order in ([raw, written], [written, raw]):
        (found,) = findings(order)
        assert (found.severity, found.confidence) == (Severity.CRITICAL, Confidence.PROOF)


def test_what_is_public() -> None:
    """The certificate that is valid longest gives the labels; a key id comes from who has one."""
    old = witness("certificate", subject="CN=old", serial="1", not_after="2020-01-01T00:00:00Z")
    new = witness("certificate", subject="CN=new", serial="2", not_after="2030-01-01T00:00:00Z")
    key_id = witness("known", kid="k1")
    public = findings([candidate(at(0, 10))], (), [old, key_id, new, old])[0].public
    assert (public.subject, public.serial, public.not_after) == ("CN=new", "2", new.not_after)
    assert public.kid == "k1"
    expired = findings([candidate(at(0, 10))], (), [old])[0]
    assert (expired.public.subject, expired.severity) == ("CN=old", Severity.CRITICAL)


def test_order_of_findings() -> None:
    """Named findings stand before unnamed ones, then by severity, then by place."""
    found = findings(
        [
            candidate(at(0, 10), rule=LIMBS, key="a", algorithm="x25519"),
            candidate(at(20, 10), rule=LIMBS, key="b"),
            candidate(at(60, 10), key="c"),
            candidate(at(40, 10), key="d"),
        ]
    )
    assert [finding.id[0] for finding in found] == ["d", "c", "b", "a"]


# --- occurrences --------------------------------------------------------------------------------


def test_nested_occurrences_fold() -> None:
    """What lies inside another occurrence folds; what only overlaps stays."""
    outer = candidate(at(100, 100))
    inner = [candidate(at(120, 40), encoding="PKCS1-DER"), candidate(at(100, 100))]
    seen = [sighting(at(130, 10)), sighting(at(190, 20)), sighting(at(90, 20))]
    (finding,) = findings([*inner, outer], seen)
    assert spans(finding) == [[(90, 110)], [(100, 200)], [(190, 210)]]
    assert finding.occurrences[1].encoding == "PKCS8-PEM"


def test_an_occurrence_across_regions() -> None:
    """A key across regions is one occurrence, and what lies in either part of it folds."""
    across = candidate(at(1000, 100))  # file 1000 to 1024, then 2048 to 2124
    (finding,) = findings([across], [sighting(at(1010, 30)), sighting(at(1050, 20))])
    assert spans(finding) == [[(1000, 1024), (2048, 2124)]]
    (first, second) = finding.occurrences[0].extents
    assert (first.address, second.address) == (0x1000 + 1000, 0x1400)


def test_the_same_bytes_at_two_addresses() -> None:
    """Bytes of the file that two regions alias are one occurrence, at the lower address."""
    (finding,) = findings([candidate(at(100, 50, 1)), candidate(at(100, 50, 0))])
    (occurrence,) = finding.occurrences
    assert occurrence.extents[0].address == 0x1000 + 100


def test_other_keys_do_not_fold() -> None:
    """One key inside of another's text is a finding of its own."""
    found = findings([candidate(at(100, 100)), candidate(at(120, 10), key="b")])
    assert [spans(finding) for finding in found] == [[[(100, 200)]], [[(120, 130)]]]


def test_labels_of_an_occurrence() -> None:
    """An occurrence says its region and its owner."""
    inside, outside = candidate(at(1030, 10)), candidate(at(0, 10, BARE))
    (finding,) = findings([inside, outside])
    bare, owned = finding.occurrences
    assert (owned.region, owned.owner, owned.state) == ("memory rw", "libexample.so", "unknown")
    assert (bare.region, bare.owner) == ("outside of every region", "")
    assert bare.extents[0].address is None


PLACES = st.builds(
    lambda number, offset, size: at(offset, min(size, int(MAP.size[number]) - offset), number),
    st.integers(0, len(MAP.size) - 1),
    st.integers(0, 1000),
    st.integers(1, 300),
)
CANDIDATES = st.lists(
    st.builds(
        lambda place, key, **fields: candidate(
            place, key=key, algorithm={"a": "rsa", "b": "x25519"}[key], **fields
        ),
        PLACES,
        st.sampled_from("ab"),
        rule=st.sampled_from((LIMBS, PEM)),
        encoding=st.sampled_from(("PKCS8-PEM", "PKCS1-DER")),
        confidence=st.sampled_from((Confidence.PROOF, Confidence.STRUCTURE)),
    ),
    max_size=12,
)
SIGHTINGS = st.lists(st.builds(sighting, PLACES, st.sampled_from("abc")), max_size=12)
WITNESSES = st.lists(
    st.builds(
        witness,
        st.sampled_from(("certificate", "known", "public-key")),
        st.sampled_from("abc"),
        subject=st.sampled_from(("", "CN=x", "CN=y")),
        kid=st.sampled_from(("", "1")),
    ),
    max_size=6,
)


@settings(max_examples=30, deadline=None)
@given(CANDIDATES, SIGHTINGS, WITNESSES, st.randoms())
def test_order_of_input_changes_nothing(
    candidates: list[Candidate],
    sightings: list[Sighting],
    witnesses: list[Witness],
    random: Random,
) -> None:
    """The findings are a function of the sets of candidates, sightings and witnesses."""
    one = findings(candidates, sightings, witnesses)
    for rows in (candidates, sightings, witnesses):
        random.shuffle(rows)
    assert findings(candidates, sightings, witnesses) == one


@settings(max_examples=30, deadline=None)
@given(CANDIDATES, SIGHTINGS)
def test_no_byte_gets_lost(candidates: list[Candidate], sightings: list[Sighting]) -> None:
    """Occurrences cover exactly the bytes of the places, and none lies inside of another."""
    found = {f.fingerprint.value: f for f in findings(candidates, sightings)}
    assert set(found) == {c.fingerprint.value for c in candidates}
    for name, finding in found.items():
        places = [p for c in candidates if c.fingerprint.value == name for p in c.places]
        places += [s.place for s in sightings if s.fingerprint == name]
        wanted = {
            byte
            for place in places
            for e in space.extents(MAP, place)
            for byte in range(e.file_offset, e.file_offset + e.size)
        }
        held = [{b for start, end in row for b in range(start, end)} for row in spans(finding)]
        assert set().union(*held) == wanted
        assert not any(a <= b for i, a in enumerate(held) for j, b in enumerate(held) if i != j)


def test_most_occurrences(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more occurrences than the bound, the first in the file are kept."""
    rows = [candidate(at(10 * k, 5)) for k in range(20)]
    monkeypatch.setattr(correlate, "MOST_OCCURRENCES", 7)
    assert spans(findings(rows)[0]) == [[(10 * k, 10 * k + 5)] for k in range(7)]


# --- published keys -----------------------------------------------------------------------------


def test_published_keys_are_set_aside() -> None:
    """A key of the list is set aside with where it stands; the others count."""
    row = Published(fingerprint="a" * 64, name="RSA 2048", source="A standard.")
    found = findings([candidate(at(0, 10)), candidate(at(50, 10), key="b")])
    counting, aside = correlate.set_aside(found, {row.fingerprint: row})
    assert [f.id[0] for f in counting] == ["b"]
    assert [(f.id[0], f.note) for f in aside] == [("a", "published: A standard.")]
    assert correlate.set_aside(found, {}) == (found, ())
