"""The page in a real browser: it asks for nothing, says nothing, fits, and can be searched."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from scanner.model import Report, Verdict
from scanner.report import html
from tests.report import conftest as made

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
browser = pytest.importorskip("tests.browser")

FOUL = made.HOSTILE + "a-very-long-name" * 20 + "<script>document.title = 'owned'</script>"
SHOWN = 12


@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    """Start a browser, once."""
    path = browser.chromium()
    if path is None:
        pytest.skip("no Chromium here")
    with playwright.sync_playwright() as play:
        opened = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


def reports() -> dict[str, Report]:
    """Return what is shown: many keys, and names that do what they can."""
    foul = made.dump_report(Verdict.BLOCKED, made.many(SHOWN, FOUL), FOUL)
    fair = made.dump_report(Verdict.BLOCKED, made.many(SHOWN))
    return {
        "many": made.whole(fair),
        "hostile": made.whole(foul),
        "several": made.spoiled(made.REPORTS["several"], FOUL),
    }


@pytest.mark.parametrize("name", sorted(reports()))
def test_pages_fit_and_are_silent(chromium: object, tmp_path: Path, name: str) -> None:
    """At every size, light and dark, nothing leaves the page, is said, or is wider than it."""
    path = tmp_path / "page.html"
    path.write_text(html.render(reports()[name]), "utf-8")
    for scheme in browser.SCHEMES:
        for size in browser.SIZES:
            watched = browser.Watched(chromium, scheme, size)
            assert watched.show(path) == []
            assert "owned" not in watched.page.title()
            watched.page.context.close()


def test_search(chromium: object, tmp_path: Path) -> None:
    """Words in the search leave the cards that have them all; without words all are back."""
    (dump,) = reports()["many"].dumps
    wanted = dump.findings[4].fingerprint.value
    path = tmp_path / "page.html"
    path.write_text(html.render(made.whole(dataclasses.replace(dump, path="core"))), "utf-8")
    watched = browser.Watched(chromium, "light", (1280, 800))
    assert watched.show(path) == []
    cards = watched.page.locator("article.card:visible")
    for words, left in ((f"{wanted} key", 1), ("jwt", SHOWN // 4), ("no such", 0), ("", SHOWN)):
        watched.page.fill("#q", words)
        assert cards.count() == left
    assert watched.said == [f"asks for {path.as_uri()[:80]}"]


def test_what_is_folded_is_printed(chromium: object, tmp_path: Path) -> None:
    """On paper nothing can be opened: all places and steps are there, and the search is not."""
    path = tmp_path / "page.html"
    path.write_text(html.render(reports()["many"]), "utf-8")
    watched = browser.Watched(chromium, "dark", (1280, 800))
    assert watched.show(path) == []
    watched.page.emulate_media(media="print")
    heights = "[...document.querySelectorAll('details > :last-child')].map(e => e.clientHeight)"
    assert min(watched.page.evaluate(heights)) > 0
    assert not watched.page.is_visible("#search")
    colour = "getComputedStyle(document.body).backgroundColor"
    assert watched.page.evaluate(colour) == "rgb(255, 255, 255)"
