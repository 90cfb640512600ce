"""What must stand in a match: found in expressions of every form, and never too much of it."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.detect.credentials import literals
from scanner.detect.credentials.literals import Lead


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"ghp_[0-9a-zA-Z]{36}", [Lead(text="ghp_", tail=20, low=0x30, high=0x7A)]),
        (r"\b(abcdefgh[a-z]+)\b", [Lead(text="abcdefgh")]),
        (r"(?i)(?:Facebook)(?:[ \t\w.-]{0,20})x", [Lead(text="facebook", fold=True)]),
        (r"(?i:zendesk)[0-9]", [Lead(text="zendesk", fold=True, tail=1, low=0x30, high=0x39)]),
        ("(?x) new  # a comment\n relic", [Lead(text="newrelic")]),
        (r"(?:hello|world)_\d", None),
        (r"new[_-]relic", [Lead(text="new-relic"), Lead(text="new_relic")]),
        (r"mongodb(?:\+srv)?://", [Lead(text="mongodb+srv://"), Lead(text="mongodb://")]),
        (r"[^a]\x41\x42\x43DEFGH", [Lead(text="ABCDEFGH")]),
        (r"(?P<name>abcdefgh)\z", [Lead(text="abcdefgh")]),
        (r"(?i)(?-i:Abcdefgh)", [Lead(text="Abcdefgh")]),
        (r"Q[[:alnum:]]{3}-abcdefgh", [Lead(text="-abcdefgh")]),
        (r"abcdefgh{2}?", [Lead(text="abcdefghh")]),
    ],
)
def test_leads(pattern: str, expected: list[Lead] | None) -> None:
    """Literals, classes, groups, flags and counts are read as Rust's regex crate reads them."""
    found = literals.leads(pattern)
    if expected is None:
        assert {lead.text for lead in found} == {"hello_", "world_"}
    else:
        assert list(found) == expected


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "[a-z]{32}",
        "(?:abcdefgh|[a-z]{32})",
        "(?:abcdefgh)?",
        "(?:abcdefgh)*x",
        "abcdefgh{0,3}|x",
        "(?i)password",
        "aaaaaaaaaaaaaaaaaaaa",
        "(abcdefgh",
        "abcdefgh)",
        "[abcdefgh",
        "[1-",
        "[1-9",
        "\\",
        "*abcdefgh",
        "(?=abcdefgh)",
        "\\p{Greek}abcdefgh",
        "(" * 100 + "abcdefgh" + ")" * 100,
        "a{99999999999999999999}bcdefgh[",
    ],
)
def test_nothing_certain_gives_nothing(pattern: str) -> None:
    """Where a match may do without any fixed text, or nothing is understood, nothing is said."""
    assert literals.leads(pattern) == ()


def holds(lead: Lead, text: str) -> bool:
    """Tell whether a lead stands in a text."""
    tail = "[" + re.escape(chr(lead.low)) + "-" + re.escape(chr(lead.high)) + "]"
    source = re.escape(lead.text) + tail * lead.tail
    return re.search(source, text, re.IGNORECASE if lead.fold else 0) is not None


PIECES = st.sampled_from(
    ["abcdefgh", "tok_", "[a-f0-9]{20}", "[A-Z]{3}", "x?", "(?:hello_w|world_h)", "[_-]", "-{1,3}"]
)


@settings(max_examples=30, deadline=None)
@given(st.data(), st.lists(PIECES, min_size=1, max_size=5), st.booleans())
def test_every_match_holds_a_lead(data: st.DataObject, pieces: list[str], fold: bool) -> None:
    """Whatever matches an expression holds one of its leads: no token goes past its anchors."""
    pattern = ("(?i)" if fold else "") + "".join(pieces)
    leads = literals.leads(pattern)
    alphabet = st.characters(min_codepoint=32, max_codepoint=126)
    text = data.draw(st.from_regex(re.compile(pattern), fullmatch=True, alphabet=alphabet))
    assert not leads or any(holds(lead, text) for lead in leads)


@settings(max_examples=30)
@given(st.text(alphabet=st.sampled_from(list("ab[](){}|?*+\\^$-,:<>=!.xi19 #")), max_size=24))
def test_any_text_is_borne(pattern: str) -> None:
    """No text makes the reader raise."""
    assert isinstance(literals.leads(pattern), tuple)
