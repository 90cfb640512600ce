"""Public keys as columns."""

import pickle
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fixtures import keys
from scanner.detect import register
from scanner.detect.algebra import publics
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.register import Register, Registrar
from scanner.model import Place


def at(key: PublicKey, place: Place | None) -> PublicKey:
    """Say where a key was read."""
    return replace(key, witness=replace(key.witness, place=place))


RSA, P256, P521 = keys.rsa_key(), keys.ec_key("P-256"), keys.ec_key("P-521")
FORMS = (
    lambda kind, place: publics.rsa(RSA.n, RSA.e, kind=kind, place=place),
    lambda kind, place: publics.rsa(RSA.n - 2, 1 << 40 | 1, kind=kind, place=place),
    lambda kind, place: publics.ec("P-256", P256.x, P256.y, kind=kind, place=place),
    lambda kind, place: publics.ec("P-521", P521.x, P521.y, kind=kind, place=place),
    lambda kind, place: publics.okp("ed25519", bytes(range(32)), kind=kind, place=place),
    lambda kind, place: publics.okp("x448", bytes(range(56)), kind=kind, place=place),
    lambda kind, place: at(publics.ffc("dsa", 1 << 1024 | 7, 99, 5, 6, kind=kind), place),
    lambda kind, place: at(publics.ffc("dhx", 1 << 1024 | 7, 9, 5, 6, kind=kind, more=b"m"), place),
    lambda kind, place: at(publics.ffc("dh", 1 << 2047 | 7, 0, 2, 1 << 2046, kind=kind), place),
)
PLACES = st.none() | st.builds(
    Place, space=st.integers(0, 2), offset=st.integers(0, 1 << 60), size=st.integers(1, 5000)
)
KEYS = st.builds(
    lambda form, kind, place: form(kind, place),
    st.sampled_from(FORMS),
    st.sampled_from(("certificate", "public-key", "ssh", "known")),
    PLACES,
)
HITS = st.tuples(st.integers(0, 99), st.integers(0, 2), st.integers(0, 1 << 60))


def gathered(*met: tuple[PublicKey, tuple[int, int, int]]) -> Register:
    """Return the register of keys that were met at hits."""
    registrar = Registrar()
    for key, hit in met:
        registrar.add(key, hit)
    return registrar.register()


def name(key: PublicKey) -> str:
    """Return its fingerprint."""
    return key.witness.fingerprint.value


def test_what_names_alone_is_no_key_to_look_for() -> None:
    """It is asked what a key is called, and whoever is met later is looked for."""
    place = Place(space=0, offset=64, size=999)
    text = publics.rsa(RSA.n, RSA.e, kind="certificate", place=place)
    other = publics.ec("P-256", P256.x, P256.y, kind="certificate", place=place)
    registrar = Registrar()
    registrar.add(text, (7, 0, 64), names=True)
    registrar.add(other, (8, 0, 2000))
    whole = registrar.register()
    assert list(whole) == [other]
    assert list(whole.of(("rsa",))) == []
    assert whole.hits({name(text)}).tolist() == [[7, 0, 64]]
    assert name(text) not in registrar
    registrar.add(text, (9, 0, 3000))
    assert list(registrar.register().of(("rsa",))) == [text]
    assert registrar.register().hits({name(text)}).tolist() == [[7, 0, 64], [9, 0, 3000]]


def test_what_was_derived_gives_way_to_what_was_read() -> None:
    """Seen in ECL: a public key in text of four bytes a character, then the same in ASCII."""
    place = Place(space=0, offset=64, size=999)
    bare = publics.ec("P-256", P256.x, P256.y, kind="public-key")
    whole = publics.ec("P-256", P256.x, P256.y, kind="certificate")
    for again in (at(bare, place), publics.nowhere(at(bare, place)), whole):
        (one,) = gathered((bare, (1, 0, 8)), (again, (1, 0, 64)), (bare, (1, 0, 70)))
        assert one == again
        assert one.independent
        assert one.x == P256.x


