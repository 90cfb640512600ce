"""What a mix of real memory is planted with: keys and tokens in the forms that processes keep.

Each object says what it is and which texts of a tool's output would name it, made from the key
itself: a tool that tells places is judged by these, one that tells values by the texts. The keys
are those of ``fixtures``, made for tests; every object has its own. This module knows no tool.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from fixtures import aes, encodings, keys, tokens

KINDS = ("AES schedule", "PEM", "PEM UTF-16", "DER", "limbs", "token", "token UTF-16")
"""Categories, in the order of the tables."""

LIMB_KEYS = (
    (1024, "third"),
    (2048, "openssl server"),
    (2048, "python signer"),
    (3072, "default"),
    (4096, "default"),
)
"""RSA keys that stand as limbs: (bits, label)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What a planted object is."""

    name: str
    kind: str
    """One of KINDS."""
    needles: tuple[str, ...]
    """Lower-case texts; a tool that writes one of them has found the object."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Planted:
    """An object, ready to be written into a dump."""

    truth: Truth
    data: bytes
    shift: int = 0
    """Bytes behind a multiple of 16."""
    witness: int = 0
    """Bytes at the end that are public: whoever tells these alone has found nothing."""
    pointers: tuple[tuple[int, int], ...] = ()
    """(where in ``data``, to where in ``data``): filled in once the address is known."""

    def placed(self, address: int) -> bytes:
        """Return the bytes as they stand at an address."""
        data = bytearray(self.data)
        for at, to in self.pointers:
            struct.pack_into("<Q", data, at, address + to)
        return bytes(data)


def objects() -> tuple[Planted, ...]:
    """Return all objects, in a fixed order."""
    return (*_schedules(), *_pems(), *_ders(), *_limbs(), *_tokens())


def _schedules() -> list[Planted]:
    """Return 15 schedules, three of them at no multiple of 4."""
    made = []
    for bits in (128, 192, 256):
        for label in range(5):
            secret = aes.key(bits, bits + label)
            truth = Truth(name=f"aes-{bits}-{label}", kind="AES schedule", needles=(secret.hex(),))
            shift = 0 if label else bits // 64 * 2 + 1
            made.append(Planted(truth=truth, data=aes.expand(secret), shift=shift))
    return made


def _pems() -> list[Planted]:
    plain = {
        "pkcs1": encodings.pkcs1_pem(keys.rsa_key(2048, label="default")),
        "pkcs8-rsa": encodings.pkcs8_pem(keys.rsa_key(2048, label="second")),
        "sec1": encodings.sec1_pem(keys.ec_key("P-256", label="mix pem")),
        "pkcs8-ec": encodings.pkcs8_pem(keys.ec_key("P-384", label="mix pem")),
        "openssh-rsa": encodings.openssh_pem(keys.rsa_key(2048, label="third")),
        "openssh-ed25519": encodings.openssh_pem(keys.okp_key("ed25519", label="mix pem")),
        "pkcs8-ed25519": encodings.pkcs8_pem(keys.okp_key("ed25519", label="mix pkcs8")),
        "sec1-secp256k1": encodings.sec1_pem(keys.ec_key("secp256k1", label="mix pem")),
    }
    wide = {
        "pkcs1": encodings.pkcs1_pem(keys.rsa_key(1024, label="default")),
        "pkcs8-rsa": encodings.pkcs8_pem(keys.rsa_key(1024, label="second")),
        "sec1": encodings.sec1_pem(keys.ec_key("P-256", label="mix wide")),
        "pkcs8-ec": encodings.pkcs8_pem(keys.ec_key("P-521", label="mix wide")),
        "openssh-ed25519": encodings.openssh_pem(keys.okp_key("ed25519", label="mix wide")),
        "pkcs8-ed25519": encodings.pkcs8_pem(keys.okp_key("ed25519", label="mix wide 8")),
    }
    made = [_text(name, "PEM", pem, _body(pem)) for name, pem in plain.items()]
    return made + [
        _text(name, "PEM UTF-16", encodings.utf16(pem), _body(pem)) for name, pem in wide.items()
    ]


