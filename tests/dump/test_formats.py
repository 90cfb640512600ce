"""Which format a file is, and what is said where none can be read."""

import pytest

from scanner import dump
from scanner.model import Layout
from tests.dump.dump_bytes import elfcore, file_of, minidump


def _layout(data: bytes) -> Layout:
    with file_of(data) as file:
        return dump.read_layout(file)


def test_first_format_that_fits() -> None:
    """Magic decides, in the file's own byte order."""
    for order in "<>":
        assert _layout(minidump(order=order)).format == "minidump"
        assert _layout(elfcore([(0, b"x", 1)], order=order)).format == "elfcore"


@pytest.mark.parametrize("data", [b"", b"M", b"plain bytes " * 50, b"\x7fELF\2\1\1" + bytes(90)])
def test_unknown_bytes_are_raw(data: bytes) -> None:
    """What no format knows has no regions and no fault; others decide whether it may pass."""
    assert _layout(data) == Layout(format="raw")


@pytest.mark.parametrize(("data", "name"), [(b"MDMP", "minidump"), (elfcore([])[:50], "elfcore")])
def test_useless_header(data: bytes, name: str) -> None:
    """A header that cannot be used is a fault of the format that it claims."""
    layout = _layout(data)
    assert layout.format == name
    assert [fault.code for fault in layout.faults] == ["damaged"]


def test_every_format_once() -> None:
    """The formats stand in a tuple, each under a name of its own, a hidden minidump last."""
    *names, last = (form.name for form in dump.FORMATS)
    assert len(set(names)) == len(names)
    assert last == "minidump"
    assert "raw" not in names
