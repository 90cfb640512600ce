"""Armour of OpenPGP whose lines have more before and behind them."""

import base64
import json
from collections.abc import Callable

import pytest

from fixtures import keys, noise, pgp
from scanner.detect.openpgp import pgparmour

PACKET = pgp.packet(keys.rsa_key(2048))
SHORT = pgp.packet(keys.okp_key("ed25519"))
BEGIN = b"-----BEGIN PGP PRIVATE KEY BLOCK-----"

Written = Callable[[int, str], str]

LINES: dict[str, Written] = {
    "a mail": lambda _, line: f"> {line}",
    "a comment": lambda _, line: f" * {line}",
    "syslog": lambda _, line: f"Dec  2 04:12:33 host app[812]: {line}",
    "a container's log": lambda at, line: f"2026-12-02T04:12:{at:02d}.{at:06d}Z stdout F {line}",
    "Docker": lambda at, line: json.dumps({"log": f"{line}\n", "time": f"04:12:{at:02d}"}),
    "grep -n": lambda at, line: f"keys/mine.asc:{at + 1}:{line}",
    "cat -n": lambda at, line: f"{at + 1:6d}\t{line}",
    "a table": lambda _, line: f"| {line:<70} |",
    "HTML": lambda at, line: f"<tr><td>{at}</td><td>{line}</td></tr>",
    "journalctl -o export": lambda _, line: f"MESSAGE={line}\nPRIORITY=6\n",
}


def written(packet: bytes, way: Written, ends: str = "\n") -> bytes:
    """Return what stands behind the BEGIN line of armour whose lines are written so."""
    lines = pgp.armour(packet).decode().splitlines()
    text = ends.join(way(at, line) for at, line in enumerate(lines)) + ends
    return text.encode().partition(BEGIN)[2]


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("packet", [PACKET, PACKET + bytes(-len(PACKET) % 48)], ids=["", "whole"])
def test_what_stands_before_each_line(packet: bytes, name: str, ends: str) -> None:
    """It is passed over, whatever it is; the checksum holds, and all up to it is used."""
    text = written(packet, LINES[name], ends)
    data, used, contradicted = pgparmour.dearmor(text)
    assert (data, contradicted) == (packet, False)
    checksum = b"=" + base64.b64encode(pgp.crc24(packet))
    assert used == text.index(checksum) + len(checksum)


@pytest.mark.parametrize("name", ["a mail", "syslog", "a table", "journalctl -o export"])
def test_one_line_and_the_rest_of_one(name: str) -> None:
    """Nothing but the line's own beginning says what stands before the next."""
    assert pgparmour.dearmor(written(SHORT, LINES[name]))[::2] == (SHORT, False)


def test_a_changed_letter_is_told_by_the_checksum() -> None:
    """As it is where nothing stands before the lines."""
    text = bytearray(written(PACKET, LINES["a mail"]))
    at = text.index(b"\n> ", 200) + 9
    text[at] ^= 1
    data, _, contradicted = pgparmour.dearmor(bytes(text))
    assert len(data) == len(PACKET)
    assert contradicted


def test_lines_of_other_lengths_are_no_armour() -> None:
    """Base64 amid other text gives no more than the lines that follow each other."""
    rows = [noise.uniform(48 + at % 5 * 3, at).hex()[: 60 + at % 5] for at in range(40)]
    data, _, _ = pgparmour.dearmor("\n".join(f"> {row}" for row in rows).encode())
    assert len(data) < 96
