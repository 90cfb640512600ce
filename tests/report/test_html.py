"""The page stands alone, says everything without a script, and nothing of a dump becomes markup."""

import base64
import dataclasses
import hashlib
import re
from collections import Counter
from html.parser import HTMLParser

import pytest

from scanner.model import Cell, Report, Verdict
from scanner.report import filemap, html, wording
from tests.report import conftest as made

VOID = {"meta", "br", "input", "img", "link", "hr"}


class Page(HTMLParser):
    """Reads a page: elements, attributes, texts by element, and whether all is closed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.texts: dict[str, str] = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count an element."""
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the element that is open."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep a text under its element."""
        where = self.open[-1] if self.open else ""
        self.texts[where] = self.texts.get(where, "") + data

    def said(self) -> str:
        """Return all that a reader sees."""
        return " ".join(v for k, v in self.texts.items() if k not in {"style", "script"})


def test_well_formed(report: Report, foul: Report) -> None:
    """Every element is closed in order, and each id stands once."""
    for each in (report, foul):
        page = Page(html.render(each))
        assert page.open == []
        ids = [value for _, name, value in page.attributes if name == "id"]
        assert len(ids) == len(set(ids))
        targets = {v[1:] for _, name, v in page.attributes if name == "href"}
        assert targets <= set(ids)


def test_nothing_is_fetched_and_nothing_else_runs(report: Report, foul: Report) -> None:
    """No source, no link out, no handler, no style attribute; the policy allows two texts alone."""
    for each in (report, foul):
        page = Page(html.render(each))
        assert not {"img", "link", "iframe", "object", "embed", "base", "form"} & set(page.tags)
        assert (page.tags["script"], page.tags["style"]) == (1, 1)
        for _, name, value in page.attributes:
            assert name not in {"src", "style", "srcset", "action", "xlink:href"}
            assert not name.startswith("on")
            assert name != "href" or value.startswith("#")
        (policy,) = [
            v for t, n, v in page.attributes if t == "meta" and v.startswith("default-src")
        ]
        assert policy.startswith("default-src 'none';")
        allowed = re.findall(r"'sha256-([^']+)'", policy)
        texts = [page.texts["style"], page.texts["script"]]
        digests = [hashlib.sha256(text.encode()).digest() for text in texts]
        assert allowed == [base64.b64encode(digest).decode() for digest in digests]
        assert "unsafe" not in policy
        assert "url(" not in page.texts["style"]
        assert "@import" not in page.texts["style"]


def test_hostile_strings_change_no_element(several: Report, foul: Report) -> None:
    """A report of hostile strings has the elements of the harmless one, and shows them as text."""
    harmless, hostile = (Page(html.render(each)) for each in (several, foul))
    plain = {"script", "style", "b", "article", "section", "a", "input", "meta"}
    assert {t: harmless.tags[t] for t in plain} == {t: hostile.tags[t] for t in plain}
    assert "</script>&<b>" in hostile.said()


def test_verdict_and_what_to_do_come_first(blocked: Report) -> None:
    """The verdict is the heading; each key to rotate is a link to its card; then what to do."""
    text = html.render(blocked)
    page = Page(text)
    assert page.texts["h1"] == "blocked"
    order = ("holds 2 private keys", "What to do", "Rotate RSA 2048", 'class="map"', "<article")
    found = [text.index(each) for each in order]
    assert found == sorted(found)
    assert page.tags["article"] == len(blocked.dumps[0].findings)
    for each in ("CN=sts.example.org,O=Example", "SHA256:abc", "7d9c2f10" * 8, "0x55d04c108b40"):
        assert each in page.said()
    assert wording.EXPIRY in page.said()
    assert wording.next_step(blocked.dumps[0]) in page.said()


def test_everything_is_said(report: Report) -> None:
    """Faults, gaps, what was set aside, coverage and the last line are in the page."""
    said = " ".join(Page(html.render(report)).said().split())
    assert wording.last_line(report) in said
    for dump in report.dumps:
        assert wording.headline(dump) in said
        for fault in dump.coverage.faults:
            assert f"{fault.code}: {fault.text}" in said
        for finding in dump.suppressed:
            assert finding.fingerprint.value in said


def test_places_are_bounded(blocked: Report) -> None:
    """A key in very many places gives a short page that says how many there are."""
    (dump,) = blocked.dumps
    many = dataclasses.replace(dump.findings[1], occurrences=dump.findings[1].occurrences * 900)
    report = dataclasses.replace(blocked, dumps=(dataclasses.replace(dump, findings=(many,)),))
    page = Page(html.render(report))
    assert page.tags["tr"] <= html.MOST_PLACES + 2
    assert (
        f"{len(many.occurrences) - html.MOST_PLACES:,} places are in the JSON report" in page.said()
    )


