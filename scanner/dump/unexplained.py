"""Bytes of a dump that its own tables do not describe, judged by what they are.

Every byte is swept, but a sweep of what is compressed, encrypted or XOR-ed says nothing, and a
header that describes no memory vouches for none. So one question is put to every format: how much
of the file do headers, tables, notes, streams and memory describe, and what is the rest? Padding is
nothing, and text and ordinary memory are swept as they stand. Random bytes inside of memory are
memory: this module never looks there. What a reader of archives opens is its own (``trailing``).
"""

from collections.abc import Iterator
from itertools import chain

import numpy as np

from scanner import dump
from scanner.arrays import Bytes
from scanner.dump import elfcore, ledger, trailing
from scanner.dump.ledger import Span
from scanner.dump.names import TRAILS
from scanner.dump.source import File
from scanner.model import Fault, Layout

BLOCK = 4096
"""Bytes that are judged together: of fewer, entropy says little."""

ENTROPY = 7.8
"""Bits a byte of a block that looks compressed or encrypted: random ones have 7.95. No block that
no table describes had so much in real dumps of thirty writers."""

LONGEST_KEY, SAMPLE = 64, 1 << 20
"""Bytes of a repeated XOR key, at most, and those by whose commonest values it is told: of memory
most are zeros."""


def judge(file: File, layout: Layout) -> tuple[Fault, ...]:
    """Return the faults of a layout that leaves bytes of its file unexplained.

    ``undescribed`` where that is more than half of the file, padding not counted, and
    ``unexplained-bytes`` where it looks compressed or encrypted, or is a dump that was XOR-ed.
    """
    if layout.format not in {form.name for form in dump.FORMATS}:
        return ()
    rest = opaque = 0
    begins: list[tuple[Span, Bytes]] = []
    for span in _undescribed(file, layout):
        fresh = True
        for at, blocks in _blocks(file, span):
            rest += blocks.size
            opaque += BLOCK * sum(entropy(block) >= ENTROPY for block in blocks)
            if fresh:
                begins.append((span, _begin(file, at, span[1])))
                fresh = False
    faults = []
    opened = _opened(file, layout) if rest else 0
    if 2 * rest > file.size and not opened:  # what was opened stands behind the dump, decoded
        text = (
            f"The headers of this {layout.format} describe too little of it: {rest:,} of "
            f"{file.size:,} bytes belong to nothing."
        )
        faults.append(Fault(code="undescribed", text=text))
    if opaque > opened:
        text = f"{opaque - opened:,} bytes that no table describes look encrypted or compressed."
        faults.append(Fault(code="unexplained-bytes", text=text))
    for (start, end), sample in begins:
        if _is_masked(sample):
            text = (
                f"{end - start:,} bytes at offset {start:#x} are a dump under a repeated key (XOR)."
            )
            faults.append(Fault(code="unexplained-bytes", text=text))
    return tuple(faults)


def entropy(block: Bytes) -> float:
    """Return the bits of information in a byte of a block, by how often each value occurs."""
    count = np.bincount(block, minlength=256)
    share = count[count > 0] / len(block)
    return float(-(share * np.log2(share)).sum())


def _undescribed(file: File, layout: Layout) -> list[Span]:
    named = (
        (label.file_offset, label.file_offset + label.size)
        for label in layout.labels
        if not label.name.startswith(TRAILS)
    )
    spans = list(chain(ledger.memory(layout), named))
    if layout.format == "elfcore":
        spans += elfcore.sections(file)
    if layout.format == "qemu":  # between its sections stand marks of their ends
        spans.append((0, max((end for _, end in spans), default=0)))
    return ledger.lacking(((0, file.size),), spans)


def _blocks(file: File, span: Span) -> Iterator[tuple[int, Bytes]]:
    """Yield the offset of the first of some whole blocks of a span, and those [n, BLOCK].

    But for those of one repeated byte, which are padding.
    """
    for at, chunk in file.data(*span):
        rows = np.frombuffer(chunk, np.uint8, len(chunk) // BLOCK * BLOCK).reshape(-1, BLOCK)
        told = np.flatnonzero((rows != rows[:, :1]).any(axis=1))
        if len(told):
            yield at + int(told[0]) * BLOCK, rows[told]


def _begin(file: File, at: int, end: int) -> Bytes:
    """Return the first bytes of what is no padding."""
    raw = file.read(at, min(SAMPLE, end - at))
    return np.frombuffer(raw.lstrip(raw[:1] if raw[:2] == raw[:1] * 2 else b""), np.uint8)


def _opened(file: File, layout: Layout) -> int:
    """Return how many bytes are left to those who open what is packed beside a dump."""
    return sum(end - start for start, end in trailing.find(file, layout))


def _is_masked(sample: Bytes) -> bool:
    """Tell whether a dump's mark stands under one byte, or a key that most bytes of memory show."""
    head = sample[: dump.HEAD]
    keys = [np.array([byte], np.uint8) for byte in range(1, 256)]
    for size in range(2, min(LONGEST_KEY, len(sample) // BLOCK) + 1):
        rows = sample[: len(sample) // size * size].reshape(-1, size)
        counts = (np.bincount(rows[:, at], minlength=256) for at in range(size))
        keys.append(np.array([count.argmax() for count in counts], np.uint8))
    plain = ((head ^ np.resize(key, len(head))).tobytes() for key in keys if key.any())
    return any(form.sniff(raw) for raw in plain for form in dump.FORMATS)
