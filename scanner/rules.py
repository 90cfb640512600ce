"""What to look for, as data: loads ``rules/*.toml`` and refuses what it does not understand.

A rule names a detector and the literal anchors that wake it; the detector decides. This module
compiles nothing, scans nothing and knows no detector: it turns a file into a frozen :class:`Rule`
or says what is wrong with it. Anchors have a fixed length, so that a match's end gives its start.
"""

import base64
import functools
import hashlib
import json
import math
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from scanner.errors import RuleError, cause, remedy
from scanner.model import Severity

KINDS = ("private-key", "encrypted-key", "symmetric-key", "token", "certificate", "public-key")
"""What a rule's findings are."""

LONGEST = 64
"""Bytes of the longest anchor."""

TAIL = (0x2B, 0x7E)
"""What a character behind a text anchor may be."""

FEWEST_BITS = 24
"""Bits that an anchor fixes at least: a shorter one fires on every other megabyte of anything."""

LITERAL = 3
"""Adjacent fixed bytes that an anchor has somewhere, two of them neither 00 nor ff: without a rare
literal to wait for, an engine runs an automaton over every byte, at up to ten times the cost."""

LONG_TAIL = 16
"""Characters of a set behind a text: as many make up for the third byte of a literal."""

WORD = 8
"""Bytes of a word, with which an aligned anchor begins."""

Ranges = tuple[tuple[int, int], ...]
"""What each byte of an anchor may be: from one value to another, both included."""

_FILE_LIMIT = 1 << 20
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_WORD = re.compile("0x[0-9a-f]{1,16}")
_TEXTS = ("title", "severity", "kind", "detector", "description", "remediation")
_LISTS = ("references", "anchors", "examples", "counterexamples")


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A fixed number of bytes, each within an inclusive range; ``source`` is how it was written.

    An ``aligned`` one begins with a word at a multiple of its eight bytes: of many zeros there, an
    engine that looks at every byte would stop at each.
    """

    source: str
    ranges: Ranges
    fold: bool = False
    """ASCII letters stand for both cases."""
    aligned: bool = False
    ends: bytes = b""
    """What the last byte may be, where that is no range."""

    @property
    def expression(self) -> bytes:
        """The anchor as a regular expression over bytes, for any engine, "." matching all."""
        return self.part(0, len(self.ranges))

    def part(self, first: int, last: int) -> bytes:
        """Return the expression of some of the anchor's bytes."""
        parts = [_expression(*pair, self.fold) for pair in self.ranges[first:last]]
        if self.ends and last == len(self.ranges):
            parts[-1] = b"[%b]" % b"".join(b"\\x%02x" % byte for byte in self.ends)
        return b"".join(parts)


@functools.cache
def _expression(low: int, high: int, fold: bool) -> bytes:  # noqa: FBT001 - an anchor's own
    """Return the expression of one byte: rules have 20,000, and few differ."""
    if low < high:
        return b"." if (low, high) == (0, 255) else b"[\\x%02x-\\x%02x]" % (low, high)
    if fold and chr(low).isascii() and chr(low).isalpha():
        return b"[%c%c]" % (low & 0xDF, low | 0x20)
    return b"\\x%02x" % low


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Bytes that a rule must (or must not) find: inline, or a recipe that the tests carry out."""

    data: bytes = b""
    key: str = ""
    """Name of a key of the test suite; empty for inline bytes."""
    encoding: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule file; ``id`` is the file's name without its suffix."""

    id: str
    title: str
    severity: Severity
    kind: str
    detector: str
    """Name of the module of ``scanner.detect`` that examines the anchors' hits."""
    anchors: tuple[Anchor, ...]
    description: str
    remediation: str
    references: tuple[str, ...]
    examples: tuple[Example, ...]
    counterexamples: tuple[Example, ...]


def load(extra_dirs: Iterable[Path] = ()) -> tuple[Rule, ...]:
    """Load the rules that come with the package, then those of ``extra_dirs``; sorted by id.

    Raises RuleError for a file that is not a rule, and for an id that is used twice.
    """
    rules = {rule.id: rule for rule in _shipped()}
    for folder in extra_dirs:
        for path in _files(folder):
            rule = _read(path)
            if rule.id in rules:
                _refuse(path, "another rule has this id", "give the file another name")
            rules[rule.id] = rule
    return tuple(rules[name] for name in sorted(rules))


