"""A policy file says what it says, or is refused with a reason and a hint."""

import datetime as dt
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner import policyfile
from scanner.errors import PolicyError
from scanner.model import Confidence, Severity

KEY = "ab" * 32
ENTRY = f"""
[[allow]]
fingerprint = "{KEY}"
reason = "throwaway key of the load test"
owner = "platform team"
expires = 2027-01-31
"""


def refused(text: str) -> PolicyError:
    """Return the error that a policy gives."""
    with pytest.raises(PolicyError) as caught:
        policyfile.parse(text.encode())
    return caught.value


def test_an_empty_policy_is_the_default() -> None:
    """A policy that says nothing changes nothing."""
    assert policyfile.parse(b"") == policyfile.DEFAULT
    assert policyfile.DEFAULT.fail_on is Severity.HIGH
    assert policyfile.DEFAULT.min_confidence is Confidence.STRUCTURE
    assert policyfile.DEFAULT.require_tokens
    assert policyfile.DEFAULT.block_session_keys


def test_everything_that_can_be_said() -> None:
    """Each key of the file arrives in its field."""
    text = (
        'fail_on = "low"\nmin_confidence = "proof"\naccept = ["truncated"]\n'
        f"require_tokens = false\nblock_session_keys = false\n{ENTRY}"
    )
    policy = policyfile.parse(text.encode())
    assert (policy.fail_on, policy.min_confidence) == (Severity.LOW, Confidence.PROOF)
    assert (policy.accept, policy.require_tokens) == (("truncated",), False)
    assert not policy.block_session_keys
    (entry,) = policy.allow
    assert (entry.fingerprint, entry.owner) == (KEY, "platform team")
    assert entry.expires == dt.date(2027, 1, 31)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("fail-on = 'low'", "unknown key 'fail-on'"),
        ("fail_on = 'severe'", "fail_on is not one"),
        ("fail_on = 3", "fail_on is not one"),
        ("min_confidence = 'HIGH'", "min_confidence is not one"),
        ("accept = 'truncated'", "accept is no list"),
        ("accept = ['unswept']", "no policy can accept"),
        ("accept = ['worker-lost', 'truncated']", "no policy can accept"),
        ("accept = [1]", "accept is no list"),
        ("require_tokens = 'no'", "neither true nor false"),
        ("block_session_keys = 0", "block_session_keys is neither true nor false"),
        ("allow = 1", "allow is no list"),
        ("allow = [1]", "allow is no list"),
        (ENTRY + "note = 'x'", "unknown key 'note' in [[allow]] entry 1"),
        (ENTRY.replace("reason", "#"), "reason of [[allow]] entry 1 is missing"),
        (ENTRY.replace("owner", "#"), "owner of [[allow]] entry 1 is missing"),
        (ENTRY.replace("expires", "#"), "expires of [[allow]] entry 1 is missing"),
        (ENTRY.replace("2027-01-31", "20270131"), "missing or no date"),
        (ENTRY.replace("2027-01-31", "2027-01-31T00:00:00"), "no date"),
        (ENTRY.replace(KEY, KEY.upper()), "64 lower-case hex"),
        (ENTRY.replace(KEY, KEY[:16]), "64 lower-case hex"),
        (ENTRY.replace("platform team", " "), "empty"),
        (ENTRY + ENTRY, "stands twice"),
        ("[[[", "it is not TOML"),
        ("a=" + "[" * 5000, "it is not TOML"),
    ],
)
def test_refused(text: str, reason: str) -> None:
    """What is not understood is refused, in three parts."""
    error = refused(text)
    assert reason in error.reason
    assert "policy" in error.message
    assert error.hint


@pytest.mark.parametrize("text", ["2027-01-31", "20270131", "2027-W05-1", "soon", ""])
def test_a_text_is_no_date(text: str) -> None:
    """The error says that it is a text: without the quotation marks it would be a date."""
    error = refused(ENTRY.replace("2027-01-31", f'"{text}"'))
    assert "policy" in error.message
    assert error.reason == (
        "expires of [[allow]] entry 1 is a text, which is no date even where it looks like one"
    )
    assert error.hint == "write the last day without quotation marks: expires = 2027-01-31"


