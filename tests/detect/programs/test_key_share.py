"""Points in the messages of handshakes of TLS and IKE."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import containers, encodings, noise
from fixtures import keys as recipes
from scanner import rules
from scanner.detect import anchors
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.programs import key_share
from tests.detect.one_space import Bytes

(RULE,) = (rule for rule in rules.load() if rule.detector == "key-share")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors((RULE,)))
GROUPS = {"P-256": 0x17, "P-384": 0x18, "P-521": 0x19}
KEYS = [recipes.ec_key(curve) for curve in GROUPS]
KYBER = noise.uniform(1216)


def find(data: bytes) -> list[PublicKey]:
    """Run the rule over the bytes."""
    return [
        found
        for _, offset in SWEEPER.sweep(data)
        for found in key_share.examine(Bytes(data), 0, offset, RULE)
    ]


def entry(group: int, share: bytes) -> bytes:
    """Return a KeyShareEntry (RFC 8446 section 4.2.8)."""
    return struct.pack(">HH", group, len(share)) + share


def offered(*entries: bytes) -> bytes:
    """Return the key_share of a client's hello."""
    listed = b"".join(entries)
    return struct.pack(">HHH", 0x33, len(listed) + 2, len(listed)) + listed


def of_server(key: recipes.EcKey) -> bytes:
    """Return a server_key_exchange with 72 bytes of signature (RFC 8422 section 5.4)."""
    point = encodings.public_point(key)
    sent = struct.pack(">BHB", 3, GROUPS[key.curve], len(point)) + point + noise.uniform(76)
    return b"\x0c" + len(sent).to_bytes(3, "big") + sent


def of_client(key: recipes.EcKey) -> bytes:
    """Return a client_key_exchange (RFC 8422 section 5.7)."""
    point = encodings.public_point(key)
    return b"\x10" + (len(point) + 1).to_bytes(3, "big") + bytes((len(point),)) + point


def of_ike(key: recipes.EcKey) -> bytes:
    """Return a Key Exchange payload of IKEv2, before a nonce (RFC 7296 section 3.4)."""
    point = encodings.public_point(key)[1:]
    group = {"P-256": 19, "P-384": 20, "P-521": 21}[key.curve]
    return struct.pack(">BBHHH", 40, 0, 8 + len(point), group, 0) + point


FORMS = {
    "server's share": containers.key_share,
    "only share": lambda key: offered(entry(GROUPS[key.curve], encodings.public_point(key))),
    "third share": lambda key: offered(
        entry(0x2A2A, b"\0"),
        entry(0x11EC, KYBER),
        entry(GROUPS[key.curve], encodings.public_point(key)),
        entry(0x1D, KYBER[:32]),
    ),
    "server's exchange": of_server,
    "client's exchange": of_client,
    "IKE's payload": of_ike,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.curve)
def test_a_point_of_a_handshake(key: recipes.EcKey, form: str) -> None:
    """Whoever sent it, and whatever was sent before it, it is read and named as a session's."""
    (found,) = find(noise.text(33) + FORMS[form](key) + bytes(3))
    assert found.witness.fingerprint.value == key.spki_sha256
    assert found.witness.kind == "key-share"


@pytest.mark.parametrize("behind", [1088, 1184])
def test_a_point_with_ml_kem(behind: int) -> None:
    """SecP256r1MLKEM768 sends the point first."""
    share = encodings.public_point(KEYS[0]) + KYBER[:behind]
    (found,) = find(offered(entry(0x11EB, share)))
    assert found.witness.fingerprint.value == KEYS[0].spki_sha256


@pytest.mark.parametrize("form", FORMS)
def test_what_no_handshake_sent(form: str) -> None:
    """Without what must stand before it, or cut, or off the curve, a point says nothing."""
    data = FORMS[form](KEYS[0])
    assert find(data[1:]) == []
    assert find(bytes((data[0] ^ 0x40,)) + data[1:]) == []
    at = data.index(encodings.public_point(KEYS[0])[1:]) - 1
    assert find(data[: at + 64]) == []
    assert find(data[: at + 64] + bytes((data[at + 64] ^ 1,)) + data[at + 65 :]) == []


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(["0017004104", "0300174104", "100000424104", "00004800130000"]),
    st.binary(),
    st.binary(),
)
def test_arbitrary_bytes_raise_nothing(mark: str, before: bytes, noise_: bytes) -> None:
    """Whatever stands around an anchor, nothing is raised."""
    data = before + bytes.fromhex(mark) + noise_
    found = key_share.examine(Bytes(data), 0, len(before), RULE)
    assert all(isinstance(key, PublicKey) for key in found)
