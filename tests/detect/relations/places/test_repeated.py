"""Pieces that stand more than once: they come first where there are many."""

from collections.abc import Callable

import pytest

from fixtures import encodings, keys, noise
from scanner.detect.algebra.material import describe
from scanner.detect.integers.pool import FEW_RUNS, Pool
from scanner.detect.relations.edwards import edwards, montgomery
from scanner.detect.relations.places import repeated
from scanner.detect.relations.weierstrass import ec
from scanner.dump.space import Memory

MakePool = Callable[..., tuple[Pool, Memory]]
KEY = keys.ec_key("P-384")
SIZE, STEP = KEY.field_bytes, 128


SCALAR, X = (encodings.little_limbs(number, SIZE) for number in (KEY.d, KEY.x))


def heap(times: int, crowd: int = FEW_RUNS, own: bytes = SCALAR, public: bytes = X) -> bytes:
    """Lay out numbers behind their length, among them the private one, and its public half."""
    numbers = noise.uniform(len(own) * crowd, 5)
    rows = [numbers[at : at + len(own)] for at in range(0, len(numbers), len(own))]
    for index in range(times):
        rows.insert(len(rows) * (index + 2) // 4, own)
    rows.append(public)
    blocks = (len(own).to_bytes(8, "little") + row for row in rows)
    return b"".join(
        block + (index + 1).to_bytes(2, "little") + bytes(STEP - 2 - len(block))
        for index, block in enumerate(blocks)
    )


@pytest.mark.parametrize("times", [1, 2])
def test_copies_in_a_crowd(make_pool: MakePool, times: int) -> None:
    """A number that was moved is the scalar; what stands once is one of thousands."""
    pool, _ = make_pool(heap(times))
    assert not len(repeated.copied(pool, SIZE, 0))
    assert len(repeated.copied(pool, SIZE, 9)) == (times > 1)
    assert ("copied", SIZE) in pool.listed  # once, for however many
    found = [describe(one.key).fingerprint.value for one in ec.search(pool, ())]
    assert found == [KEY.spki_sha256] * (times > 1)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("algorithm", ["ed25519", "x25519"])
def test_copies_of_a_seed_in_a_crowd(make_pool: MakePool, algorithm: str, times: int) -> None:
    """Seen in OpenJDK: scalars of P-256 and digests as long as the seed stand everywhere."""
    key = keys.okp_key(algorithm)
    pool, _ = make_pool(heap(times, own=key.seed, public=key.public))
    search = (montgomery if algorithm == "x25519" else edwards).search
    found = [describe(one.key).fingerprint.value for one in search(pool, ())]
    assert found == [key.spki_sha256] * (times > 1)


def test_where_there_are_few(make_pool: MakePool) -> None:
    """All of them are tried anyhow."""
    assert not len(repeated.copied(make_pool(heap(2, 9))[0], SIZE, 9))


def among(slots: bytes, *rest: bytes, many: bool = True) -> bytes:
    """Lay out a slab, very many short runs, or nearly as many, and the rest behind them."""
    crowd = noise.uniform((33 if many else 28) * FEW_RUNS, 9)
    runs = b"".join(crowd[at : at + 32] + bytes(32) for at in range(0, len(crowd), 32))
    return bytes(64) + slots + bytes(64) + runs + b"".join(each + bytes(64) for each in rest)


@pytest.mark.parametrize("shift", [0, 32])
def test_a_key_in_a_slot(make_pool: MakePool, shift: int) -> None:
    """A seed and its public half fill a slot of a slab, and that is in another slab too."""
    key = keys.okp_key("ed25519")
    slots, others = bytearray(noise.uniform(2048, 7)), bytearray(noise.uniform(2048, 8))
    slots[1024 + shift : 1088 + shift] = key.seed + key.public
    others[1024:1056] = key.public
    data = among(bytes(slots), bytes(others))
    found = [describe(one.key).fingerprint.value for one in edwards.search(make_pool(data)[0], ())]
    assert found == ([] if shift else [key.spki_sha256])


@pytest.mark.parametrize(("before", "behind"), [(0, 96), (64, 0), (32, 96)])
def test_a_key_in_a_slot_at_an_edge(make_pool: MakePool, before: int, behind: int) -> None:
    """A seed and its public half are the first or the last of a slab's slots that are not empty.

    Or a seed alone is in a slot of half the size, within a run that is short.
    """
    key = keys.okp_key("ed25519")
    data = among(noise.uniform(before, 7) + key.seed + key.public + noise.uniform(behind, 8))
    pool, _ = make_pool(data)
    at_edges = repeated.slots_at_edges(pool, 32, pool.budget(*edwards.MOST_EDGES)).tolist()
    assert (pool.data.tobytes().find(key.seed) in at_edges) == (before != 32)
    found = [describe(one.key).fingerprint.value for one in edwards.search(pool, ())]
    assert found == [key.spki_sha256]


@pytest.mark.parametrize(
    ("curve", "at", "step", "times", "many"),
    [
        ("P-256", 1024, 32, 1, True),
        ("P-256", 1024, 32, 2, True),
        ("P-256", 1024, 32, 2, False),
        ("P-384", 1040, 192, 2, True),
    ],
)
def test_a_scalar_in_slots(
    make_pool: MakePool, curve: str, at: int, step: int, times: int, many: bool
) -> None:
    """A scalar stands twice in a slab among other numbers; its point stands elsewhere."""
    key = keys.ec_key(curve)
    size = key.field_bytes
    slots = bytearray(noise.uniform(2048, 7))
    for first in range(at, at + times * step, step):
        slots[first : first + size] = key.d.to_bytes(size, "big")
    point = b"\x04" + key.x.to_bytes(size, "big") + key.y.to_bytes(size, "big")
    pool, _ = make_pool(among(bytes(slots), point, many=many))
    assert len(repeated.in_slots(pool, size, 9)) == (times > 1)
    found = [describe(one.key).fingerprint.value for one in ec.search(pool, ())]
    assert found == [key.spki_sha256] * (times > 1)


def test_a_scalar_in_slots_beside_copies(make_pool: MakePool) -> None:
    """Pieces that fill two runs each take no room from it: seen in Go, after many signatures."""
    key = keys.ec_key("P-256")
    slots, noisy = bytearray(noise.uniform(2048, 7)), noise.uniform(32 * 2_500, 11)
    slots[1024:1088] = 2 * key.d.to_bytes(32, "big")
    point = b"\x04" + key.x.to_bytes(32, "big") + key.y.to_bytes(32, "big")
    copies = [noisy[at : at + 32] for at in range(0, len(noisy), 32)]
    pool, _ = make_pool(among(bytes(slots), point, *copies, *copies))
    found = [describe(one.key).fingerprint.value for one in ec.search(pool, ())]
    assert found == [key.spki_sha256]


@pytest.mark.parametrize("shift", [0, 8])
def test_a_scalar_at_the_end_of_a_row_of_slots(make_pool: MakePool, shift: int) -> None:
    """What is left of another object makes one run with it, among thousands of edges of others.

    One scalar is the last of its row, and another one the first. Behind those edges stand no zeros,
    before which chance would have compressed points.
    """
    last, first = own = [keys.ec_key("P-256", label=label) for label in ("last", "first")]
    rest, points = noise.uniform(32, 5), b""
    others = [bytes(16) + noise.uniform(56, seed) + b"\1" * 120 for seed in range(3000)]
    slot = rest[8:] + last.d.to_bytes(32, "big")
    others[999] = bytes(shift + 8) + slot + bytes(128 - shift)
    slot = first.d.to_bytes(32, "big") + rest[:-8]
    others[899] = bytes(shift) + slot + bytes(136 - shift)
    for key in own:
        points += b"\x04" + key.x.to_bytes(32, "big") + key.y.to_bytes(32, "big") + bytes(8)
    pool, _ = make_pool(b"".join(others) + points)
    found = [describe(one.key).fingerprint.value for one in ec.search(pool, ())]
    assert sorted(found) == sorted(key.spki_sha256 for key in own) * (not shift)


def test_a_key_agreement_key_in_slots(make_pool: MakePool) -> None:
    """One of X25519 stands twice in a slab, its public half in a handshake."""
    key = keys.okp_key("x25519")
    slots = bytearray(noise.uniform(2048, 7))
    for at in (1024, 1088):
        slots[at : at + 32] = key.seed
    pool, _ = make_pool(among(bytes(slots), key.public))
    found = [describe(one.key).fingerprint.value for one in montgomery.search(pool, ())]
    assert found == [key.spki_sha256]


def test_the_nearest_copies_come_first(make_pool: MakePool) -> None:
    """What a library repeats stands oftener than a scalar, and farther apart."""
    piece, often = noise.uniform(32, 3), noise.uniform(32, 4)
    slots = bytearray(noise.uniform(2048, 7))
    for at in (256, 512, 1600):
        slots[at : at + 32] = often
    for at in (1024, 1088):
        slots[at : at + 32] = piece
    pool, _ = make_pool(among(bytes(slots)))
    first, second = repeated.in_slots(pool, 32, 9).tolist()
    assert pool.data[first : first + 32].tobytes() == piece
    assert pool.data[second : second + 32].tobytes() == often


def test_copies_that_are_no_slots_apart(make_pool: MakePool) -> None:
    """Of 48 bytes, which do not divide a page, copies count that are so many slots away."""
    piece = noise.uniform(48, 3)
    slots = bytearray(noise.uniform(2048, 7))
    for at in (1040, 1040 + 48 + 16):
        slots[at : at + 48] = piece
    assert not len(repeated.in_slots(make_pool(among(bytes(slots)))[0], 48, 9))


@pytest.mark.parametrize("most", [1, 7, 40, 1000])
def test_few_are_looked_at_for_few(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """What is chosen is the same however many are looked at together, equal pieces once."""
    rows = [noise.uniform(32, seed) for seed in range(60)]
    crowd = b"".join(rows[index % 50] + bytes(24) for index in range(90))
    pool, _ = make_pool(crowd)
    whole = repeated.inner(pool, 32, most)
    assert len(whole) == min(most, 50)
    monkeypatch.setattr(repeated, "_TOGETHER", 4)
    assert repeated.inner(pool, 32, most).tolist() == whole.tolist()
