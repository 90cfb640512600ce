"""Keys in what gzip, zlib, ZIP and zstd made, in memory and in base64: whole and torn."""

import base64
import gzip
import io
import json
import pickle
import zipfile
import zlib
from pathlib import Path

import pytest
import zstandard

from fixtures import containers, encodings, keys, noise
from scanner import rules
from scanner.detect import anchors, packed
from scanner.detect.algebra import effort
from scanner.detect.asn1.keys import Proved
from scanner.model import Confidence, Place
from tests.detect import planted
from tests.detect.one_space import Bytes

(RULE,) = (rule for rule in rules.load() if rule.detector == "packed")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors((RULE,)))
RSA, EC, ED = keys.rsa_key(2048), keys.ec_key("P-256"), keys.okp_key("ed25519")
BEHIND = b"\0" + noise.uniform(300)


def find(data: bytes) -> list[Proved]:
    """Run the detector over the bytes."""
    return [
        found
        for _, offset in SWEEPER.sweep(data)
        for found in packed.examine(Bytes(data), 0, offset, RULE)
        if isinstance(found, Proved)
    ]


def helm(key: keys.RsaKey) -> bytes:
    """Return what Helm compresses: a manifest with a secret, in JSON."""
    manifest = (
        f"kind: Secret\ndata:\n  tls.key: {base64.b64encode(encodings.pkcs8_pem(key)).decode()}\n"
    )
    return json.dumps({"name": "site", "manifest": manifest}).encode()


@pytest.mark.parametrize("layers", [0, 1, 2])
@pytest.mark.parametrize(
    ("data", "encoding", "key"),
    [
        (encodings.pkcs1_pem(RSA), "PKCS1-PEM", RSA),
        (helm(RSA), "PKCS8-PEM", RSA),
        (encodings.openssh_pem(ED), "OPENSSH-PEM", ED),
        (encodings.pkcs8_der(EC), "PKCS8-DER", EC),
        (containers.jwk_private(EC), "JWK", EC),
        (b"log\n" * 9000 + encodings.pkcs8_pem(RSA) + noise.uniform(5000), "PKCS8-PEM", RSA),
    ],
    ids=["pem", "helm", "openssh", "der", "jwk", "long"],
)
def test_keys_in_a_member(data: bytes, encoding: str, key: keys.Key, layers: int) -> None:
    """They are proved, and lie in all of what is packed and in nothing else."""
    text = gzip.compress(data, mtime=0)
    for _ in range(layers):
        text = base64.b64encode(text).rstrip(b"=")
    for codec in ("latin-1", "utf-16-le") if layers else ("latin-1",):
        stored = text.decode("latin-1").encode(codec)
        found = find(b"\0\0data: \0\0" + stored + (BEHIND if codec == "latin-1" else bytes(9)))
        assert {one.candidate.fingerprint.value for one in found} == {key.spki_sha256}
        assert any(encoding in one.candidate.encoding for one in found)
        for one in found:
            assert one.candidate.confidence is Confidence.PROOF
            assert one.candidate.places == (Place(space=0, offset=10, size=len(stored)),)
            assert one.candidate.encoding.startswith("base64 of " * layers + "gzip of ")


@pytest.mark.parametrize("behind", [b"", bytes(9000), noise.uniform(200)])
def test_a_torn_member(behind: bytes) -> None:
    """What stands before the damage is found, up to where the key ends; so it is at a wrong sum."""
    pem = encodings.pkcs8_pem(RSA)
    whole = gzip.compress(pem + noise.uniform(1000), mtime=0)
    (found,) = find(whole[:-500] + behind)
    assert found.candidate.fingerprint.value == RSA.spki_sha256
    assert len(gzip.compress(pem)) - 40 < found.candidate.places[0].size < len(whole) - 900
    assert len(find(whole[:-8] + bytes(8))) == 1
    assert find(whole[:700]) == []


@pytest.mark.parametrize("level", [1, 3, 6, 9])
@pytest.mark.parametrize("layers", [0, 1])
@pytest.mark.parametrize(
    ("data", "key"),
    [
        (encodings.pkcs8_pem(RSA), RSA),
        (encodings.pkcs8_pem(ED), ED),
        (b"blob 241\0" + encodings.pkcs8_pem(EC), EC),
        (pickle.dumps({"key": encodings.pkcs8_pem(ED).decode()}, protocol=4), ED),
        (helm(RSA), RSA),
    ],
    ids=["rsa", "ed25519", "git", "pickle", "manifest"],
)
def test_keys_in_a_zlib_stream(data: bytes, key: keys.Key, layers: int, level: int) -> None:
    """They are proved in a stream of any level, as it is and in base64, whole and torn behind."""
    text = zlib.compress(data, level)
    whole = base64.b64encode(text).rstrip(b"=") if layers and level != 3 else text
    (found,) = find(b"\0\0" + whole + BEHIND)
    assert found.candidate.fingerprint.value == key.spki_sha256
    assert found.candidate.places == (Place(space=0, offset=2, size=len(whole)),)
    assert found.candidate.encoding.startswith("base64 of zlib of" if whole != text else "zlib of")
    assert len(find(whole[:-4] + BEHIND)) == 1


