"""Windows key blobs as text."""

import base64
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import containers, encodings
from fixtures import keys as recipes
from scanner import rules
from scanner.detect import anchors
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.keys import Proved
from scanner.detect.programs import blob_texts
from tests.detect.one_space import Bytes

RULES = tuple(rule for rule in rules.load() if rule.detector == "cng")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors(RULES))
RSA, EC, X = recipes.rsa_key(2048), recipes.ec_key("P-256"), recipes.okp_key("x25519")
BLOBS = {
    "capi": encodings.capi_blob(RSA),
    "without a header": encodings.capi_blob(RSA)[8:],
    "curve25519": b"ECKV" + (32).to_bytes(4, "little") + X.public + bytes(32) + X.seed,
    "rsa2": containers.cng_rsa2(recipes.rsa_key(4096)),
    "rsa3": containers.cng_rsa3(recipes.rsa_key(3072)),
    "ecc": containers.cng_ecc(EC),
    "ecdh": b"ECK2" + containers.cng_ecc(EC)[4:],
    "generic": b"ECDV" + containers.cng_ecc(EC)[4:],
    "p384": containers.cng_ecc(recipes.ec_key("P-384")),
    "p521": containers.cng_ecc(recipes.ec_key("P-521")),
}


def _wrapped(data: bytes) -> str:
    return "\r\n".join(_pieces(base64.b64encode(data).decode(), 64))


def _pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def _registry(data: bytes) -> str:
    return ",\\\r\n  ".join(_pieces(data.hex(","), 75)).replace(",,", ",")


def _dumped(data: bytes) -> str:
    """Print bytes as certutil does."""
    rows = (data[at : at + 16] for at in range(0, len(data), 16))
    lines = (f"{row[:8].hex(' ')}  {row[8:].hex(' ')}".ljust(49) + "  ...=..." for row in rows)
    return "\n" + "\r\n".join(f"{number:03x}0  {line}" for number, line in enumerate(lines))


TEXTS: dict[str, Callable[[bytes], str]] = {
    "base64": lambda data: base64.b64encode(data).decode(),
    "lines": _wrapped,
    "escaped": lambda data: base64.b64encode(data).decode().replace("+", "\\u002B"),
    "hex": bytes.hex,
    "HEX": lambda data: data.hex().upper(),
    "BitConverter": lambda data: data.hex("-").upper(),
    "registry": _registry,
    "spaces": lambda data: data.hex(" "),
    "C": lambda data: ", ".join(f"0x{byte:02x}" for byte in data),
    "JSON": lambda data: ",".join(map(str, data)),
    "numbers": lambda data: " ".join(map(str, data)),
    "certutil": _dumped,
    "xxd": lambda data: "\n" + encodings.xxd(data).decode().rstrip("\n"),
    "Visual Basic": lambda data: ", ".join(f"&H{byte:02X}" for byte in data),
    "Pascal": lambda data: ",".join(f"${byte:02X}" for byte in data),
    "PowerShell": lambda data: "\r\n".join(map(str, data)),
}
LISTS = TEXTS.keys() - {"base64", "lines", "escaped", "hex", "HEX"}


def find(data: bytes) -> list[Proved | PublicKey]:
    """Run the rule over the bytes."""
    return [
        found
        for rule, offset in SWEEPER.sweep(data)
        for found in blob_texts.examine(Bytes(data), 0, offset, RULES[rule])
    ]


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("form", sorted(TEXTS))
@pytest.mark.parametrize("blob", sorted(BLOBS))
def test_private_blobs(blob: str, form: str, codec: str) -> None:
    """The key is found once, its place is the text of the blob, and a public key has none."""
    if form in LISTS and blob in {"ecdh", "generic"}:
        return  # of lists the usual magic alone is an anchor
    text = TEXTS[form](BLOBS[blob]).encode(codec)
    data = b'key="\0'[: 4 + 2 * (codec != "ascii")] + text + b"\0\0"
    proved, public = find(data)
    assert isinstance(proved, Proved)
    assert isinstance(public, PublicKey)
    assert public.witness.place is None
    (place,) = proved.candidate.places
    assert not data[place.offset + place.size :].strip(b"=\0")
    start = data.index(text)
    skipped = 0 if "base64" in proved.candidate.encoding else 8 * len(text) // len(BLOBS[blob])
    assert start <= place.offset <= start + 2 * skipped


def test_public_blobs_and_cut_ones() -> None:
    """A public blob, or one that ends before its primes do, is no private key."""
    for data in (containers.cng_rsa1(RSA), BLOBS["capi"][:300], BLOBS["ecc"][:60]):
        for form in TEXTS.values():
            assert not [one for one in find(form(data).encode()) if isinstance(one, Proved)]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(TEXTS)), st.sampled_from(sorted(BLOBS)), st.integers(0, 600), st.binary()
)
def test_damaged_texts_raise_nothing(form: str, blob: str, at: int, noise: bytes) -> None:
    """Whatever is written over a text, nothing is raised."""
    text = bytearray(TEXTS[form](BLOBS[blob]).encode())
    text[at : at + len(noise)] = noise
    find(bytes(text))
