"""Places have the names that the dump's own tables give them, and no path is shown."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from scanner.dump import space
from scanner.labels import WITHHELD, Labels, withheld
from scanner.model import Extent, Label, Layout, Module, Place, Region, Thread

LAYOUT = Layout(
    format="minidump",
    regions=(
        Region(start=0x5000, size=0x1000, file_offset=0x2000, name="C:\\dir\\data.bin"),
        Region(start=0x1000, size=0x1000, file_offset=0x1000, perms="rw"),
        Region(start=0x9000, size=0x1000, file_offset=0x3000, perms="rx", name="/usr/lib/libc.so"),
    ),
    labels=(
        Label(file_offset=0, size=0x100, name="header"),
        Label(file_offset=0x200, size=0x100, name="stream CommentW"),
    ),
    modules=(
        Module(start=0x9000, size=0x1000, name="/usr/lib/libc.so"),
        Module(start=0x4000, size=0x1800, name="C:\\Windows\\app.exe"),
    ),
    threads=(
        Thread(id=0x10, stack_start=0x1800, stack_size=0x800),
        Thread(id=0x11),
        Thread(id=0x12, stack_start=0x1000, stack_size=0x400),
    ),
)
LABELS = Labels.of(LAYOUT)


def at(address: int | None, file_offset: int = 0) -> Extent:
    """Make an extent."""
    return Extent(file_offset=file_offset, size=16, address=address)


def test_regions() -> None:
    """A region has its base name, else what may be done with it; a gap is plain memory."""
    assert LABELS.region(at(0x1234)) == "memory rw"
    assert LABELS.region(at(0x5000)) == "data.bin"
    assert LABELS.region(at(0x9FFF)) == "libc.so"
    assert [LABELS.region(at(a)) for a in (0, 0x3000, 0xA000, 2**64 - 1)] == ["memory"] * 4


def test_bytes_without_an_address() -> None:
    """File-only bytes have the name of their part of the file."""
    assert LABELS.region(at(None, 0x20)) == "header"
    assert LABELS.region(at(None, 0x2FF)) == "stream CommentW"
    for offset in (0x150, 0x300, 1 << 40):
        assert LABELS.region(at(None, offset)) == "outside of every region"
    assert LABELS.owner(at(None, 0x20)) == ""


def test_owners() -> None:
    """A stack belongs to its thread, an image to its module, the rest to nobody."""
    assert LABELS.owner(at(0x1000)) == "stack of thread 0x12"
    assert LABELS.owner(at(0x1400)) == ""
    assert LABELS.owner(at(0x1FFF)) == "stack of thread 0x10"
    assert LABELS.owner(at(0x57FF)) == "app.exe"
    assert LABELS.owner(at(0x5800)) == ""
    assert LABELS.owner(at(0x9100)) == "libc.so"


def test_an_empty_layout() -> None:
    """Without tables everything is memory that belongs to nobody."""
    empty = Labels.of(Layout(format="raw"))
    assert (empty.region(at(5)), empty.owner(at(5))) == ("memory", "")
    assert empty.region(at(None)) == "outside of every region"


def test_a_name_that_holds_a_finding_is_withheld() -> None:
    """A region and a module whose name shares a byte with what was found have no name."""
    layout = replace(
        LAYOUT,
        modules=(
            replace(LAYOUT.modules[0], name_offset=0x200, name_size=16),
            replace(LAYOUT.modules[1], name_offset=0x210, name_size=20),
        ),
    )
    space_map, _ = space.build(layout, 0x4000)
    header = next(k for k in range(len(space_map.size)) if not space_map.addressed[k])
    names = {0: "libc.so", 1: "app.exe"}
    rows = [(0x1F0, 16), (0x1F0, 17), (0x20F, 1), (0x20F, 2), (0x223, 9), (0x224, 9), (0, 0x1000)]
    for (offset, size), held in zip(rows, [(), (0,), (0,), (0, 1), (1,), (), (0, 1)], strict=True):
        found = withheld(layout, space_map, [Place(space=header, offset=offset, size=size)])
        assert found == {names[k] for k in held}
        labels = Labels.of(layout, found)
        expected = WITHHELD if 0 in held else "libc.so"
        assert labels.region(at(0x9FFF)) == labels.owner(at(0x9FFF)) == expected
        assert labels.owner(at(0x57FF)) == (WITHHELD if 1 in held else "app.exe")
    assert withheld(LAYOUT, space_map, [Place(space=header, offset=0, size=0x1000)]) == set()


@given(st.none() | st.integers(0, 2**64 - 1), st.integers(0, 2**40))
def test_labels_never_hold_a_path(address: int | None, file_offset: int) -> None:
    """Wherever an extent lies, its labels are told, without a folder in them."""
    extent = at(address, file_offset)
    label = LABELS.region(extent) + LABELS.owner(extent)
    assert "/" not in label
    assert "\\" not in label
