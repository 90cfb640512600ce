"""The memory that detectors are tested on: some bytes, in one space."""


class Bytes:
    """Memory of one space that holds ``data``."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def clip(self, space: int, offset: int, size: int, /) -> bytes:
        """Return what of a range lies inside."""
        assert space == 0
        return self.data[max(offset, 0) : max(offset + size, 0)]
