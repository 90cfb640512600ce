"""What a dump is, in one screen: format, system, program, memory, and what is missing of it.

Says nothing of what lies in the bytes, and gives no verdict. A program is a base name and a count
of arguments; arguments, environment and paths are never shown, nor names of threads.
"""

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from scanner import regions
from scanner.dump.draft import base_name
from scanner.fields import unicode
from scanner.model import Layout
from scanner.report import wording
from scanner.report.document import written
from scanner.report.printable import printable
from scanner.stages.session import Survey

WIDTH = 100
INDENT = 13
SHOWN = 6
"""Modules, members and faults that the text shows."""
MOST = 1000
"""Characters of one value that the text shows."""

Inspected = Sequence[tuple[str, Survey]]


def text(found: Inspected, width: int | None = None) -> str:
    """Return lines of at most ``width`` columns, 40 or more; of WIDTH where it is None."""
    width = width or WIDTH
    lines: list[str] = []
    for path, survey in found:
        if lines:
            lines.append("")
        lines += _folded(path, width)
        room = width - INDENT
        for label, value in _rows(survey, room):
            for number, line in enumerate(_folded(value, room)):
                lines.append(f"  {'' if number else label:<11}{line}")
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _folded(value: str, room: int) -> list[str]:
    """Return the lines of a value, folded between words where it has any."""
    return textwrap.wrap(printable(value, MOST), room, break_on_hyphens=False) or [""]


def document(found: Inspected) -> str:
    """Return a JSON object, ASCII, ended by a line feed."""
    table = {"schema": 1, "dumps": [_dump(path, survey) for path, survey in found]}
    return written(table)


def _rows(survey: Survey, room: int) -> Iterator[tuple[str, str]]:
    layout, content = survey.layout, survey.content
    bits = f"{8 * layout.pointer_size}-bit, {layout.byte_order}-endian"
    known = layout.format != "raw" and bool(layout.regions or layout.modules or layout.threads)
    yield "format", ", ".join((layout.format, *((layout.arch, bits) if known else ())))
    yield "size", f"{survey.size:,} bytes"
    if content.layers:
        yield "layers", f"{' > '.join(content.layers)}, {content.size:,} bytes within"
    if layout.system:
        yield "system", layout.system
    if layout.process:
        said = layout.arguments
        words = "" if said is None else f", {said} argument{'s' if said != 1 else ''}"
        yield "process", f"{layout.process}{words}"
    if known:
        names = list(dict.fromkeys(base_name(module.name) for module in layout.modules))
        yield "threads", f"{len(layout.threads):,}"
        yield "modules", _some(f"{len(layout.modules):,}", names, room)
        size = sum(regions.columns(layout.regions).size)
        yield "memory", f"{wording.count(len(layout.regions), 'region', 'regions')}, {size:,} bytes"
    for code, (count, size) in _gaps(layout).items():
        yield "gaps", f"{count:,} {code.replace('-', ' ')}, {size:,} bytes"
    yield "bytes", ", ".join(f"{name} {size:,}" for name, size in survey.ledger if size)
    members = [part.name for part in survey.members]
    if members:
        yield "dumps", _some(f"{len(members):,} within", members, room)
    faults = Counter(f"{fault.code}: {fault.text}" for fault in survey.faults)
    for index, sentence in enumerate(faults):
        if index == SHOWN:
            yield "", f"and {len(faults) - SHOWN} more"
            break
        yield "" if index else "faults", sentence


def _some(count: str, names: Sequence[str], room: int) -> str:
    """Return a count, and as many names as there is room for."""
    for shown in range(min(len(names), SHOWN), 0, -1):
        said = ", ".join(printable(name) for name in names[:shown])
        more = f" and {len(names) - shown} more" if len(names) > shown else ""
        line = f"{count}: {said}{more}"
        if len(line) <= room:
            return line
    return count


def _gaps(layout: Layout) -> dict[str, tuple[int, int]]:
    totals: dict[str, tuple[int, int]] = {}
    for gap in layout.gaps:
        count, size = totals.get(gap.code, (0, 0))
        totals[gap.code] = (count + 1, size + gap.size)
    return dict(sorted(totals.items()))


def _dump(path: str, survey: Survey) -> dict[str, Any]:
    layout, content = survey.layout, survey.content
    return {
        "path": unicode(path),
        "size": survey.size,
        "content": {"layers": list(content.layers), "size": content.size},
        "format": layout.format,
        "arch": layout.arch,
        "pointer_size": layout.pointer_size,
        "byte_order": layout.byte_order,
        "system": unicode(layout.system) or None,
        "process": unicode(layout.process) or None,
        "arguments": layout.arguments,
        "threads": len(layout.threads),
        "modules": list(_modules(layout)),
        "regions": {
            "count": len(layout.regions),
            "bytes": sum(regions.columns(layout.regions).size),
        },
        "gaps": {
            code: {"count": count, "bytes": size} for code, (count, size) in _gaps(layout).items()
        },
        "ledger": dict(survey.ledger),
        "members": [unicode(part.name) for part in survey.members],
        "faults": [{"code": fault.code, "text": unicode(fault.text)} for fault in survey.faults],
    }


def _modules(layout: Layout) -> Iterable[dict[str, Any]]:
    for module in layout.modules:
        name = unicode(base_name(module.name))
        yield {"address": hex(module.start), "size": module.size, "name": name}
