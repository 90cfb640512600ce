"""Key files as lists of characters: strings of Erlang, and charlists of Elixir.

A cell has two words, a character (an integer whose low four bits are set) and where the next cell
is (erts/emulator/beam/erl_term.h). The cells of a text adjoin: in its order once they were copied,
by a collection of garbage, a message or a table, and from its end on where a binary was made a list
or something was reversed. Values of ``application:get_env``, ``os:getenv`` and bodies of ``httpc``
are such texts. What they hold is given to the readers of ``inner``. This module follows no pointer:
a list whose cells lie apart it does not read.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from scanner.arrays import Bytes, Flags
from scanner.detect import inner
from scanner.detect.algebra import effort
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved
from scanner.model import Place
from scanner.rules import Rule

MARKS = (b"PRIV", b'"kty', b"PuTT", b"AGE-")
"""What is looked for, in either direction: as many cells as an anchor may have."""

_CELL, _TAG, _BITS = 16, 15, 4
_REACHES = (1 << 9, 1 << 13)
"""Characters before and behind a mark that are read, until the text ends in them."""

_FIRST, _LAST = 9, 126


def cell(character: int) -> bytes:
    """Return the first word of a cell."""
    return (character << _BITS | _TAG).to_bytes(8, "little")


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved | PublicKey]:
    """Yield the keys in the text of which a cell stands at ``offset``."""
    if not effort.inflatable(_REACHES[-1]):
        return
    text, first = _around(memory, space, offset)
    effort.inflated(len(text))
    for turned in (False, True):
        found, publics = inner.keys_in(text[::-1] if turned else text, rule)
        yield from publics
        for one in found:
            (inside,) = one.candidate.places
            start = len(text) - inside.offset - inside.size if turned else inside.offset
            place = Place(space=space, offset=first + start * _CELL, size=inside.size * _CELL)
            encoding = f"{one.candidate.encoding} list of characters"
            yield replace(one, candidate=replace(one.candidate, places=(place,), encoding=encoding))


def _around(memory: Memory, space: int, offset: int) -> tuple[bytes, int]:
    """Return the characters of the cells around ``offset``, and where the first one stands."""
    for reach in _REACHES:
        lead = min(offset // _CELL, reach)
        first = offset - lead * _CELL
        raw = memory.clip(space, first, (lead + reach) * _CELL)
        characters, good = _characters(raw[: len(raw) // _CELL * _CELL])
        if not good[lead : lead + 1].any():
            return b"", offset
        before, behind = good[:lead][::-1], good[lead:]
        start = lead - (len(before) if before.all() else int(before.argmin()))
        end = lead + (len(behind) if behind.all() else int(behind.argmin()))
        if start > 0 and end < len(good):
            break
    return characters[start:end].tobytes(), first + start * _CELL


def _characters(raw: bytes) -> tuple[Bytes, Flags]:
    """Return the character of each cell, and which cells have one."""
    words = np.frombuffer(raw, "<u8")[::2]
    value = words >> np.uint64(_BITS)
    good: Flags = (words & np.uint64(_TAG) == _TAG) & (value >= _FIRST) & (value <= _LAST)
    return value.astype(np.uint8), good
