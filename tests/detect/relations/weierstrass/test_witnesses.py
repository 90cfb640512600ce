"""Points that bear witness: where they stand, and where surely no scalar does."""

from collections.abc import Callable

import pytest

from fixtures import encodings, keys, noise
from scanner.detect.algebra import publics
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.weierstrass import ec, witnesses
from scanner.detect.relations.weierstrass.curves import CURVES, coefficients
from scanner.dump.space import Memory
from scanner.model import Place

MakePool = Callable[..., tuple[Pool, Memory]]


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
def test_both_coordinates_of_a_point_are_taken(make_pool: MakePool, curve: str) -> None:
    """Those in limbs of their own, each wherever it stands, of a point that a certificate has."""
    key = keys.ec_key(curve)
    size = -(-key.field_bytes // 8) * 8
    x, y = (encodings.little_limbs(number, size) for number in (key.x, key.y))
    pool, _ = make_pool(bytes(64) + x + bytes(256) + y + bytes(64))
    known = [publics.ec(curve, key.x, key.y, kind="certificate")]
    met = witnesses.meet(pool, known, ec.MOST)
    assert {place.offset for place in met.taken[curve]} == {64, 64 + size + 256}
    assert 64 in {place.offset for place in met.beside[curve]}
    assert curve in met.spelled


def test_what_may_be_a_compressed_point_takes_nothing(make_pool: MakePool) -> None:
    """It is met, and what is near it likely; but half of all numbers are the x of a point."""
    key = keys.ec_key("P-256")
    x = encodings.big_endian(key.x, 32)
    point = (33).to_bytes(8, "little") + bytes((2 + key.y % 2,)) + x
    data = noise.plant(noise.text(4096, 3), 1024, bytes(16) + point + bytes(16))
    pool, _ = make_pool(data)
    met = witnesses.meet(pool, (), ec.MOST)
    assert met.known["P-256"] == {key.x: key.y}
    place = Place(space=0, offset=1024 + 16 + 9, size=32)
    assert place in met.beside["P-256"]
    assert met.taken["P-256"] == []


def test_a_point_of_a_keys_file_alone_is_parsed(make_pool: MakePool) -> None:
    """It bears no witness, and nothing is beside it."""
    key = keys.ec_key("P-256")
    pool, _ = make_pool(bytes(1024))
    derived = publics.ec("P-256", key.x, key.y, kind="public-key")
    met = witnesses.meet(pool, [derived], ec.MOST)
    assert met.parsed == {("P-256", key.x)}
    assert not met.known["P-256"]


@pytest.mark.parametrize("curve", ["P-256", "P-384"])
def test_limbs_of_a_big_endian_machine_take_nothing_before_them(
    make_pool: MakePool, curve: str
) -> None:
    """Their lowest word is that of a number's bytes, which would begin before it.

    Seen in Mbed TLS on s390x: a live key stood there, right before its point's y.
    """
    key = keys.ec_key(curve)
    d, x, y = (limbs(number, key.field_bytes) for number in (key.d, key.x, key.y))
    size = (0x31).to_bytes(16, "big")
    data = bytes(64) + size + d + size + y + size + x + bytes(64)
    pool, _ = make_pool(data, "big")
    met = witnesses.meet(pool, (), ec.MOST)
    assert met.known[curve] == {key.x: key.y}
    end = data.find(d) + len(d)
    assert all(place.offset >= end for place in met.taken[curve])
    (found,) = ec.search(pool, [])
    assert found.places == (Place(space=0, offset=data.find(d), size=len(d)),)


def test_the_end_of_a_coordinate_takes_its_lowest_word_alone(make_pool: MakePool) -> None:
    """On a big-endian machine nobody knows whether bytes or limbs of it are lost."""
    key = keys.ec_key("P-256")
    known = [publics.ec("P-256", key.x, key.y, kind="certificate")]
    end = encodings.big_endian(key.x, 32)[24:]
    pool, _ = make_pool(bytes(64) + noise.uniform(40, 1) + end + bytes(64), "big")
    met = witnesses.meet(pool, known, ec.MOST)
    assert set(met.taken["P-256"]) == {Place(space=0, offset=104, size=8)}


def limbs(number: int, size: int) -> bytes:
    """Spell a number as a big-endian machine of 64 bits does: the lowest limb comes first."""
    raw = number.to_bytes(size, "big")
    return b"".join(raw[at : at + 8] for at in range(size - 8, -1, -8))


def test_a_point_whose_x_is_zero_does_not_stand_wherever_zeros_do(make_pool: MakePool) -> None:
    """Seen in a process with the points of a test suite: a worker had taken gigabytes for them."""
    curve = CURVES["P-256"]
    _, b = coefficients(curve)
    y = pow(b, (curve.p + 1) // 4, curve.p)
    known = [publics.ec("P-256", 0, y, kind="certificate")]
    pool, _ = make_pool(noise.uniform(64, 1) + bytes(4096) + noise.uniform(64, 2))
    met = witnesses.meet(pool, known, ec.MOST)
    assert met.known["P-256"] == {0: y}
    assert len(met.beside["P-256"]) <= 1
    assert len(met.taken["P-256"]) <= 1


def test_points_are_looked_at_where_they_stand_up_to_a_count(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hostile dump repeats a point, or one word of it, as often as it likes."""
    key = keys.ec_key("P-256")
    monkeypatch.setattr(witnesses, "MOST_SEEN", 8)
    known = [publics.ec("P-256", key.x, key.y, kind="certificate")]
    pool, _ = make_pool(encodings.little_limbs(key.x, 32) * 64)
    assert len(witnesses.meet(pool, known, ec.MOST).taken["P-256"]) <= 8