@functools.cache
def _shipped() -> tuple[Rule, ...]:
    """Read the rules of the package, once in a process: an id is a file's name, and unique."""
    return tuple(map(_read, _files(shipped())))


def digest(rules: Iterable[Rule]) -> str:
    """Return the SHA-256, in lower-case hex, of what the rules say, in whatever order they come."""
    contents = [
        {
            **{name: getattr(rule, name) for name in ("id", *_TEXTS, "references")},
            "severity": rule.severity.name,
            "anchors": [[a.fold, a.aligned, a.ranges, a.ends.hex()] for a in rule.anchors],
            **{
                name: [[e.data.hex(), e.key, e.encoding] for e in getattr(rule, name)]
                for name in ("examples", "counterexamples")
            },
        }
        for rule in sorted(rules, key=lambda rule: rule.id)
    ]
    text = json.dumps(contents, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


# --- reading a file -----------------------------------------------------------------------------


def _refuse(path: Path, reason: str, hint: str) -> NoReturn:
    raise RuleError(f"the rule file {path} cannot be used", reason=reason, hint=hint)


def shipped() -> Path:
    """Return the folder of our own rules: in the package, or beside it in a checkout."""
    here = Path(__file__).resolve().parent
    inside = here / "_rules"
    return inside if inside.is_dir() else here.parent / "rules"


def _files(folder: Path) -> list[Path]:
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".toml")
    except OSError as error:
        raise RuleError(
            f"the rule folder {folder} cannot be read",
            reason=cause(error),
            hint="name a folder that holds rule files (*.toml)",
        ) from error
    if not paths:
        raise RuleError(
            f"the rule folder {folder} holds no rule",
            reason="it has no *.toml file",
            hint="name a folder that holds rule files, or reinstall keysift",
        )
    return paths


def _read(path: Path) -> Rule:
    try:
        with path.open("rb") as file:
            raw = file.read(_FILE_LIMIT + 1)
        if len(raw) > _FILE_LIMIT:
            _refuse(path, "it is larger than 1 MiB", "split it")
        table = tomllib.loads(raw.decode("utf-8"))
    except OSError as error:
        _refuse(path, cause(error), remedy(error))
    except UnicodeDecodeError:
        _refuse(path, "it is not UTF-8", "save it as UTF-8")
    except (ValueError, RecursionError) as error:  # a number may have too many digits
        _refuse(path, f"it is not TOML: {error}", "correct the file")
    return _rule(path, table)


def _rule(path: Path, table: Mapping[str, object]) -> Rule:
    if not _ID.fullmatch(path.stem):
        _refuse(path, "its name is not a rule id", "use lower-case letters, digits and hyphens")
    unknown = sorted(set(table) - set(_TEXTS) - set(_LISTS))
    if unknown:
        _refuse(path, f"unknown key {unknown[0]!r}", f"known keys: {', '.join(_TEXTS + _LISTS)}")
    texts: dict[str, str] = {}
    for name in _TEXTS:
        value = table.get(name)
        if not isinstance(value, str) or not value.strip():
            _refuse(path, f"{name} is missing or no text", f"write {name} = ...")
        texts[name] = value.strip()
    lists: dict[str, list[object]] = {}
    for name in _LISTS:
        items = table.get(name, [])
        if not isinstance(items, list):
            _refuse(path, f"{name} is no list", f"write {name} = [...]")
        lists[name] = items
    if texts["kind"] not in KINDS:
        _refuse(path, f"unknown kind {texts['kind']!r}", f"known kinds: {', '.join(KINDS)}")
    names = [severity.name.lower() for severity in Severity]
    if texts["severity"] not in names:
        _refuse(path, f"unknown severity {texts['severity']!r}", f"use one of: {', '.join(names)}")
    if not all(isinstance(item, str) for item in lists["references"]):
        _refuse(path, "a reference is no text", "write each reference as a string")
    return Rule(
        id=path.stem,
        title=texts["title"],
        severity=Severity[texts["severity"].upper()],
        kind=texts["kind"],
        detector=texts["detector"],
        anchors=tuple(a for item in lists["anchors"] for a in _anchors(path, item)),
        description=texts["description"],
        remediation=texts["remediation"],
        references=tuple(str(item) for item in lists["references"]),
        examples=tuple(_example(path, item) for item in lists["examples"]),
        counterexamples=tuple(_example(path, item) for item in lists["counterexamples"]),
    )


