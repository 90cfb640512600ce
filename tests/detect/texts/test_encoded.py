"""Keys as base64 and hex, whole and damaged: read at any alignment, judged by what they hold."""

import base64
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import encodings, keys, noise
from scanner import rules
from scanner.detect import anchors
from scanner.detect.algebra.material import describe
from scanner.detect.asn1.keys import Proved
from scanner.detect.damaged import headless_text
from scanner.detect.evidence import okp_derived
from scanner.detect.texts import encoded, twice
from scanner.model import Confidence
from tests.detect.one_space import Bytes

RULES = {rule.id: rule for rule in rules.load()}
READERS = {
    "encoded-private-key": encoded,
    "headless-text": headless_text,
    "twice-encoded-private-key": twice,
}
SWEEPERS = {name: anchors.open_sweeper(anchors.compile_anchors((RULES[name],))) for name in READERS}
RSA, EC, ED = keys.rsa_key(2048), keys.ec_key("P-256"), keys.okp_key("ed25519")


def find(name: str, data: bytes) -> list[Proved]:
    """Run a rule over the bytes."""
    rule, memory = RULES[name], Bytes(data)
    return [
        found
        for _, offset in SWEEPERS[name].sweep(data)
        for found in READERS[name].examine(memory, 0, offset, rule)
        if isinstance(found, Proved)
    ]


def only(name: str, data: bytes, key: keys.Key) -> Proved:
    """Return what the rule finds, which is this key; inner objects lie inside of the first."""
    found = find(name, data)
    names = {f.candidate.fingerprint.value for f in found}
    either = {f.candidate.either for f in found}
    assert names == ({key.spki_sha256} if either == {False} else both(key))
    spans = [(p.offset, p.offset + p.size) for f in found for p in f.candidate.places]
    assert all(spans[0][0] <= first < last <= spans[0][1] for first, last in spans)
    again = READERS[name].examine(Bytes(data), 0, found[0].candidate.places[0].offset, RULES[name])
    assert key.spki_sha256 in {
        f.candidate.fingerprint.value for f in again if isinstance(f, Proved)
    }
    return found[0]


def both(key: keys.Key) -> set[str]:
    """Return the names of the two keys that a seed may be of."""
    assert isinstance(key, keys.OkpKey)
    pairs = [okp_derived(algorithm, key.seed) for algorithm in ("ed25519", "x25519")]
    return {describe(pair).fingerprint.value for pair in pairs if pair is not None}


def wrapped(text: bytes, columns: int, end: bytes = b"\n") -> bytes:
    """Break a text into lines."""
    return end.join(text[at : at + columns] for at in range(0, len(text), columns))


