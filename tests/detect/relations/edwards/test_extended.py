"""Points of edwards25519 in extended coordinates, and the seeds beside them."""

import hashlib
from collections.abc import Callable, Sequence

import pytest

from fixtures import keys, noise
from scanner.detect.algebra.material import describe
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.edwards import edwards
from scanner.detect.relations.related import Related
from scanner.dump.space import Memory
from tests.detect.relations import second_look

MakePool = Callable[[bytes], tuple[Pool, Memory]]

P = (1 << 255) - 19
D = 37095705934669439343138083508754565189542113879843219016388785533085940283555


def digits(number: int) -> bytes:
    """Return a number in five words of 51 bits."""
    return b"".join((number >> 51 * at & (1 << 51) - 1).to_bytes(8, "little") for at in range(5))


def point(key: keys.OkpKey, z: int) -> list[int]:
    """Return X, Y, Z and T of a public key (RFC 8032 5.1.3 and 5.1.4)."""
    y = int.from_bytes(key.public, "little")
    odd, y = y >> 255, y & (1 << 255) - 1
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if (x * x - square) % P == 0 else x * pow(2, (P - 1) // 4, P) % P
    x = x if x & 1 == odd else P - x
    return [x * z % P, y * z % P, z, x * y * z % P]


def owned(label: str) -> tuple[keys.OkpKey, list[int]]:
    """Return a key and its point, of which Z is some number."""
    key = keys.okp_key(label=label)
    z = int.from_bytes(hashlib.sha512(label.encode()).digest(), "little") % P
    return key, point(key, z)


def found(make_pool: MakePool, raw: bytes) -> tuple[list[Related], Memory]:
    """Search memory in which these bytes are a block of their own."""
    pool, memory = make_pool(bytes(2048) + raw + bytes(2048))
    return list(edwards.search(pool, [])), memory


LAYOUTS: dict[str, Callable[[bytes, bytes, Sequence[bytes]], bytes]] = {
    "public, point, seed": lambda seed, public, xyzt: public + b"".join(xyzt) + seed,
    "seed, public, point": lambda seed, public, xyzt: seed + public + b"".join(xyzt),
    "point, public, seed": lambda seed, public, xyzt: b"".join(xyzt) + public + seed,
    "seed, point": lambda seed, _, xyzt: seed + b"".join(xyzt),
    "X, Y and Z, seed": lambda seed, _, xyzt: b"".join(xyzt[:3]) + seed,
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_seed_beside_its_point_is_found(make_pool: MakePool, layout: str) -> None:
    """Whatever has taken the place of the encoded point, and whichever words look random."""
    for index in range(8):
        key, xyzt = owned(f"extended {index}")
        raw = LAYOUTS[layout](key.seed, noise.uniform(32, index), [*map(digits, xyzt)])
        (related,), memory = found(make_pool, raw)
        assert (related.encoding, related.key.public) == ("seed", key.public)
        (place,) = related.places
        assert memory.read(place.space, place.offset, 32) == key.seed
        (again,) = edwards.again(memory, second_look.told(related))
        assert describe(again).fingerprint.value == key.spki_sha256


def test_hundreds_of_keys_are_found(make_pool: MakePool) -> None:
    """Seen in Deno: of a thousand keys that it held, most had passed."""
    rows = []
    for index in range(600):
        key, xyzt = owned(f"many {index}")
        point_and_seed = b"".join(map(digits, xyzt)) + key.seed
        rows.append((key, key.public + point_and_seed + bytes(64) + noise.uniform(512, index)))
    related, _ = found(make_pool, bytes(64).join(raw for _, raw in rows))
    names = [describe(each.key).fingerprint.value for each in related]
    assert sorted(names) == sorted(key.spki_sha256 for key, _ in rows)


def test_memory_may_end_within_a_word(make_pool: MakePool) -> None:
    """Seen in Node.js: digits stood less than a point before an end that no word ended at."""
    key, xyzt = owned("extended")
    raw = key.public + b"".join(map(digits, xyzt)) + key.seed
    for size in range(1, 8):
        pool, _ = make_pool(bytes(2048) + raw + bytes(size))
        (related,) = edwards.search(pool, [])
        assert (related.encoding, related.key.public) == ("seed", key.public)


def test_what_is_no_point_leads_nowhere(make_pool: MakePool) -> None:
    """One bit changed of X, Y or Z, or of the seed; and the point of another key."""
    key, xyzt = owned("extended")
    for which in range(3):
        wrong = [number ^ (at == which) << 70 for at, number in enumerate(xyzt)]
        assert found(make_pool, b"".join(map(digits, wrong)) + key.seed)[0] == []
    raw = b"".join(map(digits, xyzt))
    assert found(make_pool, raw + bytes((key.seed[0] ^ 1,)) + key.seed[1:])[0] == []
    assert found(make_pool, raw + keys.okp_key(label="other").seed)[0] == []
