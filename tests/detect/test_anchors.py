"""All engines find the same anchors, each of them once."""

import dataclasses
import functools
import pickle
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner import rules
from scanner.detect import anchors, expressions
from scanner.ruleanchors import Anchor, Word
from scanner.rules import Rule

ENGINES = [
    pytest.param(
        name,
        marks=[]
        if name == "re" or getattr(expressions, name) is not None
        else pytest.mark.skip(reason=f"{name} is not installed"),
    )
    for name in ("hyperscan", "re2", "re")
]


def _anchor(
    limits: Iterable[tuple[int, int]], source: str = "", aligned: Word | None = None
) -> Anchor:
    """Return an anchor of bytes that are from one value to another."""
    low, high = map(bytes, zip(*limits, strict=True))
    return Anchor(source=source, low=low, high=high, aligned=aligned)


def _rule(name: str, *ranges: tuple[tuple[int, int], ...]) -> Rule:
    template = rules.load()[0]
    found = tuple(map(_anchor, ranges))
    return dataclasses.replace(template, id=name, anchors=found)


def _literal(data: bytes) -> tuple[tuple[int, int], ...]:
    return tuple((byte, byte) for byte in data)


def _hex(source: str) -> Anchor:
    """Read an anchor as rules write it."""
    ranges = []
    for token in source.split():
        ends = ["00", "ff"] if token == "??" else token.strip("[]").split("-")  # noqa: S105 - a byte
        ranges.append((int(ends[0], 16), int(ends[-1], 16)))
    return _anchor(ranges, source)


def _naive(given_rules: tuple[Rule, ...], data: bytes) -> list[tuple[int, int]]:
    """Find the anchors by comparing every byte of every place."""
    return [
        (index, start)
        for start in range(len(data))
        for index, rule in enumerate(given_rules)
        if any(
            start + len(anchor.low) <= len(data)
            and all(
                low <= byte <= high
                for byte, low, high in zip(data[start:], anchor.low, anchor.high, strict=False)
            )
            for anchor in rule.anchors
        )
    ]


OVERLAPPING = (
    _rule("a", _literal(b"\0\0\0"), _literal(b"\0\0\0\0")),
    _rule("b", ((0, 0), (0, 255), (0x80, 0xFF))),
    _rule("c", _literal(b"\n.\n"), _literal(b"[]\\^-")),
    _rule("d"),
    _rule("e", ((10, 10), (0, 255), (10, 10))),
    _rule("f", _literal(b"\0\0\0[]\\\x80"), _literal(b"[]\\\0\0\0\x80"), _literal(b"[]\\\0\0\0")),
    _rule(
        "g", (*_literal(b"\0\0\0"), (0, 255), *_literal(b"[]\\"), (0, 255), *_literal(b"\0\0\0\n"))
    ),
)

PIECES = (b"\0", b"\0\0\0", b"\x80", b"\xff", b"\n", b".", b"[]\\", b"[", b"]", b"\\", b"^-")


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=30)
@given(data=st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join))
def test_every_engine_agrees_with_comparing_bytes(engine: str, data: bytes) -> None:
    """Overlapping anchors, metacharacters, line feeds and high bytes are all found, once each."""
    sweeper = anchors.open_sweeper(anchors.compile_anchors(OVERLAPPING), engine)
    assert _naive(OVERLAPPING, data) == sweeper.sweep(data)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("mark", [b"PRIVATE KEY-----", b"\x01\0\0\0\x07ssh-rsa\0\0\0\x03"])
def test_calls_into_the_engine_leave_no_seam(engine: str, mark: bytes) -> None:
    """An anchor at any distance from a call's end is found once, and so is one at the very end."""
    found = (_rule("pem", _literal(mark)),)
    sweeper = anchors.open_sweeper(anchors.compile_anchors(found), engine)
    for shift in range(-len(mark) - 1, 2):
        data = bytearray(2 * anchors.CALL + len(mark))
        places = [anchors.CALL + shift, 2 * anchors.CALL]
        for place in places:
            data[place : place + len(mark)] = mark
        assert [(0, place) for place in places] == sweeper.sweep(memoryview(data))


WAYS: tuple[tuple[bool, bool, tuple[Word | None, ...]], ...] = (
    (False, False, (None, Word(at=0))),
    (True, False, (None, Word(at=0), Word(at=0, size=4))),
    (False, True, (None, Word(at=0, big=True))),
)
"""Whether words of 32 bits are looked at, or of big-endian machines, and what anchors have then."""


def _planted(shipped: tuple[Rule, ...]) -> tuple[bytes, dict[Word | None, set[tuple[int, int]]]]:
    """Write an anchor of each kind among random bytes; tell where, by the word that it has."""
    rng = random.Random(5)  # noqa: S311 - no secret
    data = bytearray(rng.randbytes(anchors.CALL - 50))
    planted: dict[Word | None, set[tuple[int, int]]] = defaultdict(set)
    for index, rule in enumerate(shipped):
        for anchor in rule.anchors:
            if anchor.aligned is not None:
                data += bytes(-(len(data) + anchor.aligned.at) % anchor.aligned.size)
            shape = anchor.aligned and anchor.aligned._replace(at=0)
            planted[shape].add((index, len(data)))
            data += bytes(map(rng.randint, anchor.low, anchor.high))
            if anchor.ends:
                data[-1] = rng.choice(anchor.ends)
            data += rng.randbytes(rng.randrange(16))
    return bytes(data), planted


