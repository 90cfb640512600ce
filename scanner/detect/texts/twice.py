"""Private keys in base64 of base64: a secret of Kubernetes that was put into another, and the like.

``encoded`` decodes once. What base64 holds is base64 again where a manifest, a cloud-init file or
an environment with such values was itself encoded, or a command of PowerShell, which is UTF-16 then
(``-EncodedCommand``). The anchors are what the anchors of ``encoded`` become in base64, at each of
three alignments. This module decodes the outer text and gives the inner one to ``encoded``; it
decodes no further.
"""

import re
from collections.abc import Iterator

from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import armour
from scanner.detect.texts import encoded
from scanner.detect.texts.encoded import Decoded
from scanner.rules import Rule

INNER: tuple[tuple[bytes, int], ...] = (
    (b"IFBSSVZBVEUgS0VZLS0tLS", 0),
    (b"BQUklWQVRFIEtFWS0tLS0t", 0),
    (b"gUFJJVkFURSBLRVktLS0tL", 0),
    (b"IBADANBgkqhkiG9w0BAQ", 6),
    (b"GByqGSM49AgEG", 11),
    (b"CAQAwEwYHKoZIzj0CAQ", 3),
    (b"AgEAAoI", 40),
    (b"AwEHBG0wawIBAQ", 32),
    (b"MC4CAQAwB", 0),
    (b"BQYDK2VwBCIEI", 8),
    (b"IBAAKCA", 6),
    (b"IBAAKBg", 6),
    (b"MHcCAQEEI", 0),
    (b"oAoGCCqGSM49AwEHoUQDQg", 52),
    (b"MIGkAgEBBD", 0),
    (b"MIHcAgEBBEI", 0),
    (b"GByqGSM44BAE", 15),
)
"""What is looked for in the outer text, and so many characters before it the inner text begins:
ends of BEGIN lines; PKCS#8 with RSA, with a curve, without its point, with RFC 8410; PKCS#1; SEC1
on P-256, P-384 and P-521; DSA. A line of the outer text may end in one: so most have two
(not PKCS#1, and SEC1 on P-384 and P-521)."""

_BEFORE, _BEHIND = 96, 192
_LONGEST = 96 * 1024
_BACK = dict(INNER) | {mark.decode().encode("utf-16-le"): 2 * back for mark, back in INNER}
_ANY = re.compile(b"|".join(map(re.escape, _BACK)))


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key in the base64 in which the anchor at ``offset`` stands."""
    text = armour.text_at(memory, space, offset)
    _, raw, lead = armour.stretch(text, _BEFORE, _BEHIND)
    run = armour.around(raw, lead)
    shifts = [] if run is None else [at for at in range(4) if _inner(run, at)]
    if not shifts:
        return
    whole, raw, lead = armour.stretch(text, _LONGEST, _LONGEST)
    run = armour.around(raw, lead)
    if run is None:
        return
    for shift in range(4):
        inner = Decoded(armour.decode(run.chars[shift:]))
        for at in _inner(run, shift):
            for found in encoded.examine(inner, 0, at, rule):
                if isinstance(found, Proved):
                    yield encoded.mapped(found, whole, run, shift, "base64 of ")
                    return


def _inner(run: armour.Run, shift: int) -> list[int]:
    """Return where in the decoded bytes the inner text, or the mark in it, begins."""
    first = max(run.at - _BEFORE, 0)
    first += (shift - first) % 4
    data = armour.decode(run.chars[first : run.at + _BEHIND])
    skipped = (first - shift) // 4 * 3
    found = (skipped + match.start() - _BACK[match[0]] for match in _ANY.finditer(data))
    return [at for at in found if at >= 0]
