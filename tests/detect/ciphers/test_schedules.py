"""Schedules: AES at any byte offset in every order, DES and SM4 at words, and nowhere else."""

from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fixtures import aes, noise, symmetric
from scanner.detect.ciphers import aes as aes_schedules
from scanner.detect.ciphers import schedules, sm4, vectors
from scanner.detect.integers.runs import Runs, gather, join
from scanner.dump import space
from scanner.dump.source import open_file
from scanner.dump.space import Memory
from scanner.dump.windows import cut
from scanner.model import Layout
from scanner.rules import Rule
from scanner.stages.relate import SCHEDULES
from scanner.stages.session import Session, Target
from scanner.stages.sweep import sweep

ORDERS = {
    "encryption": lambda s: s,
    "decryption": aes.decryption,
    "encryption swapped": aes.swapped,
    "decryption swapped": lambda s: aes.swapped(aes.decryption(s)),
}
DETECTORS = {
    "aes": "schedules",
    "des": "des-schedules",
    "3des": "des-schedules",
    "sm4": "sm4-schedules",
}
NO_RULES: tuple[Rule, ...] = ()


def find(data: bytes, folder: Path) -> list[tuple[int, str, int, int]]:
    """Return (bits, order, offset, number) of the schedules in raw bytes."""
    from scanner.detect.anchors import compile_anchors

    path = folder / "raw"
    path.write_bytes(data)
    session = Session(
        Target(path=str(path), rules=NO_RULES, anchors=compile_anchors(NO_RULES), known=())
    )
    tasks = cut(session.survey.space_map)
    runs = join(gather([sweep(session, task).runs for task in tasks]))
    kept = schedules.long(runs)
    assert schedules.long(kept).start.tolist() == kept.start.tolist()
    found = list(schedules.search(session.memory, kept, [find for _, find in SCHEDULES]))
    assert found == list(schedules.search(session.memory, runs, [find for _, find in SCHEDULES]))
    assert all(SCHEDULES[which][0] == DETECTORS[s.algorithm] for which, s in found)
    numbers = {name: number for number, name in enumerate(dict.fromkeys(s.name for _, s in found))}
    return sorted((s.bits, s.order, s.place.offset, numbers[s.name]) for _, s in found)


def test_the_writer_agrees_with_a_cipher() -> None:
    """The independent expansion encrypts a block as the AES of cryptography does."""
    secret = aes.key(128)
    rounds = [aes.expand(secret)[at : at + 16] for at in range(0, 176, 16)]
    state = rounds[0]
    for number, key in enumerate(rounds[1:], 1):
        state = bytes(aes.SBOX[byte] for byte in state)
        state = bytes(state[(k + 4 * (k % 4)) % 16] for k in range(16))
        if number < 10:
            state = b"".join(_mix(state[at : at + 4]) for at in range(0, 16, 4))
        state = bytes(a ^ b for a, b in zip(state, key, strict=True))
    cipher = Cipher(algorithms.AES(secret), modes.ECB()).encryptor()  # noqa: S305 - one block
    assert cipher.update(bytes(16)) == state


def _mix(column: bytes) -> bytes:
    multiply = aes._multiply
    return bytes(
        multiply(column[k], 2)
        ^ multiply(column[(k + 1) % 4], 3)
        ^ column[(k + 2) % 4]
        ^ column[(k + 3) % 4]
        for k in range(4)
    )


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    bits=st.sampled_from((128, 192, 256)),
    order=st.sampled_from(sorted(ORDERS)),
    kind=st.sampled_from(("zeros", "text", "pointers", "heap", "uniform", "table")),
    at=st.integers(300, 7000),
    label=st.integers(0, 500),
)
def test_a_schedule_anywhere(
    tmp_path: Path, bits: int, order: str, kind: str, at: int, label: int
) -> None:
    """A schedule at any byte offset, in any order and surroundings, is found once, there.

    One inside of a table, which is a run with it, was missed in memory of ordinary programs.
    """
    schedule = ORDERS[order](aes.expand(aes.key(bits, label)))
    data = noise.plant(getattr(noise, kind)(8192, label), at, schedule)
    assert find(data, tmp_path) == [(bits, order, at, 0)]


