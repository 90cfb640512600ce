"""Kingfisher's rules for tokens, offline: what its scanner says of a text, without the secret.

Only the plain scanner is used. Its sibling honours comments inside of what it scans, with which a
dump could mute it; validation and revocation talk to networks. Of a finding, this module reads the
rule, its confidence and the place: never the secret, its captures, or its unkeyed hash. Rules of
the operator's own come in Kingfisher's format (https://github.com/mongodb/kingfisher).
"""

import functools
import hashlib
import importlib
import importlib.util
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from scanner import caches, private, rules
from scanner.detect.credentials import literals
from scanner.errors import UsageError, cause
from scanner.ruleanchors import Anchor, text_anchors
from scanner.rules import Rule

MODULE = "kingfisher_sdk"

SECONDS = 60.0
"""Longest that one text may take: hundreds of times what it needs."""

FAILURES = (RuntimeError, ValueError, TimeoutError, ImportError)
"""What the library raises; its texts may hold what it looked at, and go nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What Kingfisher says of one place in a text."""

    rule: str
    confidence: str
    """``high``, ``medium`` or ``low``."""
    visible: bool
    """False for what is a finding only beside another, such as the name of an account."""
    start: int
    end: int


Scan = Callable[[bytes], list[Match]]


def available() -> bool:
    """Tell whether the library is installed; it has no wheel for every platform."""
    return importlib.util.find_spec(MODULE) is not None


@functools.lru_cache(maxsize=1)
def catalogue(paths: tuple[str, ...] = ()) -> Any:  # noqa: ANN401 - the library's own type
    """Load the rules of the library, our own and those of ``paths``: 3 s once, then 0.3 s."""
    sdk = importlib.import_module(MODULE)
    cache = _cache(sdk)
    return sdk.Rules(
        [str(rules.shipped() / "tokens" / "context.yml"), *paths],
        confidence="low",
        cache=cache is not None,
        cache_dir=cache,
    )


@functools.lru_cache(maxsize=1)
def scanner(paths: tuple[str, ...] = ()) -> Scan:
    """Return a scanner of ASCII text; ``paths`` are rules of the operator's own."""
    sdk = importlib.import_module(MODULE)
    loaded = catalogue(paths)
    inner = sdk.Scanner(loaded, base64=False, dedup=False, redact=True)

    def scan(text: bytes) -> list[Match]:
        return [
            Match(
                rule=found.rule_id,
                confidence=found.confidence,
                visible=found.visible,
                start=found.location["start_offset"],
                end=found.location["end_offset"],
            )
            for found in inner.scan(text, timeout=SECONDS)
        ]

    return scan


def unload() -> None:
    """Let go what was loaded: of 30 MB, which a worker that goes on needs for something else."""
    scanner.cache_clear()
    catalogue.cache_clear()


def anchored(loaded: Iterable[Rule], paths: Iterable[str], rule_id: str) -> tuple[Rule, ...]:
    """Return the rules, the one of ``rule_id`` woken by what the operator's own rules look for.

    Raises UsageError for what is no rule, and for an expression that no fixed text announces.
    """
    paths = tuple(paths)
    anchors: list[Anchor] = []
    references: list[str] = []
    for path in paths:
        anchors += _anchors(path)
        references += _digests(Path(path))
    return tuple(
        replace(
            rule,
            anchors=tuple(dict.fromkeys((*rule.anchors, *anchors))),
            references=(*rule.references, *sorted(references)),
        )
        if rule.id == rule_id and paths
        else rule
        for rule in loaded
    )


def _anchors(path: str) -> list[Anchor]:
    if not available():
        raise _refused(path, "the library that reads them is not installed here")
    sdk = importlib.import_module(MODULE)
    try:
        own = sdk.Rules([path], builtins=False, confidence="low", cache=False)
        patterns = {row["id"]: own.detail(row["id"])["pattern"] for row in own.metadata()}
    except (RuntimeError, ValueError, OSError) as error:
        raise _refused(path, "Kingfisher does not take them for rules") from error
    found: list[Anchor] = []
    for name, pattern in sorted(patterns.items()):
        leads = literals.leads(pattern)
        if not leads:
            raise _refused(path, f"nothing fixed of three letters or more stands in {name}")
        for lead in leads:
            limits = lead.low, lead.high
            found += text_anchors(lead.text, fold=lead.fold, tail=lead.tail, of=limits)
    return found


def _refused(path: str, reason: str) -> UsageError:
    return UsageError(
        f"the token rules {path} cannot be used",
        reason=reason,
        hint="name a file, or a folder, of rules in Kingfisher's YAML format",
    )


def _digests(path: Path) -> Iterator[str]:
    """Say what the files of a path hold, so that the report can name the rules it was made with."""
    try:
        files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
        for file in sorted(files):
            with file.open("rb") as opened:
                yield f"sha256:{hashlib.file_digest(opened, 'sha256').hexdigest()}"
    except OSError as error:
        raise _refused(str(path), cause(error)) from error


def _cache(sdk: ModuleType) -> str | None:
    """Return a folder of this user alone for compiled rules, or None where none can be had."""
    try:
        folder = caches.folder(create=True) / f"kingfisher-{sdk.__version__}"
        folder.mkdir(mode=0o700, exist_ok=True)
        told = folder.lstat()
    except OSError:
        return None
    return str(folder) if stat.S_ISDIR(told.st_mode) and private.is_own(told) else None
