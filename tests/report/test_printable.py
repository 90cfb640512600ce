"""What a person is shown stays on its line and in its cells."""

from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.report.printable import MAX_CHARACTERS, printable


@settings(max_examples=30)
@given(st.text(st.characters(), max_size=400))
def test_any_text(text: str) -> None:
    """Arbitrary text, surrogates included, becomes printable, short, and encodable."""
    shown = printable(text)
    assert shown.isprintable()
    assert len(shown) <= MAX_CHARACTERS
    assert shown.encode("utf-8") is not None


def test_plain_text_is_left_alone() -> None:
    """Ordinary names, non-ASCII letters and backslashes of paths included, stay as they are."""
    for text in ("/usr/lib/libcrypto.so.3", "C:\\Windows\\lsass.exe", "CN=Müller & Söhne,C=DE"):
        assert printable(text) == text


def test_escapes() -> None:
    """Control, bidirectional, invisible and combining characters are written out."""
    expected = "\\x1b[0m\\u202e\\u200b\\n\\x9ba\\u0301\\udc80\\xa0"
    assert printable("\x1b[0m\u202e\u200b\n\x9ba\u0301\udc80\u00a0") == expected


def test_long_text_is_cut() -> None:
    """A text that is too long says so by its end."""
    assert printable("a" * 500, 10) == "aaaaaaa..."
    assert printable("a" * 10, 10) == "a" * 10
