"""Regular expressions to what must stand in every match of them: the anchors of token rules.

A rule set of hundreds of expressions costs more than all else together when it sees every byte. So
each expression gives short texts, one of which stands in whatever it matches, and only these are
swept for. The dialect is that of Rust's regex crate (https://docs.rs/regex/latest/regex/#syntax).
What is not understood becomes a gap, never a guess: an expression may then give nothing.
"""

import math
import re
import string
from dataclasses import dataclass

LONGEST = 30
"""Characters of the longest lead, tail included: an anchor has 64 bytes, in UTF-16 too."""

LOW, HIGH = 0x2B, 0x7E
"""What tokens are made of, and some more: the widest range that a tail may have."""

LEAST_BITS = 16.2
"""What a lead fixes at least, where a letter counts for what it fixes in a text."""

_BRANCHES, _COPIES, _DEPTH, _FEW = 64, 40, 20, 3
_ALL = frozenset(range(256))
_DIGIT = frozenset(b"0123456789")
_WORD = frozenset((string.ascii_letters + string.digits + "_").encode())
_SPACE = frozenset(b" \t\n\r\f\v")
_CLASSES = {
    "d": _DIGIT,
    "w": _WORD,
    "s": _SPACE,
    "D": _ALL - _DIGIT,
    "W": _ALL - _WORD,
    "S": _ALL - _SPACE,
}
_POSIX = {
    "alnum": _WORD - {0x5F},
    "alpha": frozenset(string.ascii_letters.encode()),
    "digit": _DIGIT,
    "lower": frozenset(string.ascii_lowercase.encode()),
    "upper": frozenset(string.ascii_uppercase.encode()),
    "xdigit": frozenset(string.hexdigits.encode()),
    "word": _WORD,
    "space": _SPACE,
}
_CONTROLS = {"n": 10, "r": 13, "t": 9, "f": 12, "v": 11, "a": 7}
_COUNT = re.compile(r"\{(\d{1,9})(,?)(\d{0,9})\}")
_SWITCH = re.compile(r"\(\?([a-zA-Z-]+)\)")
_HEAD = re.compile(r"\?(?:P?<\w+>|([a-zA-Z-]*):)")
_POSIX_CLASS = re.compile(r"\[:(\w+):\]")

COMMON = frozenset(
    (
        *("access", "account", "address", "application", "authorization", "basic", "checkout"),
        *("client", "clientkey", "consumer", "cursor", "data:", "etsy", "identifier", "linear"),
        *("message", "oauth", "password", "personal", "poly", "private", "secret", "security"),
        *("session", "stability", "token", "workspace"),
    )
)
"""Words that stand everywhere and lead to nothing."""

_LETTER_BITS, _SIGN_BITS = 4.5, 7.5
_LONG, _ENOUGH, _TAIL = 8, 16, 20
"""Characters of a text that needs no tail, of the longest text, and of the longest tail."""

_Bytes = frozenset[int]
_Branch = tuple[_Bytes | None, ...]
"""The bytes that each character of a match may be, in a row; None stands for a gap."""

_EMPTY: _Branch = ()
_GAP: _Branch = (None,)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Lead:
    """A text that a match holds, and so many characters in a range that follow it."""

    text: str
    fold: bool = False
    """Letters stand for both cases; the text is in lower case."""
    tail: int = 0
    low: int = LOW
    high: int = HIGH


def leads(pattern: str) -> tuple[Lead, ...]:
    """Return texts of which every match of the expression holds one; empty where there are none.

    Never raises, whatever the text; an expression that is not one gives nothing.
    """
    try:
        reader = _Reader(pattern)
        branches = reader.alternatives(0, _Flags())
        if not reader.ended:
            return ()
    except (_Unclear, ValueError, OverflowError):
        return ()
    found = {_best(branch) for branch in branches}
    return () if None in found else tuple(sorted(lead for lead in found if lead is not None))


class _Unclear(Exception):
    """The expression is not understood."""


