"""The regions of a dump as columns: a fragmented or a hostile one has a million of them.

As an object a region takes ten times the bytes that say it, in each process that knows of it, and
as much again while it travels. Here each is a row of numbers, and what it is called, with what may
be done with it, is kept once for all that are called so. Iterating makes objects of them, one at a
time. This module judges nothing: what a row says was checked by whoever adds it.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import overload

from scanner.model import Region

_TOP, _LARGE = 1 << 64, (1 << 62) - 1


class Regions(Sequence[Region]):
    """Regions in the order in which they were added."""

    __slots__ = ("_kinds", "context", "doubted", "file", "kind", "kinds", "size", "start")

    def __init__(self) -> None:
        self.start = array("Q")
        self.size, self.file, self.context = array("q"), array("q"), array("q")
        self.doubted = array("b")
        self.kind = array("i")
        """Which of ``kinds`` a region is."""
        self.kinds: list[tuple[str, str]] = []
        """What regions are called, and what may be done with them, by first use."""
        self._kinds: dict[tuple[str, str], int] = {}

    def add(
        self,
        start: int,
        size: int,
        file: int,
        *,
        perms: str = "",
        name: str = "",
        context: int = 0,
        doubted: bool = False,
    ) -> None:
        """Add a region; all its numbers are within those of a file and an address space."""
        kind = self._kinds.setdefault((name, perms), len(self.kinds))
        if kind == len(self.kinds):
            self.kinds.append((name, perms))
        self.start.append(start)
        self.size.append(size)
        self.file.append(file)
        self.context.append(context)
        self.doubted.append(doubted)
        self.kind.append(kind)

    def __len__(self) -> int:
        return len(self.start)

    @overload
    def __getitem__(self, index: int) -> Region: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Region, ...]: ...

    def __getitem__(self, index: int | slice) -> Region | tuple[Region, ...]:
        if isinstance(index, slice):
            return tuple(self[at] for at in range(*index.indices(len(self))))
        name, perms = self.kinds[self.kind[index]]
        return Region(
            start=self.start[index],
            size=self.size[index],
            file_offset=self.file[index],
            perms=perms,
            name=name,
            context=self.context[index],
            doubted=bool(self.doubted[index]),
        )

    def __iter__(self) -> Iterator[Region]:
        return (self[at] for at in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment] # what may be added to has none; the linter asks

    def renamed(self, called: Callable[[str], str]) -> "Regions":
        """Return the same regions under other names: nothing is added to either any more."""
        other = Regions()
        for column in ("start", "size", "file", "context", "doubted", "kind"):
            setattr(other, column, getattr(self, column))
        other.kinds = [(called(name), perms) for name, perms in self.kinds]
        return other


def columns(regions: Iterable[Region]) -> Regions:
    """Return regions as columns, where they are not that already.

    Sizes and offsets that no file has are cut to a large one; what has no address is left out.
    """
    if isinstance(regions, Regions):
        return regions
    found = Regions()
    for one in regions:
        if not 0 <= one.start < _TOP:
            continue
        found.add(
            one.start,
            max(min(one.size, _LARGE), -_LARGE),
            max(min(one.file_offset, _LARGE), -_LARGE),
            perms=one.perms,
            name=one.name,
            context=one.context,
            doubted=one.doubted,
        )
    return found
