"""Private keys as programs print them for people: ``openssl pkey -text``, ``certtool -k``.

A name and a colon, then lines of hex with colons: support logs, tickets and terminals hold such
text. The names are those of OpenSSL (encode_key2text.c of its providers) and of GnuTLS
(certtool-common.c). Fields are read by their names, in any order, around the private one, also
where a log, a mail or a table puts more before and behind each line; what they prove is for
``factors``, ``evidence``, ``groups`` and ``pqc``. Where nothing stands beside a scalar or a seed,
it is a structure. This module reads no line that it has no name for.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from scanner.detect.algebra import groups
from scanner.detect.algebra.material import Material
from scanner.detect.asn1 import der, pqc
from scanner.detect.asn1.curve_names import USUAL_CURVE
from scanner.detect.asn1.der import Malformed, Memory
from scanner.detect.asn1.keys import OKP_BYTES, Proved
from scanner.detect.encodings import armour, margins
from scanner.detect.encodings.armour import EOL
from scanner.detect.evidence import (
    ec_derived,
    ec_scalar,
    okp_derived,
    okp_seed,
    proved,
    unproved,
)
from scanner.detect.factors import claim
from scanner.fingerprint import FIELD_BYTES
from scanner.rules import Rule

BEFORE, BEHIND = 10 * 1024, 40 * 1024
"""Characters around the name of the private field: a modulus of 16384 bits, and what follows it."""

_FIRST_READ = 160
_GAP = 256
"""Characters from a line to the next, of what stands before and behind each."""

_FAR = 3 * _GAP
"""Characters from a field to the next, where a line without hex may stand between."""

_MOST_LINES = 1024
_DISTINCT = 12
"""Different bytes of a scalar or a seed to which nothing bears witness."""

_LINE = re.compile(
    rb"[ \t]{0,64}((?:[0-9A-Fa-f]{2}:){0,63}[0-9A-Fa-f]{2}:?)(?:%b|(?=[^0-9A-Za-z:])|\Z)" % EOL
)
_NAMES = (
    rb"(modulus|public ?[eE]xponent|private ?[eE]xponent|prime[12]|exponent[12]"
    rb"|exp[12]|coefficient|priv|pub|(?:private|public) key|seed|%b[de]k|%b[xypqgPQG]):"
)
_NAME = re.compile(_NAMES % (b"", b"") + EOL)
_APART_NAME = re.compile(_NAMES % ((rb"(?:(?<![0-9A-Za-z])|(?<=\x1b\[[0-9]{2}m))",) * 2))
_INDENT = re.compile(rb"[^0-9\r\n]*\Z")
"""What ends a line's lead, and is the same before the next: no number of it, no time."""

_WHOLE = re.compile(rb"(?<![0-9A-Fa-f:])(?:[0-9A-Fa-f]{2}:){15}(?:[0-9A-Fa-f]{2})?(?![0-9A-Fa-f:])")
"""A line but the last: of 15 bytes and a colon (OpenSSL), or of 16 (GnuTLS)."""

_SMALL = re.compile(rb"publicExponent: ([0-9]{1,20}) \(")
_TOP = re.compile(rb"(ED25519|X25519|ED448|X448|ML-(?:DSA|KEM)-[0-9]{2,4}) Private-Key:")
_CURVE = re.compile(rb"(?:ASN1 OID: |curve:[ \t]{1,8})([A-Za-z0-9-]{2,16})(?=[^A-Za-z0-9-]|\Z)")
_CURVES = {
    b"prime256v1": "P-256",
    b"secp224r1": "P-224",
    b"secp384r1": "P-384",
    b"secp521r1": "P-521",
    b"SECP224R1": "P-224",
    b"SECP256R1": "P-256",
    b"SECP384R1": "P-384",
    b"SECP521R1": "P-521",
    b"secp256k1": "secp256k1",
    b"brainpoolP256r1": "brainpoolP256r1",
    b"brainpoolP384r1": "brainpoolP384r1",
    b"brainpoolP512r1": "brainpoolP512r1",
    b"Ed25519": "ed25519",
    b"X25519": "x25519",
    b"Ed448": "ed448",
    b"X448": "x448",
}
_RSA = ("modulus", "public", "private", "prime1", "prime2", "exponent1", "exponent2", "coefficient")
"""The order of RFC 8017 A.1.2."""

