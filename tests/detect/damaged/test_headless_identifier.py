"""Private keys whose PKCS#8 lost what stands before the algorithm's identifier."""

import pytest

from fixtures import encodings, quantum
from fixtures import keys as recipes
from scanner.detect.asn1.keys import Proved
from scanner.detect.damaged import headless
from scanner.model import Confidence
from tests.detect.damaged.test_headless import RULE, SWEEPER
from tests.detect.one_space import Bytes

CURVES = ("ed25519", "x25519", "ed448", "x448")
QUANTUM = ("ml-kem-768", "slh-dsa-sha2-128s")
LINK = bytes.fromhex("90e1550e00560000")


def find(data: bytes) -> list[Proved]:
    """Run the rule over the bytes."""
    return [
        found
        for _, offset in SWEEPER.sweep(data)
        for found in headless.examine(Bytes(data), 0, offset, RULE)
    ]


@pytest.mark.parametrize("algorithm", CURVES)
@pytest.mark.parametrize("lost", [4, 8])
def test_a_seed_under_a_link(algorithm: str, lost: int) -> None:
    """What an allocator leaves of a freed PKCS#8 is a key, to which nothing bears witness."""
    key = recipes.okp_key(algorithm)
    form = LINK[:lost] + encodings.pkcs8_der(key)[lost:]
    data = bytes(16) + form + bytes(32)
    (found,) = find(data)
    said = found.candidate
    assert (said.fingerprint.value, said.confidence) == (key.spki_sha256, Confidence.STRUCTURE)
    assert sum((said.places[0].offset, said.places[0].size)) == 16 + len(form)
    (again,) = headless.examine(Bytes(data), 0, said.places[0].offset, RULE)
    assert again.candidate == said


@pytest.mark.parametrize("algorithm", QUANTUM)
def test_a_post_quantum_key_under_a_link(algorithm: str) -> None:
    """The same of algorithms whose identifiers are longer: their first bytes are left."""
    key = quantum.quantum_key(algorithm)
    (found,) = find(LINK + key.pkcs8[8:] + bytes(9))
    assert found.candidate.fingerprint.value == key.spki_sha256


@pytest.mark.parametrize("algorithm", CURVES)
def test_whole_keys_and_templates_are_left_alone(algorithm: str) -> None:
    """A whole key is another rule's; a header that libraries keep is none, whatever follows it."""
    key = recipes.okp_key(algorithm)
    form = encodings.pkcs8_der(key)
    template = encodings.okp_pkcs8_der(key, with_public=True)[: len(form)]
    assert find(bytes(8) + form + bytes(8)) == find(bytes(8) + template + LINK * 8) == []
    assert find(LINK + form[8:-20] + bytes(64)) == []
    assert find(LINK + form[8:12] + form[:12] * 8) == []
