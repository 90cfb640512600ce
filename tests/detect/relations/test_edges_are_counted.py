"""What tries every edge cuts no list unseen: one function does it, and says how many are left.

Read from the source: in the modules of edges nothing else ends a list at a count, and whoever asks
that function for places looks at what it left, but for those whose reason stands here.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from scanner.detect import relations

ROOM = Path(relations.__file__).parent
MODULES = sorted(ROOM.glob("*/edges.py"))
CUTTER = "find"

UNCOUNTED = {
    (
        "weierstrass",
        "_bare",
    ): "a bare point is no public key that was read: it is a guess",
    ("rsa", "_numbers"): "known moduli are searched in each section, and bare ones are a guess",
}


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    """Yield the functions of a module."""
    tree = ast.parse(path.read_text("utf-8"))
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def cuts(node: ast.AST) -> Iterator[str]:
    """Yield what ends a list at a count: [:most], islice(rows, most), a loop that stops at one."""
    for part in ast.walk(node):
        match part:
            case ast.Slice(lower=None, upper=ast.expr() as upper, step=None):
                if not isinstance(upper, ast.Constant | ast.UnaryOp):
                    yield ast.unparse(part)
            case ast.Call(func=ast.Attribute(attr="islice") | ast.Name(id="islice")):
                yield ast.unparse(part)
            case ast.Break():
                yield "break"


ALLOWED = {
    "itertools.islice(primes, together)",  # a batch: the loop goes on with the next one
    ":rows.shape[1]",  # the columns that a number fills
    ":half",  # both halves are looked at
}


def test_there_are_such_modules() -> None:
    """The search finds what it shall judge."""
    assert [path.parent.name for path in MODULES] == ["edwards", "rsa", "weierstrass"]


@pytest.mark.parametrize("path", MODULES, ids=[path.parent.name for path in MODULES])
def test_nothing_is_cut_unseen(path: Path) -> None:
    """No list ends at a count but where places are found, and what that left is looked at."""
    for function in functions(path):
        assert set(cuts(function)) <= ALLOWED, function.name
        text = ast.unparse(function)
        if f"every_edge.{CUTTER}(" in text and (path.parent.name, function.name) not in UNCOUNTED:
            assert ".left" in text, function.name


@pytest.mark.parametrize(
    "line", ["rows[:most]", "itertools.islice(rows, most)", "for row in rows:\n    break"]
)
def test_a_cut_is_seen(line: str) -> None:
    """The judge knows a cut."""
    assert list(cuts(ast.parse(line)))
