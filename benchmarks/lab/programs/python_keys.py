"""Keys of Python packages: python python_keys.py FOLDER live|freed PACKAGE KIND..."""

import gc
import hashlib
import sys
import time
from pathlib import Path


def numbers(folder: Path, kind: str) -> dict[str, int]:
    """Read the numbers of a key, a file each."""
    ends = ("n", "e", "d", "p", "q", "dp", "dq", "x", "y")
    paths = {end: folder / f"{kind}.{end}.num" for end in ends}
    return {
        end: int.from_bytes(path.read_bytes(), "big")
        for end, path in paths.items()
        if path.exists()
    }


def cryptography(folder: Path, kind: str) -> object:
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, padding

    key = serialization.load_pem_private_key((folder / f"{kind}.key").read_bytes(), None)
    if kind.startswith("rsa"):
        key.sign(b"lab", padding.PKCS1v15(), hashes.SHA256())
    elif kind.startswith("ec"):
        key.sign(b"lab", ec.ECDSA(hashes.SHA256()))
    elif kind.startswith("dsa"):
        key.sign(b"lab", hashes.SHA256())
    elif kind.startswith("ed"):
        key.sign(b"lab")
    return key


def pycryptodome(folder: Path, kind: str) -> object:
    from Crypto.Hash import SHA256
    from Crypto.PublicKey import DSA, ECC, RSA
    from Crypto.Signature import DSS, eddsa, pkcs1_15

    how = RSA if kind.startswith("rsa") else DSA if kind.startswith("dsa") else ECC
    key = how.import_key((folder / f"{kind}.key").read_bytes())
    if kind.startswith("rsa"):
        pkcs1_15.new(key).sign(SHA256.new(b"lab"))
    elif kind.startswith("ed"):
        eddsa.new(key, "rfc8032").sign(b"lab")
    else:
        DSS.new(key, "fips-186-3").sign(SHA256.new(b"lab"))
    return key


def rsa(folder: Path, kind: str) -> object:
    import rsa as package

    key = package.PrivateKey.load_pkcs1((folder / f"{kind}.trad").read_bytes())
    package.sign(b"lab", key, "SHA-256")
    return key


def ecdsa(folder: Path, kind: str) -> object:
    import ecdsa as package

    key = package.SigningKey.from_pem((folder / f"{kind}.key").read_text())
    key.sign(b"lab")
    return key


def pynacl(folder: Path, kind: str) -> object:
    import nacl.public
    import nacl.signing

    raw = (folder / f"{kind}.raw").read_bytes()
    if kind == "x25519":
        key = nacl.public.PrivateKey(raw)
        return key, key.public_key, nacl.public.Box(key, key.public_key)
    key = nacl.signing.SigningKey(raw)
    key.sign(b"lab")
    return key


def pure(folder: Path, kind: str) -> object:
    key = numbers(folder, kind)
    message = int.from_bytes(hashlib.sha256(b"lab").digest(), "big")
    assert pow(pow(message, key["d"], key["n"]), key["e"], key["n"]) == message
    return key


def gmpy2(folder: Path, kind: str) -> object:
    import gmpy2 as package

    key = {name: package.mpz(value) for name, value in numbers(folder, kind).items()}
    package.powmod_sec(package.mpz(12345), key["d"], key["n"])
    return key


def m2crypto(folder: Path, kind: str) -> object:
    from M2Crypto import EVP

    key = EVP.load_key(str(folder / f"{kind}.key"))
    key.sign_init()
    key.sign_update(b"lab")
    key.sign_final()
    return key


def mbedtls(folder: Path, kind: str) -> object:
    from mbedtls import pk

    how = pk.RSA if kind.startswith("rsa") else pk.ECC
    key = how.from_buffer((folder / f"{kind}.der").read_bytes())
    key.sign(b"lab", "sha256")
    return key


def wolfcrypt(folder: Path, kind: str) -> object:
    from wolfcrypt import ciphers

    if kind.startswith("rsa"):
        key = ciphers.RsaPrivate((folder / f"{kind}.trad.der").read_bytes())
        key.sign(b"lab")
    elif kind.startswith("ec"):
        key = ciphers.EccPrivate((folder / f"{kind}.trad.der").read_bytes())
        key.sign(hashlib.sha256(b"lab").digest())
    else:
        key = ciphers.Ed25519Private((folder / f"{kind}.raw").read_bytes())
        key.sign(b"lab")
    return key


def awscrt(folder: Path, kind: str) -> object:
    from awscrt.crypto import RSA, RSASignatureAlgorithm

    key = RSA.new_private_key_from_pem_data((folder / f"{kind}.trad").read_text())
    key.sign(RSASignatureAlgorithm.PKCS1_5_SHA256, hashlib.sha256(b"lab").digest())
    return key


def grpc(folder: Path, kind: str) -> object:
    import socket
    import ssl

    import grpc as package

    server = package.server(__import__("concurrent.futures").futures.ThreadPoolExecutor(2))
    pair = [(folder / f"{kind}.{end}").read_bytes() for end in ("key", "cert")]
    port = server.add_secure_port("127.0.0.1:0", package.ssl_server_credentials([tuple(pair)]))
    server.start()
    context = ssl._create_unverified_context()
    context.set_alpn_protocols(["h2"])
    with socket.create_connection(("127.0.0.1", port)) as plain:
        context.wrap_socket(plain).close()
    return server


def coincurve(folder: Path, kind: str) -> object:
    from coincurve import PrivateKey

    key = PrivateKey((folder / f"{kind}.raw").read_bytes())
    key.sign(b"lab")
    return key


def starkbank(folder: Path, kind: str) -> object:
    from ellipticcurve.ecdsa import Ecdsa
    from ellipticcurve.privateKey import PrivateKey

    key = PrivateKey.fromPem((folder / f"{kind}.trad").read_text())
    Ecdsa.sign("lab", key)
    return key


def main() -> None:
    """Load keys, use them, drop them where they are to be freed, and wait."""
    folder, state, package, *kinds = sys.argv[1:]
    held = {}
    for kind in kinds:
        try:
            held[kind] = globals()[package](Path(folder), kind)
        except Exception as error:  # noqa: BLE001 - the others go on
            print("failed:", kind, repr(error)[:200], file=sys.stderr)
    if state == "freed":
        held.clear()
        gc.collect()
        _ = [bytes(64) for _ in range(8)]
    print("ready", flush=True)
    time.sleep(3600)


main()
