"""BER turned into DER: what Java writes of PKCS #12 stores, and the strict reader refuses.

X.690 section 8.1.3.6 lets a length be open until two zero bytes, and section 8.7 lets an OCTET
STRING be a chain of smaller ones. Here open lengths are closed and chains joined; what was DER
stays as it is. Sizes, depth and the number of elements are bounded; this module knows no formats.
"""

from scanner.detect.asn1 import der
from scanner.detect.asn1.der import Malformed

MOST_ELEMENTS = 4096
"""Elements of one object."""

_CONSTRUCTED, _OPEN, _END = 0x20, 0x80, b"\0\0"


def to_der(data: bytes) -> tuple[bytes, int]:
    """Return the object at the start of ``data`` as DER, and its bytes as they were.

    Raises Malformed for what is no BER, or out of bounds.
    """
    reader = _Reader(data[: der.LIMIT])
    return reader.element(0), reader.at


class _Reader:
    """A cursor that writes what it passes over."""

    __slots__ = ("at", "data", "left")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.left = MOST_ELEMENTS

    def element(self, depth: int) -> bytes:
        """Pass over the next element and return it as DER."""
        self.left -= 1
        head = self.data[self.at : self.at + 2]
        if len(head) < 2 or head[0] & 0x1F == 0x1F or depth > 2 * der.DEPTH or self.left < 0:
            raise Malformed
        tag, end = head[0], self._end(head[1])
        if not tag & _CONSTRUCTED:
            if end is None:
                raise Malformed
            content, self.at = self.data[self.at : end], end
            return der.write(tag, content)
        parts = []
        while not self._over(end):
            parts.append(self.element(depth + 1))
        if tag == der.OCTET_STRING | _CONSTRUCTED:
            return der.write(der.OCTET_STRING, b"".join(map(_octets, parts)))
        return der.write(tag, b"".join(parts))

    def _end(self, length: int) -> int | None:
        """Pass over tag and length; return where the content ends, or None where that is open."""
        self.at += 2
        if length == _OPEN:
            return None
        if length > _OPEN:
            count = length - _OPEN
            length = int.from_bytes(self.data[self.at : self.at + count], "big")
            self.at += count
        if length > len(self.data) - self.at:
            raise Malformed
        return self.at + length

    def _over(self, end: int | None) -> bool:
        """Tell whether the content of an element is over, and pass over the mark of its end."""
        if end is not None:
            if self.at > end:
                raise Malformed
            return self.at == end
        if self.data[self.at : self.at + 2] != _END:
            return False
        self.at += 2
        return True


def _octets(part: bytes) -> bytes:
    """Return the content of one of the OCTET STRINGs of a chain."""
    return der.Reader(part).content(der.OCTET_STRING)
