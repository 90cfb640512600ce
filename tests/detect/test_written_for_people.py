"""Keys that were printed: names with hex, hex dumps; and base64 of base64."""

import base64
import dataclasses
import math
import re
from types import ModuleType

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fixtures import encodings, keys, noise
from scanner import rules
from scanner.detect import anchors
from scanner.detect.algebra.material import Foreign, Rsa
from scanner.detect.asn1.keys import Proved
from scanner.detect.texts import dumped, printed, twice
from scanner.detect.texts.encoded import Decoded
from scanner.model import Confidence

READERS: dict[str, ModuleType] = {"dumped": dumped, "printed": printed, "twice": twice}
RULES = {rule.detector: rule for rule in rules.load() if rule.detector in READERS}
SWEEPERS = {name: anchors.open_sweeper(anchors.compile_anchors((RULES[name],))) for name in RULES}
RSA, EC, ED = keys.rsa_key(2048), keys.ec_key("P-256"), keys.okp_key("ed25519")
P521, HIGH_P521 = keys.ec_key("P-521"), keys.ec_key("P-521", high=True)


def find(name: str, data: bytes) -> list[Proved]:
    """Run a detector over the bytes."""
    return [
        found
        for _, offset in SWEEPERS[name].sweep(data)
        for found in READERS[name].examine(Decoded(data), 0, offset, RULES[name])
    ]


def only(name: str, data: bytes, key: keys.Key) -> Proved:
    """Return what is found first; all of it is this key, and lies in the data."""
    found = find(name, data)
    assert {f.candidate.fingerprint.value for f in found} == {key.spki_sha256}
    for one in found:
        (place,) = one.candidate.places
        assert 0 <= place.offset < place.offset + place.size <= len(data)
    return found[0]


# --- printed ------------------------------------------------------------------------------------

CODECS = ("ascii", "utf-16-le", "utf-16-be")
ENDS = {"lf": "\n", "crlf": "\r\n", "escaped": "\\n"}


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("key", [RSA, EC, ED], ids=["rsa", "ec", "ed25519"])
def test_openssl_text(key: keys.Key, end: str, codec: str) -> None:
    """It is found and proved in every shape, from the first number to the last one."""
    text = encodings.openssl_text(key).decode().replace("\n", ENDS[end])
    first = re.search("modulus|priv", text)
    assert first is not None
    data = b"\xfe" * 4 + text.encode(codec) + b"\xfe" * 9
    found = only("printed", data, key).candidate
    assert found.confidence is Confidence.PROOF
    (place,) = found.places
    width = len("a".encode(codec))
    assert place.offset == 4 + first.start() * width
    last = text.rindex(":") + 3 if key is not EC else text.index(ENDS[end] + "ASN1")
    assert place.offset + place.size == 4 + last * width


APART = {
    "log": "2026-03-04T05:06:{0:02}.{1:06}Z app[812]: {2}\n",
    "docker": '{{"log":"{2}\\n","stream":"stdout","time":"2026-03-04T05:06:{0:02}Z"}}\n',
    "numbered": "{0:6}\t{2}\n",
    "quoted": "> {2}\n",
    "table": "| {2:<72} |\n",
    "html": "<tr><td>{0}</td><td>{2}</td></tr>\n",
    "coloured": "\x1b[32m{2}\x1b[0m\n",
}
"""Lines as logs, mails, tables and terminals hold them: a line's number, another one, its text."""


def apart(text: str, line: str) -> bytes:
    """Return a text with more before and behind each of its lines."""
    rows = enumerate(text.splitlines(), 1)
    return "".join(line.format(n, 7919 * n, row) for n, row in rows).encode()


@pytest.mark.parametrize("line", APART.values(), ids=APART)
@pytest.mark.parametrize("key", [RSA, EC, ED], ids=["rsa", "ec", "ed25519"])
def test_openssl_text_whose_lines_have_more_before_and_behind(key: keys.Key, line: str) -> None:
    """It is proved, and the place ends with the last digit."""
    data = apart(encodings.openssl_text(key).decode(), line)
    found = only("printed", data, key).candidate
    assert found.confidence is Confidence.PROOF
    (place,) = found.places
    digits = re.findall(rb"[0-9a-f]{2}(?=:|[^0-9a-z])", data[: place.offset + place.size + 1])
    assert data[: place.offset + place.size].endswith(digits[-1])


