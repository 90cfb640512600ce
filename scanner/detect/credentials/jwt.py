"""JSON Web Tokens as text (RFC 7519, in the compact forms of RFC 7515 and RFC 7516).

A signed or encrypted token is a credential for whoever holds it. Header and claims are decoded to
say who issued it, for whom and until when: these three may be told, nothing else of it may. One
that has expired is still a finding, since nobody here knows whose clock counts. This module
refuses unsigned ones (``alg`` is ``none``), which prove nothing to anybody.
"""

import base64
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from scanner.detect.asn1.der import Memory
from scanner.detect.encodings import armour

LONGEST = 16 * 1024
"""Characters of a token; header lines that carry one end at half of that in most servers."""

LONGEST_TOLD = 256
"""Characters of an issuer or audience."""

_SHORT = 2048
_PART = rb"[A-Za-z0-9_-]"
_SIGNED = re.compile(rb"(%b{12,})\.(%b+)\.(%b{16,})(?![A-Za-z0-9_.-])" % (_PART, _PART, _PART))
_SEALED = re.compile(rb"(%b{12,})\.%b*\.%b{8,}\.%b+\.%b{16,}(?![A-Za-z0-9_.-])" % ((_PART,) * 5))
_RUN = re.compile(rb"[A-Za-z0-9_.-]+")
_PRINTABLE = re.compile(r"[!-~]([ -~]*[!-~])?")
_LAST_SECOND = 253402300799
"""Of the year 9999."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What may be told of a token; empty where it does not say."""

    issuer: str = ""
    audience: str = ""
    """Several are joined by a space."""
    not_after: str = ""
    """ISO 8601, UTC."""


def read(memory: Memory, space: int, offset: int, width: int) -> tuple[bytes, Claims] | None:
    """Return the token that begins at ``offset``, as ASCII, and its claims; None if none does.

    ``width`` is 1, or 2 for UTF-16LE.
    """
    before = memory.clip(space, offset - width, width) if offset >= width else b""
    part = armour.before(memory, space, offset, width)  # none where a fill ends
    if part and _RUN.fullmatch(before[:1]) and not any(before[1:]):
        return None
    for most in (_SHORT, LONGEST):
        text = narrow(memory.clip(space, offset, most * width), width)
        run = _RUN.match(text)
        if run is None or len(run[0]) < most:
            break
    if run is None or len(run[0]) >= LONGEST:
        return None
    return _parsed(run[0])


def narrow(raw: bytes, width: int) -> bytes:
    """Return the characters of a text up to the first that is not Latin-1, one byte each."""
    if width == 1:
        return raw
    high = raw[1::2]
    end = len(high) - len(high.lstrip(b"\0"))
    return raw[: 2 * end : 2]


def _parsed(text: bytes) -> tuple[bytes, Claims] | None:
    text = text.rstrip(b".")
    signed = _SIGNED.match(text)
    if signed is not None:
        header, claims = _object(signed[1]), _object(signed[2])
        if header is None or claims is None or not _names(header, "alg"):
            return None
        return signed[0], _claims(claims)
    sealed = _SEALED.match(text)
    header = _object(sealed[1]) if sealed is not None else None
    if sealed is None or header is None or not _names(header, "alg", "enc"):
        return None
    return sealed[0], _claims(header)  # an encrypted one may repeat them there: RFC 7519, 5.3


def _names(header: dict[str, Any], *members: str) -> bool:
    values = [header.get(name) for name in members]
    return all(isinstance(v, str) and v and v.lower() != "none" for v in values)


def _object(part: bytes) -> dict[str, Any] | None:
    """Decode base64url and JSON; None for all but an object."""
    if len(part) % 4 == 1:
        return None
    try:
        value = json.loads(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _claims(claims: dict[str, Any]) -> Claims:
    audience = claims.get("aud")
    listed = audience if isinstance(audience, list) else [audience]
    return Claims(
        issuer=_told(claims.get("iss")),
        audience=_told(" ".join(filter(None, map(_told, listed[:8])))),
        not_after=_time(claims.get("exp")),
    )


def _told(value: object) -> str:
    fits = isinstance(value, str) and len(value) <= LONGEST_TOLD and _PRINTABLE.fullmatch(value)
    return str(value) if fits else ""


def _time(value: object) -> str:
    """Return a NumericDate (RFC 7519 section 2) as text."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    if not 0 <= value <= _LAST_SECOND:
        return ""
    return datetime.fromtimestamp(int(value), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