def _body(pem: bytes) -> str:
    """Return a line of base64 that no other key has."""
    lines = pem.decode().splitlines()
    return lines[len(lines) // 2]


def _text(name: str, kind: str, data: bytes, needle: str) -> Planted:
    return Planted(truth=Truth(name=name, kind=kind, needles=(needle.lower(),)), data=data)


def _ders() -> list[Planted]:
    rsa, other = keys.rsa_key(2048, label="fourth"), keys.rsa_key(2048, label="windows signer")
    rows: list[tuple[str, bytes, int]] = [
        ("pkcs1", encodings.pkcs1_der(rsa), rsa.p),
        ("pkcs8-rsa", encodings.pkcs8_der(other), other.p),
    ]
    for label, curve in (("mix der", "P-256"), ("mix der", "P-384")):
        key = keys.ec_key(curve, label=label)
        rows.append((f"sec1-{curve}", encodings.sec1_der(key), key.d))
        again = keys.ec_key(curve, label="mix der 8")
        rows.append((f"pkcs8-{curve}", encodings.pkcs8_der(again), again.d))
    okp = keys.okp_key("ed25519", label="mix der")
    rows.append(("pkcs8-ed25519", encodings.pkcs8_der(okp), int.from_bytes(okp.seed, "big")))
    return [
        Planted(truth=Truth(name=name, kind="DER", needles=(f"{number:x}",)), data=der)
        for name, der, number in rows
    ]


def _limbs() -> list[Planted]:
    """Return keys as OpenSSL keeps them: BIGNUM structs and limbs, Edwards keys as bytes.

    Of a curve's key the public half is there as a certificate has it (SPKI), as in a server.
    """
    made = []
    for bits, label in LIMB_KEYS:
        rsa = keys.rsa_key(bits, label=label)
        made.append(_bignums(f"rsa-{bits}-{label}", (rsa.n, rsa.p, rsa.q), (rsa.p, rsa.q)))
    for curve in ("P-256", "P-384"):
        ec = keys.ec_key(curve, label="mix limbs")
        made.append(_bignums(f"ec-{curve}", (ec.d,), (ec.d,), encodings.spki_der(ec)))
    okp = keys.okp_key("ed25519", label="mix limbs")
    truth = Truth(name="ed25519", kind="limbs", needles=(okp.seed.hex(),))
    return [*made, Planted(truth=truth, data=_heap(okp.public, okp.seed))]


def _bignums(
    name: str, numbers: tuple[int, ...], secret: tuple[int, ...], behind: bytes = b""
) -> Planted:
    """Return numbers and the structs that point to them (bn_local.h: d, top, dmax, neg, flags)."""
    objects: list[bytes] = []
    pointers = []
    for number in numbers:
        count = -(-number.bit_length() // 64)
        struct_at = len(_heap(*objects)) + 8
        objects.append(struct.pack("<QiiiiQ", 0, count, count, 0, 1, 0))
        pointers.append((struct_at, len(_heap(*objects)) + 8))
        objects.append(encodings.little_limbs(number, 8 * count))
    return Planted(
        truth=Truth(name=name, kind="limbs", needles=tuple(f"{number:x}" for number in secret)),
        data=_heap(*objects, *((behind,) if behind else ())),
        witness=len(behind),
        pointers=tuple(pointers),
    )


def _heap(*objects: bytes) -> bytes:
    """Lay objects out as glibc's allocator does: each behind its size and a flag (malloc.c).

    The first of them begins at 16, each further one 8 behind what lies before it.
    """
    made = [bytes(8)]
    for data in objects:
        size = (len(data) + 8 + 15) // 16 * 16
        made.append(struct.pack("<Q", size | 1) + data.ljust(size - 8, b"\0"))
    return b"".join(made)


TOKENS: tuple[tuple[str, Callable[[str], bytes]], ...] = (
    ("github", lambda label: tokens.summed("ghp", label)),
    ("npm", lambda label: tokens.summed("npm", label)),
    ("slack", tokens.slack),
    ("jwt", tokens.jwt),
)


def _tokens() -> list[Planted]:
    """Return tokens as they stand in a text, with what commonly stands before them."""
    made = []
    for name, make in TOKENS:
        for label in ("mix one", "mix two"):
            line = b"authorization: bearer " + make(label) + b"\n"
            made.append(_token(f"{name}-{label[4:]}", "token", make(label), line))
            wide = make(f"{label} wide")
            text = encodings.utf16(b"authorization: bearer " + wide + b"\n")
            made.append(_token(f"{name}-{label[4:]}", "token UTF-16", wide, text))
    return made


def _token(name: str, kind: str, token: bytes, data: bytes) -> Planted:
    return _text(name, kind, data, token.decode())