@pytest.mark.parametrize("line", APART.values(), ids=APART)
@pytest.mark.parametrize("key", [EC, P521], ids=["P-256", "P-521"])
def test_gnutls_text_whose_lines_have_more_before_and_behind(key: keys.EcKey, line: str) -> None:
    """``certtool -k`` prints 16 bytes a line, and numbers as DER's integers."""
    text = f"curve:\tSECP{key.curve[2:]}R1\n"
    for name, number in (("private key", key.d), ("x", key.x), ("y", key.y)):
        value = number.to_bytes(number.bit_length() // 8 + 1, "big")
        rows = [value[at : at + 16].hex(":") for at in range(0, len(value), 16)]
        text += f"{name}:\n\t" + "\n\t".join(rows) + ":\n\n"
    assert only("printed", apart(text, line), key).candidate.confidence is Confidence.PROOF


def test_a_number_of_two_lines_has_no_other_line_to_compare_with() -> None:
    """What varies before its lines is told by what stands before the first (q of DSA)."""
    q = EC.d.to_bytes(29 + 3, "big")[:29]
    data = apart(f"priv:\n    {q[:15].hex(':')}:\n    {q[15:].hex(':')}\n", APART["log"])
    (field,) = printed._fields(data, data.index(b"priv"), apart=True)
    assert field[1] == q


def test_what_stands_before_the_private_exponent_may_be_gone() -> None:
    """The primes prove the key without its modulus; the exponents prove it without the primes."""
    text = encodings.openssl_text(RSA)
    only("printed", b"\n" + text[text.index(b"privateExponent") :], RSA)
    only("printed", text[: text.index(b"prime1:")], RSA)
    assert find("printed", text[text.index(b"publicE") : text.index(b"prime1:")]) == []


def test_the_modulus_of_three_primes_is_the_one_that_is_printed() -> None:
    """Seen in ``openssl pkey -text``: p*q of a key with more primes is not its modulus."""
    small, other = keys.rsa_key(1024), keys.rsa_key(1024, label="second")
    primes = (small.p, small.q, other.p)
    n, order = math.prod(primes), math.lcm(*(prime - 1 for prime in primes))
    whole = keys.RsaKey(
        label="three primes", n=n, e=65537, d=pow(65537, -1, order), p=small.p, q=small.q
    )
    text = encodings.openssl_text(whole).replace(b"2 primes", b"3 primes")
    (found,) = find("printed", text)
    assert found.candidate.bits == n.bit_length()
    assert isinstance(found.material, Rsa)
    assert (found.material.n, found.material.d) == (n, whole.d)
    assert set(found.material.primes) == set(primes)
    wrong = encodings.openssl_text(dataclasses.replace(whole, n=n + 2))
    assert all(f.candidate.bits != n.bit_length() for f in find("printed", wrong))


def test_a_seed_alone_is_a_structure() -> None:
    """Cut before its public half, a seed is no proof; beside a wrong one it is nothing."""
    text = encodings.openssl_text(ED)
    found = only("printed", text[: text.index(b"pub:")], ED)
    assert found.candidate.confidence is Confidence.STRUCTURE
    assert find("printed", text.replace(b"pub:\n    ", b"pub:\n    00:")) == []
    assert find("printed", text.replace(b"priv", b"prov")) == []


@settings(max_examples=30, deadline=None)
@example(ED, 135, b"0\0")
@given(st.sampled_from([RSA, EC, ED]), st.integers(0, 2000), st.binary(max_size=90))
def test_text_that_was_written_over(key: keys.Key, at: int, more: bytes) -> None:
    """Whatever stands in the text, nothing else than the key is proved, and nothing is raised.

    A scalar that was written over, and that its public half no longer follows, is another one.
    """
    text = encodings.openssl_text(key)
    data = text[:at] + more + text[at + len(more) :]
    found = [f.candidate for f in find("printed", data)]
    proved = {c.fingerprint.value for c in found if c.confidence is Confidence.PROOF}
    assert proved <= {key.spki_sha256}


# --- hex dumps ----------------------------------------------------------------------------------

OBJECTS = {
    "pkcs1": (RSA, encodings.pkcs1_der(RSA)),
    "pkcs8": (RSA, encodings.pkcs8_der(RSA)),
    "sec1": (EC, encodings.sec1_der(EC)),
    "pkcs8 ec": (EC, encodings.pkcs8_der(EC)),
    "sec1 p521": (P521, encodings.sec1_der(P521)),
    "sec1 p521, the top bit": (HIGH_P521, encodings.sec1_der(HIGH_P521)),
    "ed25519": (ED, encodings.pkcs8_der(ED)),
}
TEXTS = {
    "pem": (RSA, encodings.pkcs8_pem(RSA)),
    "sec1 pem": (EC, encodings.sec1_pem(EC)),
    "openssh": (ED, encodings.openssh_pem(ED)),
}


def words(data: bytes) -> bytes:
    """Return what ``hexdump`` and ``od -x`` print: little-endian words."""
    text = ""
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        swapped = (row[i : i + 2][::-1].rjust(2, b"\0").hex() for i in range(0, len(row), 2))
        text += f"{at:07x} {' '.join(swapped)}\n"
    return text.encode()


DUMPS = (encodings.xxd, encodings.hexdump, encodings.bio_dump, encodings.logged, encodings.certutil)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("write", [*DUMPS, words])
@pytest.mark.parametrize("form", [*OBJECTS, *TEXTS])
def test_files(form: str, write, *, wide: bool) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001 - functions of bytes
    """A file's hex dump is found in either width; its last line is in the place to its end."""
    key, data = (OBJECTS | TEXTS)[form]
    if write is words and form in TEXTS:
        pytest.skip("no anchor: its letters are swapped")
    text = b"log: dump\n" + write(data)
    shown = encodings.utf16(text) if wide else text
    (place,) = only("dumped", shown + b"\xfe" * 4, key).candidate.places
    if form in OBJECTS:
        assert place.offset + place.size == (len(text) - 1) * (1 + wide)


@pytest.mark.parametrize("symbol", ["", " <key+{}>"])
@pytest.mark.parametrize("form", OBJECTS)
def test_what_gdb_prints(form: str, symbol: str) -> None:
    """``x/xb`` has eight bytes a line, and of a variable its name and offset."""
    key, data = OBJECTS[form]
    text = "".join(
        f"{0x7FFE40 + at:#x}{symbol.format(at)}:\t{data[at : at + 8].hex(',')}\n"
        for at in range(0, len(data), 8)
    )
    only("dumped", re.sub(r"(?<=[\t,])", "0x", text).replace(",", "\t").encode(), key)


@pytest.mark.parametrize("lead", range(16))
@pytest.mark.parametrize("write", DUMPS)
def test_memory_around_a_key(lead: int, write) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001 - functions of bytes
    """A key within what was printed is found wherever its header stands in one line."""
    for key, der in (OBJECTS["pkcs8"], OBJECTS["sec1"]):
        text = write(noise.uniform(lead, 1) + der + noise.uniform(50, 2))
        found = {f.candidate.fingerprint.value for f in find("dumped", text)}
        assert found == ({key.spki_sha256} if lead < 9 else found)


def test_lines_must_follow_each_other() -> None:
    """A line that is missing ends the bytes; what has neither address nor text is for others."""
    lines = encodings.xxd(OBJECTS["pkcs8"][1]).splitlines(keepends=True)
    assert find("dumped", b"".join(lines[:9] + lines[10:])) == []
    only("dumped", b"".join(line[10:] for line in lines), RSA)
    assert find("dumped", b"".join(line[10:49] + b"\n" for line in lines)) == []


def test_few_words_of_a_line_are_tried_as_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any word in hex may be one."""
    tried: list[int] = []
    monkeypatch.setattr(dumped, "_step", lambda *_: tried.append(1) or (0, 0))
    line = b"a: " + b" ".join([b"ffff"] * 16)
    assert dumped.read_rows(line + b"\n" + line, line.rindex(b"ffff")) is None
    assert 0 < len(tried) <= 36


@settings(max_examples=30, deadline=None)
@given(st.sampled_from([encodings.xxd, encodings.hexdump, words]), st.data())
def test_arbitrary_lines(write, data: st.DataObject) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001 - functions of bytes
    """Whatever the lines are, no other key is said, and nothing is raised.

    Under another identifier the same scalar is a key on a curve that nobody knows.
    """
    text = bytearray(write(OBJECTS["sec1"][1]))
    for at, byte in data.draw(
        st.lists(st.tuples(st.integers(0, len(text) - 1), st.integers(0, 255)), max_size=9)
    ):
        text[at] = byte
    known = [f for f in find("dumped", bytes(text)) if not isinstance(f.material, Foreign)]
    assert {f.candidate.fingerprint.value for f in known} <= {EC.spki_sha256}


# --- base64 of base64 ---------------------------------------------------------------------------


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("lead", [0, 1, 2, 10, 37, 55])
@pytest.mark.parametrize("form", [*OBJECTS, *TEXTS])
def test_base64_of_base64(form: str, lead: int, codec: str) -> None:
    """It is found at every alignment, in one line and in many, wherever these end."""
    key, data = (OBJECTS | TEXTS)[form]
    if lead == 37 and form.startswith(("pkcs1", "sec1 p521")):
        pytest.skip("a line ends in the only anchor")
    manifest = b"#" * lead + b"tls.key: " + base64.b64encode(data) + b"\nkind: Secret\n"
    for outer in (base64.b64encode(manifest), base64.encodebytes(manifest)):
        text = b"\xfe" * 4 + outer.decode().encode(codec) + b"\xfe" * 4
        found = only("twice", text, key)
        assert found.candidate.encoding.startswith("base64 of ")


BEGIN = (b"LS0tLS1CRUdJTi", b"0tLS0tQkVHSU4g", b"tLS0tLUJFR0lOI")
"""The other end of a BEGIN line in base64: more to look for, and never at the same time broken."""


def test_the_anchors_are_those_of_the_table() -> None:
    """The rule's anchors are the table's texts in base64, without what stands around them."""
    made = set()
    marks = [mark for mark, _ in twice.INNER]
    for mark in (*marks, *map(encodings.utf16, marks), *BEGIN):
        for at in range(3):
            text = base64.b64encode(bytes(at) + mark + bytes(3)).decode()
            made.add(text[-(-at * 8 // 6) : (at + len(mark)) * 8 // 6][:32])
    assert {anchor.source for anchor in RULES["twice"].anchors} == made


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(a.source for a in RULES["twice"].anchors)), st.binary(max_size=200))
def test_arbitrary_text_around_an_anchor(mark: str, more: bytes) -> None:
    """Nothing is said of it, and nothing raised."""
    text = base64.b64encode(more)
    assert find("twice", text + mark.encode() + text) == []
    assert find("twice", more + mark.encode() + more) == []
