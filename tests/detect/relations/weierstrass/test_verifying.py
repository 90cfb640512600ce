"""What the check of a signature computes is no key, and in doubt it is one."""

from collections.abc import Callable, Sequence

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from fixtures import keys, noise
from scanner.detect.algebra import publics
from scanner.detect.algebra.material import Ec
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.evidence import ec_derived
from scanner.detect.integers import readings
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.fields import dsa_nonces
from scanner.detect.relations.weierstrass import comb, digit_nonces, ec
from scanner.detect.relations.weierstrass.curves import CURVES
from scanner.detect.relations.weierstrass.signed import NEAR
from scanner.dump.space import Memory
from tests.detect.relations.fields import test_discrete as of_dsa
from tests.detect.relations.weierstrass import test_digit_nonces as in_digits
from tests.detect.relations.weierstrass.test_nonces import (
    CURVE_NAMES,
    HASH,
    NONCES,
    OWN,
    Signature,
    heap,
)

MakePool = Callable[..., tuple[Pool, Memory]]
_ARRAY = bytes.fromhex("90270000")
"""What says that ints follow, before their count."""
FAR = NEAR + 16
"""Numbers between two that are no neighbours: each is a run, and has one place to begin."""

SPELLED: dict[str, Callable[[int, int], bytes]] = {
    "limbs": lambda number, size: number.to_bytes(size, "little"),
    "java": lambda number, size: (
        bytes(8)
        + _ARRAY
        + (size // 4).to_bytes(4, "little")
        + readings.encode(readings.JAVA, number, 8 * size)
    ),
}


def checked(curve: str, *, normalised: bool = False) -> Ec:
    """Return what is computed to check a signature, as the key that it looks like."""
    n, s = CURVES[curve].n, Signature(curve, normalised).s
    key = ec_derived(curve, int.from_bytes(HASH, "big") * pow(s, -1, n) % n)
    assert key is not None
    return key


def signer(curve: str, *, kind: str = "certificate") -> PublicKey:
    """Return the public key by which the signature is good."""
    return publics.ec(curve, OWN[curve].x, OWN[curve].y, kind=kind)


def told(pool: Pool, known: Sequence[PublicKey]) -> set[int]:
    """Return the scalars that are told."""
    return {one.key.d for one in ec.search(pool, known) if isinstance(one.key, Ec)}


def process(spelled: Callable[[int], bytes], key: Ec, rest: Sequence[bytes]) -> bytes:
    """Return a heap of what looks like a key, with both coordinates, beside other numbers."""
    size = CURVES[key.curve].size
    noisy = [noise.uniform(size, seed) for seed in range(6)]
    numbers = [*map(spelled, (key.d, key.x, key.y)), *noisy, *rest]
    return heap(numbers)


@pytest.mark.parametrize(
    ("curve", "form", "flipped"),
    [
        *((curve, form, "") for curve in CURVE_NAMES for form in SPELLED),
        *(
            (curve, [*SPELLED][(row + column) % 2], flipped)
            for row, curve in enumerate(CURVE_NAMES)
            for column, flipped in enumerate(["r", "s", "z", "signer"])
        ),
    ],
)
def test_numbers_of_a_check(make_pool: MakePool, curve: str, form: str, flipped: str) -> None:
    """Seen in Go and Java, with curves of a program's own: r, s and the hash stand as numbers.

    What is flipped is so on each curve, and in each form.
    """
    key, size = checked(curve), CURVES[curve].size
    numbers = {"r": NONCES[curve].x, "s": Signature(curve).s, "z": int.from_bytes(HASH, "big")}
    rest = [SPELLED[form](number ^ (name == flipped), size) for name, number in numbers.items()]
    pool, _ = make_pool(process(lambda number: SPELLED[form](number, size), key, rest))
    known = [signer(curve)] if flipped != "signer" else []
    assert told(pool, known) == ({key.d} if flipped else set())


@pytest.mark.parametrize(
    ("curve", "normalised", "known"),
    [
        (curve, normalised, (row + normalised) % 2 == 0)
        for row, curve in enumerate(CURVE_NAMES)
        for normalised in (False, True)
    ],
)
def test_a_signature_in_der(
    make_pool: MakePool, curve: str, *, normalised: bool, known: bool
) -> None:
    """However far it is from what was computed; and the signer may be a point that stands.

    Both signers with either s, though not on each curve.
    """
    key, size, own = checked(curve, normalised=normalised), CURVES[curve].size, OWN[curve]
    written = encode_dss_signature(NONCES[curve].x, Signature(curve).s)
    far = b"".join(bytes(64) + noise.uniform(size, 100 + seed) for seed in range(FAR))
    point = b"" if known else b"\4" + own.x.to_bytes(size, "big") + own.y.to_bytes(size, "big")
    data = process(lambda number: number.to_bytes(size, "little"), key, [])
    pool, _ = make_pool(b"".join((data, far, written, bytes(64), HASH, bytes(64), point, bytes(9))))
    assert told(pool, [signer(curve)] if known else []) == set()


def test_a_signature_far_from_what_was_computed(make_pool: MakePool) -> None:
    """Where the hash is near, s is looked for, and r beside it."""
    curve, size = "P-256", 32
    key = checked(curve)
    data = process(lambda number: number.to_bytes(size, "little"), key, [HASH])
    far = heap([noise.uniform(size, 100 + seed) for seed in range(FAR)])
    signed = (Signature(curve).s, NONCES[curve].x)
    pool, _ = make_pool(data + far + heap([number.to_bytes(size, "little") for number in signed]))
    assert told(pool, [signer(curve)]) == set()


def test_a_key_that_a_peer_has_a_signature_made_for(make_pool: MakePool) -> None:
    """For any d*G one finds r, s and Q that fit, but no hash."""
    key, p, n = OWN["P-256"], CURVES["P-256"].p, CURVES["P-256"].n
    other = keys.ec_key("P-256", label="peer")
    ((r, _),) = comb.add(p, [((key.x, key.y), (other.x, other.y))])
    spelled = SPELLED["limbs"]
    made = ec_derived("P-256", key.d)
    assert made is not None
    data = process(lambda number: spelled(number, 32), made, [spelled(r % n, 32)] * 2)
    public = publics.ec("P-256", other.x, other.y, kind="certificate")
    pool, _ = make_pool(data + heap([HASH]))
    assert told(pool, [public]) == {key.d}


def test_a_key_that_signed(make_pool: MakePool) -> None:
    """There r*d stands, which may be taken for a hash; but no signature has it."""
    curve, n, spelled = "P-256", CURVES["P-256"].n, SPELLED["limbs"]
    own, r, s = ec_derived(curve, OWN[curve].d), NONCES[curve].x, Signature(curve).s
    assert own is not None
    numbers = (r, s, r * own.d % n, s * own.d % n, int.from_bytes(HASH, "big"))
    rest = [spelled(number, 32) for number in numbers]
    pool, _ = make_pool(process(lambda number: spelled(number, 32), own, rest))
    assert told(pool, [signer(curve, kind="public-key")]) == {own.d}
    assert told(pool, []) == {own.d}


def test_what_a_public_key_names_is_a_key(make_pool: MakePool) -> None:
    """Whatever is there beside it: nobody publishes what a check computes."""
    key = checked("P-256")
    numbers = (NONCES["P-256"].x, Signature("P-256").s, int.from_bytes(HASH, "big"))
    spelled = SPELLED["limbs"]
    rest = [spelled(number, 32) for number in numbers]
    pool, _ = make_pool(process(lambda number: spelled(number, 32), key, rest))
    named = publics.ec("P-256", key.x, key.y, kind="certificate")
    assert told(pool, [signer("P-256"), named]) == {key.d}


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize(
    ("curve", "name"),
    [("P-256", "smi64-26"), ("secp256k1", "digits-30"), ("P-384", "digits-30")],
)
def test_numbers_in_digits(make_pool: MakePool, curve: str, name: str, *, flipped: bool) -> None:
    """As programs in CPython and JavaScript have them, far apart; and a hash has fewer digits."""
    key, how, bits = checked(curve), in_digits.HELD[name], 8 * CURVES[curve].size
    numbers = [NONCES[curve].x, Signature(curve).s ^ flipped]
    parts = [in_digits.heap(how, [key.d, key.x, key.y], bits)]
    parts += [
        in_digits.heap(
            how, [int.from_bytes(noise.uniform(bits // 8, 300 + seed)) for seed in range(150)], bits
        )
    ]
    parts += [in_digits.heap(how, numbers, bits), in_digits.heap(how, [int.from_bytes(HASH)], 256)]
    pool, _ = make_pool(b"".join(parts))
    found = [one.key.d for one in digit_nonces.search(pool, [signer(curve)])]
    assert found == ([key.d] if flipped else [])


@pytest.mark.parametrize("written", [False, True])
@pytest.mark.parametrize("flipped", ["", "r", "s", "z", "y"])
def test_the_check_of_a_signature_of_dsa(
    make_pool: MakePool, flipped: str, *, written: bool
) -> None:
    """Seen in Java and in Go, of each signature that they check: g**u1 stands there."""
    p, q, g, x, y = of_dsa.numbers()
    k, z = of_dsa.short(255), int.from_bytes(HASH, "big")
    r = pow(g, k, p) % q
    s = (z + r * x) * pow(k, -1, q) % q
    u1 = z * pow(s, -1, q) % q
    r, s, z = (n ^ (flipped == name) for name, n in zip("rsz", (r, s, z), strict=True))
    parts = [of_dsa.little(p, 256), of_dsa.little(q, 32), of_dsa.little(g, 256)]
    parts += [of_dsa.little(u1, 32), of_dsa.little(pow(g, u1, p), 256), z.to_bytes(32, "big")]
    parts += [encode_dss_signature(r, s)] if written else [of_dsa.little(n, 32) for n in (r, s)]
    y = pow(y, 2, p) if flipped == "y" else y
    known = publics.ffc("dsa", p, q, g, y, kind="certificate")
    pool, _ = make_pool(of_dsa.planted(parts))
    found = [one.key.x for one in dsa_nonces.search(pool, [known])]
    assert found == ([u1] if flipped else [])


@pytest.mark.parametrize("form", SPELLED)
@pytest.mark.parametrize("flipped", ["", "r", "w", "z"])
def test_numbers_of_a_textbook(make_pool: MakePool, form: str, flipped: str) -> None:
    """Seen in Node.js and Ruby: 1/s and r/s are near what was computed; r, z and Q are far."""
    curve, size = "P-256", 32
    key, n, r, s = checked(curve), CURVES[curve].n, NONCES[curve].x, Signature(curve).s
    w, z = pow(s, -1, n) ^ (flipped == "w"), int.from_bytes(HASH, "big") ^ (flipped == "z")
    near = [SPELLED[form](number, size) for number in (w, r * pow(s, -1, n) % n)]
    far = heap([noise.uniform(size, 100 + seed) for seed in range(FAR)])
    rest = heap([SPELLED[form](number, size) for number in (r ^ (flipped == "r"), z, OWN[curve].x)])
    pool, _ = make_pool(process(lambda number: SPELLED[form](number, size), key, near) + far + rest)
    assert told(pool, []) == ({key.d} if flipped else set())


@pytest.mark.parametrize("flipped", ["", "r", "w", "z"])
def test_numbers_that_lie_apart(make_pool: MakePool, flipped: str) -> None:
    """Seen in Go: what was computed of a signature stands far from each other, but does."""
    curve, spelled = "P-256", SPELLED["limbs"]
    key, n, r, s = checked(curve), CURVES[curve].n, NONCES[curve].x, Signature(curve).s
    w, z = pow(s, -1, n), int.from_bytes(HASH, "big")
    numbers = {"w": w, "ratio": r * w % n, "r": r, "z": z, "Q": OWN[curve].x}
    far = [
        heap([noise.uniform(32, 1000 * row + seed) for seed in range(FAR)])
        + heap([spelled(number ^ (name == flipped), 32)])
        for row, (name, number) in enumerate(numbers.items(), 1)
    ]
    pool, _ = make_pool(process(lambda number: spelled(number, 32), key, []) + b"".join(far))
    assert told(pool, []) == ({key.d} if flipped else set())


@pytest.mark.parametrize("flipped", ["", "r", "s", "z", "Q"])
def test_a_key_that_is_recovered(make_pool: MakePool, flipped: str) -> None:
    """Seen in textbook code for Ethereum: -z/r and s/r, and the key that signed."""
    curve, spelled = "secp256k1", SPELLED["limbs"]
    n, r, s, z = CURVES[curve].n, NONCES[curve].x, Signature(curve).s, int.from_bytes(HASH, "big")
    key = ec_derived(curve, -z * pow(r, -1, n) % n)
    assert key is not None
    numbers = {"r": r, "s": s, "z": z, "ratio": s * pow(r, -1, n) % n, "Q": OWN[curve].x}
    rest = [spelled(number ^ (name == flipped), 32) for name, number in numbers.items()]
    pool, _ = make_pool(process(lambda number: spelled(number, 32), key, rest))
    assert told(pool, []) == ({key.d} if flipped else set())


@pytest.mark.parametrize(
    ("curve", "known"), [*((curve, False) for curve in CURVE_NAMES), ("P-256", True)]
)
def test_a_key_that_checks_what_it_signed(make_pool: MakePool, curve: str, *, known: bool) -> None:
    """Textbook code leaves all that it computes: the key is told, what its check made is not.

    A peer's key is known on one curve.
    """
    group, spelled, size = CURVES[curve], SPELLED["limbs"], CURVES[curve].size
    own, once, z = OWN[curve], NONCES[curve], int.from_bytes(HASH, "big")
    n, d, r, s = group.n, own.d, once.x, Signature(curve).s
    w, check, blind = pow(s, -1, n), checked(curve), int.from_bytes(noise.uniform(size, 9), "big")
    u2 = ec_derived(curve, r * w * d % n)
    assert u2 is not None
    point = [own.x, own.y, check.d, check.x, check.y, u2.x, u2.y, once.d, once.x, once.y]
    signing = [z, r * d % n, (z + r * d) % n, pow(once.d, -1, n), s, w, r * w % n, n - d]
    blinded = [blind % n, blind * d % n, pow(blind, -1, n), blind * z % n, blind * r % n]
    numbers = [d, *point, *signing, *blinded]
    crowd = [noise.uniform(size, seed) for seed in range(10)]
    pool, _ = make_pool(heap([*crowd, *(spelled(number, size) for number in numbers), *crowd]))
    named = publics.ec(curve, once.x, once.y, kind="certificate")  # a peer's, who knows no more
    found = told(pool, [named] if known else [])
    assert d in found
    assert known or check.d not in found


def test_a_key_beside_small_numbers(make_pool: MakePool) -> None:
    """One times d is d, and no hash: nor is any small number an s."""
    key, spelled = ec_derived("P-256", OWN["P-256"].d), SPELLED["limbs"]
    assert key is not None
    rest = [spelled(number, 32) for number in (1, 2, key.d * 2 % CURVES["P-256"].n)]
    pool, _ = make_pool(process(lambda number: spelled(number, 32), key, rest))
    assert told(pool, []) == {key.d}


@pytest.mark.parametrize("flipped", ["", "w", "z", "power"])
def test_numbers_of_a_textbook_of_dsa(make_pool: MakePool, flipped: str) -> None:
    """Seen in Perl and PHP, with GMP: 1/s, r/s and the other power stand there, no public key."""
    p, q, g, x, y = of_dsa.numbers()
    k, z = of_dsa.short(255), int.from_bytes(HASH, "big")
    r = pow(g, k, p) % q
    w = pow((z + r * x) * pow(k, -1, q) % q, -1, q)
    u1, u2 = z * w % q, r * w % q
    power = pow(y, u2, p) ^ (flipped == "power")
    w, z = w ^ (flipped == "w"), z ^ (flipped == "z")
    parts = [of_dsa.little(p, 256), of_dsa.little(q, 32), of_dsa.little(g, 256)]
    parts += [of_dsa.little(number, 32) for number in (u1, w, u2, r, z)]
    parts += [of_dsa.little(number, 256) for number in (pow(g, u1, p), power)]
    pool, _ = make_pool(of_dsa.planted(parts))
    found = [one.key.x for one in dsa_nonces.search(pool, [])]
    assert found == ([u1] if flipped else [])