def _anchors(path: Path, item: object) -> list[Anchor]:
    """Read ``{ hex = "30 82 ?? [80-ff]" }``, ``{ text = "..." }`` (ASCII, then UTF-16LE) or a word.

    ``{ hex = "78 9c", last = "4d 4e" }`` has either byte last; ``{ word = "0x4000" }`` is 64 bits,
    little-endian and aligned, ``then = "?? 00"`` what follows; ``{ base64 = "..." }`` what base64
    makes of a text. ``{ text = "...", gaps = ["00 00 00"] }`` has each of these between any two
    characters.
    """
    tail = 0
    match item:
        case {"hex": str(source), **rest} if not rest:
            anchors = [Anchor(source=source, ranges=_ranges(path, source))]
        case {"hex": str(source), "last": str(last), **rest} if not rest and last.split():
            ends = bytes(low for low, _ in _ranges(path, last))
            ranges = *_ranges(path, source), (min(ends), max(ends))
            anchors = [Anchor(source=source, ranges=ranges, ends=ends)]
        case {"text": str(source), **rest} if rest.keys() <= {"fold", "tail", "of", "gaps"}:
            anchors = list(_text(path, source, rest))
            tail = ("tail" in rest) * (len(anchors[0].ranges) - len(source))
        case {"base64": str(source), **rest} if not rest and source.isascii():
            anchors = [one for text in _base64(source.encode()) for one in text_anchors(text)]
        case {"word": str(source), **rest} if rest.keys() <= {"then"} and _WORD.fullmatch(source):
            return [_aligned(path, source, str(rest.get("then", "")))]
        case _:
            _refuse(path, "an anchor is none of four", "write { hex, text, base64 or word = ... }")
    for anchor in anchors:
        if not 1 <= len(anchor.ranges) <= LONGEST:
            _refuse(path, f"an anchor is empty or longer than {LONGEST} bytes", "shorten it")
        spelled = (*anchor.ranges[:-1], (anchor.ends[0],) * 2) if anchor.ends else anchor.ranges
        if sum([8 - math.log2(high - low + 1) for low, high in spelled]) < FEWEST_BITS:
            _refuse(path, f"an anchor fixes fewer than {FEWEST_BITS} bits", "make it longer")
        if not _has_literal(spelled, LITERAL - (tail >= LONG_TAIL)):
            _refuse(
                path,
                f"the anchor {anchor.source!r} has no rare literal, and would slow every scan down",
                f"let {LITERAL} adjacent bytes be fixed, two of them neither 00 nor ff: spell small"
                " ranges out, or start from another part of the object",
            )
    return anchors


def _aligned(path: Path, source: str, then: str) -> Anchor:
    raw = int(source, 16).to_bytes(WORD, "little")
    ranges = *((byte, byte) for byte in raw), *_ranges(path, then)
    if len(ranges) > LONGEST:
        _refuse(path, f"an anchor is longer than {LONGEST} bytes", "shorten it")
    return Anchor(source=source, ranges=ranges, aligned=True)


def _has_literal(ranges: Iterable[tuple[int, int]], least: int) -> bool:
    """Tell whether an anchor has a run of ``least`` fixed bytes that an engine can wait for."""
    size = rare = 0
    for low, high in ranges:
        size, rare = (size + 1, rare + (low not in (0x00, 0xFF))) if low == high else (0, 0)
        if size >= least and rare > 1:
            return True
    return False