_MEANT = {
    b"publicExponent": "public",
    b"public exponent": "public",
    b"privateExponent": "private",
    b"private exponent": "private",
    b"exp1": "exponent1",
    b"exp2": "exponent2",
    b"private key": "priv",
    b"public key": "pub",
    b"dk": "priv",
    b"ek": "pub",
}


_Field = tuple[str, bytes, int, int]
"""The name of a field, its bytes, and where it begins and ends."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class _Printed:
    """The fields of one key, and where in the text they begin and end."""

    fields: dict[str, bytes]
    exponent: int
    """The public one, where it is in decimal."""
    top: str
    curve: str
    start: int
    end: int


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key of which the name of the private field begins at ``offset``."""
    text = armour.text_at(memory, space, offset)
    head = text.read(_GAP)
    plain, spread = bool(_fields(head[:_FIRST_READ], 0)), _WHOLE.search(head) is not None
    if not plain and not spread:
        return
    text, raw, at = armour.stretch(text, BEFORE, BEHIND)
    for apart, likely in ((False, plain), (True, spread)):
        printed = _read(raw, at, apart=apart) if likely else None
        if printed is not None and (found := _proved(printed)):
            key, certain = found
            first, size = text.offset + printed.start * text.width, printed.end - printed.start
            place, wide = armour.located(memory, space, first, size, text.width)
            say = proved if certain else unproved
            yield say(key, rule, f"printed{wide}", (place,))
            return


def _fields(raw: bytes, at: int, *, apart: bool = False) -> list[_Field]:
    """Return the fields that stand one behind the other at ``at``.

    With ``apart``, more stands before and behind each line.
    """
    pattern, near = (_APART_NAME, _FAR) if apart else (_NAME, _FIRST_READ)
    found: list[_Field] = []
    while match := pattern.search(raw, at, at + near):
        start, name = match.start(1), match[1]
        value, end = _lines(raw, match.end()) if apart else _value(raw, match.end())
        if not value:
            break
        said = _MEANT.get(name, name.decode().lower())
        if any(said == other for other, *_ in found):
            break
        found.append((said, value, start, end))
        at = end
    return found


def _value(raw: bytes, at: int) -> tuple[bytes, int]:
    """Return the bytes that the lines at ``at`` spell, and where the last digit of them ends."""
    digits = bytearray()
    end = at
    for _ in range(_MOST_LINES):
        match = _LINE.match(raw, at)
        if match is None:
            break
        digits += match[1].replace(b":", b"")
        at, end = match.end(), match.end(1)
    return bytes.fromhex(digits.decode()), end


def _lines(raw: bytes, at: int) -> tuple[bytes, int]:
    """Return the bytes that lines with more between them spell, and where the last digit ends.

    What stands before each ends alike: behind that the last line begins.
    """
    named = _APART_NAME.search(raw, at)
    stop = named.start() if named else len(raw)
    lines: list[re.Match[bytes]] = []
    end = at
    while match := _WHOLE.search(raw, end, min(end + _GAP, stop)):
        if len(lines) == _MOST_LINES or (lines and len(match[0]) != len(lines[0][0])):
            break
        lines.append(match)
        end = match.end()
    if not lines:
        return b"", at
    gaps = [raw[one.end() : next_.start()] for one, next_ in pairwise(lines)]
    lead = _INDENT.search(raw, at, lines[0].start())
    mark = re.escape(margins.common_end([*gaps, lead[0] if lead else b""]))
    last = re.compile(rb"%b((?:[0-9A-Fa-f]{2}:){0,15}[0-9A-Fa-f]{2}):?(?![0-9A-Fa-f:])" % mark)
    digits = b":".join(line[0] for line in lines)
    if mark and (short := last.search(raw, end, min(end + _GAP, stop))):
        digits, end = digits + b":" + short[1], short.end(1)
    return bytes.fromhex(digits.replace(b":", b"").decode()), end