@functools.cache
def _compiled() -> anchors.AnchorSet:
    """Compile the anchors of all rules that we ship."""
    return anchors.compile_anchors(rules.load())


def _parted(shipped: tuple[Rule, ...], most: int) -> Iterator[tuple[Rule, ...]]:
    """Yield rules of one anchor each, so many at a time: each anchor of those given is in one."""
    lone = [
        dataclasses.replace(rule, anchors=(anchor,)) for rule in shipped for anchor in rule.anchors
    ]
    for first in range(0, len(lone), most):
        yield tuple(lone[first : first + most])


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_agree_on_the_rules_that_we_ship(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our own anchors, planted among random bytes, are found where they were put.

    An engine that looks for one after the other has a part of them at a time, in bytes of its own.
    """
    monkeypatch.setattr(anchors, "CALL", 1 << 12)
    shipped = rules.load()
    for part in _parted(shipped, 300) if engine == "re" else [shipped]:
        data, planted = _planted(part)
        compiled = anchors.compile_anchors(part, None if engine == "hyperscan" else lambda _: b"")
        found = set(anchors.open_sweeper(compiled, engine).sweep(data))
        assert planted[None] | planted[Word(at=0)] <= found


def test_aligned_words_of_any_machine() -> None:
    """No engine looks for them: they are found as the machine of the dump lays them."""
    shipped = rules.load()
    data, planted = _planted(shipped)
    sweeper = anchors.open_sweeper(_compiled())
    assert set(planted) == {shape for *_, shapes in WAYS for shape in shapes}
    for halves, swapped, shapes in WAYS:
        found = set(sweeper.sweep(data, halves=halves, swapped=swapped))
        assert set().union(*(planted[shape] for shape in shapes)) <= found


def test_rows_of_zeros_are_not_given_to_the_engine() -> None:
    """It gets the part that says most; and all of an anchor of which no part says enough."""
    parts = {
        "00 00 00 07 73 73 68 2d 72 73 61 00 00 00 [01-20]": (3, 11),
        "[05-06] ?? [12-16] 00 00 00 ?? 05 2b 81 04 00 [0a-23]": (7, 13),
        "1e f1 b5 b0 00 00 00 00 [01-02] 00 00 00": (0, 4),
        "06 ?? ?? ?? 19 00 00 00 20": (0, 9),
        "00 00 44 67 ?? 00 00 00": (0, 8),
        "30 82 00 00 02": (0, 5),
    }
    found = {source: anchors.telling(_hex(source)) for source in parts}
    assert found == parts


def test_compiled_anchors_travel_to_a_worker() -> None:
    """What was compiled here is pickled, unpickled and used there."""
    compiled = _compiled()
    arrived = pickle.loads(pickle.dumps(compiled))  # noqa: S301 - our own
    assert compiled == arrived
    hits = anchors.open_sweeper(arrived).sweep(b"---PRIVATE KEY-----")
    assert ("private-key-pem", 3) in {(rules.load()[rule].id, offset) for rule, offset in hits}
    assert arrived.longest == max(len(a.low) for rule in rules.load() for a in rule.anchors)


def test_a_database_of_another_machine_is_compiled_again() -> None:
    """Anchors compiled without hyperscan, or elsewhere, work all the same."""
    compiled = anchors.compile_anchors(OVERLAPPING)
    for database in (b"", b"\0" * 100):
        foreign = dataclasses.replace(compiled, database=database)
        assert anchors.open_sweeper(foreign).sweep(bytes(5)) == [(0, 0), (0, 1), (0, 2)]


@pytest.mark.parametrize("engine", ENGINES)
def test_literals_are_found_as_they_are(engine: str) -> None:
    """Bytes with a meaning in expressions are looked for as bytes, and no repr shows them."""
    literals = (b".*\n", b"\0\xff[", b"\\x41")
    compiled = anchors.compile_literals(literals)
    data = b"A\n" + b"-".join(literals)
    assert anchors.open_sweeper(compiled, engine).sweep(data) == [(0, 2), (1, 6), (2, 10)]
    assert "x41" not in repr(compiled)


def test_nothing_to_look_for_finds_nothing() -> None:
    """Rules without anchors make a sweeper that finds nothing."""
    empty = anchors.compile_anchors((_rule("d"),))
    assert (empty.longest, anchors.open_sweeper(empty).sweep(bytes(100))) == (0, [])


def test_an_engine_that_is_not_there_is_an_error() -> None:
    """No other engine takes the place of the one that was asked for."""
    with pytest.raises(LookupError):
        anchors.open_sweeper(anchors.compile_anchors(OVERLAPPING), "grep")


def _sweeper_of_word() -> tuple[bytes, anchors.Sweeper]:
    """Return a word's bytes, and what finds it."""
    raw = (0x4000).to_bytes(8, "little")
    anchor = _anchor(_literal(raw), "0x4000", aligned=Word(at=0))
    rule = dataclasses.replace(_rule("word"), anchors=(anchor,))
    return raw, anchors.open_sweeper(anchors.compile_anchors([rule]))


def test_words_are_found_where_they_are_aligned() -> None:
    """A word anchor fires at each multiple of eight bytes at which it stands, and nowhere else."""
    raw, sweeper = _sweeper_of_word()
    data = bytes(8) + raw + bytes(3) + raw
    data += bytes(-len(data) % anchors.CALL) + raw
    assert sweeper.sweep(data) == [(0, 8), (0, anchors.CALL)]
    assert sweeper.sweep(data[: anchors.CALL + 7]) == [(0, 8)]


def test_what_follows_a_word_is_compared() -> None:
    """Behind it and within the span, across calls, and in a row of such words, too."""
    raw = (0x1000).to_bytes(8, "little")
    ranges = _literal(raw) + ((0, 255),) * 8 + _literal(raw)
    anchor = _anchor(ranges, "0x1000", aligned=Word(at=0))
    rule = dataclasses.replace(_rule("word"), anchors=(anchor,))
    sweeper = anchors.open_sweeper(anchors.compile_anchors([rule]))
    data = raw + bytes(8) + raw + bytes(16) + raw * 2 + bytes(16)
    data += bytes(-len(data) % anchors.CALL - 8) + raw + bytes(8) + raw + bytes(8) + raw * 3
    end = anchors.CALL - 8
    assert sweeper.sweep(data) == [(0, 0), (0, end), (0, end + 16), (0, end + 32)]
    assert sweeper.sweep(data[: end + 23]) == [(0, 0)]


def test_what_precedes_a_word_is_compared() -> None:
    """Within the span, across calls: a span that begins behind it has not all of the anchor."""
    raw = (0x40).to_bytes(8, "little")
    anchor = _anchor(_literal(b"\xc0\0\0\0" + raw), "0x40", aligned=Word(at=4))
    rule = dataclasses.replace(_rule("word"), anchors=(anchor,))
    sweeper = anchors.open_sweeper(anchors.compile_anchors([rule]))
    data = raw + bytes(4) + b"\xc0\0\0\0" + raw
    data += bytes(-len(data) % anchors.CALL - 4) + b"\xc0\0\0\0" + raw
    assert sweeper.sweep(data) == [(0, 12), (0, anchors.CALL - 4)]
    for first, found in ((8, [12]), (16, [])):
        _, offset = sweeper.find(data, [(first, 32)])
        assert offset.tolist() == found
    assert sweeper.sweep(data[4:]) == []


def test_halves_and_words_that_are_turned() -> None:
    """A word of 32 bits is one of a machine of 32, and the highest byte is first where it is."""
    half = _anchor(_literal(b"\x40\0\0\0"), "0x40", aligned=Word(at=0, size=4))
    big = _anchor(_literal(bytes(7) + b"\x40"), "0x40", aligned=Word(at=0, big=True))
    both = [
        dataclasses.replace(_rule(name), anchors=(anchor,))
        for name, anchor in (("half", half), ("big", big))
    ]
    sweeper = anchors.open_sweeper(anchors.compile_anchors(both))
    data = bytes(4) + b"\x40\0\0\0" + bytes(7) + b"\x40" + bytes(2) + b"\x40\0\0\0"
    assert sweeper.sweep(data) == []
    assert sweeper.sweep(data, halves=True) == [(0, 4)]
    assert sweeper.sweep(data, swapped=True) == [(1, 8)]


@pytest.mark.parametrize(
    ("value", "size"),
    [
        *[(value, 8) for value in (1, 1 << 40, 0x4000, 0x7FF << 32 | 0x7FFF, 0x800 << 32, 0x8000)],
        *[(value, 4) for value in (1, 0x4000, 0x7FFF, 0x8000, 0xFFFFFFFF)],
    ],
)
def test_words_of_any_value(value: int, size: int) -> None:
    """Small ones are looked up in a table, and others compared: each is found, nothing beside."""
    raw = value.to_bytes(size, "little")
    anchor = _anchor(_literal(raw), "", aligned=Word(at=0, size=size))
    rule = dataclasses.replace(_rule("word"), anchors=(anchor,))
    sweeper = anchors.open_sweeper(anchors.compile_anchors([rule]))
    near = b"".join((value ^ 1 << bit).to_bytes(size, "little") for bit in range(8 * size))
    found = sweeper.sweep(bytes(size) + raw + near, halves=size == 4)
    assert found == [(0, size)]


def test_the_inside_of_a_row_of_words_wakes_nothing() -> None:
    """An array of the word's value is no structure, but may end beside one."""
    raw, sweeper = _sweeper_of_word()
    data = raw * 9 + bytes(8) + raw + bytes(8) + raw * 2
    assert sweeper.sweep(data) == [(0, at) for at in (0, 64, 80, 96, 104)]