@dataclass(frozen=True, slots=True)
class _Flags:
    fold: bool = False
    verbose: bool = False

    def given(self, letters: str) -> "_Flags":
        on, _, off = letters.partition("-")
        fold = ("i" in on or self.fold) and "i" not in off
        verbose = ("x" in on or self.verbose) and "x" not in off
        return _Flags(fold, verbose)


class _Reader:
    """Reads an expression, and keeps in mind where it is."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    @property
    def ended(self) -> bool:
        return self._at >= len(self._text)

    def _take(self) -> str:
        if self.ended:
            raise _Unclear
        self._at += 1
        return self._text[self._at - 1]

    def alternatives(self, depth: int, flags: _Flags) -> tuple[_Branch, ...]:
        """Read up to the end of the group."""
        if depth > _DEPTH:
            raise _Unclear
        branches: list[_Branch] = []
        current: tuple[_Branch, ...] = (_EMPTY,)
        while not self.ended and self._text[self._at] != ")":
            char = self._text[self._at]
            if char == "|":
                self._at += 1
                branches += current
                current = (_EMPTY,)
            elif flags.verbose and char.isspace():
                self._at += 1
            elif flags.verbose and char == "#":
                self._at = (self._text + "\n").index("\n", self._at)
            elif switch := _SWITCH.match(self._text, self._at):
                flags = flags.given(switch[1])
                self._at = switch.end()
            else:
                current = _joined(current, self._repeated(self._atom(depth, flags)))
        branches += current
        return tuple(dict.fromkeys(branches)) if len(branches) <= _BRANCHES else (_GAP,)

    def _atom(self, depth: int, flags: _Flags) -> tuple[_Branch, ...]:
        char = self._take()
        match char:
            case "(":
                return self._group(depth, flags)
            case "[":
                return _spread(_folded(self._set(), flags))
            case "\\":
                escaped = self._escaped()
                return (_EMPTY,) if escaped is None else ((_folded(escaped, flags),),)
            case "^" | "$":
                return (_EMPTY,)
            case "*" | "+" | "?":
                raise _Unclear
        single = _ALL if char == "." or not char.isascii() else frozenset(char.encode())
        return ((_folded(single, flags),),) if char.isascii() else (_GAP,)

    def _group(self, depth: int, flags: _Flags) -> tuple[_Branch, ...]:
        head = _HEAD.match(self._text, self._at)
        if head is not None:
            self._at = head.end()
            flags = flags.given(head[1] or "")
        inner = self.alternatives(depth + 1, flags)
        if self._take() != ")":
            raise _Unclear
        return inner

    def _repeated(self, inner: tuple[_Branch, ...]) -> tuple[_Branch, ...]:
        """Read a quantifier, if one follows, and apply it."""
        low, high = 1, 1
        count = _COUNT.match(self._text, self._at)
        if count is not None:
            self._at = count.end()
            low = int(count[1])
            high = low if not count[2] else int(count[3]) if count[3] else low + 1
        elif not self.ended and self._text[self._at] in "*+?":
            low, high = {"*": (0, 9), "+": (1, 9), "?": (0, 1)}[self._take()]
        else:
            return inner
        if not self.ended and self._text[self._at] in "?+":
            self._at += 1
        if (low, high) == (0, 1):
            return (*inner, _EMPTY)
        result: tuple[_Branch, ...] = (_EMPTY,)
        for _ in range(min(low, _COPIES)):
            result = _joined(result, inner)
        return result if high == low <= _COPIES else _joined(result, (_GAP,))

    def _escaped(self) -> _Bytes | None:
        """Read what follows a backslash; None stands for what has no width."""
        char = self._take()
        if char in "bBAzZ":
            return None
        if char in _CLASSES:
            return _CLASSES[char]
        if char in _CONTROLS:
            return frozenset((_CONTROLS[char],))
        if char == "x":
            digits = self._take() + self._take()
            return frozenset((int(digits, 16),))
        if char.isalnum() or not char.isascii():
            raise _Unclear
        return frozenset(char.encode())

    def _set(self) -> _Bytes:
        """Read a bracketed class behind its bracket."""
        negated = self._text[self._at : self._at + 1] == "^"
        self._at += negated
        found: set[int] = set()
        first = True
        while first or self._text[self._at : self._at + 1] != "]":
            first = False
            posix = _POSIX_CLASS.match(self._text, self._at)
            if posix is not None:
                self._at = posix.end()
                found |= _POSIX.get(posix[1], _ALL)
                continue
            low = self._member()
            if (
                self._text[self._at : self._at + 1] == "-"
                and self._text[self._at + 1 : self._at + 2] != "]"
            ):
                self._at += 1
                high = self._member()
                if len(low) != 1 or len(high) != 1:
                    raise _Unclear
                found.update(range(min(low), max(high) + 1))
            else:
                found |= low
        self._at += 1
        return _ALL - found if negated else frozenset(found)

    def _member(self) -> _Bytes:
        char = self._take()
        if char == "[" or not char.isascii():
            raise _Unclear
        member = self._escaped() if char == "\\" else frozenset(char.encode())
        if member is None:
            raise _Unclear
        return member


def _folded(allowed: _Bytes, flags: _Flags) -> _Bytes:
    if not flags.fold:
        return allowed
    both = {byte ^ 0x20 for byte in allowed if byte < 0x80 and chr(byte) in string.ascii_letters}
    return allowed | both


def _spread(allowed: _Bytes) -> tuple[_Branch, ...]:
    """Return a branch for each of very few characters: ``[_.-]`` breaks no text."""
    if len(allowed) > _FEW or _letter(allowed):
        return ((allowed,),)
    return tuple((frozenset((byte,)),) for byte in sorted(allowed))


def _joined(left: tuple[_Branch, ...], right: tuple[_Branch, ...]) -> tuple[_Branch, ...]:
    """Return every branch of the left side with every one of the right, or with a gap."""
    if len(left) * len(right) > _BRANCHES:
        right = (_GAP,)
    return tuple(one + other for one in left for other in right)


def _letter(allowed: _Bytes | None) -> str:
    """Return the one character that a position holds, in lower case for a pair; else nothing."""
    if allowed is None or len(allowed) > 2:
        return ""
    texts = {chr(byte) for byte in allowed if 0x20 <= byte < 0x7F}
    if len(texts) != len(allowed) or len({text.lower() for text in texts}) != 1:
        return ""
    return texts.pop().lower() if len(texts) == 2 else texts.pop()


def _best(branch: _Branch) -> Lead | None:
    """Return the rarest lead of one branch, or None where all are too common."""
    found: list[tuple[float, Lead]] = []
    at = 0
    while at < len(branch):
        end = at
        while end < len(branch) and _letter(branch[end]):
            end += 1
        if end == at:
            at += 1
            continue
        fold = any(piece is not None and len(piece) == 2 for piece in branch[at:end])
        text = "".join(map(_letter, branch[at:end]))[:_ENOUGH]
        if len(set(text)) > 1 and not (fold and text.lower() in COMMON):
            found.append(_tailed(text.lower() if fold else text, fold, branch[end:]))
        at = end
    bits, lead = max(found, key=lambda row: row[0], default=(0.0, None))
    return lead if bits >= LEAST_BITS else None


def _tailed(text: str, fold: bool, behind: _Branch) -> tuple[float, Lead]:  # noqa: FBT001 - of a lead
    """Return how much a lead fixes, with the tail that fixes most."""
    bits = sum(_LETTER_BITS if char.isalnum() or char in "_-./: " else _SIGN_BITS for char in text)
    best = bits, Lead(text=text, fold=fold)
    if len(text) >= _LONG:
        return best
    low, high = 256, -1
    for count, allowed in enumerate(behind[: min(_TAIL, LONGEST - len(text))], 1):
        if not allowed or min(allowed) < LOW or max(allowed) > HIGH:
            break
        low, high = min({low} | allowed), max({high} | allowed)
        more = count * math.log2(96 / (high - low + 1))
        if bits + more > best[0]:
            best = bits + more, Lead(text=text, fold=fold, tail=count, low=low, high=high)
    return best
