"""What a person sees while waiting: progress on stderr, and only where that is a terminal.

The one string in it that is not ours is the escaped base name of the path. This module refuses to
be the reason that a scan fails.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from scanner.deliver import is_terminal
from scanner.progress import Silence
from scanner.report.printable import printable
from scanner.urls import shown

_NAME_WIDTH = 40


class Bar:
    """Progress on a terminal: phase, bytes, rate, time left."""

    def __init__(self, display: Progress, name: str) -> None:
        self._display, self._name = display, name
        self._task = display.add_task(f"{name}  opening", total=None)

    def phase(self, name: str, total_bytes: int) -> None:
        """Begin a phase of ``total_bytes``."""
        with contextlib.suppress(Exception):
            said = f"{self._name}  {printable(name)}"
            self._display.remove_task(self._task)  # reset() keeps a total that is not known now
            self._task = self._display.add_task(said, total=total_bytes or None)

    def advance(self, count: int) -> None:
        """Move on by so many bytes."""
        with contextlib.suppress(Exception):
            self._display.advance(self._task, count)

    def done(self) -> None:
        """Take the bar away."""
        with contextlib.suppress(Exception):
            self._display.remove_task(self._task)

    def aside(self, say: Callable[[], None]) -> None:
        """Let something be said on stderr, above the bar."""
        with contextlib.suppress(Exception):
            self._display.stop()
        say()
        with contextlib.suppress(Exception):
            self._display.start()


def aside(progress: Bar | Silence, say: Callable[[], None]) -> None:
    """Let something be said on stderr, above the bar where there is one."""
    if isinstance(progress, Bar):
        progress.aside(say)
    else:
        say()


def _display(*columns: ProgressColumn, color: bool) -> Progress:
    """Return what shows a name, a bar and some columns on stderr, until it is done."""
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        *columns,
        console=Console(stderr=True, no_color=not color, highlight=False, emoji=False),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )


@contextlib.contextmanager
def counted(total: int, *, quiet: bool, color: bool) -> Iterator[Callable[[], None]]:
    """Show how many of ``total`` dumps are done, likewise; what is given counts one more."""
    if quiet or not is_terminal(sys.stderr):
        yield lambda: None
        return
    display = _display(
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
        color=color,
    )
    task = display.add_task("dumps", total=total)
    with display:
        yield lambda: display.advance(task)


class _Measured(ProgressColumn):
    """A column that is empty while nobody knows how much there is to do."""

    def __init__(self, column: ProgressColumn) -> None:
        self._column = column
        super().__init__()

    def render(self, task: Task) -> RenderableType:
        """Draw the column within, or nothing."""
        return self._column.render(task) if task.total is not None else ""


@contextlib.contextmanager
def progress(
    path: str, *, quiet: bool, color: bool, turn: tuple[int, int] = (1, 1)
) -> Iterator[Bar | Silence]:
    """Show progress of one dump on stderr while the block runs, where somebody can see it.

    ``turn`` is which file of how many it is.
    """
    if quiet or not is_terminal(sys.stderr):
        yield Silence()
        return
    path = shown(path)
    name = printable(os.path.basename(path) or path, _NAME_WIDTH)  # noqa: PTH119 - "-" and "" too
    if turn[1] > 1:
        name = f"{turn[0]}/{turn[1]}  {name}"
    display = _display(
        _Measured(DownloadColumn(binary_units=True)),
        _Measured(TransferSpeedColumn()),
        _Measured(TimeRemainingColumn(compact=True)),
        color=color,
    )
    with display:
        yield Bar(display, name)
