"""Nonces of Ed25519 signatures are told from the scalars of keys."""

import pytest

from fixtures import keys, noise
from scanner.detect.algebra import publics
from scanner.detect.algebra.material import describe
from scanner.detect.relations.edwards import edwards
from scanner.model import NONCE_EDWARDS
from tests.detect.relations.edwards.test_edwards import SIZE, L, MakePool, again, scalar


@pytest.mark.parametrize("behind", ["scalar", "noise"])
def test_the_nonce_of_a_signature_is_called_so(make_pool: MakePool, behind: str) -> None:
    """Behind R stands S, which is below the order too; what is behind a public key seldom is."""
    key = keys.okp_key("ed25519")
    r = (int.from_bytes(scalar(key), "little") % L).to_bytes(32, "little")
    other = int.from_bytes(noise.uniform(32, 5), "little")
    s = (other % L if behind == "scalar" else other | 1 << 255).to_bytes(32, "little")
    data = noise.plant(noise.text(SIZE, 3), 1016, bytes(8) + r + bytes(8))
    pool, memory = make_pool(noise.plant(data, 4088, bytes(8) + key.public + s + bytes(8)))
    (related,) = edwards.search(pool, ())
    assert related.proof == (NONCE_EDWARDS if behind == "scalar" else edwards.PROOFS["a limbs-le"])
    assert key.spki_sha256 in again(memory, related)


@pytest.mark.parametrize("signs", [True, False])
def test_a_nonce_near_the_public_key_that_signs(make_pool: MakePool, *, signs: bool) -> None:
    """Seen on ring's stack: the nonce, R, and what is hashed with R; S is elsewhere."""
    key, signer = keys.okp_key("ed25519"), keys.okp_key("ed25519", label="signer")
    r = (int.from_bytes(scalar(key), "little") % L).to_bytes(32, "little")
    stack = r + bytes(176) + key.public + bytes(112) + signer.public + bytes(16)
    data = noise.plant(noise.text(SIZE, 3), 1016, bytes(8) + stack)
    if signs:
        data = noise.plant(data, 4088, bytes(8) + signer.seed + bytes(8))
    found = edwards.search(make_pool(data)[0], ())
    related = {describe(each.key).fingerprint.value: each for each in found}
    assert set(related) == {key.spki_sha256} | ({signer.spki_sha256} if signs else set())
    assert (related[key.spki_sha256].proof == NONCE_EDWARDS) == signs


@pytest.mark.parametrize(("signs", "behind"), [(True, True), (True, False), (False, True)])
def test_a_nonce_in_one_record_with_its_point(
    make_pool: MakePool, *, signs: bool, behind: bool
) -> None:
    """Seen in Nettle: the signer's public key, the nonce and the signature, in freed memory.

    A scalar in one record with its point is a key, unless all of these say otherwise.
    """
    key, signer = keys.okp_key("ed25519"), keys.okp_key("ed25519", label="signer")
    r = (int.from_bytes(scalar(key), "little") % L).to_bytes(32, "little")
    other = int.from_bytes(noise.uniform(32, 5), "little")
    s = (other % L if behind else other | 1 << 255).to_bytes(32, "little")
    before = signer.public + noise.uniform(40, 6) + bytes(8) + noise.uniform(32, 7)
    scratch = before + r + noise.uniform(160, 8) + key.public + s
    data = noise.plant(noise.text(SIZE, 3), 1016, bytes(8) + scratch + bytes(8))
    if signs:
        data = noise.plant(data, 4088, bytes(8) + signer.seed + bytes(8))
    found = edwards.search(make_pool(data)[0], ())
    related = {describe(each.key).fingerprint.value: each for each in found}
    assert set(related) == {key.spki_sha256} | ({signer.spki_sha256} if signs else set())
    assert (related[key.spki_sha256].proof == NONCE_EDWARDS) == (signs and behind)


@pytest.mark.parametrize("where", ["elsewhere", "behind the nonce", "nowhere", "limbs"])
def test_the_signature_behind_a_later_copy_of_r(make_pool: MakePool, where: str) -> None:
    """Seen in Nettle (pysequoia): R stands seven times, the first three without S behind it.

    Behind a point may stand its coordinates in limbs of 51 bits, which are no S (dalek).
    """
    key = keys.okp_key("ed25519")
    r = (int.from_bytes(scalar(key), "little") % L).to_bytes(32, "little")
    s = (int.from_bytes(noise.uniform(32, 5), "little") % L).to_bytes(32, "little")
    other = noise.uniform(31, 6) + b"\xf0"
    x = b"".join(noise.uniform(6, limb) + b"\x05\0" for limb in range(4))
    copies = {
        "elsewhere": key.public + s,
        "behind the nonce": bytes(64),
        "nowhere": key.public + other,
        "limbs": key.public + x,
    }
    near = key.public + (s if where == "behind the nonce" else other)
    stack = key.public + other + bytes(448) + r + (s if where == "behind the nonce" else other)
    data = noise.plant(noise.text(SIZE, 3), 1016, bytes(8) + stack + bytes(88) + near + bytes(8))
    pool, _ = make_pool(noise.plant(data, 4088, bytes(8) + copies[where] + bytes(8)))
    (related,) = edwards.search(pool, ())
    assert describe(related.key).fingerprint.value == key.spki_sha256
    once = where in {"elsewhere", "behind the nonce"}
    assert related.proof == (NONCE_EDWARDS if once else edwards.PROOFS["a limbs-le"])


@pytest.mark.parametrize("met", [False, True])
def test_a_met_public_key_signs_too(make_pool: MakePool, *, met: bool) -> None:
    """The signer's private key is not there: its certificate is, and stands near the nonce."""
    key, signer = keys.okp_key("ed25519"), keys.okp_key("ed25519", label="signer")
    r = (int.from_bytes(scalar(key), "little") % L).to_bytes(32, "little")
    s = (int.from_bytes(noise.uniform(32, 5), "little") % L).to_bytes(32, "little")
    scratch = signer.public + bytes(40) + r + bytes(72) + key.public + s
    pool, _ = make_pool(noise.plant(noise.text(SIZE, 3), 1016, bytes(8) + scratch + bytes(8)))
    read = [publics.okp("ed25519", signer.public, kind="certificate")] if met else []
    (related,) = edwards.search(pool, read)
    assert describe(related.key).fingerprint.value == key.spki_sha256
    assert (related.proof == NONCE_EDWARDS) == met


def test_copies_of_a_record_of_two_keys_are_no_signatures(make_pool: MakePool) -> None:
    """Of Monero's keys each copy has a key's scalar behind the other's point."""
    owned = [keys.okp_key(label=label) for label in ("spend", "view")]
    scalars = [int.from_bytes(scalar(key), "little") % L for key in owned]
    record = b"".join(key.public for key in owned)
    record += b"".join(a.to_bytes(32, "little") for a in scalars)
    data = noise.text(SIZE, 3)
    for at in (1016, 4088):
        data = noise.plant(data, at, bytes(8) + record + bytes(8))
    lone = bytes(8) + owned[0].public + scalars[0].to_bytes(32, "little") + bytes(8)
    found = list(edwards.search(make_pool(noise.plant(data, 6136, lone))[0], ()))
    assert {describe(one.key).fingerprint.value for one in found} == {
        key.spki_sha256 for key in owned
    }
    assert {one.proof for one in found} == {edwards.PROOFS["a limbs-le"]}
