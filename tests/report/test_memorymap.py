"""The picture of memory has each cell once, each stretch its name, and a mark for each key."""

import dataclasses
import re
from xml.etree import ElementTree as ET

import pytest

from scanner.model import Coverage, Extent, Finding, Report, Stretch
from scanner.report import filemap, html, memorymap
from scanner.report.markup import serialise
from tests.report import conftest as made

NAMES = [f"k{number}" for number in range(9)]


def drawn(
    report: Report, memory: tuple[Stretch, ...], findings: tuple[Finding, ...] = ()
) -> ET.Element:
    """Return the picture of some memory."""
    coverage = dataclasses.replace(report.dumps[0].coverage, memory=memory)
    figure = memorymap.figure(coverage, findings, NAMES[: len(findings)])
    assert figure is not None
    return figure[0]


def area(path: ET.Element) -> float:
    """Return the width of all that a path outlines."""
    return sum(float(width) for width in re.findall(r"h([\d.]+)v", path.attrib["d"]))


def stretches(count: int, size: int = 4096) -> tuple[Stretch, ...]:
    """Return stretches of one size, half of which adjoin."""
    return tuple(
        Stretch(
            address=(k // 2 * 5 + k % 2) * size,
            size=size,
            bytes=size,
            label=f"part {k}",
            cells=("zero", "random", None, "text"),
        )
        for k in range(count)
    )


def test_every_look_is_in_a_legend(report: Report) -> None:
    """What either picture shows is said below it, or below the one above it, and once."""
    dump = report.dumps[0]
    coverage = dataclasses.replace(dump.coverage, memory=stretches(3))
    figures = [picture.figure(coverage, (), ()) for picture in (filemap, memorymap)]
    shown, said = set(), []
    for figure in figures:
        assert figure is not None
        shown |= {path.attrib["class"] for path in figure[0].iter("path")} - {"stretch"}
        said += [sign.attrib["class"] for sign in figure[1].iter("rect")]
    assert sorted(shown) == sorted(said)


@pytest.mark.parametrize("count", [1, 2, 12, 13, 61, 256])
def test_every_stretch_is_drawn(blocked: Report, count: int) -> None:
    """Cells of a kind are one path; each stretch has a frame that says what it is."""
    svg = drawn(blocked, stretches(count))
    by_class: dict[str, list[ET.Element]] = {}
    for path in svg.iter("path"):
        by_class.setdefault(path.attrib["class"], []).append(path)
    assert {k: len(v) for k, v in by_class.items()} == {
        "cell-zero": 1,
        "cell-random": 1,
        "cell-text": 1,
        "stretch": count,
    }
    whole = sum(map(area, by_class["stretch"]))
    for kind in ("zero", "random", "text"):
        assert area(by_class[f"cell-{kind}"][0]) == pytest.approx(whole / 4, rel=0.02)
    titles = [path.findtext("title") or "" for path in by_class["stretch"]]
    assert titles[0] == "0x0 to 0xfff: part 0, 4,096 bytes"
    assert [title.split(": ")[1] for title in titles] == [
        f"part {k}, 4,096 bytes" for k in range(count)
    ]
    *_, height = map(float, svg.attrib["viewBox"].split())
    for x, y, across in re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)v", serialise(svg)):
        assert float(x) + float(across) <= filemap.WIDTH + 0.02
        assert float(y) < height
    assert len(serialise(svg)) < 300 * count + 2000 + 90 * count


def test_sizes_are_to_scale_and_gaps_are_not(blocked: Report) -> None:
    """Twice the bytes are about twice the width; a wide gap is as wide as a small one."""
    first = Stretch(address=0, size=1 << 20, bytes=1 << 20, label="a", cells=("low",))
    second = dataclasses.replace(first, address=1 << 21, size=1 << 21, bytes=1 << 21, label="b")
    widths = []
    for distance in (0, 1 << 60):
        third = dataclasses.replace(second, address=(1 << 22) + 4096 + distance)
        frames = [p for p in drawn(blocked, (first, second, third)).iter("path") if len(p)]
        widths.append([area(p) for p in frames])
    assert widths[0] == widths[1]
    assert widths[0][1] == pytest.approx(2 * widths[0][0], rel=0.05)


def test_marks_are_where_the_addresses_are(blocked: Report) -> None:
    """A key is marked by its address, at both ends of a stretch; one without an address is not."""
    (finding, *_) = blocked.dumps[0].findings
    (occurrence,) = finding.occurrences
    memory = made.memory()
    spots = []
    for address in (
        memory[0].address,
        memory[1].address + memory[1].size - 1,
        None,
        0,
        memory[2].address - 1,
        memory[2].address + memory[2].size,
    ):
        extent = Extent(address=address, file_offset=0, size=16)
        here = dataclasses.replace(occurrence, extents=(extent,))
        found = dataclasses.replace(finding, occurrences=(here,))
        circles = list(drawn(blocked, memory, (found,)).iter("circle"))
        spots.append([float(circle.attrib["cx"]) for circle in circles])
    frames = [p.attrib["d"] for p in drawn(blocked, memory).iter("path") if len(p)]
    starts = [float(d[1:].split()[0]) for d in frames]
    assert [len(each) for each in spots] == [1, 1, 0, 0, 0, 0]
    assert starts[0] < spots[0][0] < starts[1] < spots[1][0] < starts[2]


def test_marks_link_to_cards_and_are_bounded(blocked: Report) -> None:
    """The marks are those of the picture of the file: links to cards, few, the worst keys first."""
    findings = blocked.dumps[0].findings
    svg = drawn(blocked, made.memory(), findings)
    links = {link.attrib["href"] for link in svg.iter("a")}
    assert links <= {f"#{name}" for name in NAMES}
    assert len(links) >= 2
    (first, *_) = findings[0].occurrences
    many = tuple(
        dataclasses.replace(first, extents=(Extent(address=one.address, file_offset=0, size=16),))
        for one in stretches(256)
    )
    spread = tuple(dataclasses.replace(f, occurrences=many) for f in findings[:3])
    marks = list(drawn(blocked, stretches(256), spread).iter("a"))
    assert len(marks) == filemap.MOST_MARKS


def test_names_are_text_and_short(hostile: Report) -> None:
    """A hostile name is escaped, bounded, and no part of the markup; a long one is cut."""
    long = dataclasses.replace(stretches(1)[0], label="x" * 9000 + made.HOSTILE)
    page = serialise(drawn(hostile, (long,)))
    assert len(page) < 2500
    page = html.render(hostile)
    assert "&lt;/script&gt;&amp;&lt;b&gt;" in page
    assert "\x1b" not in page
    assert "\u202e" not in page


def test_no_addresses_no_picture(blocked: Report) -> None:
    """A dump without addresses has the picture of its file alone."""
    coverage: Coverage = dataclasses.replace(blocked.dumps[0].coverage, memory=())
    assert memorymap.figure(coverage, (), ()) is None
    dump = dataclasses.replace(blocked.dumps[0], coverage=coverage)
    page = html.render(dataclasses.replace(blocked, dumps=(dump,)))
    assert page.count('class="map') == 1
    assert html.render(blocked).count('class="map') == 2
