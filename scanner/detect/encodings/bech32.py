"""Bech32 (BIP 173): what age and Nostr write keys in.

A text is a human part, the digit 1, and characters of 32, of which six are a checksum: arbitrary
text meets it once in 2**30. This module knows no keys.
"""

from collections.abc import Sequence

CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def _checksum(human: str, values: Sequence[int]) -> int:
    """Compute the checksum of BIP 173, which is 1 over a whole text."""
    check = 1
    letters = [ord(letter) >> 5 for letter in human] + [0] + [ord(letter) & 31 for letter in human]
    for value in (*letters, *values):
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATOR):
            check ^= generator if top >> bit & 1 else 0
    return check


def decode(human: str, text: str) -> bytes | None:
    """Return the bytes of lower-case Bech32 behind its human part; None where it does not hold."""
    values = [CHARSET.find(letter) for letter in text]
    if -1 in values or len(values) < 6 or _checksum(human, values) != 1:
        return None
    number, bits = 0, 5 * (len(values) - 6)
    for value in values[:-6]:
        number = number << 5 | value
    spare = bits % 8
    if spare > 4 or number & ((1 << spare) - 1):
        return None
    return (number >> spare).to_bytes(bits // 8, "big")


def encode(human: str, data: bytes) -> str:
    """Return bytes as lower-case Bech32."""
    spare = -8 * len(data) % 5
    number = int.from_bytes(data, "big") << spare
    count = (8 * len(data) + spare) // 5
    values = [number >> 5 * (count - 1 - index) & 31 for index in range(count)]
    check = _checksum(human, [*values, 0, 0, 0, 0, 0, 0]) ^ 1
    values += [check >> 5 * (5 - index) & 31 for index in range(6)]
    return f"{human}1{''.join(CHARSET[value] for value in values)}"
