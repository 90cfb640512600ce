"""Private keys as text, in whatever shape the text is."""

import base64
import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import encodings, noise
from fixtures import keys as recipes
from scanner import rules
from scanner.detect import anchors
from scanner.detect.asn1.keys import Proved
from scanner.detect.texts import pem
from scanner.model import Confidence, Place
from tests.detect.one_space import Bytes

RULES = tuple(rule for rule in rules.load() if rule.id == "private-key-pem")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors(RULES))

RSA = recipes.rsa_key(2048)
EC = recipes.ec_key("P-384")
ED = recipes.okp_key("ed25519")

TEXTS = [
    (RSA, "PKCS1-PEM", encodings.pkcs1_pem(RSA)),
    (RSA, "PKCS8-PEM", encodings.pkcs8_pem(RSA)),
    (EC, "PKCS8-PEM", encodings.pkcs8_pem(EC)),
    (EC, "SEC1-PEM", encodings.sec1_pem(EC)),
    (ED, "PKCS8-PEM", encodings.pkcs8_pem(ED)),
]


def find(data: bytes) -> list[Proved]:
    """Run the rule over the bytes."""
    return [
        found
        for _, offset in SWEEPER.sweep(data)
        for found in pem.examine(Bytes(data), 0, offset, RULES[0])
    ]


SHAPES = {
    "lf": lambda text: text,
    "crlf": lambda text: text.replace(b"\n", b"\r\n"),
    "cr": lambda text: text.replace(b"\n", b"\r"),
    "spaces": lambda text: text.replace(b"\n", b" "),
    "none": lambda text: text.replace(b"\n", b""),
    "indented": lambda text: text.replace(b"\n", b"\n        "),
    "tabs": lambda text: text.replace(b"\n", b"\n\t\t"),
    "escaped": lambda text: text.replace(b"\n", b"\\n"),
    "escaped crlf": lambda text: text.replace(b"\n", b"\\r\\n"),
    "escaped twice": lambda text: text.replace(b"\n", b"\\\\n"),
    "json in json": lambda text: json.dumps(json.dumps(text.decode())).encode(),
    "slashes escaped": lambda text: text.replace(b"/", b"\\/").replace(b"\n", b"\\n"),
    "plus escaped": lambda text: text.replace(b"+", b"\\u002B").replace(b"\n", b"\\u000a"),
    "in a url": lambda text: (
        text.replace(b"+", b"%2B").replace(b"/", b"%2f").replace(b"\n", b"%0A")
    ),
    "in xml": lambda text: text.replace(b"\n", b"&#10;"),
    "continued": lambda text: text.replace(b"\n", b"\\n\\\n"),
    "java": lambda text: text.replace(b"\n", b'\\n" +\n        "'),
    "c": lambda text: text.replace(b"\n", b'\\n"\n    "'),
    "list": lambda text: text.replace(b"\n", b'", "'),
    "long line": lambda text: b"\n".join(
        (text.split(b"\n")[0], b"".join(text.split(b"\n")[1:-1]), text.split(b"\n")[-1])
    ),
}


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_a_text_is_read(shape: str, codec: str) -> None:
    """The key is found, named and located whatever stands for its line ends."""
    for key, encoding, text in TEXTS:
        shaped = SHAPES[shape](text.rstrip(b"\n"))
        first = shaped.index(b"-----BEGIN")
        last = shaped.rindex(b"-----") + 5
        unit = 1 if codec == "ascii" else 2
        data = b"\xfe" * 8 + shaped.decode().encode(codec) + b"\xfe" * 700
        [found] = find(data)
        candidate = found.candidate
        assert candidate.fingerprint.value == key.spki_sha256
        wide = codec.replace("ascii", "").replace("-le", "le").replace("-be", "be")
        assert candidate.encoding == f"{encoding} {wide}".rstrip()
        place = Place(space=0, offset=8 + first * unit, size=(last - first) * unit)
        assert candidate.places == (place,)


@pytest.mark.parametrize(
    ("before", "codec"),
    [
        (b"name\0", "utf-16-le"),
        (bytes(5), "utf-16-le"),
        (bytes(16), "utf-16-le"),
        (bytes(16), "utf-16-be"),
        (b"\xfe\xff", "utf-16-be"),
        (bytes(7) + b"\xff\xfe", "utf-16-le"),
        (bytes(9) + b"\xfe\xff", "utf-16-be"),
    ],
)
@pytest.mark.parametrize("around", ["", "key: "])
def test_zeros_around_a_text_do_not_move_it(before: bytes, codec: str, around: str) -> None:
    """UTF-16LE at an odd offset behind a zero byte is not big-endian from one byte before."""
    _, encoding, text = TEXTS[0]
    body = text.rstrip(b"\n").decode()
    data = before + (around + body).encode(codec) + bytes(40)
    [found] = find(data)
    assert found.candidate.encoding == f"{encoding} {codec.replace('16-', '16')}"
    offset = len(before) + 2 * len(around)
    assert found.candidate.places == (Place(space=0, offset=offset, size=2 * len(body)),)


def test_a_seed_that_is_not_random_is_one_under_a_label() -> None:
    """Seen in Knot DNS, whose keymgr carries a seed of digits: it was told as an unknown key."""
    seed = b"31415926535897932384626433832795"
    key = recipes.OkpKey(label="digits", algorithm="ed25519", seed=seed, public=b"")
    text = encodings.pem(encodings.okp_pkcs8_der(key, with_public=False), "PRIVATE KEY")
    [found] = find(text)
    assert (found.candidate.algorithm, found.candidate.encoding) == ("ed25519", "PKCS8-PEM")


