"""The address space: every byte of the file once, and values whole across regions."""

import pickle
import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from scanner.dump import layers, space
from scanner.dump.space import Memory, SpaceMap
from scanner.errors import Unmapped
from scanner.model import Extent, Layout, Place, Region
from tests.dump.dump_bytes import bytes_at, file_of

SIZE = 400
FILE = bytes(random.Random(1).randbytes(SIZE))  # noqa: S311 - bytes to tell apart


def _region(start: int, size: int, offset: int, *, doubted: bool = False) -> Region:
    return Region(start=start, size=size, file_offset=offset, doubted=doubted)


def _build(
    regions: Sequence[Region], size: int = SIZE, *, pointer: int = 8, order: str = "little"
) -> tuple[SpaceMap, set[str]]:
    layout = Layout(format="test", regions=tuple(regions), pointer_size=pointer, byte_order=order)
    space_map, faults = space.build(layout, size)
    return space_map, {fault.code for fault in faults}


def _extents(space_map: SpaceMap) -> list[tuple[int, int]]:
    return sorted(zip(space_map.piece_file.tolist(), space_map.piece_size.tolist(), strict=True))


def test_no_regions() -> None:
    """A file without regions is one space without an address; an empty file is none."""
    space_map, codes = _build([])
    assert (space_map.size.tolist(), space_map.addressed.tolist()) == ([SIZE], [False])
    assert space.find(space_map, 0) is None
    assert codes == set()
    assert space.covered(_build([], 0)[0]) == 0


def test_joins_by_address_not_by_file() -> None:
    """Regions that adjoin in address are one space in any file order; others are not."""
    space_map, codes = _build(
        [_region(0x1010, 16, 100), _region(0x1000, 16, 300), _region(0x2000, 16, 116)]
    )
    assert codes == set()
    assert space_map.base[space_map.addressed].tolist() == [0x1000, 0x2000]
    assert space_map.size[space_map.addressed].tolist() == [32, 16]
    assert not space_map.doubted.any()
    with file_of(FILE) as file:
        memory = Memory(space_map, file)
        assert bytes_at(memory, 0x100C, 8) == FILE[312:316] + FILE[100:104]
        assert memory.read(0, 0, 32) == FILE[300:316] + FILE[100:116]
        with pytest.raises(Unmapped):
            bytes_at(memory, 0x101C, 8)
    assert space.extents(space_map, Place(space=0, offset=12, size=8)) == (
        Extent(file_offset=312, size=4, address=0x100C),
        Extent(file_offset=100, size=4, address=0x1010),
    )


def test_pieces_that_adjoin_in_the_file_are_one() -> None:
    """What adjoins in address and in the file is one extent."""
    space_map, _ = _build([_region(0x1000, 16, 100), _region(0x1010, 16, 116)])
    assert space.extents(space_map, Place(space=0, offset=8, size=16)) == (
        Extent(file_offset=108, size=16, address=0x1008),
    )


def test_bytes_without_address() -> None:
    """What no region covers is a space for each extent, and has no address."""
    space_map, _ = _build([_region(0x1000, 50, 100), _region(0x9000, 50, 200)])
    bare = [(0, 100), (150, 50), (250, 150)]
    assert [
        (extent.file_offset, extent.size)
        for index in np.flatnonzero(~space_map.addressed).tolist()
        for extent in space.extents(
            space_map, Place(space=index, offset=0, size=int(space_map.size[index]))
        )
        if extent.address is None
    ] == bare


def test_overlap_with_other_bytes() -> None:
    """Regions that claim the same addresses for other bytes are spaces of their own, doubted."""
    space_map, codes = _build(
        [_region(0x1000, 64, 0), _region(0x1020, 64, 100), _region(0x1040, 32, 200)]
    )
    assert codes == set()
    assert space_map.base[space_map.addressed].tolist() == [0x1000, 0x1020]
    assert space_map.size[space_map.addressed].tolist() == [96, 64]
    assert space_map.doubted[space_map.addressed].tolist() == [True, True]
    with file_of(FILE) as file:
        memory = Memory(space_map, file)
        assert bytes_at(memory, 0x1020, 8) == FILE[32:40]
        assert memory.read(1, 0, 64) == FILE[100:164]
        assert bytes_at(memory, 0x103C, 8) == FILE[60:64] + FILE[200:204]


