"""Policy, baseline and report over the real command: each option, its exit code, its words."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures import elfcore, encodings, keys, noise, real
from tests import inside

ROOT = Path(__file__).resolve().parents[2]
CLEAN = str(real.path("python-public"))


def keysift(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end; no crash may show."""
    done = subprocess.run(
        [sys.executable, "-m", "scanner", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def blocked(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Write a dump of a page with two keys."""
    path = tmp_path_factory.mktemp("dump") / "core"
    data = encodings.pkcs8_pem(keys.rsa_key()) + encodings.pkcs8_pem(keys.ec_key("P-256"))
    segment = elfcore.Segment(address=0x1000, data=data.ljust(4096, b"\0"))
    path.write_bytes(elfcore.write([segment]).data)
    return str(path)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, blocked: str) -> Path:
    """Return the saved report of a dump with two keys."""
    path = tmp_path_factory.mktemp("saved") / "report.json"
    assert keysift("scan", "-f", "json", "-o", str(path), blocked).returncode == 1
    return path


def allowing(report: Path, expires: str, *, count: int = 2) -> str:
    """Write a policy that allows the first keys of a report."""
    findings = json.loads(report.read_text())["dumps"][0]["findings"]
    entries = [
        f'[[allow]]\nfingerprint = "{finding["fingerprint"]["value"]}"\n'
        f'reason = "lab key"\nowner = "lab"\nexpires = {expires}\n'
        for finding in findings[:count]
    ]
    return "".join(entries)


@pytest.mark.parametrize(
    ("expires", "count", "code", "aside"),
    [("2999-12-31", 2, 0, 2), ("2999-12-31", 1, 1, 1), ("2020-01-01", 2, 1, 0)],
)
def test_allowed_keys(
    tmp_path: Path, blocked: str, report: Path, expires: str, count: int, code: int, aside: int
) -> None:
    """An allowed key does not block, is listed with its reason, and blocks again after its end."""
    path = tmp_path / "policy.toml"
    path.write_text(allowing(report, expires, count=count))
    done = inside.keysift("scan", "-f", "json", "--policy", str(path), blocked)
    assert done.returncode == code
    document = json.loads(done.stdout)
    (dump,) = document["dumps"]
    assert len(document["policy_sha256"]) == 64
    assert (len(dump["suppressed"]), len(dump["findings"])) == (aside, 2 - aside)
    assert all("lab key (owner: lab)" in finding["note"] for finding in dump["suppressed"])
    if expires < "2026":
        assert {f["note"] for f in dump["findings"]} == {
            "its leave ended on 2020-01-01 (owner: lab)"
        }


def test_baseline(tmp_path: Path, blocked: str, report: Path) -> None:
    """What a saved report had found is set aside, listed, and the report says which one it was."""
    done = keysift("scan", "-f", "json", "--baseline", str(report), blocked)
    assert done.returncode == 0
    document = json.loads(done.stdout)
    assert len(document["baseline_sha256"]) == 64
    assert len(document["dumps"][0]["suppressed"]) == 2
    path = tmp_path / "core"
    segment = elfcore.Segment(address=0x1000, data=encodings.pkcs8_pem(keys.rsa_key(1024)))
    path.write_bytes(elfcore.write([segment]).data)
    assert inside.keysift("scan", "--baseline", str(report), str(path)).returncode == 1


@pytest.mark.parametrize(
    ("severity", "code"), [("critical", 1), ("info", 1), ("nope", 2), ("CRITICAL", 2)]
)
def test_fail_on(blocked: str, severity: str, code: int) -> None:
    """--fail-on takes a severity and nothing else."""
    assert inside.keysift("scan", "--fail-on", severity, blocked).returncode == code


def test_fail_on_beats_the_policy(tmp_path: Path, blocked: str) -> None:
    """The command line is stronger than the file."""
    path = tmp_path / "policy.toml"
    path.write_text('min_confidence = "proof"\nfail_on = "critical"')
    first, second = (
        json.loads(
            inside.keysift("scan", "-f", "json", "--policy", str(path), *more, blocked).stdout
        )
        for more in ((), ("--fail-on", "low"))
    )
    assert first["policy_sha256"] != second["policy_sha256"]


def test_unexplained_bytes_are_accepted_only_where_said(tmp_path: Path) -> None:
    """What lies behind a core and is not known passes where the policy accepts it, and says so."""
    more = tmp_path / "core"
    segment = elfcore.Segment(address=0x7F00_0000_0000, data=noise.text(1 << 16, 1))
    more.write_bytes(elfcore.write([segment], trailing=noise.uniform(50_000, 1)).data)
    path = tmp_path / "policy.toml"
    path.write_text('accept = ["unexplained-bytes"]')
    done = keysift("scan", str(more))
    assert done.returncode == 3
    told = "49,152 bytes that no table describes look encrypted or compressed"
    assert told in " ".join(done.stdout.split())
    report = inside.keysift("scan", "-f", "json", "--policy", str(path), str(more))
    assert report.returncode == 0
    (dump,) = json.loads(report.stdout)["dumps"]
    assert (dump["accepted"], dump["reasons"]) == (["unexplained-bytes"], [])


def test_truncated_is_accepted_only_where_said(tmp_path: Path, blocked: str) -> None:
    """A dump cut at its end passes where the policy accepts it, and says so; a key still blocks."""
    cut = tmp_path / "cut"
    segment = elfcore.Segment(address=0x7F00_0000_0000, data=noise.text(1 << 16, 1))
    cut.write_bytes(elfcore.write([segment]).data[:-5000])
    path = tmp_path / "policy.toml"
    path.write_text('accept = ["truncated"]')
    assert inside.keysift("scan", str(cut)).returncode == 3
    done = keysift("scan", "-f", "json", "--policy", str(path), str(cut))
    assert done.returncode == 0
    (dump,) = json.loads(done.stdout)["dumps"]
    assert dump["accepted"] == ["truncated"]
    assert [fault["code"] for fault in dump["coverage"]["faults"]] == ["truncated"]
    said = inside.keysift("scan", "--policy", str(path), str(cut)).stdout
    assert "the policy accepts: truncated" in " ".join(said.split())
    raw = tmp_path / "noise"
    raw.write_bytes(b"no dump at all")
    assert inside.keysift("scan", "--policy", str(path), str(raw)).returncode == 3
    cut.write_bytes(Path(blocked).read_bytes()[:-100])
    assert inside.keysift("scan", "--policy", str(path), str(cut)).returncode == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("scan", "--policy", "{bad}", CLEAN),
        ("scan", "--policy", "{none}", CLEAN),
        ("scan", "--baseline", "{bad}", CLEAN),
        ("scan", "--baseline", "{none}", CLEAN),
        ("report", "{bad}"),
        ("report", "{none}"),
        ("policy", "check", "{bad}"),
        ("policy", "check", "{good}", "--today", "tomorrow"),
    ],
)
def test_usage_in_three_parts(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """A file that is none is exit 2: what, why, what to do; nothing is scanned."""
    files = {"bad": tmp_path / "bad", "none": tmp_path / "none", "good": tmp_path / "good"}
    files["bad"].write_text("nope = 1")
    files["good"].write_text("")
    done = inside.run(*(argument.format(**files) for argument in arguments))
    assert (done.returncode, done.stdout) == (2, "")
    first, second, third = done.stderr.splitlines()
    assert first.startswith("keysift: ")
    assert second.startswith("  why: ")
    assert third.startswith("  do:  ")


def test_report_is_the_scan_again(tmp_path: Path, report: Path, blocked: str) -> None:
    """Text and JSON of a saved report are those of the scan; the exit code is the verdict's."""
    for options in ((), ("-v",)):
        again, scanned = (
            keysift("report", str(report), *options),
            inside.keysift("scan", *options, blocked),
        )
        assert (again.returncode, again.stdout) == (scanned.returncode, scanned.stdout) != (0, "")
    assert keysift("report", str(report), "-f", "json").stdout == report.read_text()
    out = tmp_path / "out"
    assert keysift("report", str(report), "-f", "sarif", "-o", str(out)).returncode == 1
    assert json.loads(out.read_text())["version"] == "2.1.0"
    assert keysift("report", str(report), "-o", str(report)).returncode == 2


@pytest.mark.parametrize(
    ("today", "code", "fragment"),
    [
        ("2026-12-31", 0, "2 allowed, 0 ended, 0 to end within 30 days of 2026-12-31"),
        ("2027-01-31", 0, "2 allowed, 0 ended, 1 to end within 30 days of 2027-01-31"),
        ("2027-02-01", 3, "2 allowed, 1 ended, 0 to end within 30 days of 2027-02-01"),
    ],
)
def test_policy_check(tmp_path: Path, report: Path, today: str, code: int, fragment: str) -> None:
    """The check says what the policy does and which entries have ended or end soon."""
    path = tmp_path / "policy.toml"
    first, second = allowing(report, "2027-01-31").split("[[allow]]")[1:]
    path.write_text(f"[[allow]]{first}[[allow]]{second.replace('2027-01-31', '2030-01-01')}")
    done = keysift("policy", "check", str(path), "--today", today)
    assert done.returncode == code
    assert done.stdout.startswith("blocks          high and worse, of confidence structure and")
    assert fragment in done.stdout.splitlines()[-1]
    ended = "keysift: entries that have ended: 1\n  why: what they allowed blocks again\n"
    assert done.stderr.startswith(ended) if code else done.stderr == ""


def test_what_is_no_date_is_told(tmp_path: Path) -> None:
    """It is said which word is no date, and what one looks like."""
    path = tmp_path / "policy.toml"
    path.write_text("")
    done = inside.run("policy", "check", str(path), "--today", "31.1.2027\x1b")
    assert "--today: '31.1.2027\\x1b' is no date" in done.stderr
    assert "why: a date has the form YYYY-MM-DD" in done.stderr


def test_the_default_of_fail_on_is_the_policys() -> None:
    """The help does not say that a policy is overruled where nothing was asked for."""
    said = " ".join(keysift("scan", "--help").stdout.split())
    assert "Least severity that blocks. [default: the policy's, else high]" in said