def text_anchors(
    text: str, *, fold: bool = False, tail: int = 0, of: tuple[int, int] = TAIL
) -> tuple[Anchor, ...]:
    """Return the anchors of an ASCII text: as it is, and in UTF-16LE.

    ``fold`` takes either case of its letters; ``tail`` characters in the range ``of`` follow it.
    """
    limits = [(ord(char), ord(char)) for char in text] + [of] * tail
    wide = [pair for limit in limits for pair in (limit, (0, 0))]
    return tuple(Anchor(source=text, ranges=tuple(row), fold=fold) for row in (limits, wide))


def _spread(text: str, gap: Ranges) -> Ranges:
    """Return a text with a gap between any two characters: as many as an anchor may have."""
    pairs = (((byte, byte), *gap) for byte in text.encode())
    whole = [limit for pair in pairs for limit in pair][: -len(gap) or None]
    return tuple(whole[: LONGEST - (LONGEST - 1) % (1 + len(gap))])


def _base64(raw: bytes) -> Iterator[str]:
    """Yield the characters that bytes alone give, at each of three alignments."""
    for lead in range(3):
        spelled = base64.b64encode(bytes(lead) + raw).decode()
        yield spelled[-(-lead * 8 // 6) : (lead + len(raw)) * 8 // 6]


def _text(path: Path, source: str, rest: Mapping[object, object]) -> tuple[Anchor, ...]:
    """Read ``{ text = "...", fold = true, tail = 12, of = "0-z" }``, the last three at will.

    Or ``{ text = "...", gaps = ["00 00 00"] }``.
    """
    fold, tail, of = rest.get("fold", False), rest.get("tail", 0), rest.get("of", "+-~")
    if not source.isascii():
        _refuse(path, "the text of an anchor is not ASCII", "write it as hex")
    if not isinstance(fold, bool) or type(tail) is not int or not 0 <= tail <= LONGEST:
        _refuse(path, "an anchor's fold is no boolean or its tail no count", "correct it")
    if not isinstance(of, str) or not re.fullmatch("[!-~]-[!-~]", of) or of[0] > of[2]:
        _refuse(path, "an anchor's range is none", 'write of = "0-z"')
    if "gaps" in rest:
        gaps = rest["gaps"]
        if len(rest) > 1 or not gaps or not isinstance(gaps, list):
            _refuse(path, "an anchor's gaps are no list, or not alone", 'write gaps = ["00 00 00"]')
        between = [_ranges(path, str(gap)) for gap in gaps]
        return tuple(Anchor(source=source, ranges=_spread(source, gap)) for gap in between)
    return text_anchors(source, fold=fold, tail=tail, of=(ord(of[0]), ord(of[2])))


def _ranges(path: Path, source: str) -> Ranges:
    ranges = []
    for word in source.split():
        limits = _limits(word)
        if limits is None:
            _refuse(path, f"an anchor holds {word!r}", "bytes are written 30, ??, 8? or [80-ff]")
        ranges.append(limits)
    return tuple(ranges)


@functools.cache
def _limits(word: str) -> tuple[int, int] | None:
    """Return what a byte may be that is written 30, ??, 8? or [80-ff]; None for another word."""
    if word == "??":
        return (0x00, 0xFF)
    if re.fullmatch(r"[0-9a-f]\?", word):
        return (int(word[0], 16) << 4, int(word[0], 16) << 4 | 0xF)
    if re.fullmatch(r"[0-9a-f]{2}", word):
        return (int(word, 16), int(word, 16))
    if re.fullmatch(r"\[[0-9a-f]{2}-[0-9a-f]{2}\]", word) and word[1:3] <= word[4:6]:
        return (int(word[1:3], 16), int(word[4:6], 16))
    return None


def _example(path: Path, item: object) -> Example:
    match item:
        case {"key": str(key), "encoding": str(encoding), **rest} if key and not rest:
            return Example(key=key, encoding=encoding)
        case {"bytes": str(text), **rest} if not rest:
            try:
                return Example(data=bytes.fromhex(text))
            except ValueError:
                _refuse(path, "the bytes of an example are no hex", "write pairs of hex digits")
        case {"text": str(text), **rest} if not rest:
            return Example(data=text.encode())
        case _:
            _refuse(
                path,
                "an example is no recipe, bytes or text",
                'write { key = "...", encoding = "..." }, { bytes = "..." } or { text = "..." }',
            )
