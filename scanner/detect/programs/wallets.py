"""Private keys as wallets and identities write them, in forms that say what they are.

A prefix that nothing else has stands before each, and in most a checksum behind it: Tezos and XRPL
in Base58Check, Sui and Cardano in Bech32, Aptos in hex (AIP-80), keys of decentralized identifiers
in multibase with their multicodec, key files of cardano-cli and Tendermint in JSON. Nothing bears
witness to a scalar or a seed alone, so that the key is a structure until its public half is met;
where that follows the seed in the same text, it is proved. Keys that stand for themselves as 64
bytes, numbers in hex and DER in hex are for others.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterator

from scanner.detect.algebra.material import Material
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import armour, base58, bech32
from scanner.detect.evidence import DISTINCT, ec_derived, okp_derived, okp_seed, proved, unproved
from scanner.rules import Rule

LONGEST = 512
"""Characters of the longest text: of a file of cardano-cli."""

_SIZE = 32
"""Bytes of a seed, and of a scalar."""

_ED25519 = "ed25519"
_B58 = base58.ALPHABET
_XRPL = bytes.maketrans(b"rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz", _B58)
"""The alphabet of XRPL, as that of Bitcoin."""

_TEZOS = {
    bytes.fromhex("0d0f3a07"): _ED25519,
    bytes.fromhex("2bf64e07"): _ED25519,
    bytes.fromhex("11a2e0c9"): "secp256k1",
    bytes.fromhex("1051eebd"): "P-256",
}
"""Versions of Tezos' keys: edsk of a seed, edsk of a seed with its public key, spsk, p2sk."""

_FAMILY = bytes.fromhex("01e14b")
"""The version of a family seed of XRPL for Ed25519, of 16 bytes."""

_FLAGS = (_ED25519, "secp256k1", "P-256")
"""Of Sui, by the byte before the key."""

_CODECS = {b"\x80\x26": _ED25519, b"\x81\x26": "secp256k1", b"\x86\x26": "P-256"}
"""Multicodecs of private keys, as varints."""

Read = Callable[[bytes], tuple[str, bytes] | None]
"""From the characters of a key to its algorithm and bytes; None where a check fails."""


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key whose text begins at ``offset``."""
    text = armour.text_at(memory, space, offset)
    raw = text.read(LONGEST)
    before = armour.before(memory, space, text.offset, text.width)
    for pattern, read, name in _FORMS:
        match = pattern.match(raw)
        if match is None:
            continue
        found = None if before.isalnum() and name not in _LABELLED else read(match[1])
        say, key = (None, None) if found is None else _key(*found)
        if say is not None and key is not None:
            place, wide = armour.located(memory, space, text.offset, match.end(), text.width)
            yield say(key, rule, f"{name}{wide}", (place,))
        return


def _key(algorithm: str, raw: bytes) -> tuple[Callable[..., Proved] | None, Material | None]:
    """Return the key of bytes, and whether they bear witness to each other."""
    secret, public = raw[:_SIZE], raw[_SIZE:]
    if len(secret) != _SIZE or len(set(secret)) < DISTINCT:
        return None, None
    if algorithm != _ED25519:
        return unproved, None if public else ec_derived(algorithm, int.from_bytes(secret, "big"))
    if public:
        return proved, okp_seed(_ED25519, secret, public)
    return unproved, okp_derived(_ED25519, secret)


def _checked(text: bytes, size: int) -> bytes:
    """Return the bytes of Base58Check; none where the checksum does not hold."""
    data = base58.decode(text, size) or b""
    body, check = data[:-4], data[-4:]
    return body if hashlib.sha256(hashlib.sha256(body).digest()).digest()[:4] == check else b""


def _tezos(text: bytes) -> tuple[str, bytes] | None:
    body = _checked(text, 40 if len(text) == 54 else 72)
    algorithm = _TEZOS.get(body[:4])
    return None if algorithm is None else (algorithm, body[4:])


def _xrpl(text: bytes) -> tuple[str, bytes] | None:
    body = _checked(text.translate(_XRPL), 23)
    family = body[len(_FAMILY) :]
    if not body.startswith(_FAMILY) or len(set(family)) < DISTINCT:
        return None
    return _ED25519, hashlib.sha512(family).digest()[:_SIZE]


def _sui(text: bytes) -> tuple[str, bytes] | None:
    data = bech32.decode("suiprivkey", text.decode())
    if data is None or len(data) != 1 + _SIZE or data[0] >= len(_FLAGS):
        return None
    return _FLAGS[data[0]], data[1:]


def _cardano(text: bytes) -> tuple[str, bytes] | None:
    data = bech32.decode("ed25519_sk", text.decode())
    return None if data is None else (_ED25519, data)


def _seed(text: bytes) -> tuple[str, bytes] | None:
    return _ED25519, binascii.unhexlify(text)


def _scalar(text: bytes) -> tuple[str, bytes] | None:
    return "secp256k1", binascii.unhexlify(text)


def _tendermint(text: bytes) -> tuple[str, bytes] | None:
    return "secp256k1", base64.b64decode(text + b"=")


def _multibase(text: bytes) -> tuple[str, bytes] | None:
    for size in (2 + _SIZE, 2 + 2 * _SIZE):
        data = base58.decode(text, size)
        if data is not None:
            algorithm = _CODECS.get(data[:2])
            return None if algorithm is None else (algorithm, data[2:])
    return None


_HEX = rb"([0-9a-fA-F]{64})(?![0-9A-Za-z])"
_ENDS = rb"(?![0-9A-Za-z])"
_FORMS: tuple[tuple[re.Pattern[bytes], Read, str], ...] = tuple(
    (re.compile(pattern), read, name)
    for pattern, read, name in (
        (
            rb"((?:edsk|spsk|p2sk)[%b]{50}|edsk[%b]{94})%b" % (_B58, _B58, _ENDS),
            _tezos,
            "Tezos key",
        ),
        (rb"(sEd[%b]{28})%b" % (_B58, _ENDS), _xrpl, "XRPL seed"),
        (rb"suiprivkey1([02-9ac-hj-np-z]{59})%b" % _ENDS, _sui, "Sui key"),
        (rb"ed25519_sk1([02-9ac-hj-np-z]{58})%b" % _ENDS, _cardano, "Cardano key"),
        (rb"ed25519-priv-0x" + _HEX, _seed, "AIP-80 key"),
        (rb"secp256k1-priv-0x" + _HEX, _scalar, "AIP-80 key"),
        (
            rb'(?s:SigningKey[A-Za-z]{0,16}_ed25519\\*".{1,256}?cborHex\\*":\s{0,8}\\*"5820)'
            + _HEX,
            _seed,
            "key file of cardano-cli",
        ),
        (
            rb'PrivKeySecp256k1\\*",\s{0,64}\\*"value\\*":\s{0,8}\\*"([A-Za-z0-9+/]{43})=',
            _tendermint,
            "key file of Tendermint",
        ),
        (
            rb"""KeyMultibase\\*["']?\s{0,8}[:=]\s{0,8}\\*["']?z([%b]{40,100})%b""" % (_B58, _ENDS),
            _multibase,
            "multibase key",
        ),
    )
)
"""What a text looks like from its anchor on, how its characters are read, and what it is called."""

_LABELLED = ("key file of cardano-cli", "key file of Tendermint", "multibase key")
"""Those whose anchor is the end of a longer word."""