def _read(raw: bytes, at: int, *, apart: bool) -> _Printed | None:
    """Read the fields of the key around the private one at ``at``."""
    near = _FAR if apart else _FIRST_READ
    behind = _fields(raw, at, apart=apart)
    if not behind or behind[0][2] != at:
        return None
    start = at
    exponent = 0
    first = raw.rfind(b"modulus:", 0, at)
    if first >= 0:
        before = [field for field in _fields(raw[:at], first, apart=apart) if field[3] <= at]
        small = _SMALL.search(raw, before[-1][3], at) if before else None
        exponent = int(small[1]) if small else 0
        behind, start = before + behind, first
    lead = raw[max(at - near, 0) : at]
    if behind[0][0] == "priv":
        seed = raw.rfind(b"seed:", 0, at)
        before = _fields(raw, seed, apart=apart)[:1] if seed >= 0 else []
        if before and at - before[0][3] < near:
            behind, start = before + behind, seed
            lead = raw[max(seed - near, 0) : seed]
    end = behind[-1][3]
    tops = _TOP.findall(lead)
    curves = _CURVE.findall(lead) + _CURVE.findall(raw[end : end + near])
    return _Printed(
        fields={name: value for name, value, *_ in behind},
        exponent=exponent,
        top=tops[-1].decode().lower() if tops else "",
        curve=_CURVES.get(curves[-1], "") if curves else "",
        start=start,
        end=end,
    )


# --- what the fields prove ----------------------------------------------------------------------

_Found = tuple[Material, bool] | None
"""A key, and whether it is proved."""


def _number(value: bytes) -> int:
    return int.from_bytes(value, "big")


def _proved(printed: _Printed) -> _Found:
    return _rsa(printed) or _pqc(printed) or _okp(printed) or _ec(printed) or _dsa(printed)


def _rsa(printed: _Printed) -> _Found:
    if "private" not in printed.fields:
        return None
    numbers = [_number(printed.fields.get(name, b"")) for name in _RSA]
    numbers[1] = numbers[1] or printed.exponent
    found = claim(numbers)
    if found is None:
        return None
    return found.key, True


def _okp(printed: _Printed) -> _Found:
    fields, named = printed.fields, printed.top or printed.curve
    seed, public = fields.get("priv", b""), fields.get("pub", fields.get("x", b""))
    for algorithm, size in OKP_BYTES.items():
        if len(seed) == size and named in ("", algorithm):
            key = okp_seed(algorithm, seed, public)
            if key is not None:
                return key, True
    if named not in OKP_BYTES or public or len(set(seed)) < _DISTINCT:
        return None
    derived = okp_derived(named, seed)
    return (derived, False) if derived is not None else None


def _ec(printed: _Printed) -> _Found:
    fields = printed.fields
    if "priv" not in fields or "p" in fields:
        return None
    scalar, point = fields["priv"], fields.get("pub", b"")
    if "x" in fields and "y" in fields:
        x, y = _number(fields["x"]), _number(fields["y"])
        sizes = {len(fields["x"]), len(fields["y"])}
    else:
        half = len(point) // 2
        x, y = _number(point[1 : half + 1]), _number(point[half + 1 :])
        sizes = {half}
    if x and y:
        sizes |= {size + more for size in sizes for more in (-1, 1)}  # as DER's integers: GnuTLS
        for curve, size in FIELD_BYTES.items():
            key = ec_scalar(curve, _number(scalar), x, y) if size in sizes else None
            if key is not None:
                return key, True
        return None
    curve = printed.curve or USUAL_CURVE.get(len(scalar), "")
    if point or len(set(scalar)) < _DISTINCT:
        return None
    derived = ec_derived(curve, _number(scalar))
    return (derived, False) if derived is not None else None


def _dsa(printed: _Printed) -> _Found:
    fields = printed.fields
    if not {"priv", "pub", "p", "q", "g"} <= fields.keys():
        return None
    key = groups.proved(*(_number(fields[name]) for name in ("p", "q", "g", "pub", "priv")))
    return (key, True) if key is not None else None


def _pqc(printed: _Printed) -> _Found:
    if printed.top not in pqc.ALGORITHMS.values():
        return None
    seed, expanded = (printed.fields.get(name, b"") for name in ("seed", "priv"))
    try:
        if seed:
            both = der.write(der.OCTET_STRING, seed) + der.write(der.OCTET_STRING, expanded)
            inner = der.write(der.SEQUENCE, both)
        else:
            inner = der.write(der.OCTET_STRING, expanded)
        found = pqc.read(printed.top, inner)
    except Malformed:
        return None
    return found.material, bool(found.proof)