BARE = {
    "pkcs1": (RSA, encodings.pkcs1_der(RSA)),
    "pkcs8": (RSA, encodings.pkcs8_der(RSA)),
    "pkcs8 small": (keys.rsa_key(512), encodings.pkcs8_der(keys.rsa_key(512))),
    "pkcs1 1024": (keys.rsa_key(1024), encodings.pkcs1_der(keys.rsa_key(1024))),
    "pkcs1 4096": (keys.rsa_key(4096), encodings.pkcs1_der(keys.rsa_key(4096))),
    "pkcs8 ec": (EC, encodings.pkcs8_der(EC)),
    "pkcs8 p521": (keys.ec_key("P-521"), encodings.pkcs8_der(keys.ec_key("P-521"))),
    "sec1": (EC, encodings.sec1_der(EC)),
    "sec1 p384": (keys.ec_key("P-384"), encodings.sec1_der(keys.ec_key("P-384"))),
    "ed25519": (ED, encodings.pkcs8_der(ED)),
    "ed25519 v2": (ED, encodings.okp_pkcs8_der(ED, with_public=True)),
    "x448": (keys.okp_key("x448"), encodings.pkcs8_der(keys.okp_key("x448"))),
}


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "slash",
    [rb"\/", rb"\\/", rb"\\\/", b"%2F", b"%2f", rb"\u002f", rb"\u002F", b"&#47;", b"&#x2F;"],
)
def test_a_length_with_a_slash_that_is_escaped(slash: bytes, codec: str) -> None:
    """As PHP writes JSON, and forms: of RSA with 3072 bits nearly each has one."""
    key = keys.rsa_key(3072)
    text = base64.b64encode(encodings.pkcs8_der(key)).rstrip(b"=")
    assert text.startswith(b"MIIG/")
    body = text.replace(b"/", slash).decode().encode(codec)
    (place,) = only("encoded-private-key", b"\0" * 8 + body + b"\xfe\xfe", key).candidate.places
    assert (place.offset, place.size) == (8, len(body))


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("form", BARE)
def test_base64_of_der(form: str, codec: str) -> None:
    """One line or many, in either alphabet and width, is found where it is."""
    key, der = BARE[form]
    for text in (
        base64.b64encode(der),
        base64.urlsafe_b64encode(der).rstrip(b"="),
        wrapped(base64.b64encode(der), 76, b"\r\n"),
        wrapped(base64.b64encode(der), 64, b"\\n"),
        wrapped(base64.b64encode(der), 60, b'" & _\r\n        "'),  # Visual Basic
        wrapped(base64.b64encode(der), 60, b'" & "'),
    ):
        body = text.rstrip(b"=").decode().encode(codec)
        data = b"KEY=\0" + b"\xfe" * 3 + body + b"\xfe\xfe"
        found = only("encoded-private-key", data, key)
        (place,) = found.candidate.places
        assert (place.offset, place.size) == (8, len(body))


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("form", BARE)
def test_hex_of_der(form: str, *, wide: bool) -> None:
    """Either case, one line or many, is found where it is."""
    key, der = BARE[form]
    for text in (der.hex(), der.hex().upper(), wrapped(der.hex().encode(), 60).decode()):
        data = b"x\\x" + b"\0" + (encodings.utf16(text) if wide else text.encode()) + b"\xfe;"
        found = only("encoded-private-key", data, key)
        (place,) = found.candidate.places
        assert (place.offset, place.size) == (4, len(text) * (1 + wide))


REGISTRY: dict[str, Callable[[bytes], str]] = {
    "exported": lambda data: ",\\\r\n  ".join(
        wrapped(data.hex(",").encode(), 75).decode().split(",\n")
    ),
    "hex": bytes.hex,
    "HEX": lambda data: data.hex().upper(),
    "spaces": lambda data: data.hex(" "),
    "BitConverter": lambda data: data.hex("-").upper(),
    "C": lambda data: ", ".join(f"0x{byte:02x}" for byte in data),
    "numbers": lambda data: ",".join(map(str, data)),
    "PowerShell": lambda data: "\r\n".join(map(str, data)),
}


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("form", REGISTRY)
@pytest.mark.parametrize("end", ["\r\n", "\0"])
def test_lists_of_a_text_in_utf16(end: str, form: str, codec: str) -> None:
    """What the registry exports of a value of text, one of several lines too, is read."""
    for key, text in ((RSA, encodings.pkcs8_pem(RSA)), (ED, encodings.openssh_pem(ED))):
        if key is ED and end == "\0":
            continue  # such lines are joined in PEM alone
        raw = encodings.utf16(text.decode().replace("\n", end))
        data = b"=\0" + REGISTRY[form](raw).encode(codec) + b"\0\0"
        found = only("encoded-private-key", data, key)
        assert "spelled out" in found.candidate.encoding
        (place,) = found.candidate.places
        assert place.offset == 2


