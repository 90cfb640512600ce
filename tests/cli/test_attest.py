"""From a blocked dump to one that may leave, and what is refused on the way: the real commands."""

import datetime as dt
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from fixtures import elfcore, encodings, keys, noise, signers
from scanner import attest, signing
from scanner.cli import main
from tests import inside, poison, test_attest, test_secrets
from tests.cli.test_redact import keysift, planted

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "scanner/report/attestation-1.json").read_text("utf-8"))
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and limits")


def clean(path: Path) -> Path:
    """Write a core that holds no key."""
    path.write_bytes(elfcore.write([elfcore.Segment(address=0x10000, data=bytes(8192))]).data)
    return path


def verified(dump: Path, attestation: Path, public: Path, *options: str) -> int:
    """Return the exit code of ``verify``, which has no workers: here it runs in this process."""
    words = ("verify", str(dump), "--attestation", str(attestation), "--key", str(public))
    told: list[str] = []
    code = main.run([*words, *options], lambda *parts: told.extend(parts))
    assert (code in (0, 1)) == (not told)
    return code


def test_what_a_policy_accepted_is_attested(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bytes that nothing explains are named in the statement, and by whoever verifies it."""
    secret, public = signers.write(tmp_path)
    dump, signed, rule = tmp_path / "core", tmp_path / "core.json", tmp_path / "policy.toml"
    segment = elfcore.Segment(address=0x10000, data=bytes(1 << 16))
    dump.write_bytes(elfcore.write([segment], trailing=noise.uniform(50_000, 1)).data)
    rule.write_text('accept = ["unexplained-bytes"]')
    words = ("attest", str(dump), "--key", str(secret), "-o", str(signed))
    assert inside.keysift(*words).returncode == 3
    assert inside.keysift(*words, "--policy", str(rule)).returncode == 0
    payload, _ = signing.unsealed(
        str(signed), attest.PAYLOAD_TYPE, signing.public_keys([str(public)])
    )
    assert json.loads(payload)["predicate"]["accepted"] == ["unexplained-bytes"]
    assert verified(dump, signed, public) == 0
    assert "accepted    unexplained-bytes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "told", "form"),
    [
        ("--max-age", "'soon' is no age", "a number, then s, m, h, d or w"),
        ("--min-version", "'soon' is no version", "numbers with dots between"),
    ],
)
def test_what_is_no_age_or_version_is_told(
    signed: tuple[Path, Path, Path], option: str, told: str, form: str
) -> None:
    """It is said which word it was, and what is expected."""
    dump, path, public = signed
    words = ("verify", str(dump), "--attestation", str(path), "--key", str(public))
    said: list[str] = []
    assert main.run([*words, option, "soon"], lambda *parts: said.extend(parts)) == 2
    assert f"{option}: {told}" in "\n".join(said)
    assert form in "\n".join(said)


def test_the_walk_from_blocked_to_verified(tmp_path: Path) -> None:
    """Blocked, seen as HTML, redacted, passed, attested, verified on a copy elsewhere.

    The copy is attested and verified by the real command; the rest is done in this process, and
    by the real command where the README walks it.
    """
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    secret, public = signers.write(tmp_path)
    dump, page, copy = planted(here / "core"), here / "report.html", here / "core.redacted"
    assert inside.keysift("scan", str(dump), "-f", "html", "-o", str(page)).returncode == 1
    assert page.read_bytes().startswith(b"<!DOCTYPE html>")
    assert inside.keysift("redact", str(dump), "-o", str(copy)).returncode == 0
    signed, report = here / "core.json", here / "report.json"
    words = ("--key", str(secret), "-o", str(signed), "--report", str(report))
    done = keysift("attest", str(copy), *words)
    assert (done.returncode, done.stderr) == (0, b"")
    payload, _ = signing.unsealed(
        str(signed), attest.PAYLOAD_TYPE, signing.public_keys([str(public)])
    )
    jsonschema.validate(json.loads(payload), SCHEMA)
    moved = (there / "other-name").write_bytes(copy.read_bytes()) and there / "other-name"
    assert isinstance(moved, Path)
    words = ("verify", str(moved), "--attestation", str(signed), "--key", str(public))
    done = keysift(*words)
    assert (done.returncode, done.stderr) == (0, b"")

    # What was attested of the dump itself holds too, and says that it may not leave.
    again = ("--key", str(secret), "-o", str(signed))
    assert inside.keysift("attest", str(dump), *again).returncode == 1
    assert verified(dump, signed, public) == 1
    done = keysift(*words)
    assert (done.returncode, b"Traceback" in done.stderr) == (3, False)
    assert done.stderr


@pytest.fixture(name="signed", scope="module")
def _signed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Return a clean dump, its attestation and the public key."""
    folder = tmp_path_factory.mktemp("signed")
    secret, public = signers.write(folder)
    dump, path = clean(folder / "core"), folder / "attestation"
    words = ("attest", str(dump), "--key", str(secret), "-o", str(path))
    assert inside.keysift(*words).returncode == 0
    return dump, path, public


@pytest.mark.parametrize("at", [0, 4096, -1])
def test_a_changed_byte_is_refused(
    tmp_path: Path, signed: tuple[Path, Path, Path], at: int
) -> None:
    """One byte of the dump, or of the attestation, is enough."""
    dump, path, public = signed
    data = bytearray(dump.read_bytes())
    data[at] ^= 1
    (tmp_path / "core").write_bytes(data)
    assert verified(tmp_path / "core", path, public) == 3
    envelope = json.loads(path.read_text())
    payload = envelope["payload"]
    envelope["payload"] = payload[:40] + ("B" if payload[40] == "A" else "A") + payload[41:]
    (tmp_path / "attestation").write_text(json.dumps(envelope))
    assert verified(dump, tmp_path / "attestation", public) == 3


def test_what_else_is_refused(tmp_path: Path, signed: tuple[Path, Path, Path]) -> None:
    """A wrong key, an old keysift, another policy, a missing file: 3; nonsense in options: 2."""
    dump, path, public = signed
    _, other = signers.write(tmp_path, "p256", 9)
    (tmp_path / "policy.toml").write_text('fail_on = "low"\n')
    assert verified(dump, path, other) == 3
    assert verified(dump, path, public, "--min-version", "9.0") == 3
    assert verified(dump, path, public, "--policy", str(tmp_path / "policy.toml")) == 3
    assert verified(tmp_path / "missing", path, public) == 3
    assert verified(dump, tmp_path / "missing", public) == 3
    assert verified(dump, dump, public) == 3
    assert verified(dump, path, tmp_path / "missing") == 2
    assert verified(dump, path, public, "--max-age", "soon") == 2
    assert verified(dump, path, public, "--min-version", "soon") == 2
    assert verified(dump, path, public, "--max-age", "1h", "--min-version", "0.0.1") == 0


@pytest.mark.parametrize("days", [1, 31, 400])
def test_an_old_attestation_is_refused(tmp_path: Path, days: int) -> None:
    """A scan that lies longer back than asked for is none to rely on."""
    secret, public = signers.write(tmp_path)
    dump = clean(tmp_path / "core")
    digest = attest.digest(str(dump))
    report = test_attest.dump(
        sha256=digest, content=test_attest.model.Content(layers=(), size=1, sha256=digest)
    )
    time = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
    payload = test_attest.stated(report, time=time)
    sign = signing.signer(str(secret))
    (tmp_path / "old").write_text(signing.seal(payload, attest.PAYLOAD_TYPE, sign))
    assert verified(dump, tmp_path / "old", public) == (0 if days == 1 else 3)
    assert verified(dump, tmp_path / "old", public, "--max-age", "23h") == 3


def test_a_leave_of_the_policy(tmp_path: Path) -> None:
    """An allowed key passes and its attestation names the day; after its last day it blocks."""
    secret, public = signers.write(tmp_path)
    dump, path = planted(tmp_path / "core"), tmp_path / "attestation"
    name = json.loads(inside.keysift("scan", str(dump), "-f", "json").stdout)
    name = name["dumps"][0]["findings"][0]["fingerprint"]["value"]
    rules = tmp_path / "policy.toml"
    today = dt.datetime.now(dt.UTC).date()
    for days, code in ((2, 0), (-1, 1)):
        ends = today + dt.timedelta(days=days)
        rules.write_text(
            f'[[allow]]\nfingerprint = "{name}"\nreason = "test"\nowner = "us"\nexpires = {ends}\n'
        )
        words = ("--key", str(secret), "-o", str(path), "--policy", str(rules))
        done = inside.keysift("attest", str(dump), *words)
        assert done.returncode == code
        assert verified(dump, path, public, "--policy", str(rules)) == code
        assert (str(ends) in done.stdout) == (code == 0)


def test_of_an_incomplete_scan_there_is_no_attestation(tmp_path: Path) -> None:
    """Cut, unknown, missing: exit 3, and nothing is written."""
    secret, _ = signers.write(tmp_path)
    data = clean(tmp_path / "core").read_bytes()
    (tmp_path / "cut").write_bytes(data[:6000])
    path = tmp_path / "attestation"
    for name in ("cut", "missing"):
        done = inside.keysift("attest", str(tmp_path / name), "--key", str(secret), "-o", str(path))
        assert (done.returncode, path.exists(), done.stdout) == (3, False, "")
        assert "no attestation" in done.stderr


def test_clashing_paths_are_usage(tmp_path: Path) -> None:
    """Nothing is written over the dump, the key or the report."""
    secret, _ = signers.write(tmp_path)
    dump = clean(tmp_path / "core")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    link = tmp_path / "link"
    link.symlink_to(dump)
    for words in (
        ("-o", str(dump)),
        ("-o", str(secret)),
        ("-o", str(link)),
        ("--report", str(dump)),
        ("-o", str(tmp_path / "x"), "--report", str(tmp_path / "x")),
    ):
        assert keysift("attest", str(dump), "--key", str(secret), *words).returncode == 2
    link.unlink()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_no_canary_and_no_signing_key_is_said(tmp_path: Path) -> None:
    """Neither a key of the dump nor the key that signs is in any output or file."""
    folder = tmp_path / "in"
    folder.mkdir()
    secret, public = signers.write(tmp_path, password=b"canary-password")
    (tmp_path / "password").write_text("canary-password\n")
    lines = secret.read_bytes().splitlines()[1:-1]
    for path in test_secrets.planted(folder)[:1]:
        out, report = tmp_path / "out", tmp_path / "report"
        words = ("--key", str(secret), "--key-secret", str(tmp_path / "password"))
        done = keysift("attest", str(path), *words, "-o", str(out), "--report", str(report))
        assert done.returncode == 1
        seen = keysift("verify", str(path), "--attestation", str(out), "--key", str(public))
        assert seen.returncode == 1
        outputs = (done.stdout, done.stderr, seen.stdout, seen.stderr)
        written = (out.read_bytes(), report.read_bytes())
        payload, _ = signing.unsealed(
            str(out), attest.PAYLOAD_TYPE, signing.public_keys([str(public)])
        )
        test_secrets.assert_silent(*outputs, *written, payload)
        for form in (b"canary-password", *lines):
            assert not any(form in output for output in (*outputs, *written, payload))


@POSIX
@pytest.mark.parametrize("where", ["before", "after"])
def test_a_kill_leaves_no_half_attestation(tmp_path: Path, where: str) -> None:
    """Killed before it is named there is none; killed after, it is whole and holds."""
    ends = "os.kill(os.getpid(), 9)"
    body = f"""
import scanner.deliver as room
def replace(target, data, real=room._replace):
    {ends if where == "before" else "real(target, data)"}
    {ends}
room._replace = replace
"""
    folder = poison.folder(tmp_path, "scanner.report.attestation", body, "parent")
    secret, public = signers.write(tmp_path)
    dump, path = clean(tmp_path / "core"), tmp_path / "attestation"
    words = ("attest", str(dump), "--key", str(secret), "-o", str(path))
    done = keysift(*words, env={"PYTHONPATH": str(folder)})
    assert done.returncode == -signal.SIGKILL
    assert path.exists() == (where == "after")
    assert not path.exists() or verified(dump, path, public) == 0


@POSIX
@pytest.mark.parametrize(("make", "code"), [(clean, 3), (planted, 1)])
def test_an_attestation_that_cannot_be_written(tmp_path: Path, make, code: int) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
    """A pass that could not be told is no pass; blocked stays blocked; nothing is left."""
    secret, _ = signers.write(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    limited = (
        "import resource, runpy, sys;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64));"
        "sys.argv[0] = 'keysift';"
        "runpy.run_module('scanner', run_name='__main__', alter_sys=True)"
    )
    dump = make(tmp_path / "core")
    words = ("attest", str(dump), "--key", str(secret), "-o", str(out / "attestation"), "-j", "1")
    done = subprocess.run(
        [sys.executable, "-c", limited, *words],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, list(out.iterdir())) == (code, [])
    assert b"could not be written" in done.stderr


def test_a_key_that_is_none_is_told_before_the_scan(tmp_path: Path) -> None:
    """A scan that nobody could sign is not begun."""
    dump = clean(tmp_path / "core")
    done = keysift("attest", str(dump), "--key", str(dump))
    assert (done.returncode, done.stdout) == (2, b"")
    assert encodings.pkcs8_pem(keys.canary())[:20] not in done.stderr
