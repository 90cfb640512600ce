"""States of stream ciphers."""

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

from fixtures import symmetric
from scanner import rules
from scanner.detect import anchors
from scanner.detect.ciphers import chacha
from scanner.detect.locked.sealed import Sealed
from scanner.detect.texts.encoded import Decoded

(RULE,) = (rule for rule in rules.load() if rule.detector == "chacha")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors((RULE,)))
WRITERS = {"chacha20": symmetric.chacha20, "salsa20": symmetric.salsa20}


def find(data: bytes) -> list[Sealed]:
    """Run the rule over the bytes."""
    return [
        found
        for _, offset in SWEEPER.sweep(data)
        for found in chacha.examine(Decoded(data), 0, offset, RULE)
    ]


def test_the_writer_agrees_with_a_cipher() -> None:
    """Twenty rounds on the state of the recipe give the key stream of cryptography."""
    secret = symmetric.key(32)
    state = symmetric.chacha20(secret)
    x = [int.from_bytes(state[at : at + 4], "little") for at in range(0, 64, 4)]
    first = list(x)
    for _ in range(10):
        for a, b, c, d in (
            *((k, k + 4, k + 8, k + 12) for k in range(4)),
            *((k, 4 + (k + 1) % 4, 8 + (k + 2) % 4, 12 + (k + 3) % 4) for k in range(4)),
        ):
            for one, two, three, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                x[one] = (x[one] + x[two]) & 0xFFFFFFFF
                mixed = x[three] ^ x[one]
                x[three] = (mixed << turn | mixed >> 32 - turn) & 0xFFFFFFFF
    stream = b"".join(
        ((a + b) & 0xFFFFFFFF).to_bytes(4, "little") for a, b in zip(x, first, strict=True)
    )
    cipher = Cipher(algorithms.ChaCha20(secret, state[48:]), None).encryptor()
    assert cipher.update(bytes(64)) == stream


@pytest.mark.parametrize("cipher", WRITERS)
@pytest.mark.parametrize("size", [16, 32])
def test_a_state_is_found_anywhere(cipher: str, size: int) -> None:
    """A state at any offset is one key; copies with other counters have the same value."""
    secret = symmetric.key(size)
    data = b"\xee" * 3 + WRITERS[cipher](secret) + b"\xee" * 5 + WRITERS[cipher](secret, 900)
    one, other = find(data)
    said = one.candidate
    assert (said.algorithm, said.bits, said.kind) == (cipher, 8 * size, "symmetric-key")
    assert [(place.offset, place.size) for place in said.places] == [(3, 64)]
    assert one.value == other.value == secret


@pytest.mark.parametrize("cipher", WRITERS)
def test_what_is_beside_the_constant_decides(cipher: str) -> None:
    """No random key, a counter that far or a cut state are no finding; a vector has its source."""
    write = WRITERS[cipher]
    assert [found.candidate.published != "" for found in find(write(bytes(range(32))))] == [True]
    assert find(write(b"password" * 4)) == []
    assert find(write(symmetric.key(32), 0xF0000000)) == find(write(symmetric.key(32))[:-1]) == []
    short = bytearray(write(symmetric.key(16)))
    short[20 if cipher == "chacha20" else 6] ^= 1
    assert find(bytes(short)) == []


def test_the_generator_of_an_allocator_is_no_key() -> None:
    """The state of mimalloc has its own address for a nonce; seen in CPython 3.13."""
    state = symmetric.chacha20(symmetric.key(32))[:56]
    for address, count in ((0xA07448, 0), (0xA07440, 1), (0, 1), (0xA0_7448_0000_7448, 1)):
        data = bytes(0x448) + state + address.to_bytes(8, "little")
        assert len(find(data)) == count


def test_tables_of_vector_units_hold_no_key() -> None:
    """The constant twice, and masks that rotate words twice; seen in code of polars."""
    turns = bytes.fromhex("03000102 07040506 0b08090a 0f0c0d0e")
    for constant, count in ((b"expand 32-byte k", 0), (symmetric.key(16), 1)):
        data = b"expand 32-byte k" + constant + turns * 2
        assert len(find(data)) == count