def test_doubted_region() -> None:
    """A region that its format doubts makes its space doubted, and no other."""
    space_map, _ = _build([_region(0x1000, 8, 0, doubted=True), _region(0x2000, 8, 8)])
    assert space_map.doubted.tolist() == [True, False, False]


def test_same_bytes_at_same_address() -> None:
    """Aliases, and parts of regions under the same addresses, are no second space."""
    space_map, codes = _build(
        [_region(0x1000, 64, 10), _region(0x1000, 64, 10), _region(0x1010, 80, 26)]
    )
    assert codes == set()
    assert space_map.size[space_map.addressed].tolist() == [96]
    assert not space_map.doubted.any()


def test_same_bytes_at_other_addresses() -> None:
    """The same bytes may stand at several addresses."""
    space_map, codes = _build([_region(0x1000, 64, 10), _region(0x9000, 64, 10)])
    assert codes == set()
    with file_of(FILE) as file:
        memory = Memory(space_map, file)
        assert bytes_at(memory, 0x1000, 64) == bytes_at(memory, 0x9000, 64) == FILE[10:74]
    assert space.covered(space_map) == SIZE


@pytest.mark.parametrize("offset", range(56, 66))
def test_bytes_that_two_regions_share_askew(offset: int) -> None:
    """Where words of shared bytes begin at different places, an offset is wrong: which, none says.

    Both regions are doubted, a third is not; bytes that are shared as words are no damage.
    """
    others = [_region(0x1000, 64, 0), _region(0x3000, 8, 8)]
    space_map, codes = _build([*others, _region(0x2000, 64, offset)])
    doubted = space_map.base[space_map.doubted & space_map.addressed].tolist()
    askew = offset < 64 and offset % 8 != 0
    assert codes == ({"damaged-table"} if askew else set())
    assert doubted == ([0x1000, 0x2000] if askew else [])


def test_too_many_layers() -> None:
    """Where more regions overlap than can be told apart, the bytes of the others are swept."""
    space_map, codes = _build([_region(0x1000 + index, 20, 20 * index) for index in range(12)])
    assert codes == {"limit-overlaps"}
    assert np.count_nonzero(space_map.addressed) == layers.MAX_LAYERS
    assert space_map.doubted.all()
    assert space.covered(space_map) == SIZE


def test_each_pair_that_adjoins_is_read() -> None:
    """Where both sides of an edge are there twice, any of one may go on in any of the other."""
    before, behind = (100, 200), (300, 350)
    regions = [_region(0x1000, 16, at) for at in before] + [
        _region(0x1010, 16, at) for at in behind
    ]
    space_map, codes = _build(regions)
    assert codes == set()
    with file_of(FILE) as file:
        memory = Memory(space_map, file)
        wholes = [memory.read(i, 0, n) for i, n in enumerate(space_map.size.tolist())]
    for one in before:
        for other in behind:
            joined = FILE[one : one + 16] + FILE[other : other + 16]
            assert any(joined in whole for whole in wholes)
    assert space.covered(space_map) == SIZE


def test_too_many_pairs_that_adjoin(monkeypatch: pytest.MonkeyPatch) -> None:
    """More of them than are read are a fault."""
    monkeypatch.setattr(layers, "MAX_PAIRS", 3)
    regions = [
        _region(start, 16, 40 * index + 20 * (start > 0x1000))
        for index in range(3)
        for start in (0x1000, 0x1010)
    ]
    assert _build(regions)[1] == {"limit-overlaps"}


def test_too_many_aliases() -> None:
    """Regions that repeat the file without end are left out, under a fault."""
    size = 1 << 26
    regions = [_region(size * index, size, 0) for index in range(20)]
    space_map, codes = _build(regions, size)
    assert codes == {"limit-aliases"}
    assert int(space_map.size.sum()) <= 5 * size
    assert space.covered(space_map) == size


def test_ends_of_the_address_space() -> None:
    """The first and the last address are addresses; what is past the last is not."""
    top = (1 << 64) - 16
    space_map, codes = _build([_region(0, 16, 0), _region(top, 16, 16)])
    assert codes == set()
    assert space.find(space_map, (1 << 64) - 1) == (1, 15)
    assert space.find(space_map, 0) == (0, 0)
    for address in (-1, 1 << 64, top - 1, 16):
        assert space.find(space_map, address) is None
    space_map, codes = _build([_region(top, 40, 0)])
    assert codes == {"address-wrap"}
    assert space_map.size.tolist() == [16, SIZE - 16]
    assert space_map.doubted.tolist() == [True, False]


