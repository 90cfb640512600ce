"""The recipes that a POSIX machine can try do what they say."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures import signers
from tests.cli.test_redact import keysift, planted
from tests.test_spool import clean

ROOT = Path(__file__).resolve().parent.parent
RECIPES = ROOT / "recipes"
SCRIPTS = sorted(p for p in RECIPES.rglob("*") if p.is_file() and p.read_bytes()[:2] == b"#!")
UNITS = sorted((*RECIPES.rglob("*.service"), *RECIPES.rglob("*.path")))

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX shells")


@pytest.fixture(name="command")
def _command(tmp_path: Path) -> Path:
    """Return a keysift to call by its path."""
    path = tmp_path / "keysift"
    path.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m scanner "$@"\n')
    path.chmod(0o755)
    return path


def sh(script: str, *words: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    """Run one of the scripts."""
    (path,) = [path for path in SCRIPTS if path.name == script]
    return subprocess.run(
        [str(path), *words], env={**os.environ, **env}, capture_output=True, check=False
    )


def test_every_script_can_be_run() -> None:
    """Scripts are there, and executable."""
    assert len(SCRIPTS) == 5
    assert all(os.access(path, os.X_OK) for path in SCRIPTS)


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="no shellcheck here")
def test_scripts_are_linted() -> None:
    """Shellcheck has nothing to say."""
    done = subprocess.run(["shellcheck", *map(str, SCRIPTS)], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_units_are_valid_and_hardened(tmp_path: Path) -> None:
    """Units have no complaint but for programs that are not installed, and little exposure.

    Of the machine's own units, which are read as well, there may be any (knxd's sockets).
    """
    for path in UNITS:
        text = re.sub(r"/opt/keysift/\S+", "/bin/true", path.read_text())
        (tmp_path / path.name).write_text(text)
    units = [str(tmp_path / path.name) for path in UNITS]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, check=False
    )
    said = done.stderr.decode().splitlines()
    ours = [line for line in said if any(path.name in line for path in UNITS)]
    assert (done.returncode, ours) == (0, [])
    for unit in (unit for unit in units if unit.endswith(".service")):
        judge = ["systemd-analyze", "security", "--offline=true", "--threshold=20", unit]
        assert subprocess.run(judge, capture_output=True, check=False).returncode == 0


def test_only_what_passes_is_sent(tmp_path: Path, command: Path) -> None:
    """keysift-send sends all or nothing."""
    if shutil.which("rsync") is None:
        pytest.skip("no rsync here")
    good, bad, there = clean(tmp_path / "good"), planted(tmp_path / "bad"), tmp_path / "there"
    env = {"KEYSIFT": str(command), "TMPDIR": str(tmp_path)}
    words = ("rsync", f"{there}/")
    assert sh("keysift-send", *words, str(good), str(bad), **env).returncode == 1
    assert sh("keysift-send", *words, str(good), str(tmp_path / "no"), **env).returncode == 3
    assert sh("keysift-send", *words, str(good), str(good), **env).returncode == 2
    assert sh("keysift-send", "ftp", "there", str(good), **env).returncode == 2
    assert not there.exists()
    assert sh("keysift-send", *words, str(good), **env).returncode == 0
    assert [path.name for path in there.iterdir()] == ["good"]
    assert not list(tmp_path.glob("keysift-send.*"))
    missing = {**env, "KEYSIFT": str(tmp_path / "missing")}
    assert sh("keysift-send", "rsync", f"{tmp_path}/x/", str(good), **missing).returncode == 127
    assert not (tmp_path / "x").exists()


def test_a_module_serves_only_what_holds(tmp_path: Path, command: Path) -> None:
    """The hook of rsync refuses what is not as attested, or that nobody attested, hidden or not."""
    secret, public = signers.write(tmp_path)
    spool = tmp_path / "spool"
    (spool / "incoming").mkdir(parents=True)
    clean(spool / "incoming" / "one")
    assert (
        keysift("spool", str(spool), "--once", "--settle", "0", "--key", str(secret)).returncode
        == 0
    )
    env = {
        "KEYSIFT": str(command),
        "KEYSIFT_KEY": str(public),
        "RSYNC_MODULE_PATH": str(spool / "cleared"),
    }
    assert sh("keysift-verify-cleared", **env).returncode == 0
    dump = spool / "cleared" / "one" / "one"
    data = dump.read_bytes()
    dump.write_bytes(data[:-1] + b"x")
    assert sh("keysift-verify-cleared", **env).returncode != 0
    dump.write_bytes(data)
    for more in (spool / "cleared" / "loose", spool / "cleared" / ".hidden", dump.parent / ".core"):
        more.write_bytes(b"what nobody attested")
        assert sh("keysift-verify-cleared", **env).returncode != 0, more
        more.unlink()
    assert sh("keysift-verify-cleared", **env).returncode == 0
    (spool / "cleared" / "empty").mkdir()
    assert sh("keysift-verify-cleared", **env).returncode != 0


def test_what_systemd_stored_is_collected(tmp_path: Path) -> None:
    """Cores are moved whole; links and other files stay."""
    spool, stored = tmp_path / "spool", tmp_path / "coredump"
    (spool / "incoming").mkdir(parents=True)
    stored.mkdir()
    data = clean(stored / "core.a b.1").read_bytes()
    clean(stored / "other")
    (stored / "core.link").symlink_to(stored / "other")
    env = {"KEYSIFT_COREDUMPS": str(stored), "KEYSIFT_SPOOL": str(spool)}
    assert sh("keysift-collect", **env).returncode == 0
    assert [path.name for path in (spool / "incoming").iterdir()] == ["core.a b.1"]
    assert (spool / "incoming" / "core.a b.1").read_bytes() == data
    assert sorted(path.name for path in stored.iterdir()) == ["core.link", "other"]


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="no setpriv here")
@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="the kernel is root")
def test_the_core_handler_stores(tmp_path: Path, command: Path) -> None:
    """A core on stdin, no environment but what the test needs: it waits in the spool."""
    (script,) = [path for path in SCRIPTS if path.name == "keysift-core"]
    spool, dump = tmp_path / "spool", clean(tmp_path / "core")
    env = {"KEYSIFT": str(command), "KEYSIFT_SPOOL": str(spool), "KEYSIFT_USER": "root"}
    with dump.open("rb") as stdin:
        done = subprocess.run(
            [str(script), "a!b", "7", "99"], cwd="/", env=env, stdin=stdin, check=False
        )
    assert done.returncode == 3
    assert (spool / "incoming" / "core.a!b.7.99").read_bytes() == dump.read_bytes()


def test_windows_writes_where_the_spool_is() -> None:
    """The folder in the registry file is the one that the spool watches."""
    text = (RECIPES / "windows-wer" / "local-dumps.reg").read_text()
    (digits,) = re.findall(r"hex\(2\):([0-9a-f,]+)", text)
    folder = bytes.fromhex(digits.replace(",", "")).decode("utf-16-le").rstrip("\0")
    assert folder == "C:\\keysift\\incoming"
    assert "spool C:\\keysift " in (RECIPES / "windows-wer" / "register-spool.ps1").read_text()
