"""A cursor over fields that follow one another, of a fixed size or behind what counts their bytes.

Files and structures of many programs are made so (TPM, Kerberos, Java's key stores, OpenPGP). What
their fields mean, and which values they may have, is for their own modules to say: this one knows
no format, and reads nothing behind the end of its bytes.
"""


class Mismatch(ValueError):
    """The bytes are not the structure that was asked for. Carries nothing of them."""


class Cursor:
    """A place in bytes, behind what was read of them; ``at`` says where."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

    def raw(self, size: int) -> bytes:
        """Return the next ``size`` bytes. Raises Mismatch where there are fewer."""
        found = self.data[self.at : self.at + size]
        if len(found) != size:
            raise Mismatch
        self.at += size
        return found

    def number(self, size: int) -> int:
        """Return the next number of ``size`` bytes, the most significant first."""
        return int.from_bytes(self.raw(size), "big")

    def counted(self, width: int, most: int = 1 << 32) -> bytes:
        """Return the bytes that the next number, of ``width`` bytes, counts: at most ``most``."""
        return self.raw(within(self.number(width), most))


def within(number: int, most: int) -> int:
    """Return a number that is at most ``most``. Raises Mismatch."""
    if number > most:
        raise Mismatch
    return number
