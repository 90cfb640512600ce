"""How far a scan is: what hears of it. Never hears anything of a dump's contents."""

from typing import Protocol


class Progress(Protocol):
    """Hears how far a scan is."""

    def phase(self, name: str, total_bytes: int) -> None:
        """Begin a phase."""
        ...

    def advance(self, count: int) -> None:
        """Count bytes of the phase as done."""
        ...

    def done(self) -> None:
        """End the scan of one dump."""
        ...


class Silence:
    """Progress that nobody watches."""

    def phase(self, name: str, total_bytes: int) -> None:
        """See Progress."""

    def advance(self, count: int) -> None:
        """See Progress."""

    def done(self) -> None:
        """See Progress."""