@pytest.mark.parametrize("count", [0, 1, 5, 33, 844, 4096])
def test_map(blocked: Report, count: int) -> None:
    """The picture has every cell once, those that were not swept again, and a mark for each key."""
    (dump,) = blocked.dumps
    kinds = [kind for kind, _ in filemap.KINDS]
    size = dump.coverage.file_bytes
    cells = tuple(
        Cell(
            bytes=size // count + (size % count if i == 0 else 0),
            swept=0 if i == 3 else size // count + (size % count if i == 0 else 0),
            entropy=kinds[i * i % 5],
        )
        for i in range(count)
    )
    coverage = dataclasses.replace(dump.coverage, map=cells)
    names = [f"k{i}" for i in range(len(dump.findings))]
    svg = filemap.figure(coverage, dump.findings, names)[0]
    area = dict.fromkeys((*kinds, "unswept", "unknown"), 0.0)
    for path in svg.iter("path"):
        for width, height in re.findall(r"h([\d.]+)v([\d.]+)h-", path.attrib["d"]):
            area[path.attrib["class"].removeprefix("cell-")] += float(width) * float(height)
    whole = sum(area.values()) - area["unswept"]
    for kind in kinds:
        share = sum(cell.entropy == kind for cell in cells) / max(count, 1)
        assert area[kind] == pytest.approx(share * whole, rel=0.01)
    assert (area["unswept"] > 0) is (count > 3)
    assert {link.attrib["href"] for link in svg.iter("a")} == {f"#{name}" for name in names}


def test_marks_are_bounded(blocked: Report) -> None:
    """However many places keys have, a picture has few marks, and those of the worst keys."""
    (dump,) = blocked.dumps
    cells = (Cell(bytes=1000, swept=1000, entropy="random"),) * 4000
    (first, *_) = dump.findings[1].occurrences
    spread = tuple(
        dataclasses.replace(
            first, extents=(dataclasses.replace(first.extents[0], file_offset=i * 1000),)
        )
        for i in range(3000)
    )
    findings = [dataclasses.replace(f, occurrences=spread) for f in dump.findings]
    coverage = dataclasses.replace(dump.coverage, map=cells, file_bytes=4_000_000)
    svg = filemap.figure(coverage, findings, [f"k{i}" for i in range(len(findings))])[0]
    marks = list(svg.iter("a"))
    assert len(marks) == filemap.MOST_MARKS
    assert {mark.attrib["class"] for mark in marks} == {"mark blocks"}


def test_empty_dump_is_a_page(halted: Report) -> None:
    """A dump of which nothing could be read has a page that says so."""
    (dump,) = halted.dumps
    empty = {"file_bytes": 0, "scanned_bytes": 0, "map": (), "memory": ()}
    coverage = dataclasses.replace(dump.coverage, **empty)
    report = dataclasses.replace(halted, dumps=(dataclasses.replace(dump, coverage=coverage),))
    assert report.verdict is Verdict.INCOMPLETE
    page = Page(html.render(report))
    assert page.texts["h1"] == "incomplete"
    assert page.tags["path"] == 0


def test_many_steps_fold_and_the_last_is_never_hidden(blocked: Report) -> None:
    """Ten keys to rotate are listed, the rest behind a click; then what to do with the dump."""
    (dump,) = blocked.dumps
    dump = dataclasses.replace(dump, findings=made.many(200))
    acting = sum(map(wording.acts, dump.findings))
    text = html.render(dataclasses.replace(blocked, dumps=(dump,)))
    to_do = text[text.index("What to do") : text.index('class="map"')]
    shown, _, folded = to_do.partition("<details>")
    folded, _, last = folded.partition("</details>")
    rest = acting - html.OPEN_STEPS
    assert (shown.count("<li>"), folded.count("<li>")) == (html.OPEN_STEPS, rest)
    assert f'start="{acting + 1}"' in last
    assert wording.next_step(dump) in last


def test_the_worst_dump_comes_first_in_the_overview(several: Report) -> None:
    """Of many dumps the table lists blocked ones first, each linked to its own part."""
    text = html.render(several)
    table = text[text.index("<tbody>") : text.index("</tbody>")]
    assert re.findall(r"badge (\w+)", table) == ["blocked", "incomplete", "pass"]
    assert re.findall(r'href="#(dump-\d)"', table) == ["dump-3", "dump-2", "dump-1"]
