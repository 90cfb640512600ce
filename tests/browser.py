"""A page as a browser without a window shows it, and all that it asks for and says.

Needs the ``playwright`` package, and a Chromium of the system: none is fetched.
"""

import shutil
from pathlib import Path

from playwright.sync_api import Browser, Page

SIZES = ((390, 844), (1280, 800), (1920, 1080))
"""A phone, a laptop, a desktop: width and height of the window, in pixels of CSS."""

SCHEMES = ("light", "dark")


def chromium() -> str | None:
    """Return the path of a Chromium, where there is one."""
    found = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    return next(filter(None, found), None)


class Watched:
    """A page, and all that it asks for and says."""

    def __init__(self, browser: Browser, scheme: str, size: tuple[int, int]) -> None:
        context = browser.new_context(
            color_scheme=scheme,  # type: ignore[arg-type]
            viewport={"width": size[0], "height": size[1]},
        )
        self.page: Page = context.new_page()
        self.said: list[str] = []
        self.page.on("request", lambda request: self.said.append(f"asks for {request.url[:80]}"))
        self.page.on("console", lambda message: self.said.append(f"says {message.text[:200]}"))
        self.page.on("pageerror", lambda error: self.said.append(f"raises {error}"))
        self.page.on("dialog", lambda _: self.said.append("opens a dialog"))

    def show(self, path: Path) -> list[str]:
        """Open a file; return what is wrong with it."""
        self.said.clear()
        self.page.goto(path.as_uri())
        wrong = [text for text in self.said if text != f"asks for {path.as_uri()[:80]}"]
        wide = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        return wrong + ([f"is {wide} pixels too wide"] if wide > 0 else [])