def test_a_schedule_that_the_dump_cuts(tmp_path: Path) -> None:
    """A schedule whose last byte is beyond the end is not there, be that byte a zero."""
    whole = next(s for k in range(4096) if (s := aes.expand(aes.key(128, k)))[-1] == 0)
    assert find(bytes(64) + whole, tmp_path)
    assert find(bytes(64) + whole[:-1], tmp_path) == []


@pytest.mark.parametrize("bits", [128, 192, 256])
def test_a_flipped_bit_is_no_schedule(tmp_path: Path, bits: int) -> None:
    """Whatever bit is flipped, what does not recompute is not reported."""
    schedule = aes.expand(aes.key(bits))
    for bit in range(0, 8 * len(schedule), 37):
        damaged = bytearray(schedule)
        damaged[bit // 8] ^= 1 << bit % 8
        assert find(noise.plant(noise.text(2048), 777, bytes(damaged)), tmp_path) == []


def test_copies_of_one_key_share_a_number(tmp_path: Path) -> None:
    """Both orders of one key are one key; another key is another."""
    one, other = aes.expand(aes.key(256, 1)), aes.expand(aes.key(256, 2))
    gap = bytes(64)
    data = gap.join([gap, one, aes.decryption(one), other, aes.swapped(one), gap])
    numbers = [row[3] for row in sorted(find(data, tmp_path), key=lambda row: row[2])]
    assert numbers == [0, 0, 1, 0]


@pytest.mark.parametrize("kind", ["uniform", "heap", "code", "mixed", "zeros"])
def test_nothing_in_noise(tmp_path: Path, kind: str) -> None:
    """Noise holds no schedule."""
    assert find(getattr(noise, kind)(1 << 20, 9), tmp_path) == []


def test_runs_at_the_ends_of_a_space(tmp_path: Path) -> None:
    """A run that fills its space, longer than a block, ends the search and is searched whole."""
    schedule = aes.expand(aes.key(128))
    data = noise.plant(noise.uniform(2 * schedules.BLOCK + 1001), schedules.BLOCK - 90, schedule)
    path = tmp_path / "raw"
    path.write_bytes(data)
    with open_file(str(path)) as file:
        space_map, _ = space.build(Layout(format="raw"), file.size)
        runs = Runs(
            space=np.zeros(1, np.int64), start=np.zeros(1, np.int64), end=np.array([len(data)])
        )
        ((_, found),) = schedules.search(Memory(space_map, file), runs, [aes_schedules.find])
    assert found.place.offset == schedules.BLOCK - 90


# --- DES and SM4 --------------------------------------------------------------------------------

OTHERS = {
    "des": (56, "encryption", lambda label: symmetric.des(symmetric.key(8, label))),
    "3des": (168, "encryption", lambda label: symmetric.triple_des(symmetric.key(24, label))),
    "2-key 3des": (
        112,
        "encryption",
        lambda label: symmetric.triple_des((k := symmetric.key(16, label)) + k[:8]),
    ),
    "sm4": (128, "encryption", lambda label: symmetric.sm4(symmetric.key(16, label))),
    "sm4 backward": (
        128,
        "decryption",
        lambda label: symmetric.sm4(symmetric.key(16, label), backward=True),
    ),
}


def test_the_writers_agree_with_ciphers() -> None:
    """SM4's expansion encrypts as that of cryptography does; DES's is that of OpenSSL's library."""
    secret, block = symmetric.key(16), bytes(range(16))
    cipher = Cipher(algorithms.SM4(secret), modes.ECB()).encryptor()  # noqa: S305 - one block
    assert cipher.update(block) == symmetric.sm4_block(secret, block)
    # DES_set_key_unchecked of libcrypto 3.5 for Grabbe's key, its first two rounds.
    first = symmetric.des(bytes.fromhex("133457799bbcdff1"))[:16]
    assert first == bytes.fromhex("60d0fc80c4400fce78dc6ce48a85c943")
    assert bytes(sm4._affine(sm4._inverse(sm4._affine(k))) for k in range(256)) == symmetric.SM4_BOX


@example(kind="sm4", around="zeros", at=80, label=436)  # two words in it have no byte above 0x7f
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    kind=st.sampled_from(sorted(OTHERS.keys() - {"des"})),
    around=st.sampled_from(("zeros", "text", "pointers", "heap", "uniform", "table")),
    at=st.integers(80, 1800),
    label=st.integers(0, 500),
)
def test_another_schedule_at_any_word(
    tmp_path: Path, kind: str, around: str, at: int, label: int
) -> None:
    """A schedule at any word is found once, there."""
    bits, order, make = OTHERS[kind]
    data = noise.plant(getattr(noise, around)(8192, label), 4 * at, make(label))
    assert find(data, tmp_path) == [(bits, order, 4 * at, 0)]


