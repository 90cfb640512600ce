"""Open HTML reports in a browser without a window, and save what a person would see.

    python benchmarks/show_pages.py FOLDER [--chromium PATH]

Needs ``playwright`` (its own browser is not fetched) and a Chromium. Reports with no, one and two
hundred findings, of one dump and of many, with harmless names and with hostile ones, are opened at
three sizes, light and dark, and printed. Saves a picture of each, and fails where a page asks for
anything, says anything on its console, runs a script of a dump or is wider than its window.
"""

import argparse
import dataclasses
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

from scanner.model import Report, Verdict
from scanner.report import html
from tests.browser import SCHEMES, SIZES, Watched, chromium
from tests.report import conftest as made

SCRIPT = "<script>document.title = 'owned'</script>"
FOUL = made.HOSTILE + "/".join(["a-very-long-name" * 12] * 2) + SCRIPT


def reports() -> Iterator[tuple[str, Report]]:
    """Yield the name and the report of each page."""
    one, blocked = made.named_rsa(), Verdict.BLOCKED
    yield from made.REPORTS.items()
    yield "one", made.whole(made.dump_report(blocked, (one,)))
    yield "one-hostile", made.whole(made.dump_report(blocked, (made.named_rsa(FOUL),), FOUL))
    yield "many", made.whole(made.dump_report(blocked, made.many(200)))
    yield "many-hostile", made.whole(made.dump_report(blocked, made.many(200, FOUL), FOUL))
    foul = made.spoiled(made.REPORTS["several"], FOUL)
    yield "foul", foul
    dumps = tuple(
        dataclasses.replace(dump, path=f"/var/crash/host-{number:02}/core.{1000 + number}")
        for number, dump in enumerate(made.REPORTS["several"].dumps * 20)
    )
    yield "fleet", made.whole(*dumps)


def main() -> int:
    """Open every report in every way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--chromium", default=chromium())
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    opened = wrong = 0
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=options.chromium, args=["--no-sandbox"])
        for (name, report), scheme, size in itertools.product(reports(), SCHEMES, SIZES):
            path = options.folder.resolve() / f"{name}.html"
            path.write_text(html.render(report), "utf-8")
            watched = Watched(browser, scheme, size)
            found = watched.show(path)
            stem = options.folder / f"{name}-{size[0]}-{scheme}"
            watched.page.screenshot(path=f"{stem}.png")
            if scheme == "light" and size == SIZES[1]:
                watched.page.pdf(path=f"{options.folder / name}.pdf", format="A4")
            watched.page.context.close()
            opened += 1
            wrong += bool(found)
            for text in found:
                print(f"{stem.name} {text}")
    print(f"{opened} views, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
