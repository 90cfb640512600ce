"""Key files of fields in lines that have more before and behind them."""

import json
import urllib.parse
from collections.abc import Callable

import pytest

from fixtures import keys, pgp, sealed, services
from scanner import rules
from scanner.detect import anchors
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import margins
from scanner.detect.texts.encoded import Decoded
from scanner.stages.examine import EXAMINERS

EC, ED, X = keys.ec_key("P-256"), keys.okp_key("ed25519"), keys.okp_key("x25519")
FILES: dict[str, tuple[keys.Key, bytes]] = {
    "putty-private-key": (EC, sealed.putty(EC)),
    "dnssec-private-key": (ED, services.dnssec(ED)),
    "pgp-private-key": (ED, pgp.armour(pgp.packet(ED))),
    "wireguard-private-key": (X, services.wireguard(X)),
}
RULES = tuple(rule for rule in rules.load() if rule.id in FILES)
READERS = dict(EXAMINERS)
SWEEPER = anchors.open_sweeper(anchors.compile_anchors(RULES))
ENDS = {"box": " |", "red": "\x1b[m", "containers": '\\n","stream":"stdout","time":"05.123456Z"}'}
LINES: dict[str, Callable[[int], str]] = {
    "answer": lambda _: "> ",
    "added": lambda _: "+",
    "removed": lambda _: "-",
    "red": lambda _: "\x1b[31m-",
    "comment": lambda _: "    // ",
    "box": lambda _: "| ",
    "grep": lambda at: f"etc/key:{at}:",
    "cat": lambda at: f"{at + 8:6}\t",
    "cri": lambda at: f"2026-12-02T06:31:11.{at * 7919:09}+00:00 stdout F ",
    "containers": lambda _: '{"log":"',
}
WHOLE: dict[str, Callable[[str], str]] = {
    "list": lambda text: json.dumps(text.splitlines(), indent=4),
    "source": lambda text: " +\n    ".join(json.dumps(f"{line}\n") for line in text.splitlines()),
    "blanks": lambda text: text.replace("\n", " "),
    "bars": lambda text: text.replace("\n", "|"),
}


def find(data: bytes) -> set[str]:
    """Return the names of the keys that the rules find."""
    return {
        found.candidate.fingerprint.value
        for number, offset in SWEEPER.sweep(data)
        for found in READERS[RULES[number].detector](Decoded(data), 0, offset, RULES[number])
        if isinstance(found, Proved)
    }


def lined(text: str, how: str) -> str:
    """Put something before and behind each line."""
    rows = enumerate(text.splitlines())
    return "\n".join(LINES[how](at) + row + ENDS.get(how, "") for at, row in rows) + "\n"


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("how", [*LINES, *WHOLE])
@pytest.mark.parametrize("name", ["putty-private-key", "dnssec-private-key", "pgp-private-key"])
def test_lines_with_more_before_them(name: str, how: str, codec: str) -> None:
    """Patches, mails, comments, logs, lists and what was put on one line."""
    key, file = FILES[name]
    text = WHOLE[how](file.decode()) if how in WHOLE else lined(file.decode(), how)
    assert key.spki_sha256 in find(f"context\n{text}\ncontext\n".encode(codec))


@pytest.mark.parametrize("quote", [urllib.parse.quote, urllib.parse.quote_plus])
@pytest.mark.parametrize("name", ["dnssec-private-key", "wireguard-private-key"])
def test_marks_with_blanks_in_forms(name: str, quote: Callable[[bytes], str]) -> None:
    """A form or an address with others near it, in which blanks are written in another way."""
    key, file = FILES[name]
    assert key.spki_sha256 in find(f"file={quote(file)}\0/a%20b\0".encode())


def test_places_are_those_of_the_text() -> None:
    """From the mark to the last character of the last field."""
    _, file = FILES["putty-private-key"]
    data = lined(file.decode(), "grep").encode()
    at = data.index(b"PuTTY")
    (rule,) = (rule for rule in RULES if rule.id == "putty-private-key")
    found = [one for one in READERS["putty"](Decoded(data), 0, at, rule) if isinstance(one, Proved)]
    (place,) = found[0].candidate.places
    assert (place.offset, place.size) == (at, len(data.rstrip()) - at)


@pytest.mark.parametrize("text", [b"", b"\n", b"\n\n", b"a\nb\nc", b"\r\n\r\nabc", b"||"])
def test_nothing_to_take_away(text: bytes) -> None:
    """What has no margin is the same, and what is nothing else raises nothing."""
    assert margins.evened(text, b"a", b"b").text == text
    assert margins.unmargined(text).text.strip(b"\n") == text.strip(b"\n|")
