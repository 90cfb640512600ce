"""Groups of Diffie-Hellman that have names: computed right."""

from scanner.detect.algebra.named_groups import named, short

ONES = (1 << 64) - 1


def test_named_primes_are_safe() -> None:
    """Every prime is computed right: p and (p - 1) / 2 pass Fermat, where that takes no second."""
    for group in named()[:3]:
        half = (group.p - 1) // 2
        assert pow(3, group.p - 1, group.p) == pow(3, half - 1, half) == 1
    sizes = [group.p.bit_length() for group in named()]
    assert sizes == [1536, *(n for n in (2048, 3072, 4096, 6144, 8192) for _ in range(2))]
    assert {group.p & ONES for group in named()} == {ONES}


def test_the_larger_ones_as_openssl_has_them() -> None:
    """Words next to the last one, of RFC 3526 and RFC 7919 in turn: they hold what was added."""
    words = [group.p >> 64 & ONES for group in named() if group.p.bit_length() > 4096]
    assert [f"{word:016x}" for word in words] == LAST


LAST = ["e694f91e6dcc4024", "a40e329cd0e40e65", "60c980dd98edd3df", "d68c8bb7c5c6424c"]


def test_short_exponents() -> None:
    """A group that has no name has the short exponents of the next larger one."""
    assert [short(bits) for bits in (1024, 1536, 2048, 3000, 8192, 9000)] == [
        *(200, 200, 225, 275, 400, 400)
    ]
