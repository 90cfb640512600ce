"""What a key looks like wherever it lies: every form that an independent writer gives it."""

import base64
import dataclasses
import hashlib
import math

import pytest

from fixtures import encodings, keys, services
from scanner.detect import needles
from scanner.detect.algebra.material import Ec, Ffc, Okp, Rsa
from scanner.detect.encodings import base32
from scanner.detect.relations.edwards import edwards

KEY = keys.rsa_key()
MATERIAL = Rsa(n=KEY.n, e=KEY.e, d=KEY.d, p=KEY.p, q=KEY.q)


def spelled(*, texts: bool) -> dict[str, list[bytes]]:
    """Return the values of a key by what is said of each."""
    found: dict[str, list[bytes]] = {}
    for needle in needles.of_key("name", MATERIAL, "little", texts=texts):
        found.setdefault(needle.encoding, []).append(needle.value)
    return found


def test_numbers_in_every_form() -> None:
    """Limbs and bytes always, texts only where they are asked for; nothing of what is public."""
    numbers, all_of_it = spelled(texts=False), spelled(texts=True)
    for name, value in (("p", KEY.p), ("q", KEY.q), ("d", KEY.d)):
        big = encodings.big_endian(value)
        assert encodings.little_limbs(value) in numbers[f"{name} limbs-le"]
        assert big in numbers[f"{name} bytes-be"]
        assert str(value).encode() in all_of_it[f"{name} decimal"]
        assert bytes(map(int, str(value))) in all_of_it[f"{name} bc digits"]
        for form, raw in (("", big), ("little-endian ", big[::-1])):
            decided = base64.b64encode(raw)[: len(raw) * 8 // 6]
            assert decided in all_of_it[f"{name} {form}base64"]
            assert raw.hex().encode() in all_of_it[f"{name} {form}hex"]
    assert not {name for name in numbers if "hex" in name or "base64" in name}
    public = {encodings.big_endian(KEY.n), encodings.little_limbs(KEY.n)}
    assert not public & {value for values in all_of_it.values() for value in values}


def test_a_key_of_32_bytes_in_words_of_other_alphabets() -> None:
    """Copies of what rspamd and ZeroMQ write, which no anchor announces."""
    key = keys.okp_key("x25519")
    material = Okp(algorithm="x25519", seed=key.seed, public=key.public)
    found = {needle.value for needle in needles.of_key("name", material, "little", texts=True)}
    for text in (key.seed.hex().encode(), base64.b64encode(key.seed)):
        coded = base64.b64encode(bytes(1) + text)
        assert coded[2 : (len(text) + 1) * 8 // 6] in found
    text = base64.b32encode(key.seed)[:51]
    assert {text, text.lower(), base32.encode_legible(key.seed)} <= found
    assert services.zeromq(key).splitlines()[3].split(b'"')[1] in found


@pytest.mark.parametrize("bits", [712, 1032, 2041])
def test_a_modulus_of_an_odd_number_of_bytes(bits: int) -> None:
    """The half of d's order is rounded up: it had not fitted. Seen in tests of Cryptodome."""
    p, q = (1 << bits // 2) - 1, (1 << bits - bits // 2) - 3
    odd = Rsa(n=p * q, e=KEY.e, d=3, p=p, q=q)
    size = -(-bits // 16)
    order = ((p - 1) * (q - 1) % (1 << 8 * size)).to_bytes(size, "big")
    found = {needle.value for needle in needles.of_key("name", odd, "little", texts=True)}
    assert order in found


def test_what_gives_a_prime_away() -> None:
    """Residues in the words of their R, and of d's order the half that is not the modulus'."""
    found = spelled(texts=False)
    for prime in (KEY.p, KEY.q):
        assert encodings.little_limbs(pow(2, 1024, prime), 128) in found["R mod p limbs-le"]
        assert encodings.little_limbs(pow(2, 2048, prime), 128) in found["R*R mod p limbs-le"]
        assert encodings.digits60(pow(2, 18 * 60, prime)) in found["R mod p digits-60"]
    order = (KEY.p - 1) * (KEY.q - 1)
    assert encodings.little_limbs(order, 256)[:128] in found["(p-1)(q-1) limbs-le"]
    least = order // math.gcd(KEY.p - 1, KEY.q - 1)
    assert encodings.big_endian(least, 256)[128:] in found["lcm(p-1, q-1) bytes-be"]
    for part in (order, least):
        odd = encodings.big_endian(part // (part & -part), 256)[128:]
        assert any(odd in values for values in found.values())
    spelled_n = encodings.little_limbs(KEY.n), encodings.digits(KEY.n, 28, 4)
    pieces = {raw[at : at + 16] for raw in spelled_n for at in range(len(raw) - 15)}
    private = [raw for values in found.values() for raw in values]
    assert not pieces & {raw[at : at + 16] for raw in private for at in range(len(raw) - 15)}


@pytest.mark.parametrize("algorithm", ["ed25519", "ed448", "x25519"])
def test_integers_of_edwards_keys(algorithm: str) -> None:
    """A seed is a big-endian integer, a scalar a little-endian one: in limbs, bytes and digits."""
    key = keys.okp_key(algorithm)
    material = Okp(algorithm=algorithm, seed=key.seed, public=key.public)
    found = list(needles.of_key("name", material, "little", texts=False))
    values = [needle.value for needle in found]
    assert len(set(values)) == len(values)
    for number, raw in edwards.spelled(material):
        value = int.from_bytes(raw, "big" if number in {"seed", "prefix"} else "little")
        assert values.count(raw) == values.count(raw[::-1]) == 1
        assert number == "k bytes-be" or encodings.digits30(value)[:32] in {v[:32] for v in values}


def test_what_weighs_an_exponent() -> None:
    """Seen in Bouncy Castle: 2x, 3x and their difference bit by bit, each of which gives x."""
    x = int.from_bytes(hashlib.sha256(b"keysift throwaway exponent").digest(), "big") | 1 << 255
    key = Ffc(algorithm="dsa", p=0, q=0, g=0, x=x, y=0)
    found = {
        (needle.encoding, int.from_bytes(needle.value, "big"))
        for needle in needles.of_key("name", key, "little", texts=False)
    }
    values = {"x": x, "2x": 2 * x, "3x": 3 * x, "3x^x": 3 * x ^ x}
    assert {(f"{name} bytes-be", value) for name, value in values.items()} <= found


def test_what_web_tokens_begin_with_is_no_part_of_one() -> None:
    """Their first part says how they are signed, and many have it in common."""
    token = b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJub2JvZHkifQ.c2lnbmF0dXJlIG9mIG5vYm9keQ"
    for raw in (token, encodings.utf16(token)):
        found = list(needles.of_token("name", raw))
        assert token.split(b".", 1)[1] in {needle.value for needle in found}
        assert not [needle for needle in found if token[:20] in needle.value]


def test_a_needle_is_not_written_down() -> None:
    """It holds a secret: its repr does not show it."""
    (needle, *_) = needles.of_key("name", MATERIAL, "little", texts=False)
    assert needle.value.hex() not in repr(needle)
    assert repr(needle.value) not in repr(needle)
    assert dataclasses.is_dataclass(needle)


@pytest.mark.parametrize("size", [4, 8])
def test_words_of_no_machine(size: int) -> None:
    """Big-endian ones, the least significant first: what is written for any machine has them."""
    big = encodings.big_endian(KEY.q)
    words = b"".join(big[at : at + size] for at in reversed(range(0, len(big), size)))
    name = f"q limbs-be{8 * size}"
    assert name not in spelled(texts=False)
    assert spelled(texts=True)[name] == [words]


def test_base64_of_all_bytes() -> None:
    """Of each phase all characters that the number alone decides: a line may end behind twelve."""
    key = keys.ec_key("P-256")
    material = Ec(curve="P-256", d=key.d, x=key.x, y=key.y)
    found = {needle.value for needle in needles.of_key("name", material, "little", texts=True)}
    raw = encodings.big_endian(key.d, 32)
    for phase, lost in enumerate((0, 2, 3)):
        one, other = (
            base64.b64encode(bytes((byte,)) * phase + raw + bytes((byte,)) * 8) for byte in (0, 255)
        )
        last = next(at for at in range(lost, len(one)) if one[at] != other[at])
        assert lost == 0 or one[lost - 1] != other[lost - 1]
        assert one[lost:last] in found