@pytest.mark.parametrize("kind", ["sm4", "sm4 backward"])
def test_sm4_at_every_word_of_a_block(kind: str) -> None:
    """The few words of a block that are looked at see a schedule wherever it begins."""
    bits, order, make = OTHERS[kind]
    schedule = make(3)
    for at in range(0, 512 - len(schedule) + 4, 4):
        found = list(sm4.find(noise.plant(noise.uniform(512, at), at, schedule)))
        assert [(one.bits, one.order, one.at) for one in found] == [(bits, order, at)]


def test_single_des(tmp_path: Path) -> None:
    """Schedules of DES, which look less random than others, are found among text."""
    schedules = [OTHERS["des"][2](label) for label in range(20)]
    data = b"".join(
        noise.text(504, k) + bytes(4 * (k % 2) + 8) + s for k, s in enumerate(schedules)
    )
    places, at = [], 0
    for k, schedule in enumerate(schedules):
        at += 504 + 4 * (k % 2) + 8
        places.append(at)
        at += len(schedule)
    assert [row[2] for row in find(data, tmp_path)] == places


@pytest.mark.parametrize("kind", ["des", "sm4", "sm4 backward"])
def test_another_flipped_bit_is_no_schedule(tmp_path: Path, kind: str) -> None:
    """Whatever bit is flipped, what does not recompute is not reported."""
    schedule = OTHERS[kind][2](1)
    for bit in range(0, 8 * len(schedule), 23):
        damaged = bytearray(schedule)
        damaged[bit // 8] ^= 1 << bit % 8
        assert find(noise.plant(noise.text(2048), 776, bytes(damaged)), tmp_path) == []


@pytest.mark.parametrize(
    "schedule",
    [
        aes.expand(bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")),
        aes.expand(bytes(range(32))),
        symmetric.sm4(bytes.fromhex("0123456789abcdeffedcba9876543210")),
        symmetric.triple_des(bytes.fromhex("0123456789abcdef23456789abcdef01456789abcdef0123")),
    ],
    ids=["FIPS 197", "counting", "GB/T 32907", "SP 800-67"],
)
def test_published_vectors_have_a_source(schedule: bytes) -> None:
    """What libraries expand to test themselves is told, and nobody's secret is."""
    (found,) = (found for _, find in SCHEDULES for found in find(bytes(64) + schedule + bytes(64)))
    assert vectors.source_of(found.key)


def test_no_random_key_is_a_vector() -> None:
    """Vectors are listed, count or repeat."""
    assert not any(vectors.source_of(symmetric.key(16, label)) for label in range(100))
    assert vectors.source_of(bytes(16))


CODE = [
    bytes.fromhex(word)
    for word in ("4889e54883ec1048", "8b45f8488b400848", "89c7e8a5f3ffff48", "85c0740f488b45f8",
                 "488d3d9bfeffff48", "c745fc00e8b0f1ff", "4c89ea4889de4889")
]  # fmt: skip
"""Words of machine code that pass the test of words."""


@pytest.mark.parametrize("seed", range(8))
def test_a_schedule_between_code(tmp_path: Path, seed: int) -> None:
    """Seen in a mix of memory: neither edge of the run looks random, the schedule inside does."""
    picks = noise.uniform(60, seed)
    before, after = (b"".join(CODE[pick % 7] for pick in part) for part in (picks[:29], picks[29:]))
    schedule = aes.expand(aes.key(128))
    data = bytes(4096) + before + schedule + after + bytes(4096)
    assert [row[:3] for row in find(data, tmp_path)] == [(128, "encryption", 4096 + len(before))]
