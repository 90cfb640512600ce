"""From a report to a string, and nothing else: no renderer opens a file or knows of a verdict.

A format is a module with a ``render`` and one line in :data:`FORMATS`. Modules are imported when
their format is asked for, so that ``--help`` pays for none of them.
"""

from importlib import import_module
from typing import Protocol

from scanner import model


class Render(Protocol):
    """What a format does: a pure function of the report and of how it should look.

    ``width`` is that of the terminal, None where there is none.
    """

    def __call__(
        self, report: model.Report, *, color: bool, verbose: bool, quiet: bool, width: int | None
    ) -> str:
        """Return the whole output, ended by a line feed."""
        ...


def _text(
    report: model.Report, *, color: bool, verbose: bool, quiet: bool, width: int | None
) -> str:
    from scanner.report import text  # noqa: PLC0415 - see the module docstring

    return text.render(report, color=color, verbose=verbose, quiet=quiet, width=width)


def _plain(module: str) -> Render:
    """Return what renders by a module whose output looks the same wherever it is read."""

    def render(report: model.Report, **_look: object) -> str:
        made: str = import_module(f"scanner.report.{module}").render(report)
        return made

    return render


FORMATS: tuple[tuple[str, Render], ...] = (
    ("text", _text),
    ("json", _plain("json")),
    ("sarif", _plain("sarif")),
    ("junit", _plain("junit")),
    ("markdown", _plain("markdown")),
    ("html", _plain("html")),
)
"""Name on the command line, and renderer; the first is the default."""
