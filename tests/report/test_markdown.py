"""The Markdown summary says what to do, and quotes a dump as text."""

import re

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from scanner.model import Report
from scanner.report import markdown

READER = MarkdownIt("commonmark", {"html": True}).enable("table")


def test_says_what_to_do(blocked: Report) -> None:
    """The summary has the verdict first, each key in a row, and the last line of the text."""
    text = markdown.render(blocked)
    assert text.startswith("## ⛔ keysift: blocked\n")
    assert text.count("\n| `") == len(blocked.dumps[0].findings)
    assert "CN=sts.example.org" in text
    assert text.endswith(
        "**blocked**: 2 private keys and 1 that does not block, 1 token, 1 suppressed; "
        "swept 3,000,000 of 3,000,000 bytes in the file\n"
    )


def test_why_is_said(report: Report) -> None:
    """Whatever makes a scan less than whole is in the summary."""
    text = markdown.render(report)
    for dump in report.dumps:
        for reason in dump.reasons:
            assert reason.code == "private-key" or reason.text in text


def test_nothing_becomes_markup(foul: Report) -> None:
    """A hostile report gives the same tokens as a harmless one: no link, image, HTML or heading."""
    tokens = [
        inner.type
        for token in READER.parse(markdown.render(foul))
        for inner in token.children or ()
    ]
    assert {"code_inline", "text"} <= set(tokens)
    assert not {"html_inline", "link_open", "image"} & set(tokens)
    assert not re.search(r"<(script|b|img)", READER.render(markdown.render(foul)))


@given(st.text(max_size=30))
def test_code_spans_end_where_they_should(text: str) -> None:
    """Any text in a table cell stays one code span of one cell."""
    row = f"| a | b |\n| --- | --- |\n| {markdown.code('x' + text, cell=True)} | `z` |\n"
    cells = re.findall("<td>(.*?)</td>", READER.render(row))
    assert len(cells) == 2
    assert cells[0].startswith("<code>")
    assert cells[0].endswith("</code>")
    assert cells[0].count("<") == 2
