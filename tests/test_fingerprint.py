"""Names of secrets: by an HMAC where the operator gave a key, else by their place."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from fixtures import aes, elfcore, tokens
from scanner import fingerprint
from tests import inside
from tests.test_canaries import ROOT, run

KEY = bytes(range(7, 39))
TOKEN = tokens.summed("ghp")
SCHEDULE = aes.expand(aes.key(256))


def test_equal_secrets_have_equal_names() -> None:
    """With a key as RFC 2104 has it; without one, numbers that say nothing."""
    names = fingerprint.Names(KEY)
    wanted = hmac.new(KEY, b"token\0secret", hashlib.sha256).hexdigest()
    assert names.of("token", b"secret") == fingerprint.Names(KEY).of("token", b"secret")
    assert (names.of("token", b"secret").kind, names.of("token", b"secret").value) == (
        "hmac-sha256",
        wanted,
    )
    assert names.of("aes", b"secret").value != wanted
    passing = fingerprint.Names()
    said = [
        passing.of(kind, value).value for kind, value in (("a", b"x"), ("a", b"y"), ("a", b"x"))
    ]
    assert said == ["a:0", "a:1", "a:0"]
    assert fingerprint.key_id(b"") == ""
    assert fingerprint.key_id(KEY) not in (fingerprint.key_id(KEY[1:]), KEY.hex())


def scanned(folder: Path, seed: int, *words: str) -> dict[str, Any]:
    """Scan a core in which a token and a schedule stand at places of its own."""
    body = bytearray(1 << 16)
    for at, secret in ((1000 + 640 * seed, b"token=" + TOKEN + b"\n"), (9600 * seed, SCHEDULE)):
        body[at : at + len(secret)] = secret
    path = folder / f"core.{seed}"
    segment = elfcore.Segment(address=0x7F0000000000, data=bytes(body))
    path.write_bytes(elfcore.write([segment]).data)
    near = seed == 1 or not words
    done = (inside.keysift if near else run)("scan", str(path), "-f", "json", *words)
    assert done.returncode in (0, 1), done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    schema = json.loads((ROOT / "scanner/report/schema-1.json").read_text("utf-8"))
    jsonschema.validate(report, schema)
    return report


def test_a_secret_has_one_name_in_every_dump(tmp_path: Path) -> None:
    """With the same key, wherever it lies; with another one, or without, other names."""
    for name, key in (("one", KEY), ("other", KEY[::-1])):
        (tmp_path / name).write_bytes(key)
    rows = [
        scanned(tmp_path, 1),
        scanned(tmp_path, 2),
        *(
            scanned(tmp_path, seed, "--fingerprint-key", str(tmp_path / name))
            for seed, name in ((1, "one"), (2, "one"), (1, "other"))
        ),
    ]
    found = [
        {
            finding["kind"]: tuple(finding["fingerprint"][part] for part in ("kind", "value"))
            for finding in row["dumps"][0]["findings"]
        }
        for row in rows
    ]
    assert all(set(names) == {"token", "symmetric-key"} for names in found)
    assert [names["token"][0] for names in found] == ["place-sha256"] * 2 + ["hmac-sha256"] * 3
    for kind in ("token", "symmetric-key"):
        values = [names[kind][1] for names in found]
        assert values[2] == values[3]
        assert len(set(values)) == 4
    ids = [row["fingerprint_key_id"] for row in rows]
    assert ids == [None, None, *[fingerprint.key_id(KEY)] * 2, fingerprint.key_id(KEY[::-1])]


@pytest.mark.parametrize("size", [None, 0, 15, 4097])
def test_what_is_no_key_is_refused(tmp_path: Path, size: int | None) -> None:
    """A file that is not there, or too short or long, is a usage error."""
    if size is not None:
        (tmp_path / "key").write_bytes(bytes(size))
    done = inside.run("scan", "core", "--fingerprint-key", str(tmp_path / "key"))
    assert done.returncode == 2
    assert done.stdout == ""
    assert "fingerprint key" in done.stderr
