"""From a report to a string, and nothing else: no renderer opens a file or knows of a verdict.

A format is a module with a ``render`` and one line in :data:`FORMATS`. Modules are imported when
their format is asked for, so that ``--help`` pays for none of them.
"""

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


def _json(
    report: model.Report, *, color: bool, verbose: bool, quiet: bool, width: int | None
) -> str:
    from scanner.report import json  # noqa: PLC0415 - see the module docstring

    return json.render(report, color=color, verbose=verbose, quiet=quiet, width=width)


def _sarif(
    report: model.Report, *, color: bool, verbose: bool, quiet: bool, width: int | None
) -> str:
    from scanner.report import sarif  # noqa: PLC0415 - see the module docstring

    return sarif.render(report, color=color, verbose=verbose, quiet=quiet, width=width)


def _junit(
    report: model.Report, *, color: bool, verbose: bool, quiet: bool, width: int | None
) -> str:
    from scanner.report import junit  # noqa: PLC0415 - see the module docstring

    return junit.render(report, color=color, verbose=verbose, quiet=quiet, width=width)


def _markdown(
    report: model.Report, *, color: bool, verbose: bool, quiet: bool, width: int | None
) -> str:
    from scanner.report import markdown  # noqa: PLC0415 - see the module docstring

    return markdown.render(report, color=color, verbose=verbose, quiet=quiet, width=width)


def _html(
    report: model.Report, *, color: bool, verbose: bool, quiet: bool, width: int | None
) -> str:
    from scanner.report import html  # noqa: PLC0415 - see the module docstring

    return html.render(report, color=color, verbose=verbose, quiet=quiet, width=width)


FORMATS: tuple[tuple[str, Render], ...] = (
    ("text", _text),
    ("json", _json),
    ("sarif", _sarif),
    ("junit", _junit),
    ("markdown", _markdown),
    ("html", _html),
)
"""Name on the command line, and renderer; the first is the default."""