def zipped(data: bytes) -> bytes:
    """Return a file of ZIP with one member."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("profile/client.key", data)
    return out.getvalue()


@pytest.mark.parametrize("layers", [0, 1])
@pytest.mark.parametrize("key", [RSA, EC, ED], ids=["rsa", "ec", "ed25519"])
def test_keys_in_a_member_of_zip(key: keys.Key, layers: int) -> None:
    """In memory and in base64; the key lies in the member, not in the table behind it."""
    text = zipped(encodings.pkcs8_pem(key))
    (found,) = find(b"\0\0" + (base64.b64encode(text) if layers else text) + BEHIND)
    assert found.candidate.fingerprint.value == key.spki_sha256
    assert found.candidate.encoding.startswith("base64 of zip of" if layers else "zip of")
    (place,) = found.candidate.places
    end = text.index(b"PK\1\2")
    assert (place.offset, place.size) == (2, -(-end * 4 // 3) if layers else end)


@pytest.mark.parametrize("at", [6, 8, 26, 28])
def test_members_of_zip_that_are_not_read(at: int) -> None:
    """Encrypted ones, of another method, with a name that is none, and what is no text."""
    changed = bytearray(zipped(encodings.pkcs8_pem(RSA)))
    changed[at] ^= 1
    assert find(bytes(changed)) == []
    assert find(zipped(noise.uniform(2000) + encodings.pkcs8_pem(RSA))) == []
    assert find(b"PK\3\4\x14\0\0\0\x08\0") == []


@pytest.mark.parametrize("level", [1, 3, 19])
@pytest.mark.parametrize("key", [RSA, EC, ED], ids=["rsa", "ec", "ed25519"])
def test_keys_in_a_frame_of_zstd(key: keys.Key, level: int) -> None:
    """Whole and without its end; a bomb is read up to a bound, and damage raises nothing."""
    data = b"log\n" * 100 + encodings.pkcs8_pem(key)
    whole = zstandard.compress(data + noise.uniform(1 << 18), level)
    for torn in (zstandard.compress(data, level), whole[: -1 << 10]):
        found = find(b"\0\0" + torn + BEHIND)
        assert {one.candidate.fingerprint.value for one in found} == {key.spki_sha256}
        assert found[0].candidate.places[0].offset == 2
    bomb = zstandard.compress(bytes(64 << 20))
    plain, _, state = packed.inflate(bomb, packed.MOST)
    assert (len(plain), state) == (packed.MOST, packed.State.CUT)
    for at in range(4, 60):
        find(whole[:at] + b"\xff" + whole[at + 1 : 4000])


def test_a_certificate_names_and_bears_witness(tmp_path: Path) -> None:
    """Of what is packed it is read, too; a prime is no key by it, as by no other text."""
    texts = zlib.compress(encodings.certificate_pem(RSA) + encodings.certificate_pem(EC))
    changed = bytes(10) + RSA.p.to_bytes(128, "little")[10:]
    done = planted.scanned(tmp_path, changed, EC.d.to_bytes(32, "little"), texts)
    (key,) = planted.private(done)
    assert key.fingerprint.value == EC.spki_sha256
    assert {one.subject for one in done.witnesses} == {"CN=throwaway.example"}


def test_a_zlib_stream_without_text_is_not_read() -> None:
    """What begins as no text does, or is no stream, takes nothing from what may be inflated."""
    data = noise.uniform(4000).replace(b"\0", b"\x80") + encodings.pkcs8_pem(RSA) * 9
    stored = zlib.compress(bytes(range(128, 256)) * 20 + data)
    for stream in (stored, b"\x78\x9c\x65" + noise.uniform(4000)):
        with effort.bounded(1 << 40) as bound:
            assert find(stream) == []
            assert bound.inflatable == effort.INFLATED


def test_many_keys_in_a_member() -> None:
    """Each key is told, though every text is read far: what is read in vain alone is bounded."""
    seeds = [noise.uniform(32, 500 + number) for number in range(600)]
    made = [keys.OkpKey(label="many", algorithm="ed25519", seed=s, public=b"") for s in seeds]
    pems = [
        encodings.pem(encodings.okp_pkcs8_der(key, with_public=False), "PRIVATE KEY")
        for key in made
    ]
    found = find(bytes(2) + gzip.compress(b"\n".join(pems), mtime=0) + BEHIND)
    assert len({one.candidate.fingerprint.value for one in found}) == len(seeds)


def test_what_is_inflated_is_bounded() -> None:
    """A member of many zeros is read up to its bound, and of a dump so many bytes."""
    bomb = gzip.compress(bytes(2 * packed.MOST) + encodings.pkcs8_pem(RSA), mtime=0)
    plain, used, state = packed.inflate(bomb, packed.MOST)
    assert (len(plain), state) == (packed.MOST, packed.State.CUT)
    assert used < len(bomb)
    assert find(bomb) == []
    good = gzip.compress(encodings.pkcs8_pem(RSA), mtime=0)
    with effort.bounded(1 << 40) as bound:
        assert find(good)
        bound.inflatable = 0
        assert find(good) == []
        assert not bound.refused
