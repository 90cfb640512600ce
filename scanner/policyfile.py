"""The operator's policy, as data: reads a TOML file and refuses what it does not understand.

A policy says from which severity and confidence on a finding blocks, which keys are allowed to be
in a dump (each with a reason, an owner and a last day), whether keys of sessions block, and which
single fault is accepted. It can not say more: there is no way to write down that unswept,
undecodable or faulted bytes may pass. This module judges no finding and knows no clock.
"""

import datetime as dt
import hashlib
import itertools
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from scanner import pipes
from scanner.errors import PolicyError, cause, remedy
from scanner.model import Confidence, Severity

ACCEPTABLE = ("truncated", "unexplained-bytes")
"""Codes of faults that a policy may accept, where every byte that is present was swept."""

TOKENS_FAULT = "tokens-unavailable"
"""Code of the fault that tokens were not searched; ``require_tokens = false`` accepts it."""

SESSION_KEYS = "session-keys"
"""Code of what ``block_session_keys = false`` accepts, where there is such a key."""

SEVERITIES = tuple(severity.name.lower() for severity in Severity)
CONFIDENCES = tuple(confidence.name.lower() for confidence in Confidence)

MOST_ALLOWED = 10_000
"""Entries of [[allow]] that a file may have."""

_FILE_LIMIT = 1 << 20
_TEXT_LIMIT = 500
_KEYS = ("fail_on", "min_confidence", "accept", "require_tokens", "block_session_keys", "allow")
_ALLOW_KEYS = ("fingerprint", "reason", "owner", "expires")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Allow:
    """Leave for one key to be in a dump."""

    fingerprint: str
    """64 lower-case hex digits: the ``value`` of a finding's fingerprint."""
    reason: str
    owner: str
    expires: dt.date
    """The last day on which the entry works, in UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the gate lets pass. The defaults are those of a gate without a policy file."""

    fail_on: Severity = Severity.HIGH
    """The least severity that blocks."""
    min_confidence: Confidence = Confidence.STRUCTURE
    """The least confidence that blocks: what merely looks like a key does not."""
    accept: tuple[str, ...] = ()
    require_tokens: bool = True
    block_session_keys: bool = True
    """Keys that nothing names, and whose public half a handshake sent, block like others."""
    allow: tuple[Allow, ...] = ()


DEFAULT = Policy()


def load(path: str) -> Policy:
    """Read a policy file. Raises PolicyError for one that cannot be read or is none."""
    try:
        with pipes.open_file(path) as file:
            raw = file.read(_FILE_LIMIT + 1)
    except (OSError, ValueError) as error:
        _refuse(path, cause(error), remedy(error))
    if len(raw) > _FILE_LIMIT:
        _refuse(path, "it is larger than 1 MiB", "keep fewer entries")
    return parse(raw, path)


def parse(raw: bytes, path: str = "policy") -> Policy:
    """Read the bytes of a policy file; ``path`` is its name in errors. Raises PolicyError."""
    try:
        table = tomllib.loads(raw.decode("utf-8"))
    except UnicodeDecodeError:
        _refuse(path, "it is not UTF-8", "save it as UTF-8")
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        _refuse(path, f"it is not TOML: {str(error)[:_TEXT_LIMIT]}", "correct the file")
    _only(path, table, _KEYS, "the policy")
    return Policy(
        fail_on=Severity[_choice(path, table, "fail_on", SEVERITIES, DEFAULT.fail_on.name)],
        min_confidence=Confidence[
            _choice(path, table, "min_confidence", CONFIDENCES, DEFAULT.min_confidence.name)
        ],
        accept=_accept(path, table.get("accept", [])),
        require_tokens=_flag(path, table, "require_tokens"),
        block_session_keys=_flag(path, table, "block_session_keys"),
        allow=_allow(path, table.get("allow", [])),
    )