@pytest.mark.parametrize("lead", range(3))
@pytest.mark.parametrize("inner", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("form", [form for form in BARE if form not in ("x448", "ed25519 v2")])
def test_base64_of_text_with_base64(form: str, inner: str, lead: int) -> None:
    """A command that PowerShell was given encoded has the key in it, at whatever alignment."""
    key, der = BARE[form]
    script = "#" * lead + f"$key = [Convert]::FromBase64String('{base64.b64encode(der).decode()}')"
    data = b"-enc " + base64.b64encode(script.encode(inner)) + b"\0"
    found = only("twice-encoded-private-key", data, key)
    assert found.candidate.encoding.startswith("base64 of ")


@pytest.mark.parametrize("lead", range(4))
@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("inner", ["ascii", "utf-16-le"])
def test_base64_of_a_text(lead: int, inner: str, codec: str) -> None:
    """A PEM or OpenSSH text in base64 is found at every alignment, wrapped or not."""
    if inner != "ascii" and codec != "ascii":
        pytest.skip("two bytes a character, twice, is not a form of any program")
    for key, text in (
        (RSA, encodings.pkcs1_pem(RSA)),
        (EC, encodings.pkcs8_pem(EC, "crlf")),
        (ED, encodings.pkcs8_pem(ED)),
        (ED, encodings.openssh_pem(ED)),
    ):
        outer = base64.b64encode(b"#" * lead + text.decode().encode(inner))
        for shaped in (outer, wrapped(outer, 76)):
            data = b"\xfe" * 8 + shaped.decode().encode(codec) + b"\xfe" * 9
            found = only("encoded-private-key", data, key)
            assert found.candidate.encoding.startswith("base64 of ")
            (place,) = found.candidate.places
            assert 8 <= place.offset < place.offset + place.size <= 8 + len(data) - 17


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("lost", [1, 8, 16, 19])
@pytest.mark.parametrize("key", [RSA, EC, ED], ids=lambda key: key.spki_sha256[:8])
def test_base64_of_a_text_that_was_freed(key: keys.Key, lost: int, codec: str) -> None:
    """The BEGIN line lost what an allocator writes over."""
    text = base64.b64encode(encodings.openssh_pem(key))[lost:]
    for junk in (b"", b"U", b"UU", b"3xU"):
        data = b"\xfe" * 8 + (junk + text).decode().encode(codec) + b"\xfe" * 9
        found = only("encoded-private-key", data, key)
        assert found.candidate.encoding.startswith("base64 of OPENSSH")


HYPHENS = (
    b"---\n",  # a document of YAML begins
    b"key: -",
    b"-----\n",
    b"--B--\r\n",  # the last line of a MIME part
    b"-----END CERTIFICATE-----\n",
    b"word" + b"\n" * 300,
)


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("lead", HYPHENS)
def test_what_stands_behind_a_line_of_hyphens(lead: bytes, codec: str) -> None:
    """Hyphens are no part of the base64 behind them, though one alphabet has them."""
    body = base64.b64encode(encodings.pkcs1_der(RSA))[16:]
    twice = base64.b64encode(base64.b64encode(encodings.pkcs8_pem(RSA)))
    for name, text in (
        ("encoded-private-key", base64.b64encode(encodings.pkcs8_pem(RSA))),
        ("encoded-private-key", base64.b64encode(encodings.openssh_pem(ED))),
        ("headless-text", wrapped(body, 64)),
        ("twice-encoded-private-key", twice),
    ):
        data = bytes(8) + (lead + text).decode().encode(codec) + bytes(9)
        only(name, data, ED if text.startswith(b"LS0tLS1CRUdJTiBPUEVO") else RSA)


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("columns", [64, 76])
@pytest.mark.parametrize("bits", [1024, 2048, 3072, 4096])
def test_a_text_without_its_first_lines(bits: int, columns: int, codec: str) -> None:
    """Whatever an allocator took of the front, what still holds the primes proves the key."""
    key = keys.rsa_key(bits)
    for der in (encodings.pkcs1_der(key), encodings.pkcs8_der(key)):
        text = wrapped(base64.b64encode(der), columns) + b"\n-----END PRIVATE KEY-----\n"
        for lost in (16, 33, 65, 66, 130):
            data = bytes(16) + text[lost:].decode().encode(codec) + bytes(64)
            found = only("headless-text", data, key)
            assert found.candidate.confidence is Confidence.PROOF


@pytest.mark.parametrize("bits", [1024, 2048, 3072, 4096])
@pytest.mark.parametrize(
    ("columns", "codec"), [(64, "utf-16-le"), (77, "ascii"), (9999, "ascii"), (9999, "utf-16-le")]
)
def test_hex_without_its_beginning(bits: int, columns: int, codec: str) -> None:
    """Where both primes are left, they prove the key; a whole one is left to others."""
    key = keys.rsa_key(bits)
    for spell in (str.lower, str.upper):
        digits = spell(encodings.pkcs8_der(key).hex()).encode()
        text = wrapped(digits, columns)
        for lost in (64, 65) if bits == 1024 else (64, 65, bits // 4 + 120, bits // 2 + 200):
            data = bytes(16) + text[lost:].decode().encode(codec) + bytes(64)
            assert only("headless-text", data, key).candidate.confidence is Confidence.PROOF
        assert find("headless-text", bytes(16) + text.decode().encode(codec) + bytes(64)) == []


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize(
    ("kind", "mark"),
    [
        ("P-256", b"\x04\x20"),
        ("P-384", b"\x04\x30"),
        ("P-521", b"\x04\x42"),
        ("ed25519", b"\x2b\x65"),
        ("x25519", b"\x2b\x65"),
    ],
)
def test_hex_that_begins_with_a_scalar_or_a_name(kind: str, mark: bytes, codec: str) -> None:
    """A scalar and its point are a proof; a seed behind its algorithm's name is a structure."""
    named = kind.endswith("25519")
    key = keys.okp_key(kind) if named else keys.ec_key(kind)
    sure = Confidence.STRUCTURE if named else Confidence.PROOF
    der = encodings.pkcs8_der(key)
    at = der.index(mark)
    for text in (der[at:].hex(), der[at - 2 :].hex()[1:].upper()):
        data = bytes(16) + text.encode(codec) + bytes(64)
        found = only("headless-text", data, key).candidate
        assert found.confidence is sure
        assert found.encoding.startswith("hex of ")
    assert find("headless-text", der.hex().encode(codec) + bytes(64)) == []


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("columns", [64, 76, 4096])
def test_a_text_of_exponents_without_their_highest_bits(columns: int, codec: str) -> None:
    """Where dp, dq and qinv alone are left, one header is seen at least."""
    made = keys.rsa_key(2048, label="other")
    key = replace(made, p=made.q, q=made.p)
    der = encodings.pkcs8_der(key)
    for lead in range(3):
        body = base64.b64encode(bytes(lead) + der)[-540:]
        text = wrapped(body, columns) + b"\n-----END PRIVATE KEY-----\n"
        data = bytes(16) + text.decode().encode(codec) + bytes(64)
        assert only("headless-text", data, key).candidate.confidence is Confidence.PROOF


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("key", [RSA, EC, ED], ids=["rsa", "ec", "ed25519"])
def test_a_text_whose_label_is_damaged(key: keys.Key, codec: str) -> None:
    """A freed PEM text begins in the midst of its BEGIN line: what follows is base64 all the same.

    So does one behind the END line of another; one with its whole BEGIN line is left to ``pem``.
    """
    text = encodings.pkcs8_pem(key)
    for lead in (bytes(16) + text[16:], b"-----END PRIVATE KEY-----\n" + text.split(b"\n", 1)[1]):
        data = lead.decode().encode(codec) + bytes(32)
        assert only("encoded-private-key", data, key).candidate.encoding.startswith("PKCS8 base64")
    assert find("encoded-private-key", text.decode().encode(codec)) == []


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("algorithm", ["ed25519", "ed448", "x448"])
def test_a_text_that_begins_with_its_seed(algorithm: str, codec: str) -> None:
    """Where an allocator took 16 characters, the header of the seed begins what is left.

    It is a structure; cut anywhere else, or followed by more, it is nothing.
    """
    key = keys.okp_key(algorithm)
    text = base64.b64encode(encodings.pkcs8_der(key))
    data = bytes(16) + text[16:].decode().encode(codec) + bytes(64)
    assert only("headless-text", data, key).candidate.confidence is Confidence.STRUCTURE
    for other in (text[16:-8], text[16:].rstrip(b"=") + b"AAAA", b"BCIEI" + b"QUFB" * 10 + b"QUF"):
        assert find("headless-text", bytes(16) + other + bytes(64)) == []


def test_a_seed_without_an_identifier_may_be_of_two_kinds() -> None:
    """Each is told, and both are marked; one character of two bytes of the name is not enough."""
    for algorithm in ("ed25519", "x25519"):
        key = keys.okp_key(algorithm)
        text = base64.b64encode(encodings.pkcs8_der(key))
        for lost, sure in ((13, True), (14, False), (16, False)):
            found = find("headless-text", bytes(16) + text[lost:] + bytes(64))
            names = {f.candidate.fingerprint.value for f in found}
            assert names == ({key.spki_sha256} if sure else both(key))
            assert {f.candidate.either for f in found} == {not sure}


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_seed_before_a_line_of_another_text(end: bytes) -> None:
    """Seen in freed buffers of rustls: a certificate's line stands where END stood."""
    seed = base64.b64encode(encodings.pkcs8_der(ED))[16:]
    stale = base64.b64encode(noise.uniform(150, 3)).rstrip(b"=")
    data = bytes(16) + seed + end + stale + bytes(8)
    found = only("headless-text", data, ED)
    assert found.candidate.encoding == "base64 of PKCS8-DER (damaged)"
    assert find("headless-text", data.replace(end, b"")) == []


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\\n"])
@pytest.mark.parametrize("algorithm", ["ed25519", "ed448", "x448"])
def test_a_text_cut_inside_of_the_header_of_its_seed(algorithm: str, end: str, codec: str) -> None:
    """A buffer of files gets another text: the END line says what the rest of the line before is.

    With one character less the seed is not whole. Without the line it is any word, and so it is
    where it is the last line of a longer text.
    """
    key = keys.okp_key(algorithm)
    text = base64.b64encode(encodings.pkcs8_der(key))
    for lost in range(17, 23):
        left = wrapped(text, 64, end.encode())[lost:]
        mark = end.encode() + b"-----END PRIVATE KEY-----\n"
        for lead in (b"Listening.", b"a1\n", b"\0", b"b2 "):
            data = (lead + left + mark).decode().encode(codec) + bytes(64)
            if lost > 21:
                assert find("headless-text", data) == []
                continue
            found = only("headless-text", data, key)
            assert found.candidate.confidence is Confidence.STRUCTURE
            (place,) = found.candidate.places
            width = 1 + (codec != "ascii")
            assert (place.offset, place.size) == (len(lead) * width, len(left.rstrip(b"=")) * width)
        for other in (left + b"\n", b"QUJD" * 16 + b"\n" + left + mark, b"AA" + left + mark):
            assert find("headless-text", (b"\n " + other).decode().encode(codec) + bytes(64)) == []


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("algorithm", ["ed25519", "x25519"])
def test_the_identifier_before_a_seed_is_believed(algorithm: str, codec: str) -> None:
    """Where an allocator took 8 characters (glibc on 32-bit machines), it tells the two apart."""
    key = keys.okp_key(algorithm)
    text = base64.b64encode(encodings.pkcs8_der(key))[8:].decode().encode(codec)
    assert only("headless-text", bytes(16) + text + bytes(64), key)


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("algorithm", ["ed25519", "x25519", "ed448", "x448"])
def test_a_seed_behind_its_name_in_a_line_that_goes_on(algorithm: str, codec: str) -> None:
    """Seen in tmux: behind 64 characters stand those of a longer line, which the buffer had held.

    With another name, or with one character less of a seed, it is nothing.
    """
    key = keys.okp_key(algorithm)
    text = base64.b64encode(encodings.pkcs8_der(key)).rstrip(b"=")
    name = text.find(b"K2V")
    for lost in (b"1490", b"01234567"):
        line = lost + text[len(lost) :]
        data = bytes(16) + (line + b"JBc2gtZW").decode().encode(codec) + bytes(64)
        found = only("headless-text", data, key).candidate
        assert found.confidence is Confidence.STRUCTURE
        assert found.encoding.startswith("base64 of PKCS8-DER (damaged)")
        other = line[:name] + b"L2V" + line[name + 3 :] + b"JBc2gtZW"
        for text_of_none in (other, line[:-2]):
            data = bytes(16) + text_of_none.decode().encode(codec) + bytes(64)
            assert find("headless-text", data) == []


@settings(max_examples=30, deadline=None)
@given(lost=st.integers(16, 900), size=st.integers(0, 40))
def test_a_hole_in_the_text(lost: int, size: int) -> None:
    """Bytes overwritten inside of n or e leave the primes, and no other key comes out."""
    text = bytearray(wrapped(base64.b64encode(encodings.pkcs1_der(RSA)), 64))
    at = lost % 300
    text[at : at + size] = bytes(size)
    for found in find("headless-text", bytes(text)):
        assert found.candidate.fingerprint.value == RSA.spki_sha256
    assert size < 2 or find("headless-text", bytes(text))


@pytest.mark.parametrize("lead", range(3))
@pytest.mark.parametrize("form", BARE)
def test_a_key_inside_of_a_larger_object(form: str, lead: int) -> None:
    """DER that starts anywhere inside of base64 is found by its numbers; at most once."""
    key, der = BARE[form]
    data = base64.b64encode(b"\x0a\x0b\x0c"[:lead] + der + b"tail")
    if lead and key in (RSA, keys.ec_key("P-521"), keys.ec_key("P-384")):
        only("headless-text", data, key)
    elif not lead:
        assert find("headless-text", data) == []
        only("encoded-private-key", data, key)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize(
    "data",
    [
        encodings.certificate_pem(RSA),
        encodings.certificate_pem(EC),
        encodings.spki_pem(RSA),
        base64.b64encode(encodings.certificate_pem(RSA)),
        base64.b64encode(encodings.spki_pem(EC)),
        base64.b64encode(noise.uniform(20_000, 5)),
        noise.uniform(20_000, 5).hex().encode(),
        b"MIIEpAIBAAKCAQEA" * 4000,  # in two bytes a character, more than is read at once
        b"AoGBAPAoGBAP" * 1000,
        b"30820122020100028201" * 1000,
        base64.b64encode(b"-----BEGIN PRIVATE KEY-----") * 200,
    ],
    ids=lambda data: data[:12].decode(),
)
def test_what_is_no_key(name: str, data: bytes) -> None:
    """Public halves, labels, noise and repeated headers are nothing."""
    assert find(name, data) == []
    assert find(name, data.decode().encode("utf-16-le")) == []


HEADS = [
    b"MIIEpAIBAAKCAQEA",
    b"3082012202010002820",
    b"AgMBAAECggEB",
    b"hRANCAATT",
    base64.b64encode(b" PRIVATE KEY-----"),
]


@settings(max_examples=30, deadline=None)
@given(head=st.sampled_from(HEADS), before=st.binary(max_size=40), tail=st.binary(max_size=300))
def test_arbitrary_bytes(head: bytes, before: bytes, tail: bytes) -> None:
    """Around any anchor, any bytes raise nothing and are no key."""
    for name in READERS:
        assert find(name, before + head + tail) == []


@settings(max_examples=30, deadline=None)
@given(head=st.sampled_from(HEADS), tail=st.text(alphabet='MIAgEC=\\n+/-_ "u0%3d\n', max_size=300))
def test_arbitrary_text(head: bytes, tail: str) -> None:
    """Around any anchor, escapes and fillers in any order raise nothing."""
    for name in READERS:
        for codec in ("ascii", "utf-16-le", "utf-16-be"):
            assert find(name, (tail + head.decode() + tail).encode(codec)) == []
