"""OpenSSH key files in base64 of which nothing but the end is left."""

import base64

import pytest

from fixtures import containers, encodings
from fixtures import keys as recipes
from scanner.detect.asn1.keys import Proved
from scanner.model import Confidence
from tests.detect.ssh.test_openssh import find

KEYS = [
    *((recipes.rsa_key(bits), bits // 8 + 10) for bits in (2048, 3072, 4096)),
    *((recipes.ec_key(f"P-{bits}"), bits // 8 + 23) for bits in (256, 384, 521)),
    (recipes.okp_key(), 68),
]
"""Keys, and the bytes of the fields that are needed, behind which a comment and padding stand."""

ENDS = {"lf": b"\n", "crlf": b"\r\n", "escaped": b"\\n", "none": b""}
END = b"-----END OPENSSH PRIVATE KEY-----"


def tail(key: recipes.Key, size: int, ends: bytes) -> bytes:
    """Return the text of a key file up to its end, without all but its last bytes."""
    whole = containers.openssh_file(key)
    text = base64.b64encode(whole)
    lines = [text[at : at + 70] for at in range(0, len(text), 70)]
    first = (len(whole) - size) * 8 // 6
    return ends.join([lines[first // 70][first % 70 :], *lines[first // 70 + 1 :], END])


def behind(key: recipes.Key) -> int:
    """Return the bytes of comment and padding at the end of a key file."""
    whole = containers.openssh_file(key)
    padding = max(n for n in range(256) if whole.endswith(bytes(range(1, n + 1))))
    body = whole[: len(whole) - padding]
    return next(n for n in range(4, 256) if body[-n:][:4] == (n - 4).to_bytes(4)) + padding


@pytest.mark.parametrize(("key", "size"), KEYS)
@pytest.mark.parametrize("ends", sorted(ENDS))
@pytest.mark.parametrize("wide", [False, True])
def test_the_last_numbers_are_a_key(key: recipes.Key, size: int, ends: str, *, wide: bool) -> None:
    """They are read at every alignment, and their place leads to them once more."""
    for more in range(3):
        text = tail(key, size + behind(key) + more, ENDS[ends])
        data = b"\x01\x80" * 16 + (encodings.utf16(text) if wide else text) + b"\x80" * 8
        (found,) = [f for f in find(data) if isinstance(f, Proved)]
        assert found.candidate.fingerprint.value == key.spki_sha256
        assert found.candidate.encoding == "OPENSSH-PEM (damaged)" + " utf-16le" * wide
        assert found.candidate.confidence >= Confidence.STRUCTURE
        (place,) = found.candidate.places
        cut = data[place.offset :][: place.size]
        if not isinstance(key, recipes.EcKey):  # whose point stands before its place
            (again,) = [f for f in find(b"\x80" * 16 + cut) if isinstance(f, Proved)]
            assert again.candidate.fingerprint == found.candidate.fingerprint


def test_what_closes_without_all_numbers_is_proved() -> None:
    """The coefficient is the inverse of q, and the point is that of the scalar."""
    key = recipes.rsa_key(2048)
    text = tail(key, 2048 // 8 + 10 + 136 + behind(key), b"\n")
    (found,) = [f for f in find(text) if isinstance(f, Proved)]
    assert found.candidate.confidence is Confidence.PROOF
    assert found.candidate.e_assumed


@pytest.mark.parametrize(("key", "size"), KEYS)
def test_a_number_that_is_cut_is_no_key(key: recipes.Key, size: int) -> None:
    """Of less than that nothing is made."""
    short = size - 24 if isinstance(key, recipes.EcKey) else size - 6
    assert not [f for f in find(tail(key, short + behind(key), b"\n")) if isinstance(f, Proved)]


def test_a_whole_file_is_found_once() -> None:
    """What has the name of its type is left to others."""
    for key, _ in KEYS:
        assert len([f for f in find(encodings.openssh_pem(key)) if isinstance(f, Proved)]) == 1


def test_zeros_without_end_are_not_tried_each() -> None:
    """A text of nothing but lengths of zero costs what another one does; the first tries count."""
    key = recipes.okp_key()
    for zeros, count in ((30, 1), (9_000, 0)):
        fields = tail(key, 68 + behind(key), b"").removesuffix(END)
        data = base64.b64encode(bytes(zeros)) + b"\n" + fields + b"\n" + END
        assert len([f for f in find(data) if isinstance(f, Proved)]) == count
