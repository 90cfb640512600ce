"""What is dear is counted before it is done, and not done where too little is left."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa

from fixtures import encodings, keys, keystores, pgp, pqc
from scanner.detect import evidence
from scanner.detect.algebra import effort, groups
from scanner.detect.algebra.curve_points import CURVES
from scanner.detect.asn1.keys import OKP_BYTES, okp_public, parse_private
from scanner.detect.locked import pkcs12
from scanner.detect.openpgp import grammar
from scanner.detect.openpgp import transferable as packets

RSA = keys.rsa_key()
NUMBERS = dsa.generate_private_key(1024).private_numbers()  # noqa: S505 - made in no time
GROUP = NUMBERS.public_numbers.parameter_numbers
MANY = 1 << 40


def packet(key: keys.Key) -> object:
    """Read the body of an OpenPGP packet, and the key in it."""
    data = pgp.packet(key)
    head = grammar.header(data)
    assert head is not None
    return packets.key_of(grammar.read(data[head.size :], secret=True))


def store(data: bytes) -> object:
    """Open the bags of a PKCS#12 store."""
    return [pkcs12.opened(bag) for bag in pkcs12.shrouded(data)]


DEAR: dict[str, Callable[[], object]] = {
    "sec1": lambda: parse_private(encodings.sec1_der(keys.ec_key("P-521"))),
    "pkcs8": lambda: parse_private(encodings.pkcs8_der(keys.ec_key("P-384"))),
    "seed": lambda: parse_private(encodings.pkcs8_der(keys.okp_key("ed25519"))),
    "point": lambda: evidence.ec_derived("P-256", 7),
    "exponents": lambda: evidence.rsa_exponents(RSA.n, RSA.n >> 1800 | 1, RSA.n // 5),
    "dsa": lambda: groups.proved(GROUP.p, GROUP.q, GROUP.g, NUMBERS.public_numbers.y, NUMBERS.x),
    "dsa-open": lambda: groups.derived(GROUP.p, GROUP.q, GROUP.g, NUMBERS.x),
    "dh": lambda: groups.proved(GROUP.p, 0, GROUP.g, NUMBERS.public_numbers.y, NUMBERS.x),
    "pgp": lambda: packet(keys.ec_key("P-256")),
    "ml-dsa": lambda: parse_private(pqc.pkcs8("ml-dsa-44")),
    "ml-kem": lambda: parse_private(pqc.pkcs8("ml-kem-512")),
    "x-wing": lambda: parse_private(pqc.pkcs8("x-wing")),
    "pkcs12": lambda: store(keystores.pkcs12_open(RSA)),
    "pkcs12-3des": lambda: store(keystores.pkcs12_open_3des(RSA)),
}


@pytest.mark.parametrize("name", DEAR)
def test_what_is_dear_is_counted(name: str) -> None:
    """It costs something, and is not done where nothing is left."""
    with effort.bounded(MANY) as bound:
        done = DEAR[name]()
    assert bound.left < MANY
    assert bound.refused == 0
    with effort.bounded(0) as none, pytest.raises(effort.Spent):
        DEAR[name]()
    assert none.refused == 1
    with effort.bounded(MANY - bound.left):
        again = DEAR[name]()
    assert (again is None) == (done is None)


def test_the_table_names_all_curves() -> None:
    """Whatever is derived has a cost."""
    assert {*CURVES, *OKP_BYTES} <= set(effort.DERIVING)


def test_what_is_cheaper_goes_on() -> None:
    """A power that is too dear takes nothing from what is left for others."""
    with effort.bounded(effort.DERIVING["ed25519"]) as bound:
        with pytest.raises(effort.Spent):
            effort.power(8192, 8192)
        assert okp_public("ed25519", bytes(range(32)))
    assert (bound.left, bound.refused) == (0, 1)


def test_without_a_bound() -> None:
    """The relations count for themselves; a bound ends with its block."""
    with effort.bounded(0):
        pass
    assert evidence.ec_derived("P-256", 7) is not None
