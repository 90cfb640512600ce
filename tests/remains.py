"""What is left of private values in a file: a search that knows nothing of the scanner.

A value is spelled in every way that a library or a text is known to lay it down, and every 16 bytes
of every spelling, at any phase, are looked for at every byte of the file. Nothing is imported from
the scanner.
"""

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks import find_truth

PIECE = 16
VARIED = 10
"""Different bytes of a piece: fewer could be anything."""

VARIED_TEXT = 6
"""The same in hex, base64 and UTF-16, of which half of the bytes are zero."""

_BLOCK = 16 << 20
_HASHED = 24


def spelled(truth: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and each spelling of the private values of a truth.json."""
    for secret in truth["secrets"]:
        numbers = {**(secret.get("private") or {}), **(secret.get("private_bytes") or {})}
        if numbers:
            known = find_truth.private_spellings({**secret, "private": numbers})
            for (number, _), raw in known.items():
                yield f"{secret['id']} {number}", raw
        for number, digits in numbers.items():
            name = f"{secret['id']} {number}"
            value = bytes.fromhex(digits.zfill(-(-len(digits) // 2) * 2))
            words = [value[max(at - PIECE, 0) : at] for at in range(len(value), 0, -PIECE)]
            yield name, b"".join(words)  # as pushed from vector registers
            yield name, b"".join(word[::-1] for word in reversed(words))
            yield name, value[::-1].hex().encode()
        text = (secret.get("text") or "").encode()
        coded = [base64.b64encode(bytes(phase) + text)[4:-4] for phase in range(3)]
        for form in (text, *coded):
            yield secret["id"], form
            yield secret["id"], form.decode().encode("utf-16-le")


def pieces(truth: dict[str, Any]) -> dict[bytes, str]:
    """Return what must be nowhere: 16 bytes, and of which value."""
    found: dict[bytes, str] = {}
    for name, raw in spelled(truth):
        varied = VARIED_TEXT if raw.isascii() else VARIED
        for at in range(len(raw) - PIECE + 1):
            piece = raw[at : at + PIECE]
            if len(set(piece)) >= varied:
                found.setdefault(piece, name)
    return found


def remains(data: bytes, wanted: dict[bytes, str]) -> list[tuple[int, str]]:
    """Return where a piece begins, and of which value it is, in order."""
    if not wanted:
        return []
    heads = np.unique(np.array([int.from_bytes(p[:8], "little") for p in wanted], np.uint64))
    known = np.zeros(1 << _HASHED, bool)
    known[_hashed(heads)] = True
    found: list[tuple[int, str]] = []
    for start in range(0, len(data), _BLOCK):
        block = data[start : start + _BLOCK + PIECE]
        for phase in range(8):
            count = (len(block) - phase) // 8
            if count <= 0:
                continue
            words = np.frombuffer(block, "<u8", count, phase)
            near = np.flatnonzero(known[_hashed(words)])
            for index in near[np.isin(words[near], heads)]:
                at = start + 8 * int(index) + phase
                name = wanted.get(data[at : at + PIECE])
                if name is not None and at < start + _BLOCK:
                    found.append((at, name))
    return sorted(found)


def _hashed(words: "np.ndarray[Any, np.dtype[np.uint64]]") -> "np.ndarray[Any, Any]":
    """Return a few bits of each word, by Fibonacci hashing."""
    return (words * np.uint64(0x9E37_79B9_7F4A_7C15)) >> np.uint64(64 - _HASHED)
