"""Elements of a page, whose text and attributes are escaped by the serialiser.

Nothing in a page is put together from strings, so that nothing of a dump can become an element or
an attribute. This module knows no report.
"""

from xml.etree import ElementTree as ET

from scanner.report.printable import printable

Node = ET.Element
Content = str | Node | None

TEXT = 400
"""Characters of one string of a dump that a page shows."""


def element(tag: str, *content: Content, **attributes: str) -> Node:
    """Return an element with texts and elements in it; ``class_`` and ``data_x`` are spelled so."""
    made = ET.Element(tag)
    for name, value in attributes.items():
        made.set(name.rstrip("_").replace("_", "-"), value)
    add(made, *content)
    return made


def add(parent: Node, *content: Content) -> None:
    """Append texts and elements, in order; None is nothing."""
    for part in content:
        if isinstance(part, str):
            if len(parent):
                parent[-1].tail = (parent[-1].tail or "") + part
            else:
                parent.text = (parent.text or "") + part
        elif part is not None:
            parent.append(part)


def quoted(text: str, tag: str = "bdi") -> Node:
    """Return a string of a dump: printable, bounded, and apart from the direction around it."""
    shown = printable(text, TEXT)
    return element(tag, element("bdi", shown)) if tag != "bdi" else element("bdi", shown)


def rows(pairs: list[tuple[str, list[Content]]], **attributes: str) -> Node:
    """Return a list of terms with their values; terms without a value are left out."""
    made = element("dl", **attributes)
    for term, values in pairs:
        if values:
            add(made, element("dt", term), element("dd", *values))
    return made


def lines(texts: list[str]) -> list[Content]:
    """Return texts of which each begins a line."""
    made: list[Content] = []
    for text in texts:
        made += [element("br")] if made else []
        made.append(element("bdi", text))
    return made


def serialise(root: Node) -> str:
    """Return an element as HTML (WHATWG, section 13.3), without a document type."""
    text: str = ET.tostring(root, encoding="unicode", method="html")
    return text
