"""WireGuard private keys, as wg-quick and ``wg showconf`` write them.

Source: wg(8), CONFIGURATION FILE FORMAT. A key is 32 bytes of X25519 in base64, which wg genkey has
clamped (RFC 7748 section 5), behind ``PrivateKey =`` in a section [Interface]. Clamped bytes alone
are no evidence, so both must stand there. Where the public half stands near by, in base64 as
``wg show`` prints it, the key is proved.
"""

import base64
import re
from collections.abc import Iterator

from scanner.detect import armour, escapes
from scanner.detect.der import Memory
from scanner.detect.evidence import okp_derived, proved, unproved
from scanner.detect.keys import Proved
from scanner.rules import Rule

MARK = b"PrivateKey"

AROUND = 4096
"""Characters before and behind in which the section and the public half are looked for."""

_LINE = 512
"""Characters of the longest line, escaped."""

_SECTION = b"[Interface]"
_KEY = re.compile(rb"PrivateKey\s{0,8}=\s{0,8}([A-Za-z0-9+/]{43}=)(?![A-Za-z0-9+/=])")


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key whose line begins at ``offset``."""
    text, raw, at = armour.stretch(armour.text_at(memory, space, offset), AROUND, AROUND)
    plain = escapes.undone(raw[at : at + _LINE])
    match = _KEY.match(plain.text)
    if match is None or _SECTION not in raw:
        return
    seed = base64.b64decode(match[1])
    key = okp_derived("x25519", seed)
    if key is None or seed[0] & 7 or seed[31] & 0xC0 != 0x40:
        return
    size = plain.size(match.end())
    place, wide = armour.located(memory, space, text.offset + at * text.width, size, text.width)
    witnessed = base64.b64encode(key.public) in raw
    say = proved if witnessed else unproved
    yield say(key, rule, f"WireGuard{wide}", (place,))
