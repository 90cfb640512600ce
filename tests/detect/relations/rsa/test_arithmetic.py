"""What numbers say of a key: factors from exponents, parts and divisors; nothing from noise."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import keys, noise
from scanner.detect.algebra import named_groups
from scanner.detect.relations.rsa import arithmetic, divisors, partial

SIZES = (1024, 2048, 4096)


def odd(bits: int, seed: int) -> int:
    """Return an odd random number of at most so many bits."""
    return int.from_bytes(noise.uniform((bits + 7) // 8, seed), "big") | 1


@pytest.mark.parametrize("bits", SIZES)
def test_exponents_factor(bits: int) -> None:
    """Both private exponents and both CRT exponents give a factor; others give none."""
    key = keys.rsa_key(bits)
    for d in (key.d, key.d_euler):
        assert arithmetic.from_exponent(key.n, key.e, d) in ([key.p], [key.q])
        assert arithmetic.from_exponent(key.n, key.e, d ^ 4) == []
    assert arithmetic.from_crt_exponent(key.n, key.e, key.dp) == key.p
    assert arithmetic.from_crt_exponent(key.n, key.e, key.dq) == key.q
    assert arithmetic.from_crt_exponent(key.n, key.e, key.dq ^ 4) is None


def test_a_safe_prime_and_its_half_are_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen in OpenSSL, which has both of each named group: a power of each took half a minute."""
    monkeypatch.setattr(arithmetic, "by_roots", lambda *_: pytest.fail("a power was computed"))
    for group in named_groups.named():
        for d in (group.p // 2, group.p // 2 + 1, group.p - 2):
            assert arithmetic.from_exponent(group.p, 65537, d) == []


@pytest.mark.parametrize("e", [3, 17])
def test_small_public_exponents(e: int) -> None:
    """The private exponent of a small public one is told as well."""
    key = keys.rsa_key(2048, e=e)
    assert arithmetic.from_exponent(key.n, e, key.d) in ([key.p], [key.q])


@pytest.mark.parametrize("bits", SIZES)
@pytest.mark.parametrize("lost", [64, 128, 256])
@pytest.mark.parametrize("high", [False, True])
def test_a_third_of_a_prime_may_be_lost(bits: int, lost: int, *, high: bool) -> None:
    """What is left of either prime gives all of it, up to the stated bound; noise gives nothing."""
    key, half = keys.rsa_key(bits), bits // 2
    fits = 3 * lost + partial.SPARE <= half
    for prime in (key.p, key.q):
        known = prime % (1 << (half - lost)) if high else prime >> lost << lost
        found = partial.recover(key.n, known, bits=half, lost=lost, high=high)
        assert found == (prime if fits else None)
        assert partial.recover(key.n, known ^ 1 << 300, bits=half, lost=lost, high=high) is None


def test_complete_keys() -> None:
    """Two primes make a key whose exponents are inverse, with the exponent that fits."""
    key = keys.rsa_key(1024)
    made = arithmetic.complete(key.q, key.p, None)
    assert made is not None
    assert (made.n, made.e, made.d, made.p, made.e_assumed) == (key.n, key.e, key.d, key.p, True)
    assert arithmetic.complete(key.p, key.q, 2) is None


def test_divisors_are_refined_to_primes() -> None:
    """Composite divisors are taken apart where others allow it; what is left stays a product."""
    primes = [keys.rsa_key(1024, label=label).p for label in ("default", "second", "third")]
    n = math.prod(primes)
    made = arithmetic.from_divisors(n, 65537, [primes[0] * primes[1], primes[1] * primes[2]])
    assert made is not None
    assert set(made.primes) == set(primes)
    assert arithmetic.from_divisors(n, 65537, [primes[0] + 2]) is None
    wrong = arithmetic.from_divisors(primes[0] * primes[1], 2, [primes[0]])
    assert wrong is not None
    assert wrong.d == 0


@pytest.mark.parametrize(
    "number", [9, 561, 3215031751, (1 << 61) - 1, (1 << 521) - 1, (1 << 1024) + 1]
)
def test_primes(number: int) -> None:
    """Carmichael, Fermat numbers and strong pseudoprimes are no primes; Mersenne's are."""
    assert arithmetic.is_prime(number) is (number.bit_length() in (61, 521))


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1 << 32), bits=st.sampled_from((512, 768, 1024)), others=st.integers(0, 60)
)
def test_divisors_of_many_moduli(seed: int, bits: int, others: int) -> None:
    """A number is told to divide exactly the moduli that it does, few or many, of any length."""
    number = odd(bits, seed) | 1 << (bits - 1)
    mine = [number * odd(size, seed) for size in (300, 512, 1024, 3000)]
    moduli = [odd(1024 << at % 3, seed + 1 + at) for at in range(others)]
    prepared = divisors.prepare(mine[:2] + moduli + mine[2:], bits)
    numbers = [odd(bits, seed + 100) | 1 << (bits - 1), number]
    inverses = np.array([pow(other, -1, 1 << 64) for other in numbers], np.uint64)
    found = [(index, value) for index, value in divisors.divide(prepared, numbers, inverses)]
    assert sorted(found) == sorted((1, value) for value in mine)


@settings(max_examples=30, deadline=None)
@given(
    n=st.integers(1, 1 << 600).map(lambda number: 2 * number + 1),
    known=st.integers(0, 1 << 520),
    lost=st.sampled_from((8, 64, 128)),
    high=st.booleans(),
)
def test_arbitrary_bytes_raise_nothing(n: int, known: int, lost: int, *, high: bool) -> None:
    """Whatever stands in memory, parts and exponents give a factor or nothing."""
    part = partial.recover(n, known, bits=512, lost=lost, high=high)
    for factor in (part, *arithmetic.from_exponent(n, 65537, known)):
        assert factor is None or n % factor == 0


def test_many_moduli_take_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The more moduli, the fewer numbers at a time; what divides is the same."""
    numbers = [odd(512, seed) | 1 << 511 for seed in range(40)]
    moduli = [odd(1024, 100 + seed) for seed in range(30)] + [n * odd(512, 7) for n in numbers]
    prepared = divisors.prepare(moduli, 512)
    inverses = np.array([pow(number, -1, 1 << 64) for number in numbers], np.uint64)
    wanted = list(divisors.divide(prepared, numbers, inverses))
    assert len(wanted) == 40
    cells: list[int] = []
    likely = divisors._likely

    def counted(
        moduli: divisors.Moduli, part: Sequence[int], inverses: npt.NDArray[np.uint64]
    ) -> Iterator[tuple[int, int]]:
        cells.append(len(part) * len(moduli.values))
        return likely(moduli, part, inverses)

    monkeypatch.setattr(divisors, "_likely", counted)
    monkeypatch.setattr(divisors, "MOST_CELLS", 300)
    assert list(divisors.divide(prepared, numbers, inverses)) == wanted
    assert max(cells) <= 300
    assert sum(cells) == 40 * 70
