"""Values of a JSON document, each of the type, the range and the words that it must have.

What is anything else is refused, in words of ours that repeat nothing of the document; what is to
be written is made such a value. This module knows no document.
"""

import re
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

_TEXT_LIMIT = 1 << 16
_ROWS_LIMIT = 1 << 20
_HEX = re.compile(r"[0-9a-f]{64}")
_ADDRESS = re.compile(r"0x(0|[1-9a-f][0-9a-f]{0,15})")
_CODE = re.compile(r"[A-Za-z0-9 ._+-]{1,64}")

T = TypeVar("T")
Table = dict[str, Any]


class RefusedError(Exception):
    """What is wrong with a document, in our words; whoever reads one catches it."""


def refuse(reason: str) -> NoReturn:
    """Raise RefusedError."""
    raise RefusedError(reason)


def once(pairs: list[tuple[str, Any]]) -> Table:
    """Return an object of :mod:`json`, none of whose fields stands twice: its object_pairs_hook."""
    table = dict(pairs)
    if len(table) != len(pairs):
        refuse("a field stands twice in one object")
    return table


def unicode(text: str) -> str:
    """Write lone surrogates out as backslash escapes: strict readers refuse them in JSON."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def field(table: Table, name: str) -> Any:  # noqa: ANN401 - a JSON value
    """Return a field that must be there."""
    if name not in table:
        refuse(f"the field {name} is missing")
    return table[name]


def inner(table: Table, name: str) -> Table:
    """Return the object in a field."""
    value = field(table, name)
    if not isinstance(value, dict):
        refuse(f"the field {name} is no object")
    return value


def rows(table: Table, name: str, read: Callable[[Table], T]) -> tuple[T, ...]:
    """Return the objects of a list, each read by ``read``."""
    value = field(table, name)
    if not isinstance(value, list) or len(value) > _ROWS_LIMIT:
        refuse(f"the field {name} is no list, or too long")
    if not all(isinstance(row, dict) for row in value):
        refuse(f"the field {name} holds what is no object")
    return tuple(map(read, value))


def text(table: Table, name: str) -> str:
    """Return a string."""
    value = field(table, name)
    if not isinstance(value, str) or len(value) > _TEXT_LIMIT:
        refuse(f"the field {name} is no text, or too long")
    return value


def code(table: Table, name: str) -> str:
    """Return a code, a kind or the name of a format: words of ours, or of a rule file."""
    value = field(table, name)
    if not isinstance(value, str) or not _CODE.fullmatch(value):
        refuse(f"the field {name} is no word")
    return value


def texts(table: Table, name: str) -> tuple[str, ...]:
    """Return the strings of a list."""
    value = field(table, name)
    if not isinstance(value, list) or len(value) > _ROWS_LIMIT:
        refuse(f"the field {name} is no list, or too long")
    if not all(isinstance(text, str) and len(text) <= _TEXT_LIMIT for text in value):
        refuse(f"the field {name} holds what is no text")
    return tuple(value)


def optional(table: Table, name: str) -> str:
    """Return a string; empty for null."""
    return "" if field(table, name) is None else text(table, name)


def digest(table: Table, name: str, *, needed: bool = False) -> str:
    """Return a SHA-256 in lower-case hex; empty for null, unless it is ``needed``."""
    value = field(table, name)
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        refuse(f"the field {name} is no SHA-256")
    return value


def number(table: Table, name: str, limit: int = 1 << 63) -> int:
    """Return a whole number of 0 or more, below a limit."""
    value = field(table, name)
    if type(value) is not int or not 0 <= value < limit:
        refuse(f"the field {name} is no size")
    return value


def flag(table: Table, name: str) -> bool:
    """Return true or false."""
    value = field(table, name)
    if not isinstance(value, bool):
        refuse(f"the field {name} is neither true nor false")
    return value


def word(table: Table, name: str, words: tuple[str, ...]) -> str:
    """Return one of some words."""
    value = field(table, name)
    if not isinstance(value, str) or value not in words:
        refuse(f"the field {name} has an unknown value")
    return value


def address(table: Table) -> int | None:
    """Return the field ``address``, or None for null."""
    value = field(table, "address")
    if value is None:
        return None
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        refuse("the field address is neither null nor a hex number below 2**64")
    return int(value, 16)
