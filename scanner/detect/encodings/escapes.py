r"""Texts that stand in other texts, with the escapes undone that those need.

JSON, source code and logs write ``\n``, ``\/``, ``\u000a``, ``\x0A`` and ``\012``, once or more;
XML writes ``&#10;``, forms and addresses ``%0A``. A text of several lines says by its first line
end how it is written: what was not escaped is left as it is, whatever it looks like. This module
knows no formats of keys and never raises.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

_FIRST = 2048
"""Characters in which the first line ends."""

_DEEPEST = 4
"""Layers of texts in texts."""

_END = re.compile(
    rb"(?P<plain>[\r\n])|(?P<slashed>\\+(?:[nr]|u000[adAD]|x0[adAD]|01[25]))"
    rb"|(?P<entities>&#(?:1[03]|x0?[aAdD]);)|(?P<percent>%0[aAdD])"
)
_ESCAPES = {
    "slashed": re.compile(rb"\\(?:(?:u00|x)([0-7][0-9A-Fa-f])|([01][0-7]{2})|([nrt/\"'\\]))"),
    "entities": re.compile(rb"&#(?:x0?([0-7]?[0-9A-Fa-f])|([0-9]{1,2}));"),
    "percent": re.compile(rb"%([0-7][0-9A-Fa-f])|(\+)"),
}
_FORM = re.compile(rb"[!-~]*")
"""All of a text that a form or an address holds."""

_NAMED = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Plain:
    """A text, and where each of its characters ends in the text that was read."""

    text: bytes
    ends: list[int] | None = None
    """None where it is the same."""

    def size(self, count: int) -> int:
        """Return how many characters that were read the first ones of the text take."""
        return count if self.ends is None or not count else self.ends[count - 1]


def undone(text: bytes) -> Plain:
    """Return the text at the start of ``text``, as it was before others took it."""
    plain = Plain(text)
    for _ in range(_DEEPEST):
        inner = _undone(plain.text)
        if inner.ends is None:
            break
        ends = [plain.size(end) for end in inner.ends] if plain.ends else inner.ends
        plain = Plain(inner.text, ends)
    return plain


def _undone(text: bytes) -> Plain:
    """Undo one layer of escapes."""
    end = _END.search(text, 0, _FIRST)
    kind = str(end.lastgroup) if end else "slashed"
    pattern = _ESCAPES.get(kind)
    if pattern is None or pattern.search(text) is None:
        return Plain(text)
    form = _FORM.match(text)
    blank = b"+" if form is not None and b"%20" in form[0] else b" "
    return replaced(text, pattern, lambda m: blank if m[0] == b"+" else _character(kind, m))


def replaced(
    text: bytes, pattern: re.Pattern[bytes], character: Callable[[re.Match[bytes]], bytes]
) -> Plain:
    """Return a text with a character, or none, in the place of each match."""
    plain = bytearray()
    ends: list[int] = []
    at = 0
    for match in pattern.finditer(text):
        plain += text[at : match.start()]
        ends += range(at + 1, match.start() + 1)
        plain += character(match)
        ends += [match.end()] * (len(plain) - len(ends))
        at = match.end()
    return Plain(bytes(plain) + text[at:], [*ends, *range(at + 1, len(text) + 1)])


def _character(kind: str, match: re.Match[bytes]) -> bytes:
    if match[1]:
        return bytes((int(match[1], 16),))
    if match[2]:
        return bytes((int(match[2], 8 if kind == "slashed" else 10),))
    return _NAMED.get(match[3], match[3])
