"""Regions as columns: what goes in comes out, in any process, and no object is kept for each."""

import pickle

from hypothesis import given
from hypothesis import strategies as st

from fixtures import elfcore
from scanner import dump, regions
from scanner.model import Region
from scanner.regions import Regions
from tests.dump.dump_bytes import file_of

REGIONS = st.builds(
    Region,
    start=st.integers(0, 2**64 - 1),
    size=st.integers(1, 2**40),
    file_offset=st.integers(0, 2**40),
    perms=st.sampled_from(["", "r", "rw"]),
    name=st.text(max_size=4),
    context=st.integers(0, 2**52),
    doubted=st.booleans(),
)


@given(st.lists(REGIONS, max_size=8))
def test_what_goes_in_comes_out(rows: list[Region]) -> None:
    """As a sequence, columns are the regions that were added, before and after a journey."""
    made = regions.columns(rows)
    for one in (made, pickle.loads(pickle.dumps(made))):  # noqa: S301 - our own
        assert one == tuple(rows)
        assert list(one) == rows
        assert one[1:5:2] == tuple(rows[1:5:2])
        assert sum(one.size) == sum(row.size for row in rows)
    assert regions.columns(made) is made
    assert (made == tuple(rows[1:])) is (not rows)


def test_names_are_kept_once() -> None:
    """A name is kept once for all regions that are called so, and changed for all of them."""
    made = regions.columns(
        Region(start=at, size=1, file_offset=at, name="ab"[at % 2], perms="r") for at in range(9)
    )
    assert made.kinds == [("a", "r"), ("b", "r")]
    other = made.renamed(lambda name: name.upper())
    assert [one.name for one in other] == [*"ABABABABA"]
    assert [one.name for one in made] == [*"ababababa"]


def test_what_a_reader_gives() -> None:
    """A reader's regions are columns: a pickled one takes a few bytes for each."""
    core = elfcore.write(
        [elfcore.Segment(address=0x10000 + 0x2000 * at, data=b"x" * 64) for at in range(500)]
    )
    layout = dump.read_layout(file_of(core.data))
    assert isinstance(layout.regions, Regions)
    assert len(layout.regions) == 500
    assert len(pickle.dumps(layout.regions)) < 500 * 40 + 500


def test_what_no_file_has() -> None:
    """Numbers that no file has are cut; what has no address is left out."""
    made = regions.columns(
        [
            Region(start=1 << 64, size=1, file_offset=0),
            Region(start=7, size=1 << 70, file_offset=-(1 << 70)),
        ]
    )
    assert [(one.start, one.size, one.file_offset) for one in made] == [
        (7, (1 << 62) - 1, 1 - (1 << 62))
    ]
