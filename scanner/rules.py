"""What to look for, as data: loads ``rules/*.toml`` and refuses what it does not understand.

A rule names a detector and the literal anchors that wake it; the detector decides. This module
compiles nothing, scans nothing and knows no detector: it turns a file into a frozen :class:`Rule`
or says what is wrong with it.
"""

import functools
import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from scanner.errors import RuleError, cause, remedy
from scanner.model import Severity
from scanner.ruleanchors import Anchor, read, refused

KINDS = ("private-key", "encrypted-key", "symmetric-key", "token", "certificate", "public-key")
"""What a rule's findings are."""

_FILE_LIMIT = 1 << 20
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_TEXTS = ("title", "severity", "kind", "detector", "description", "remediation")
_LISTS = ("references", "anchors", "examples", "counterexamples")


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
                raise refused(path, "another rule has this id", "give the file another name")
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
            "anchors": [[a.fold, _word(a), _pairs(a), a.ends.hex()] for a in rule.anchors],
            **{
                name: [[e.data.hex(), e.key, e.encoding] for e in getattr(rule, name)]
                for name in ("examples", "counterexamples")
            },
        }
        for rule in sorted(rules, key=lambda rule: rule.id)
    ]
    text = json.dumps(contents, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _pairs(anchor: Anchor) -> list[tuple[int, int]]:
    return list(zip(anchor.low, anchor.high, strict=True))


def _word(anchor: Anchor) -> list[int]:
    word = anchor.aligned
    return [] if word is None else [word.at, word.size, word.big]


# --- reading a file -----------------------------------------------------------------------------


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
            raise refused(path, "it is larger than 1 MiB", "split it")
        table = tomllib.loads(raw.decode("utf-8"))
    except OSError as error:
        raise refused(path, cause(error), remedy(error)) from error
    except UnicodeDecodeError as error:
        raise refused(path, "it is not UTF-8", "save it as UTF-8") from error
    except (ValueError, RecursionError) as error:  # a number may have too many digits
        raise refused(path, f"it is not TOML: {error}", "correct the file") from error
    return _rule(path, table)


def _rule(path: Path, table: Mapping[str, object]) -> Rule:
    if not _ID.fullmatch(path.stem):
        raise refused(
            path, "its name is not a rule id", "use lower-case letters, digits and hyphens"
        )
    unknown = sorted(set(table) - set(_TEXTS) - set(_LISTS))
    if unknown:
        raise refused(
            path, f"unknown key {unknown[0]!r}", f"known keys: {', '.join(_TEXTS + _LISTS)}"
        )
    texts: dict[str, str] = {}
    for name in _TEXTS:
        value = table.get(name)
        if not isinstance(value, str) or not value.strip():
            raise refused(path, f"{name} is missing or no text", f"write {name} = ...")
        texts[name] = value.strip()
    lists: dict[str, list[object]] = {}
    for name in _LISTS:
        items = table.get(name, [])
        if not isinstance(items, list):
            raise refused(path, f"{name} is no list", f"write {name} = [...]")
        lists[name] = items
    if texts["kind"] not in KINDS:
        raise refused(path, f"unknown kind {texts['kind']!r}", f"known kinds: {', '.join(KINDS)}")
    names = [severity.name.lower() for severity in Severity]
    if texts["severity"] not in names:
        raise refused(
            path, f"unknown severity {texts['severity']!r}", f"use one of: {', '.join(names)}"
        )
    if not all(isinstance(item, str) for item in lists["references"]):
        raise refused(path, "a reference is no text", "write each reference as a string")
    return Rule(
        id=path.stem,
        title=texts["title"],
        severity=Severity[texts["severity"].upper()],
        kind=texts["kind"],
        detector=texts["detector"],
        anchors=tuple(a for item in lists["anchors"] for a in read(path, item)),
        description=texts["description"],
        remediation=texts["remediation"],
        references=tuple(str(item) for item in lists["references"]),
        examples=tuple(_example(path, item) for item in lists["examples"]),
        counterexamples=tuple(_example(path, item) for item in lists["counterexamples"]),
    )


def _example(path: Path, item: object) -> Example:
    match item:
        case {"key": str(key), "encoding": str(encoding), **rest} if key and not rest:
            return Example(key=key, encoding=encoding)
        case {"bytes": str(text), **rest} if not rest:
            try:
                return Example(data=bytes.fromhex(text))
            except ValueError as error:
                reason = "the bytes of an example are no hex"
                raise refused(path, reason, "write pairs of hex digits") from error
        case {"text": str(text), **rest} if not rest:
            return Example(data=text.encode())
        case _:
            raise refused(
                path,
                "an example is no recipe, bytes or text",
                'write { key = "...", encoding = "..." }, { bytes = "..." } or { text = "..." }',
            )
