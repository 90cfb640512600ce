"""Keys of wallets and identities: which key a text is, what it is called, and how sure that is."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from fixtures import keys, services
from scanner import rules
from scanner.detect import anchors
from scanner.detect.asn1.keys import Proved
from scanner.detect.programs import wallets
from scanner.model import Confidence
from tests.detect.one_space import Bytes

(RULE,) = (rule for rule in rules.load() if rule.detector == "wallets")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors((RULE,)))
ED, K1, P256 = keys.okp_key("ed25519"), keys.ec_key("secp256k1"), keys.ec_key("P-256")
ANY, SEEDS, SCALARS = (ED, K1, P256), (ED,), (K1,)


def find(data: bytes) -> list[Proved]:
    """Run the rule over the bytes."""
    return [
        found
        for _, offset in SWEEPER.sweep(data)
        for found in wallets.examine(Bytes(data), 0, offset, RULE)
    ]


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize(
    ("form", "of"),
    [
        (services.tezos, ANY),
        (services.sui, ANY),
        (services.multibase, ANY),
        (services.cardano, SEEDS),
        (services.cardano_file, SEEDS),
        (services.aptos, (ED, K1)),
        (services.tendermint, SCALARS),
    ],
)
def test_forms(
    form: Callable[..., bytes], of: tuple[keys.EcKey | keys.OkpKey, ...], codec: str
) -> None:
    """Each form is a structure, and the right key; with a letter before it or behind it none."""
    for key in of:
        text = form(key)
        (found,) = find(b"\0\0\0\0" + text.decode().encode(codec) + bytes(8))
        assert found.candidate.fingerprint.value == key.spki_sha256
        assert found.candidate.confidence is Confidence.STRUCTURE
        assert found.candidate.encoding.endswith("utf-16le") == (codec != "ascii")
        if b'"' not in text:
            assert not find(text + b"q") + find(b"x" + text)


def test_pairs() -> None:
    """A public key behind the seed proves it, or refutes it."""
    for form in (services.tezos, services.multibase):
        (found,) = find(form(ED, public=True))
        assert found.candidate.fingerprint.value == ED.spki_sha256
        assert found.candidate.confidence is Confidence.PROOF
    other = replace(ED, public=ED.public[::-1])
    assert not find(services.multibase(other, public=True))


def test_family_seed() -> None:
    """The seed of xrpl-py's own examples gives the public key that stands there."""
    (found,) = find(b"sEdSKaCy2JT7JaM7v95H9SxkhP9wS2r")
    key = found.material
    assert getattr(key, "public", b"").hex().startswith("01fa53fa5a7e77798f882ece20b1abc0")


def test_not_random() -> None:
    """Texts that hold no random bytes, as in manuals, are none."""
    assert not find(b"ed25519-priv-0x" + b"00" * 32 + b" ed25519-priv-0x" + b"1234" * 16)
    assert not find(services.multibase(ED).replace(b"secretKey", b"publicKey")[:40])