def typos(name: str) -> set[str]:
    """Return a name with a letter lost, twice, swapped or of the other case, or a mark changed."""
    cuts = [(name[:at], name[at:]) for at in range(len(name))]
    lost = {head + tail[1:] for head, tail in cuts}
    twice = {head + tail[0] + tail for head, tail in cuts}
    swapped = {head + tail[1::-1] + tail[2:] for head, tail in cuts}
    other = {head + tail[0].swapcase() + tail[1:] for head, tail in cuts}
    return (lost | twice | swapped | other | {name.replace("_", "-")}) - {name, ""}


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("fail_on", '= "info"'),
        ("min_confidence", '= "shape"'),
        ("accept", "= []"),
        ("require_tokens", "= true"),
        ("block_session_keys", "= true"),
        ("allow", "= []"),
    ],
)
def test_no_typo_opens_the_gate(name: str, line: str) -> None:
    """A key that is written wrong is no key: what it was to say is never left unsaid."""
    policyfile.parse(f"{name} {line}".encode())
    for typo in typos(name):
        assert "unknown key" in refused(f"{typo} {line}").reason


@pytest.mark.parametrize("name", ["fingerprint", "reason", "owner", "expires"])
def test_no_typo_lets_a_key_pass(name: str) -> None:
    """An entry with a key that is written wrong is refused, and so is the whole policy."""
    for typo in typos(name):
        assert "unknown key" in refused(ENTRY.replace(f"{name} =", f"{typo} =")).reason


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("fail_on", policyfile.SEVERITIES),
        ("min_confidence", policyfile.CONFIDENCES),
        ("accept", policyfile.ACCEPTABLE),
    ],
)
def test_no_typo_in_a_value_is_read_as_another(name: str, values: tuple[str, ...]) -> None:
    """A value that is written wrong is refused: it never becomes the default."""
    shape = '["{}"]' if name == "accept" else '"{}"'
    for value in values:
        policyfile.parse(f"{name} = {shape.format(value)}".encode())
        for typo in typos(value):
            assert refused(f"{name} = {shape.format(typo)}").hint


def test_files(tmp_path: Path) -> None:
    """A file is read as its bytes are; one that is missing, huge or no UTF-8 is refused."""
    path = tmp_path / "policy.toml"
    path.write_text(ENTRY)
    assert policyfile.load(str(path)) == policyfile.parse(ENTRY.encode())
    path.write_bytes(b"\xff")
    big = tmp_path / "big"
    big.write_bytes(b"#" * (1 << 20) + b"\n")
    for bad in (path, big, tmp_path / "none", tmp_path, "\0"):
        with pytest.raises(PolicyError) as raised:
            policyfile.load(str(bad))
        if bad is tmp_path and sys.platform != "win32":
            assert raised.value.hint == "name a file, not a directory"


def test_digest_is_of_what_is_said() -> None:
    """Order and form change no digest; every setting does."""
    other = ENTRY.replace(KEY, "cd" * 32)
    same = [ENTRY + other, other + ENTRY, (ENTRY + other).replace('"', "'")]
    assert len({policyfile.digest(policyfile.parse(text.encode())) for text in same}) == 1
    texts = [
        "",
        'fail_on = "low"',
        'min_confidence = "proof"',
        'accept = ["truncated"]',
        "require_tokens = false",
        "block_session_keys = false",
        ENTRY,
        ENTRY.replace("2027", "2028"),
        ENTRY.replace("platform", "other"),
    ]
    assert len({policyfile.digest(policyfile.parse(t.encode())) for t in texts}) == len(texts)


@settings(max_examples=30)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes(raw: bytes) -> None:
    """Whatever a file holds, it is a policy or is refused."""
    try:
        policy = policyfile.parse(raw)
    except PolicyError:
        return
    assert len(policyfile.digest(policy)) == 64