def test_unproved_keys_stay_unproved() -> None:
    """Text proves nothing more than what it decodes to."""
    [found] = find(TEXTS[-1][2])
    assert found.candidate.confidence is Confidence.STRUCTURE


@pytest.mark.parametrize("behind", [b"", b"AAAA", b"\0" * 40, b"\nnext = 1\n", b"==\n", b'"'])
@pytest.mark.parametrize("wide", [False, True], ids=["ascii", "utf-16le"])
def test_the_end_line_may_be_gone(behind: bytes, *, wide: bool) -> None:
    """The DER inside says how long the body is."""
    for key, _, text in TEXTS:
        body = text[: text.index(b"-----END")].rstrip(b"\n=")
        data = body + behind
        [found] = find(encodings.utf16(data) if wide else data)
        assert found.candidate.fingerprint.value == key.spki_sha256
        assert found.candidate.places[0].size == len(body) * (2 if wide else 1)


@pytest.mark.parametrize("size", [40, 480, 511, 512, 513, 1000, 1500])
def test_a_cut_body_is_nothing(size: int) -> None:
    """Where base64 ends before the object does, there is no key."""
    text = encodings.pkcs8_pem(RSA)
    assert find(text[:size]) == []
    assert find(text[:size] + b"-----END PRIVATE KEY-----") == []


@pytest.mark.parametrize("at", [480, 511, 1000, 1500])
def test_a_damaged_body_is_a_key_that_nobody_can_read(at: int) -> None:
    """All but a character stands between the two lines: whoever has it has the key."""
    text = encodings.pkcs8_pem(RSA)
    for data in (text[:at] + b"\xff" + text[at + 1 :], text[:at] + b"\xff" + text[at:]):
        (found,) = find(b"\n" + data)
        said = found.candidate
        assert (said.algorithm, said.confidence) == ("unknown", Confidence.STRUCTURE)
        assert said.places == (Place(space=0, offset=1, size=len(data.rstrip())),)


MARKUP = (
    lambda at: b" " * 40 * at,
    lambda at: b"<span class=b%d>" % at if at % 2 else b"<b>",
    lambda at: b"[%d] " % at * (at % 3),
    lambda at: noise.text(at % 7 + 9, at).replace(b"\n", b" ") + b": ",
)


@pytest.mark.parametrize("before", MARKUP)
@pytest.mark.parametrize("sample", [0, 1, 2, -1])
def test_what_stands_between_the_lines_does_not_matter(
    sample: int, before: Callable[[int], bytes]
) -> None:
    """Lines of one length, and the last one, are a key whatever stands around them."""
    key, _, text = TEXTS[sample]
    rows = text.rstrip().split(b"\n")
    data = b"\n".join(before(at) + row for at, row in enumerate(rows))
    (found,) = find(data)
    assert found.candidate.fingerprint.value == key.spki_sha256
    (place,) = found.candidate.places
    assert rows[-2] in data[place.offset : place.offset + place.size]


@pytest.mark.parametrize(
    "text",
    [
        b"-----BEGIN PRIVATE KEY-----",
        b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
        b"-----END PRIVATE KEY-----\n" + encodings.pkcs8_pem(ED)[28:],
        b"PRIVATE KEY-----\n" + encodings.pkcs8_pem(ED)[28:],
        encodings.encrypted_pkcs8_pem(ED, b"password"),
        b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n"
        + encodings.pkcs1_pem(RSA)[32:],
        encodings.pem(encodings.spki_der(RSA), "PRIVATE KEY"),
        encodings.pem(encodings.certificate_der(RSA), "PRIVATE KEY"),
        encodings.pkcs8_pem(ED).replace(b"PRIVATE KEY", b"OPENSSH PRIVATE KEY"),
        b"-----BEGIN PRIVATE KEY-----\n" + base64.b64encode(bytes(300)),
        b"-----BEGIN PRIVATE KEY-----\nMIIEowIBAAKCAQEA" + b"A" * 1600,
        b"-----BEGIN PRIVATE KEY-----\n" + b"M\\n" * 40000,
    ],
)
def test_labels_without_a_key_are_nothing(text: bytes) -> None:
    """Neither a label, nor an encrypted body, nor a public key under the label is a finding."""
    assert find(text) == []
    assert find(text.decode().encode("utf-16-le")) == []


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(TEXTS), st.integers(0, 40), st.data())
def test_damage_raises_nothing(
    sample: tuple[recipes.Key, str, bytes], at: int, draw: st.DataObject
) -> None:
    """Text with a few characters overwritten holds this key or none."""
    key, _, text = sample
    data = bytearray(b"\n" * at + text)
    for _ in range(draw.draw(st.integers(1, 3))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    for form in (bytes(data), data.decode("latin-1").encode("utf-16-le")):
        for found in find(form):
            if found.candidate.confidence is Confidence.PROOF:
                assert found.candidate.fingerprint.value == key.spki_sha256


@settings(max_examples=30, deadline=None)
@given(st.text(alphabet="MII\\nr\"'+/= \n\0A-u02b&#10;%é", max_size=200))
def test_no_text_raises(tail: str) -> None:
    """Whatever stands behind a BEGIN line, nothing is raised."""
    text = "-----BEGIN PRIVATE KEY-----" + tail
    assert find(text.encode()) == []
    assert find(text.encode("utf-16-le")) == []
    assert find(text.encode("utf-16-le")[:-1]) == []
