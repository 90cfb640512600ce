"""WireGuard private keys, as the programs that set up interfaces write them.

Sources: wg(8), CONFIGURATION FILE FORMAT; systemd.netdev(5); nm-settings(5); the references of
netplan, OpenWrt and RouterOS; WireGuard's cross-platform interface. A key is 32 bytes of X25519 in
base64 (in hex, for that interface), which wg genkey has clamped (RFC 7748 section 5), behind a
name. Clamped bytes alone are no evidence, so near by must stand what only such a configuration has.
Where the public half stands there, as ``wg show`` prints it or in hex, the key is proved.
"""

import base64
import re
from collections.abc import Iterator

from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import armour, escapes
from scanner.detect.evidence import clamped, okp_derived, proved, unproved
from scanner.rules import Rule

MARK = b"PrivateKey"

AROUND = 4096
"""Characters before and behind in which the section and the public half are looked for."""

_HEX = 64
"""Characters of a key in hex."""

_MODE = b"mode: wireguard"
"""What netplan has in place of a name that says something."""

_BASE64 = rb"([A-Za-z0-9+/]{43}=)(?![A-Za-z0-9+/=])"
_INI = re.compile(
    rb"(?:\[|%5B)Interface(?:\]|%5D)|\[wireguard\]|wireguard|listen-port=", re.IGNORECASE
)
_UAPI = re.compile(rb"\b(?:listen_port=[0-9]|public_key=[0-9a-f]{64}|set=1|get=1|errno=0)")
_NETPLAN = re.compile(rb"\bkeys?:\s{1,40}(?:private:\s{1,8})?[\"']?%b" % _BASE64)
_FORMS = (
    (re.compile(rb"(?i:private[-_]?key\"?|secretKey\")\s{0,8}[=:]\s{0,8}[\"']?%b" % _BASE64), _INI),
    (re.compile(rb"option private_key\s{1,8}[\"']?%b" % _BASE64), None),
    (re.compile(rb"private_key=([0-9a-f]{64})(?![0-9a-zA-Z])"), _UAPI),
    (_NETPLAN, re.compile(_MODE)),
)
"""How a line begins, and what must stand near it."""

_LINE = 512
"""Characters of the longest line, escaped."""


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key whose line begins at ``offset``, or those whose mode stands there."""
    text, raw, at = armour.stretch(armour.text_at(memory, space, offset), AROUND, AROUND)
    if raw.startswith(_MODE, at):
        found = [(m[1], m.start(), m.end() - m.start()) for m in _NETPLAN.finditer(raw)]
    else:
        plain = escapes.undone(raw[at : at + _LINE])
        found = [
            (match[1], at, plain.size(match.end()))
            for form, beside in _FORMS
            if (match := form.match(plain.text)) and (beside is None or beside.search(raw))
        ]
    for said, start, size in found:
        seed = bytes.fromhex(said.decode()) if len(said) == _HEX else base64.b64decode(said)
        key = okp_derived("x25519", seed)
        if key is None or not clamped(seed):
            continue
        first = text.offset + start * text.width
        place, wide = armour.located(memory, space, first, size, text.width)
        witnessed = base64.b64encode(key.public) in raw or key.public.hex().encode() in raw
        say = proved if witnessed else unproved
        yield say(key, rule, f"WireGuard{wide}", (place,))
