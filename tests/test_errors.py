"""Errors in three parts: each a phrase that begins small and ends without a full stop."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from scanner import errors

SCANNER = Path(errors.__file__).parent
RAISED = {
    name
    for name, kind in vars(errors).items()
    if inspect.isclass(kind) and issubclass(kind, errors.ScannerError)
}
NAMES = ("Dask ", "PEP ", "URLs ", "PEM ", "Kingfisher ")
"""What is written large wherever it stands."""


def said(tree: ast.Module) -> Iterator[ast.expr]:
    """Yield what is given as a part of an error: directly, or to a function that passes it on."""
    makers = {**dict.fromkeys(RAISED, frozenset[str]()), "complain": frozenset[str]()}
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            named = {argument.arg for argument in function.args.args}
            passed = {part.id for part in parts(function, makers) if isinstance(part, ast.Name)}
            if passed & named:
                makers[function.name] = frozenset(passed & named)
    yield from parts(tree, makers)


def parts(tree: ast.AST, makers: dict[str, frozenset[str]]) -> Iterator[ast.expr]:
    """Yield the arguments of calls that make errors, all but what names a file or a rule."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        if name in makers:
            yield from call.args
            yield from (word.value for word in call.keywords if word.arg in {"reason", "hint"})


def text(part: ast.expr) -> str:
    """Return what a literal begins and ends with; a value within it is a small letter."""
    match part:
        case ast.Constant(value=str(value)):
            return value
        case ast.JoinedStr(values=values):
            return "".join(text(value) for value in values)
        case ast.FormattedValue():
            return "x"
        case ast.IfExp(body=one, orelse=other):
            return text(one) or text(other)
        case _:
            return ""


def test_parts_of_errors_are_phrases() -> None:
    """Whoever reads three lines of one error, or two errors, meets one way of writing."""
    found = [
        (path.name, part.lineno, text(part))
        for path in sorted(SCANNER.rglob("*.py"))
        for part in said(ast.parse(path.read_text("utf-8")))
    ]
    written = [(name, line, words) for name, line, words in found if words]
    assert len(written) > 200
    large = [
        row for row in written if errors.phrase(row[2]) != row[2] and not row[2].startswith(NAMES)
    ]
    assert large == []


@pytest.mark.parametrize(
    ("sentence", "phrase"),
    [
        ("No such file or directory", "no such file or directory"),
        ("RPC struct is bad", "RPC struct is bad"),
        ("Missing option '--key'.", "missing option '--key'"),
        ("A worker was lost.", "a worker was lost"),
        ("", ""),
    ],
)
def test_phrase(sentence: str, phrase: str) -> None:
    """What the system and click say is said as we say things; abbreviations stay large."""
    assert errors.phrase(sentence) == phrase


def test_cause() -> None:
    """Why a file was refused is the system's word for it, else a class name, never a message."""
    assert errors.cause(FileNotFoundError(2, "No such file or directory")) == (
        "no such file or directory"
    )
    assert errors.cause(OSError("sk_live_secret")) == "OSError"
    assert errors.cause(ValueError("embedded null byte: sk_live_secret")) == "it is no path"
