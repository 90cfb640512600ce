"""Bytes in: files, formats, and the address space that a dump describes.

The formats stand in one explicit tuple. A file that none of them knows is no error here: it has no
regions, and whether its raw bytes may pass is decided elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass

from scanner.dump import elfcore, images, kernel, lime, macho, minidump, qemu, texts, vmware
from scanner.dump.source import File
from scanner.errors import Damaged
from scanner.model import Fault, Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format of dumps: how to tell it, and how to read its tables."""

    name: str
    sniff: Callable[[bytes], bool]
    """Given the first bytes of a file, at most HEAD."""
    parse: Callable[[File], Layout]
    """Raises Damaged where nothing can be read; all other damage is in the layout."""


FORMATS: tuple[Format, ...] = (
    Format(name="minidump", sniff=minidump.sniff, parse=minidump.parse),
    Format(name="elfcore", sniff=elfcore.sniff, parse=elfcore.parse),
    Format(name="kerneldump", sniff=kernel.sniff, parse=kernel.parse),
    Format(name="lime", sniff=lime.sniff, parse=lime.parse),
    Format(name="macho", sniff=macho.sniff, parse=macho.parse),
    Format(name="vmware", sniff=vmware.sniff, parse=vmware.parse),
    Format(name="qemu", sniff=qemu.sniff, parse=qemu.parse),
    Format(name="hprof", sniff=texts.is_hprof, parse=texts.parse_hprof),
    Format(name="javacore", sniff=texts.is_javacore, parse=texts.parse_javacore),
    Format(name="minidump", sniff=minidump.sniff_altered, parse=minidump.parse),
)

HEAD = 64
"""Bytes at the start of a file that a format is told by."""


def is_dump(file: File) -> bool:
    """Tell whether any format knows a file, by its first bytes or as an image of memory."""
    head = file.read(0, min(file.size, HEAD))
    return any(form.sniff(head) for form in FORMATS) or images.recognise(file) is not None


def read_layout(file: File) -> Layout:
    """Read what the first format that fits says of a file; ``raw`` where none fits.

    A file without a magic may be an image of a machine's memory, which its own tables prove.
    """
    head = file.read(0, min(file.size, HEAD))
    for form in FORMATS:
        if form.sniff(head):
            try:
                return form.parse(file)
            except Damaged as error:
                text = f"{error.message}: {error.reason}." if error.reason else f"{error.message}."
                return Layout(format=form.name, faults=(Fault(code="damaged", text=text),))
    instead = "a program or a library, not a core" if elfcore.sniff_program(head) else ""
    return images.recognise(file) or Layout(format="raw", instead=instead)
