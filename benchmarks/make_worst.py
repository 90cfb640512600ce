"""Make cores of one thing throughout: what no process looks like, and a scan must bear.

    python benchmarks/make_worst.py KIND --bytes 1e9 --output worst.core

Kinds: ``zeros``; ``random`` bytes; ``text`` of words; ``der``, a header of a private key, public
key or certificate every 32 bytes; ``bignum``, structs like OpenSSL's BIGNUM whose pointers lead
into the file; ``limbs``, random numbers of 112 bytes with 16 zeros between; ``certificates`` and
``spki``, each with a P-256 key of its own, as many as fit (certificates of one template: what they
are signed with is not theirs). All bytes are written, none is a hole of a sparse file. The same
command makes the same file.
"""

import argparse
import datetime as dt
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.make_mix import BASE, EXTENT, header

Bytes = npt.NDArray[np.uint8]
Extents = Iterator[bytes]

HEADERS = (
    "308204a30201000282010100",  # PKCS#1
    "308204bd020100300d06092a864886f70d0101010500048204a7",  # PKCS#8, RSA
    "30770201010420",  # SEC 1
    "308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420",  # PKCS#8, EC
    "302e020100300506032b657004220420",  # PKCS#8, Ed25519
    "30820122300d06092a864886f70d01010105000382010f003082010a0282010100",  # SPKI, RSA
    "3059301306072a8648ce3d020106082a8648ce3d03010703420004",  # SPKI, EC
    "308203003082020aa003020102020900",  # X.509
)
"""Beginnings of private keys, public keys and certificates (hex)."""

WORDS = b"the request handler returned status connection closed by peer retry after timeout cache"


def _zeros(_count: int) -> Extents:
    while True:
        yield bytes(EXTENT)


def _random(_count: int) -> Extents:
    source = np.random.default_rng(1)
    while True:
        yield source.bytes(EXTENT)


def _text(_count: int) -> Extents:
    source = np.random.default_rng(2)
    words = WORDS.split()
    while True:
        chosen = source.integers(0, len(words), EXTENT // 3)
        yield b" ".join(words[index] for index in chosen)[:EXTENT]


def _der(_count: int) -> Extents:
    source = np.random.default_rng(3)
    heads = [bytes.fromhex(text)[:32] for text in HEADERS]
    while True:
        rows = np.frombuffer(bytearray(source.bytes(EXTENT)), np.uint8).reshape(-1, 32)
        chosen = source.integers(0, len(heads), len(rows))
        for index, head in enumerate(heads):
            rows[chosen == index, : len(head)] = np.frombuffer(head, np.uint8)
        yield rows.tobytes()


def _bignum(count: int) -> Extents:
    source = np.random.default_rng(4)
    shape = np.dtype([("d", "<u8"), ("top", "<i4"), ("dmax", "<i4"), ("rest", "<i4", 4)])
    while True:
        rows = np.zeros(EXTENT // shape.itemsize, shape)
        rows["d"] = BASE + source.integers(0, count * EXTENT // 8, len(rows)) * 8
        rows["top"] = source.choice([4, 6, 16, 32, 64], len(rows))
        rows["dmax"] = rows["top"]
        rows["rest"][:, 1] = 1
        yield rows.tobytes()


def _limbs(_count: int) -> Extents:
    source = np.random.default_rng(5)
    while True:
        rows = np.frombuffer(bytearray(source.bytes(EXTENT)), np.uint8).reshape(-1, 128)
        rows[:, :16] = 0
        rows[:, 16] |= 1
        yield rows.tobytes()


def _points() -> Iterator[bytes]:
    """Yield x and y of one point of P-256 after the other."""
    number = 1 << 200
    while True:
        number += 1
        public = ec.derive_private_key(number, ec.SECP256R1()).public_key()
        yield public.public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )[1:]


def _template() -> tuple[bytes, int, int]:
    """Return a certificate, and where its serial number's last 8 bytes and its point stand."""
    key = ec.derive_private_key(1 << 199, ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "many.example")])
    serial = 0x7A5A_5A5A_0000_0000_0000_0000
    day = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), serial)
    made = made.not_valid_before(day).not_valid_after(day.replace(year=2030))
    signed = made.sign(key, hashes.SHA256())
    der = signed.public_bytes(serialization.Encoding.DER)
    point = key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    return der, der.index(struct.pack(">Q", serial & (1 << 64) - 1)), der.index(point) + 1


def _certificates(_count: int) -> Extents:
    der, serial, point = _template()
    return _joined(der, point, serial)


def _spki(_count: int) -> Extents:
    head = bytes.fromhex(HEADERS[6])
    return _joined(head + bytes(64), len(head), None)


def _joined(template: bytes, point: int, serial: int | None) -> Extents:
    """Yield extents of copies of a template, each with its own point, at multiples of 16."""
    points = _points()
    size = -(-len(template) // 16) * 16
    number = 0
    while True:
        rows = []
        for _ in range(EXTENT // size):
            row = bytearray(template.ljust(size, b"\0"))
            row[point : point + 64] = next(points)
            number += 1
            if serial is not None:
                struct.pack_into(">Q", row, serial, number)
            rows.append(bytes(row))
        yield b"".join(rows).ljust(EXTENT, b"\0")


KINDS: dict[str, Callable[[int], Extents]] = {
    "zeros": _zeros,
    "random": _random,
    "text": _text,
    "der": _der,
    "bignum": _bignum,
    "limbs": _limbs,
    "certificates": _certificates,
    "spki": _spki,
}
"""How each kind yields its extents, given how many there will be."""


def make(kind: str, size: int, output: Path) -> None:
    """Write a core of about ``size`` bytes."""
    count = max(round(size / EXTENT), 1)
    extents = KINDS[kind](count)
    with output.open("wb") as file:
        file.write(header(count * EXTENT))
        for _ in range(count):
            file.write(next(extents))


def main() -> None:
    """Write the core."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--bytes", type=float, default=1e9)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    make(arguments.kind, int(arguments.bytes), arguments.output)
    print(f"{arguments.output.stat().st_size} bytes of {arguments.kind}: {arguments.output}")


if __name__ == "__main__":
    main()
