"""Keys as XML inside of other texts: their escapes are undone, and base64 of them is read."""

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest

from fixtures import containers, encodings, keys
from scanner import rules
from scanner.detect import anchors
from scanner.detect.asn1.keys import Proved
from scanner.stages.examine import EXAMINERS
from tests.detect.one_space import Bytes

RULES = tuple(rule for rule in rules.load() if rule.detector == "xmlkey")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors(RULES))
RSA = keys.rsa_key(2048)
XML = {"rsa-key-value": containers.xml_key(RSA), "dsa-key-value": containers.xml_dsa()}


def _json(text: str) -> str:
    """Write a string as System.Text.Json and Gson do."""
    for char in "<>+&":
        text = text.replace(char, f"\\u{ord(char):04X}")
    return text


TEXTS: dict[str, Callable[[str], str]] = {
    "json": _json,
    "JSON in JSON": lambda text: json.dumps(_json(text))[1:-1],
    "slashes": lambda text: text.replace("/", "\\/"),
    "values": lambda text: text.replace("+", "\\u002B"),
    "entities": html.escape,
    "numbers": lambda text: text.replace("+", "&#x2B;"),
    "form": lambda text: quote(text, safe=""),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "UTF-16 in base64": lambda text: base64.b64encode(text.encode("utf-16-le")).decode(),
}


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("form", sorted(TEXTS))
@pytest.mark.parametrize("rule", sorted(XML))
def test_in_other_texts(rule: str, form: str, *, wide: bool) -> None:
    """The key is found, and its place is the element as the text has it."""
    text = TEXTS[form](XML[rule].decode()).encode()
    text = encodings.utf16(text) if wide else text
    data = bytes(40) + text + bytes(40)
    examine = dict(EXAMINERS)["xmlkey"]
    found = [
        one
        for index, offset in SWEEPER.sweep(data)
        for one in examine(Bytes(data), 0, offset, RULES[index])  # type: ignore[arg-type] # clip alone is used
        if isinstance(one, Proved)
    ]
    assert found
    (place,) = found[0].candidate.places
    assert found[0].candidate.rule == rule
    around = b"=\\\0"
    assert data[place.offset : place.offset + place.size].strip(around) == text.strip(around)
