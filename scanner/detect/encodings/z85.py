"""Z85 (ZeroMQ's RFC 32): four bytes in five signs, none of which strings of JSON or C escape.

This module knows no keys.
"""

import base64
import re

ALPHABET = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
SIGN = b"[" + re.escape(ALPHABET) + b"]"
"""An expression for one of them."""

_DIGITS = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
"""The same digits in RFC 1924, which the standard library reads."""

_READ, _WRITTEN = bytes.maketrans(ALPHABET, _DIGITS), bytes.maketrans(_DIGITS, ALPHABET)


def decode(text: bytes) -> bytes | None:
    """Return the bytes that a text writes; None where five signs are more than 32 bits."""
    try:
        return base64.b85decode(text.translate(_READ))
    except ValueError:
        return None


def encode(raw: bytes) -> bytes:
    """Return the text that writes some bytes, a multiple of four."""
    return base64.b85encode(raw).translate(_WRITTEN)