def test_regions_that_lie() -> None:
    """Regions outside of the file, or without bytes, are none."""
    space_map, _ = _build(
        [
            _region(0x1000, 0, 0),
            _region(0x1000, -5, 0),
            _region(0x1000, 8, SIZE),
            _region(0x1000, 8, -8),
            _region(1 << 64, 8, 0),
            _region(0x2000, 1 << 70, SIZE - 8),
        ]
    )
    assert space_map.size.tolist() == [8, SIZE - 8]


def test_reads_stay_in_their_space() -> None:
    """A read outside of its space is Unmapped; clip gives what is inside."""
    space_map, _ = _build([_region(0x1000, 16, 100)])
    with file_of(FILE) as file:
        memory = Memory(space_map, file)
        for place in ((0, 8, 9), (0, -1, 4), (0, 0, -1), (9, 0, 1), (-1, 0, 1)):
            with pytest.raises(Unmapped):
                memory.read(*place)
            with pytest.raises(Unmapped):
                space.extents(space_map, Place(space=place[0], offset=place[1], size=place[2]))
        assert memory.clip(0, -4, 8) == FILE[100:104]
        assert memory.clip(0, 12, 100) == FILE[112:116]
        for place in ((0, 16, 5), (0, -9, 4), (7, 0, 4), (0, 4, -2)):
            assert memory.clip(*place) == b""
        view = np.zeros(6, np.uint8)
        memory.readinto(0, 10, memoryview(view))
        assert view.tobytes() == FILE[110:116]


def test_map_can_be_sent() -> None:
    """A map survives pickling, and holds no bytes of the file."""
    space_map, _ = _build([_region(0x1000, 16, 100), _region(0x1008, 16, 200)])
    sent = pickle.dumps(space_map)
    assert FILE[100:108] not in sent
    again = pickle.loads(sent)  # noqa: S301 - our own, made above
    assert space.find(again, 0x1008) == space.find(space_map, 0x1008)
    assert again.piece_file.tolist() == space_map.piece_file.tolist()


_REGIONS = st.lists(
    st.builds(
        _region,
        st.one_of(st.integers(0, 300), st.integers((1 << 64) - 40, (1 << 64) - 1)),
        st.integers(0, 60),
        st.integers(0, SIZE),
        doubted=st.booleans(),
    ),
    max_size=25,
)


@limits(max_examples=30, deadline=None)
@given(_REGIONS)
def test_every_byte_once(regions: list[Region]) -> None:
    """Whatever the regions, each byte of the file is in a space, and each address is a region's."""
    space_map, codes = _build(regions)
    assert "uncovered" not in codes
    assert space.covered(space_map) == SIZE
    covered = bytearray(SIZE)
    for offset, size in _extents(space_map):
        covered[offset : offset + size] = b"\1" * size
    assert covered == b"\1" * SIZE
    claims = {
        (region.start + step, region.file_offset + step)
        for region in regions
        for step in range(region.size)
    }
    for index in np.flatnonzero(space_map.addressed).tolist():
        whole = Place(space=index, offset=0, size=int(space_map.size[index]))
        for extent in space.extents(space_map, whole):
            assert extent.address is not None
            for step in range(extent.size):
                assert (extent.address + step, extent.file_offset + step) in claims


@limits(max_examples=30, deadline=None)
@given(st.data())
def test_stitching(data: st.DataObject) -> None:
    """A run of memory that is cut anywhere and stored in any order is read as it was."""
    cuts = sorted(data.draw(st.sets(st.integers(1, 199), max_size=8)))
    bounds = list(zip([0, *cuts], [*cuts, 200], strict=True))
    order = data.draw(st.permutations(range(len(bounds))))
    memory, stored, regions = FILE[:200], bytearray(b"head"), {}
    for index in order:
        start, end = bounds[index]
        regions[index] = _region(0x7000 + start, end - start, len(stored))
        stored += memory[start:end] + b"?" * data.draw(st.integers(0, 3))
    listed = [regions[index] for index in data.draw(st.permutations(range(len(bounds))))]
    space_map, codes = _build(listed, len(stored))
    assert codes == set()
    assert np.count_nonzero(space_map.addressed) == 1
    with file_of(bytes(stored)) as file:
        reader = Memory(space_map, file)
        first = data.draw(st.integers(0, 199))
        size = data.draw(st.integers(1, 200 - first))
        assert bytes_at(reader, 0x7000 + first, size) == memory[first : first + size]
        assert reader.read(0, first, size) == memory[first : first + size]


