"""Key files whose lines stand apart, as lists of lines have them: in either order, and torn."""

from collections.abc import Callable, Sequence

import pytest

from fixtures import encodings, keys, noise, pgp
from scanner import rules
from scanner.detect import anchors
from scanner.detect.asn1.keys import Proved
from scanner.detect.damaged import headless_pgp, headless_text
from scanner.detect.encodings import armour, lines
from scanner.detect.ssh import openssh
from tests.detect.one_space import Bytes

DETECTORS = {
    "headless-text": headless_text.examine,
    "headless-pgp": headless_pgp.examine,
    "openssh": openssh.examine,
}
RULES = [rule for rule in rules.load() if rule.detector in DETECTORS]
SWEEPER = anchors.open_sweeper(anchors.compile_anchors(RULES))
FILES = {
    "pkcs8": (encodings.pkcs8_pem(keys.rsa_key(2048)), keys.rsa_key(2048)),
    "pkcs1": (encodings.pkcs1_pem(keys.rsa_key(4096)), keys.rsa_key(4096)),
    "sec1": (encodings.sec1_pem(keys.ec_key("P-256")), keys.ec_key("P-256")),
    "ec8": (encodings.pkcs8_pem(keys.ec_key("P-384")), keys.ec_key("P-384")),
    "pgp": (pgp.armour(pgp.packet(keys.rsa_key(2048))), keys.rsa_key(2048)),
    "openssh-rsa": (encodings.openssh_pem(keys.rsa_key(2048)), keys.rsa_key(2048)),
    "openssh-ed": (encodings.openssh_pem(keys.okp_key("ed25519")), keys.okp_key("ed25519")),
}
AWAY = 5000


def narrow(text: bytes) -> bytes:
    """Return a text as it is."""
    return text


def found_in(data: bytes) -> list[Proved]:
    """Run both detectors over the bytes."""
    memory = Bytes(data)
    return [
        found
        for index, offset in SWEEPER.sweep(data)
        for found in DETECTORS[RULES[index].detector](memory, 0, offset, RULES[index])
        if isinstance(found, Proved)
    ]


def blocks(rows: Sequence[bytes], size: int, write: Callable[[bytes], bytes] = narrow) -> bytes:
    """Return lines, each in a block of its own with its size before it, as an allocator has it."""
    return b"".join(
        (size | 1).to_bytes(8, "little") + write(row).ljust(size, b"\0") for row in rows
    )


def glibc(rows: Sequence[bytes]) -> bytes:
    """Return lines as fresh memory of malloc has them."""
    return blocks(rows, 88)


def nano(rows: Sequence[bytes]) -> bytes:
    """Return lines with pointers between them."""
    return b"".join(blocks([row], 72) + noise.uniform(5) + bytes(51) for row in rows)


def ruby(rows: Sequence[bytes]) -> bytes:
    """Return lines from the last free slot on, of which some were taken before."""
    return b"".join(
        blocks([row], 152) + bytes(160 * (at % 5 == 4)) for at, row in enumerate(rows[::-1])
    )


def vim(rows: Sequence[bytes]) -> bytes:
    """Return lines in a block that fills from its end."""
    return b"\0".join(rows[::-1]) + b"\0"


def dotnet(rows: Sequence[bytes]) -> bytes:
    """Return lines of two bytes a character."""
    return blocks(rows, 176, encodings.utf16)


@pytest.mark.parametrize("layout", [glibc, nano, ruby, vim, dotnet], ids=lambda f: f.__name__)
@pytest.mark.parametrize("form", FILES)
def test_keys_in_lines(form: str, layout: Callable[[Sequence[bytes]], bytes]) -> None:
    """They are found, whole or with the first lines elsewhere; a place leads to them again."""
    text, key = FILES[form]
    rows = text.strip().split(b"\n")
    away = 1 if len(rows) < 10 else 4
    torn = b"".join(layout([row]) + bytes(AWAY) for row in rows[1 : 1 + away][::-1])
    for stored in (layout(rows), torn + bytes(AWAY) + layout(rows[1 + away :])):
        data = bytes(64) + stored + bytes(64) + noise.uniform(200)
        found = found_in(data)
        assert {one.candidate.fingerprint.value for one in found} == {key.spki_sha256}
        for one in found:
            for place in one.candidate.places:
                piece = data[place.offset : place.offset + place.size].replace(b"\0", b"")
                assert any(piece in row for row in rows)
            first = one.candidate.places[0].offset
            examine = next(DETECTORS[r.detector] for r in RULES if r.id == one.candidate.rule)
            again = examine(Bytes(data), 0, first, RULES[0])
            assert any(
                isinstance(other, Proved)
                and other.candidate.fingerprint == one.candidate.fingerprint
                for other in again
            )


@pytest.mark.parametrize("layout", [glibc, vim], ids=lambda f: f.__name__)
def test_what_is_public_is_no_key(layout: Callable[[Sequence[bytes]], bytes]) -> None:
    """Neither a certificate in lines, nor lines of noise."""
    certificate = encodings.certificate_pem(keys.rsa_key(2048)).split(b"\n")
    noisy = [row for row in encodings.pem(noise.uniform(1200), "PRIVATE KEY").split(b"\n") if row]
    for rows in (certificate, noisy):
        assert found_in(bytes(64) + layout(rows) + bytes(64)) == []


def test_lines_of_a_text_are_not_joined() -> None:
    """What goes on in a next line, and what is no line of a length that files have."""
    row = b"AoGBAP" + b"x7" * 29
    for data in (row + b"\n" + row, row + b"+", row[:-1], row + b" " + row):
        text = armour.text_at(Bytes(bytes(80) + data + bytes(80)), 0, 80)
        assert list(lines.joined(text)) == []
