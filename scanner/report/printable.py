"""Strings of a dump, made safe to show to a person.

A dump names its own modules, regions and certificate subjects, and may name them anything: terminal
sequences, line ends, marks that turn the direction of the text. This module refuses to pass on any
character that does not simply stand in its own cell.
"""

import unicodedata

MAX_CHARACTERS = 200
"""Of one string, escapes included, where nothing else is asked for."""


def printable(text: str, limit: int = MAX_CHARACTERS) -> str:
    r"""Return ``text`` on one line, of at most ``limit`` characters, safe for any terminal.

    Control, format (bidirectional and zero-width among them), surrogate, private, unassigned and
    combining characters, and every space but U+0020, become Python escapes: ``\x1b``, ``\u202e``.
    What is too long ends in ``...``.
    """
    shown = "".join(map(_cell, text[: limit + 1]))
    return shown if len(shown) <= limit else shown[: limit - 3] + "..."


def _cell(character: str) -> str:
    if character.isprintable() and not unicodedata.category(character).startswith("M"):
        return character
    return ascii(character)[1:-1]