@limits(max_examples=30, deadline=None)
@given(_REGIONS, st.data())
def test_many_ranges_lie_where_each_does(regions: list[Region], data: st.DataObject) -> None:
    """The places of many ranges in the file are those of each."""
    space_map, _ = _build(regions)
    rows = []
    for _ in range(data.draw(st.integers(0, 6))):
        index = data.draw(st.integers(0, len(space_map.size) - 1))
        start = data.draw(st.integers(0, int(space_map.size[index]) - 1))
        rows.append((index, start, data.draw(st.integers(start + 1, int(space_map.size[index])))))
    columns = np.array(rows, np.int64).reshape(-1, 3).T
    places = [Place(space=index, offset=start, size=end - start) for index, start, end in rows]
    one_by_one = [extent for place in places for extent in space.extents(space_map, place)]
    assert sorted(space.in_file(space_map, *columns)) == sorted(
        (extent.file_offset, extent.file_offset + extent.size) for extent in one_by_one
    )


@limits(max_examples=30, deadline=None)
@given(_REGIONS, st.data())
def test_what_is_read_together_is_what_stands_there(
    regions: list[Region], data: st.DataObject
) -> None:
    """Little bytes asked for one after the other, in any space, are those of a file in reach."""
    reach = data.draw(st.sampled_from((1, 8, 64)))
    space_map, _ = _build(regions)
    rows = data.draw(
        st.lists(
            st.tuples(
                st.integers(0, len(space_map.size) - 1), st.integers(-9, SIZE), st.integers(0, 90)
            ),
            max_size=9,
        )
    )
    with file_of(FILE) as file, pytest.MonkeyPatch.context() as patch:
        patch.setattr(space, "_NEAR", reach)
        patch.setattr(space, "_AROUND", 2 * reach)
        memory, counted = Memory(space_map, file), 0
        for index, offset, size in rows:
            first, last = max(offset, 0), min(offset + size, int(space_map.size[index]))
            plain = Memory(space_map, file)
            wanted = plain.read(index, first, last - first) if first < last else b""
            assert memory.clip(index, offset, size) == wanted
            counted += len(wanted)
            assert memory.taken == counted


@limits(max_examples=60, deadline=None)
@given(_REGIONS, st.integers(0, 40), st.integers(2, 8), st.data())
def test_many_ranges_are_read_as_each_is(
    regions: list[Region], beside: int, together: int, data: st.DataObject
) -> None:
    """Whatever is read at once: nothing of one range comes into another."""
    space_map, _ = _build(regions)
    rows = []
    for _ in range(data.draw(st.integers(1, 12))):
        index = data.draw(st.integers(0, len(space_map.size) - 1))
        offset = data.draw(st.integers(0, int(space_map.size[index])))
        rows.append((index, offset, data.draw(st.integers(0, int(space_map.size[index]) - offset))))
    spaces, offsets, sizes = np.array(rows, np.int64).T
    starts = np.append(0, np.cumsum(sizes))
    got = np.full(int(starts[-1]), 0xEE, np.uint8)
    with file_of(FILE) as file, pytest.MonkeyPatch.context() as patch:
        patch.setattr(space, "_BESIDE", beside)
        patch.setattr(space, "_TOGETHER", together)
        memory = Memory(space_map, file)
        memory.read_many(spaces, offsets, sizes, got.data, starts[:-1])
        assert got.tobytes() == b"".join(memory.read(*row) for row in rows)


@limits(max_examples=30, deadline=None)
@given(_REGIONS, st.integers(0, 400))
def test_find_gives_a_region_that_has_it(regions: list[Region], address: int) -> None:
    """An address is found where the regions that are not left out have it, and nowhere else."""
    space_map, codes = _build(regions)
    found = space.find(space_map, address)
    if any(
        0 <= address - region.start < min(region.size, SIZE - region.file_offset)
        for region in regions
    ):
        assert found is not None or "limit-overlaps" in codes
    else:
        assert found is None
    there = space.mapped(space_map, np.array([address, 1 << 63], np.uint64))
    assert there.tolist() == [found is not None, False]
