"""Base32 without padding, in one case: RFC 4648 section 6, and the alphabet that is easier to read.

z-base-32 is an alphabet; rspamd, which writes its keys so, begins with the low bits of each byte,
as no other program here does. This module knows no keys.
"""

import base64
import binascii

ALPHABET = b"abcdefghijklmnopqrstuvwxyz234567"
LEGIBLE = b"ybndrfg8ejkmcpqxot1uwisza345h769"
"""z-base-32: each letter at its value."""


def decode(text: bytes) -> bytes | None:
    """Return the bytes that a text in either case writes; None where it is not canonical."""
    if text not in (text.upper(), text.lower()):
        return None
    try:
        raw = base64.b32decode(text.upper() + b"=" * (-len(text) % 8))
    except binascii.Error:
        return None
    return raw if base64.b32encode(raw).rstrip(b"=") == text.upper() else None


def decode_legible(text: bytes) -> bytes | None:
    """Return the bytes that a text of rspamd's writes; None where bits are left that are set."""
    if text.translate(None, LEGIBLE):
        return None
    number = sum(LEGIBLE.index(letter) << 5 * place for place, letter in enumerate(text))
    size = len(text) * 5 // 8
    return None if number >> 8 * size else number.to_bytes(size, "little")


def encode_legible(raw: bytes) -> bytes:
    """Return the text that rspamd writes for some bytes."""
    number = int.from_bytes(raw, "little")
    count = -(-8 * len(raw) // 5)
    return bytes(LEGIBLE[number >> 5 * place & 31] for place in range(count))
