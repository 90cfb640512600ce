"""Keys that source code and logs spell byte by byte, and PEM with a mark before each line."""

import json
from collections.abc import Callable
from urllib.parse import quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import encodings, keys
from scanner import rules
from scanner.detect import anchors
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import armour, spelled
from scanner.detect.texts import encoded, pem
from scanner.detect.texts.encoded import Decoded

RULES = tuple(r for r in rules.load() if r.id in ("encoded-private-key", "private-key-pem"))
EXAMINE = {"encoded": encoded.examine, "pem": pem.examine}
SWEEPER = anchors.open_sweeper(anchors.compile_anchors(RULES))
RSA, EC, ED = keys.rsa_key(2048), keys.ec_key("P-256"), keys.okp_key("ed25519")
MADE: dict[str, tuple[keys.Key, bytes]] = {
    "PKCS#8, RSA": (RSA, encodings.pkcs8_der(RSA)),
    "PKCS#1": (RSA, encodings.pkcs1_der(RSA)),
    "PKCS#8, EC": (EC, encodings.pkcs8_der(EC)),
    "SEC1": (EC, encodings.sec1_der(EC)),
    "PKCS#8, Ed25519": (ED, encodings.pkcs8_der(ED)),
}


def lines(parts: list[bytes], joined: bytes, of: int = 12) -> bytes:
    """Join so many parts a line."""
    rows = [joined.join(parts[at : at + of]) for at in range(0, len(parts), of)]
    return (joined.rstrip() + b"\n    ").join(rows)


SPELLINGS: dict[str, Callable[[bytes], bytes]] = {
    "C": lambda d: lines([b"0x%02x" % b for b in d], b", "),
    "C#": lambda d: b",".join(b"0x%02X" % b for b in d),
    "Java": lambda d: b", ".join(
        b"0x%02x" % b if b < 128 or at < 4 else b"(byte) 0x%02x" % b for at, b in enumerate(d)
    ),
    "JSON": lambda d: json.dumps(list(d)).encode(),
    "JSON without blanks": lambda d: json.dumps(list(d), separators=(",", ":")).encode(),
    "with a sign": lambda d: json.dumps([b - 256 if b > 127 else b for b in d]).encode(),
    "with colons": lambda d: lines([b"%02x" % b for b in d], b":", 15),
    "with blanks": lambda d: d.hex(" ").encode(),
    "escapes": lambda d: b"".join(b"\\x%02x" % b for b in d),
    "Python": lambda d: repr(d).encode(),
}
SPELLINGS |= {
    "Go": lambda d: str(list(d)).replace(",", "").encode(),
    "Node": lambda d: b"<Buffer " + d.hex(" ").encode() + b">",
    ".NET": lambda d: d.hex("-").upper().encode(),
    "PowerShell": lambda d: b"\r\n".join(b"%d" % b for b in d),
    "a line each": lambda d: b"\n".join(b"%d" % b for b in d),
    "the registry": lambda d: b",\\\r\n  ".join(
        d[at : at + 25].hex(",").encode() for at in range(0, len(d), 25)
    ),
    "Visual Basic": lambda d: b", ".join(b"&H%02X" % b for b in d),
    "Pascal": lambda d: lines([b"$%02X" % b for b in d], b", "),
    "Java, casts": lambda d: b", ".join(
        b"(byte) 0x%02x" % b if b > 127 else b"0x%02x" % b for b in d
    ),
    "JSON, a line each": lambda d: json.dumps(list(d), indent=2).encode(),
    "Rust, a line each": lambda d: b"[\n" + b"".join(b"    %d,\n" % b for b in d) + b"]",
    "two blanks": lambda d: b"  ".join(b"%02X" % b for b in d),
    "tabs": lambda d: b"\t".join(b"%02x" % b for b in d),
    "hex, a line each": lambda d: b"\r\n".join(b"%02X" % b for b in d),
    "hex, commas and blanks": lambda d: b", ".join(b"%02x" % b for b in d),
    "0x and blanks": lambda d: b" ".join(b"0x%02x" % b for b in d),
    "literals": lambda d: b"\n".join(
        b'  "%b"' % b"".join(b"\\x%02x" % b for b in d[at : at + 16]) for at in range(0, len(d), 16)
    ),
    "literals in octal": lambda d: b" +\n".join(
        b'"%b"' % b"".join(b"\\%03o" % b for b in d[at : at + 16]) for at in range(0, len(d), 16)
    ),
    "a typed array": lambda d: json.dumps(dict(enumerate(d)), separators=(",", ":")).encode(),
    "a typed array, a line each": lambda d: json.dumps(dict(enumerate(d)), indent=4).encode(),
    "a typed array, in JSON": lambda d: json.dumps(
        json.dumps(dict(enumerate(d)), separators=(",", ":"))
    ).encode(),
}
AS_TEXT: dict[str, Callable[[bytes], bytes]] = {
    "Protocol Buffers": lambda d: b"".join(
        bytes((b,)) if 31 < b < 127 and b not in b"'\"\\" else b"\\%03o" % b for b in d
    ),
    "JSON of characters": lambda d: json.dumps(d.decode("latin-1"))[1:-1].encode(),
    "a form": lambda d: quote_plus(d).encode(),
}
SPELLINGS |= AS_TEXT
OF_TEXTS: dict[str, Callable[[bytes], bytes]] = {
    **{name: spell for name, spell in SPELLINGS.items() if name not in {"Python", *AS_TEXT}},
    "PostgreSQL": lambda d: b"\\x" + d.hex().encode(),
    "MySQL": lambda d: b"0x" + d.hex().upper().encode(),
    "xxd -p": lambda d: b"\n".join(
        d.hex().encode()[at : at + 60] for at in range(0, 2 * len(d), 60)
    ),
}
MARKS = ("+", "-", "> ", "# ", " * ", "    // ", "| ")


