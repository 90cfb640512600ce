"""Text with more than a byte a character: what stands between one character and the next.

UTF-16 and UTF-32 have zeros there, other strings a tag, a terminal the colours of each cell. What
is not between two characters of such a text is none of it. This module looks for no text.
"""

from dataclasses import dataclass

import numpy as np

from scanner.arrays import Bytes, Flags


@dataclass(frozen=True, slots=True, kw_only=True)
class Stride:
    """What follows a character up to the next; the first byte of a word or the last may be one."""

    name: str
    gap: bytes

    @property
    def size(self) -> int:
        """Return the bytes from one character to the next."""
        return 1 + len(self.gap)

    def spread(self, text: bytes) -> bytes:
        """Return characters with what is between them."""
        return self.gap.join(text[at : at + 1] for at in range(len(text)))

    def ahead(self, head: bytes) -> int:
        """Return which byte of a word is its character, where the first words have some."""
        return next((at for at in range(self.size) if head[at + 1 :].startswith(self.gap)), 0)

    def rows(self, raw: bytes) -> Bytes:
        """Return bytes as characters and what follows each, [characters, size]."""
        return np.frombuffer(raw + bytes(-len(raw) % self.size), np.uint8).reshape(-1, self.size)

    def followed(self, rows: Bytes) -> Flags:
        """Tell which characters have a gap behind them: of a text, all but the last."""
        found: Flags = (rows[:, 1:] == np.frombuffer(self.gap, np.uint8)).all(axis=1)
        return found

    def plain(self, raw: bytes) -> bytes:
        """Return the characters of words, a byte each; zeros for what no gap stands beside."""
        if not self.gap:
            return raw
        rows = self.rows(raw)
        beside = self.followed(rows)
        beside[1:] |= beside[:-1].copy()
        return (rows[:, 0] * beside).tobytes()
