"""Base58, in which Bitcoin's and Solana's tools write bytes: letters and digits that look unlike.

This module knows no keys, and no checksum.
"""

ALPHABET = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def decode(text: bytes, size: int) -> bytes | None:
    """Return so many bytes that a text of the alphabet writes; None where they are more."""
    number = 0
    for letter in text:
        number = number * 58 + ALPHABET.index(letter)
    return None if number >> 8 * size else number.to_bytes(size, "big")