def find(data: bytes) -> list[Proved]:
    """Run the rules over the bytes."""
    return [
        found
        for number, offset in SWEEPER.sweep(data)
        for found in EXAMINE[RULES[number].detector](Decoded(data), 0, offset, RULES[number])
        if isinstance(found, Proved)
    ]


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("made", MADE)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_spellings(spelling: str, made: str, codec: str) -> None:
    """Each is one key, under its name, and its place is what spells it."""
    key, data = MADE[made]
    text = b"\nkey = " + SPELLINGS[spelling](data) + b"};\n"
    found = find(text.decode().encode(codec))
    assert {one.candidate.fingerprint.value for one in found} == {key.spki_sha256}
    width = 1 if codec == "ascii" else 2
    (place,) = found[0].candidate.places
    taken = text[place.offset // width : (place.offset + place.size) // width]
    whole = spelled.decode(taken)
    assert whole is not None
    assert (whole.data, whole.places[0][0], whole.places[-1][1]) == (data, 0, len(taken))


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_what_is_no_key(spelling: str) -> None:
    """Certificates, cut keys, and one with a wrong byte are none."""
    _, data = MADE["PKCS#1"]
    wrong = bytearray(data)
    wrong[40] ^= 1
    for other in (encodings.certificate_der(RSA), data[:-2], bytes(wrong)):
        assert find(SPELLINGS[spelling](other)) == []


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("form", ["rsa", "ec", "ed25519", "openssh"])
@pytest.mark.parametrize("how", OF_TEXTS)
def test_a_text_that_is_spelled(how: str, form: str, codec: str) -> None:
    """Databases write PEM text in hex, logs as numbers."""
    key = {"rsa": RSA, "ec": EC}.get(form, ED)
    text = encodings.openssh_pem(ED) if form == "openssh" else encodings.pkcs8_pem(key)
    spelled_out = OF_TEXTS[how](text)
    data = b"\xfe\xfe" + spelled_out.decode().encode(codec) + b"\xfe" * 9
    found = find(data)
    assert {one.candidate.fingerprint.value for one in found} == {key.spki_sha256}
    (place,) = found[0].candidate.places
    assert place.offset >= 2
    assert place.offset + place.size <= len(data) - 9
    for other in (encodings.spki_pem(RSA), encodings.certificate_pem(RSA), text[:40]):
        assert find(OF_TEXTS[how](other).decode().encode(codec)) == []


@pytest.mark.parametrize("form", ["rsa", "ec", "ed25519", "openssh"])
def test_lines_of_the_registry(form: str) -> None:
    """A value of several lines ends each with a zero, and all of them with one more."""
    key = {"rsa": RSA, "ec": EC}.get(form, ED)
    text = encodings.openssh_pem(ED) if form == "openssh" else encodings.pkcs8_pem(key)
    value = text.decode().replace("\n", "\0").encode("utf-16-le") + bytes(2)
    data = b'"Key"=hex(7):' + SPELLINGS["the registry"](value) + b"\r\n"
    assert {one.candidate.fingerprint.value for one in find(data)} == {key.spki_sha256}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("key", [RSA, EC, ED], ids=["rsa", "ec", "ed25519"])
@pytest.mark.parametrize("mark", MARKS)
def test_marks_before_each_line(mark: str, key: keys.Key, end: str) -> None:
    """Patches, letters and comments hold a key in lines that begin alike."""
    text = encodings.pkcs8_pem(key).decode().splitlines()
    data = ("context\n" + "".join(f"{mark}{line}{end}" for line in text) + "context\n").encode()
    (found,) = find(data)
    assert found.candidate.fingerprint.value == key.spki_sha256
    (place,) = found.candidate.places
    assert data[place.offset :][: place.size].endswith(b"-----END PRIVATE KEY-----")


def test_a_plus_is_a_digit_too() -> None:
    """Lines of which only some begin with a plus, or a single one, lose nothing."""
    line = b"MIIE" + b"A" * 60
    for text in (
        b"\n+%b\nBBBB\n+CCC\n" % line,
        b"\n+%b\n-----END" % line,
        b"\n+%b" % line,
        b"\n%b\n+BBB\n" % line,
    ):
        assert armour.unquoted(text) == text
    marked = b"\n+%b\n+BBB\n+-----END" % line
    assert armour.unquoted(marked) == b"  %b  BBB  -----END" % line


def test_html() -> None:
    """Go's templates write a plus as an entity; others write all that is not a letter so."""
    pem_text = encodings.pkcs8_pem(RSA)
    for rows in (((b"+", b"&#43;"),), ((b"+", b"&#x2b;"), (b"/", b"&#47;"), (b"=", b"&#61;"))):
        text = pem_text
        for old, new in rows:
            text = text.replace(old, new)
        for end in (b"\n", b"&#10;", b"<br>\n", b"<br />"):
            (found,) = find(text.replace(b"\n", end))
            assert found.candidate.fingerprint.value == RSA.spki_sha256


@settings(max_examples=30, deadline=None)
@given(
    head=st.sampled_from(
        [
            *(b"0x30, 0x82", b"48, 130, ", b"30:82:0", b"30 81 8", b"\\x30\\x82", b"48 130 4 "),
            *(b'"0":48,"1":130,', b"0\\u0082", b"0\\202\\004", b"0%82%04", b"30-82-04"),
            b"-----BEGIN ".hex().encode(),
        ]
    ),
    tail=st.binary(max_size=80)
    | st.text("0123456789abcdefx,-: \\'%\"u", max_size=200).map(str.encode),
)
def test_arbitrary_text(head: bytes, tail: bytes) -> None:
    """Nothing is raised, and no more is taken than is there."""
    found = spelled.decode(head + tail)
    if found is not None:
        assert len(found.data) == len(found.places) <= len(head + tail)
        assert found.places[-1][1] <= len(head + tail)


def test_little_is_read_of_what_is_none() -> None:
    """Numbers without a header of DER end after twelve."""
    for text in (b"48, 130, " + b"9, " * 99, b"0x30, 0x82, " * 20, b"48, 130, 4, 190, 2, 1, 0"):
        assert spelled.decode(text) is None
