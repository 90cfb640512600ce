"""What a sweep saw of a task, as a digest: so that it need not look again where that is the same.

The digest leaves its process and lies on a disk while a scan is kept, and must be no test of a
guess. So it is keyed, by the fingerprint key where the operator gave one; and of a task in which
little stands it is not made: whoever knows all of a task but a password could try passwords on it.
"""

import hmac
from collections.abc import Sequence

import numpy as np

from scanner.arrays import Bytes

LEAST = 256 << 10
"""Bytes of a task, in blocks that are not all zeros, of which a digest is made."""


class Seal:
    """HMAC-SHA-256 over the windows of one task, their context included, zeros left out."""

    __slots__ = ("_mac", "_seen")

    def __init__(self, salt: bytes, key: bytes) -> None:
        """Begin one for a scan that is kept, which its ``salt`` names; without a salt, none."""
        self._mac = hmac.new(hmac.digest(key, salt, "sha256"), None, "sha256") if salt else None
        self._seen = 0

    def add(self, buffer: Bytes, filled: Sequence[tuple[int, int]]) -> None:
        """Take in a window's buffer, of which all that is no zero is in the ``filled`` ranges."""
        if self._mac is None:
            return
        edges = [edge for limits in filled for edge in limits]
        self._mac.update(np.array([len(buffer), len(edges), *edges], "<i8").tobytes())
        for first, last in filled:
            self._mac.update(buffer.data[first:last])
            self._seen += last - first

    def value(self) -> str:
        """Return the digest in lower-case hex; empty where none is made."""
        return self._mac.hexdigest() if self._mac is not None and self._seen >= LEAST else ""
