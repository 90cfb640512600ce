"""Lines of text, folded to a terminal's width between words.

A terminal breaks what is too long for it in the middle of a number or a word. This module refuses
to break a word: a path or a digest that has no room is left whole, for whoever copies it.
"""

import re
import textwrap

_COLUMN = re.compile(r"(?<=\S) {2,}(?=\S)")
"""What stands between the columns of a line."""

_LEAST = 20
"""Columns that a last column must have for its lines to go on below it."""


def folded(text: str, width: int | None, hang: int | None = None) -> str:
    """Return the lines of a text, folded to ``width`` columns; as they stand where it is None.

    What is folded goes on ``hang`` columns in: below the last column of its line that has room for
    it, where nothing else is said.
    """
    if width is None:
        return text
    lines = text.split("\n")
    return "\n".join(line if len(line) <= width else _folded(line, width, hang) for line in lines)


def _folded(line: str, width: int, hang: int | None) -> str:
    hangs = [gap.end() for gap in _COLUMN.finditer(line)] if hang is None else [hang]
    room = max(_LEAST, *map(len, line.split()), 0)
    lead = len(line) - len(line.lstrip(" "))
    hang = max((each for each in hangs if each + room <= width), default=lead + 2)
    return textwrap.fill(
        line,
        width,
        subsequent_indent=" " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