@given(st.lists(st.tuples(KEYS, HITS), max_size=12))
def test_each_key_comes_back_once(met: list[tuple[PublicKey, tuple[int, int, int]]]) -> None:
    """Each as it was met first, in that order; those of some algorithms too, after a pickle.

    One that was derived counts from where it was read.
    """
    first: dict[str, PublicKey] = {}
    for key, _ in met:
        if name(key) in first and key.independent and not first[name(key)].independent:
            del first[name(key)]
        first.setdefault(name(key), key)
    whole = gathered(*met)
    assert list(whole) == list(first.values())
    for some in (("rsa",), ("ec",), ("ed25519", "x448"), ()):
        part = pickle.loads(pickle.dumps(whole.of(some)))  # noqa: S301 - our own
        assert list(part) == [key for key in first.values() if key.algorithm in some]
        assert list(part) == list(part)


@given(st.lists(st.tuples(KEYS, HITS), max_size=12))
def test_hits_lead_to_who_has_a_name(met: list[tuple[PublicKey, tuple[int, int, int]]]) -> None:
    """Those of the keys that are asked for, in order, and no bare key's."""
    wanted = {name(key) for key, _ in met[::2]}
    hits = gathered(*met).hits(wanted)
    assert [tuple(hit) for hit in hits.tolist()] == [
        hit for key, hit in met if name(key) in wanted and key.witness.kind != publics.BARE
    ]


def test_hits_are_bounded() -> None:
    """A certificate that stands in a dump a thousand times is read again a few hundred times."""
    key, other = FORMS[2]("certificate", None), FORMS[2]("ssh", None)
    many = gathered(*((key, (1, 0, at)) for at in range(1000)), (other, (2, 0, 5)))
    hits = many.hits({name(key)}).tolist()
    assert hits == [*([1, 0, at] for at in range(register.MOST_HITS)), [2, 0, 5]]


def test_a_bare_key_in_its_certificate_is_no_other_witness() -> None:
    """But one of another key is, and one behind it."""
    certificate = FORMS[0]("certificate", Place(space=0, offset=100, size=900))
    bare = FORMS[0](publics.BARE, Place(space=0, offset=300, size=294))
    other = FORMS[2](publics.BARE, Place(space=0, offset=600, size=91))
    behind = FORMS[0](publics.BARE, Place(space=0, offset=2000, size=294))
    met = [(key, (0, 0, 0)) for key in (certificate, bare, other, behind)]
    assert gathered(*met).place[:, 1].tolist() == [100, 600, 2000]


def test_places() -> None:
    """Of some kinds, and only where there is one."""
    met = [
        (FORMS[0]("certificate", Place(space=1, offset=10, size=5)), (0, 1, 10)),
        (FORMS[1]("certificate", None), (0, 1, 10)),
        (FORMS[2]("ssh", Place(space=0, offset=7, size=9)), (1, 0, 7)),
    ]
    runs = gathered(*met).places({"certificate", "jwk"})
    assert (runs.space.tolist(), runs.start.tolist(), runs.end.tolist()) == ([1], [10], [15])


def test_places_outside_of_the_dump() -> None:
    """What lies in the dump of each is kept, and what does not lie whole in it is counted."""
    places = [(0, 10, 5), (0, 98, 5), (0, 100, 5), (1, 0, 1), (9, 0, 1), None]
    met = [
        (
            FORMS[2]("ssh", None if p is None else Place(space=p[0], offset=p[1], size=p[2])),
            (0, 0, 0),
        )
        for p in places
    ]
    cut, bad = gathered(*met).within(np.array([100, 1]))
    assert bad == 3
    assert cut.place.tolist() == [
        [0, 10, 5],
        [0, 98, 2],
        [-1, -1, -1],
        [1, 0, 1],
        [-1, -1, -1],
        [-1, -1, -1],
    ]