def digest(policy: Policy) -> str:
    """Return the SHA-256, in lower-case hex, of what a policy says, however it is written."""
    contents = {
        "fail_on": policy.fail_on.name,
        "min_confidence": policy.min_confidence.name,
        "accept": sorted(policy.accept),
        "require_tokens": policy.require_tokens,
        "block_session_keys": policy.block_session_keys,
        "allow": [
            [entry.fingerprint, entry.reason, entry.owner, entry.expires.isoformat()]
            for entry in policy.allow
        ],
    }
    text = json.dumps(contents, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


# --- parts of a file ----------------------------------------------------------------------------


def _refuse(path: str, reason: str, hint: str) -> NoReturn:
    raise PolicyError(f"the policy {path} cannot be used", reason=reason, hint=hint)


def _only(path: str, table: Mapping[str, object], known: tuple[str, ...], where: str) -> None:
    unknown = sorted(set(table) - set(known))
    if unknown:
        said = f"unknown key {unknown[0][:80]!r} in {where}"
        _refuse(path, said, f"known keys: {', '.join(known)}")


def _choice(
    path: str, table: Mapping[str, object], name: str, choices: tuple[str, ...], default: str
) -> str:
    """Return the name of an enumeration's member."""
    value = table.get(name, default.lower())
    if not isinstance(value, str) or value not in choices:
        _refuse(path, f"{name} is not one of its values", f"use one of: {', '.join(choices)}")
    return value.upper()


def _flag(path: str, table: dict[str, Any], name: str) -> bool:
    """Return true or false; true where nothing is said."""
    value = table.get(name, True)
    if not isinstance(value, bool):
        _refuse(path, f"{name} is neither true nor false", f"write {name} = true")
    return value


def _accept(path: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        _refuse(path, "accept is no list of texts", 'write accept = ["truncated"]')
    if not set(value) <= set(ACCEPTABLE):
        _refuse(
            path,
            "accept names a fault that no policy can accept",
            f"it may name: {', '.join(ACCEPTABLE)}",
        )
    return tuple(sorted(set(value)))


def _allow(path: str, value: object) -> tuple[Allow, ...]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        _refuse(path, "allow is no list of tables", "write each entry under [[allow]]")
    if len(value) > MOST_ALLOWED:
        _refuse(path, f"it has more than {MOST_ALLOWED} entries", "keep fewer entries")
    entries = sorted(
        (_entry(path, item, f"[[allow]] entry {number}") for number, item in enumerate(value, 1)),
        key=lambda entry: entry.fingerprint,
    )
    for one, other in itertools.pairwise(entries):
        if one.fingerprint == other.fingerprint:
            said = f"the fingerprint {one.fingerprint} stands twice"
            _refuse(path, said, "keep the entry that holds")
    return tuple(entries)


def _entry(path: str, item: Mapping[str, object], where: str) -> Allow:
    _only(path, item, _ALLOW_KEYS, where)
    texts = {}
    for name in ("fingerprint", "reason", "owner"):
        value = item.get(name)
        if not isinstance(value, str) or not value.strip() or len(value) > _TEXT_LIMIT:
            said = f"{name} of {where} is missing, empty or too long"
            _refuse(path, said, f'write {name} = "..."')
        texts[name] = value.strip()
    if not _FINGERPRINT.fullmatch(texts["fingerprint"]):
        said = f"the fingerprint of {where} is not 64 lower-case hex digits"
        _refuse(path, said, "take it from a report: fingerprint.value in JSON")
    expires = item.get("expires")
    if isinstance(expires, str):
        said = f"expires of {where} is a text, which is no date even where it looks like one"
        _refuse(path, said, "write the last day without quotation marks: expires = 2027-01-31")
    if not isinstance(expires, dt.date) or isinstance(expires, dt.datetime):
        said = f"expires of {where} is missing or no date"
        _refuse(path, said, "write the last day on which it holds: expires = 2027-01-31")
    return Allow(
        fingerprint=texts["fingerprint"],
        reason=texts["reason"],
        owner=texts["owner"],
        expires=expires,
    )
