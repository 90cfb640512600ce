"""PEM and OpenSSH keys in lines of logs: what stands around each line is passed over."""

from collections.abc import Callable

import pytest

from fixtures import encodings, keys
from scanner import rules
from scanner.detect import anchors
from scanner.detect.asn1.keys import Proved
from scanner.detect.texts.encoded import Decoded
from scanner.stages.examine import EXAMINERS

RULES = tuple(r for r in rules.load() if r.id in ("private-key-pem", "openssh-private-key"))
READERS = dict(EXAMINERS)
SWEEPER = anchors.open_sweeper(anchors.compile_anchors(RULES))
RSA, EC, ED = keys.rsa_key(2048), keys.ec_key("P-256"), keys.okp_key("ed25519")


def find(data: bytes) -> list[Proved]:
    """Run the rules over the bytes."""
    return [
        found
        for number, offset in SWEEPER.sweep(data)
        for found in READERS[RULES[number].detector](Decoded(data), 0, offset, RULES[number])
        if isinstance(found, Proved)
    ]


LOGGED: dict[str, Callable[[str], str]] = {
    "iso": lambda text: numbered(text, lambda at: f"2024-01-02T03:04:{at:02}.{at * 7}Z INFO app: "),
    "syslog": lambda text: numbered(text, lambda at: f"Jan  2 03:04:{at:02} host app[{at * 99}]: "),
    "cat -n": lambda text: numbered(text, lambda at: f"{at + 1:6}\t"),
    "grep -n": lambda text: numbered(text, lambda at: f"key.pem:{at + 1}:"),
    "month": lambda text: numbered(text, lambda _: "May MIND "),
    "docker": lambda text: numbered(
        text, lambda _: '{"log":"', '\\n","stream":"stdout","time":"2024-01-02T03:04:05.123Z"}'
    ),
    "x0A": lambda text: text.replace("\n", "\\x0A"),
    "x0D x0A": lambda text: text.replace("\n", "\\x0D\\x0A"),
    "octal": lambda text: text.replace("\n", "\\012"),
    **{mark: lambda text, mark=mark: text.replace("\n", mark) for mark in ("|", ",", ";", "~^")},
}


def numbered(text: str, before: Callable[[int], str], behind: str = "") -> str:
    """Put something before and behind each line."""
    rows = text.rstrip().split("\n")
    return "\n".join(before(at) + row + behind for at, row in enumerate(rows)) + "\n"


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("form", ["rsa", "ec", "ed25519", "openssh"])
@pytest.mark.parametrize("how", LOGGED)
def test_lines_of_logs(how: str, form: str, codec: str) -> None:
    """What a log puts around each line is the same but for its numbers."""
    key = {"rsa": RSA, "ec": EC}.get(form, ED)
    text = encodings.openssh_pem(ED) if form == "openssh" else encodings.pkcs8_pem(key)
    data = ("context\n" + LOGGED[how](text.decode()) + "\ncontext").encode(codec)
    assert key.spki_sha256 in {one.candidate.fingerprint.value for one in find(data)}
