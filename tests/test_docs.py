"""What the documents say is what the program does."""

import dataclasses
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from scanner import policyfile, report, rules
from scanner.cli import main
from tests import inside, rules_page

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
TEST_COMMAND = "python3 tests/run.py"


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_the_page_of_rules_is_up_to_date() -> None:
    """``rules/README.md`` is what ``python -m tests.rules_page`` writes."""
    assert rules_page.PAGE.read_text("utf-8") == rules_page.page(rules.load())


def test_help_is_the_real_one() -> None:
    """The README's help block equals the command's output."""
    done = subprocess.run(
        [sys.executable, "-m", "scanner", "scan", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"$ keysift scan --help\n{done.stdout}" in blocks("text")


def test_output_is_the_real_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line of the README's report is in the real one, in this order, the ends being equal."""
    command, *shown = next(b for b in blocks("text") if "scan fixtures" in b).splitlines()
    monkeypatch.chdir(ROOT)
    done = inside.keysift(*shlex.split(command)[2:])
    assert done.returncode == 1
    real = done.stdout.splitlines()
    assert (shown[0], shown[-1]) == (real[0], real[-1])
    rest = iter(real)
    assert [line for line in shown if line != "..." and line not in rest] == []


def test_the_policy_shown_has_every_option() -> None:
    """The README's policy can be read, and shows each key that there is, of entries too."""
    (block,) = blocks("toml")
    policy = policyfile.parse(block.encode())
    fields = {field.name for field in dataclasses.fields(policyfile.Policy)}
    assert set(tomllib.loads(block)) == fields
    (entry,) = tomllib.loads(block)["allow"]
    assert set(entry) == {field.name for field in dataclasses.fields(policyfile.Allow)}
    assert policy.fail_on is policyfile.DEFAULT.fail_on
    for values in (policyfile.CONFIDENCES, policyfile.ACCEPTABLE):
        assert all(value in block for value in values)


def _undated(text: str) -> str:
    """Return a transcript without what is another at each run: times and key ids."""
    text = re.sub(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", "TIME", text)
    return re.sub(r"(signed by +)[0-9a-f]{64}", r"\1KEY", text)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here makes the key")
@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell")
def test_the_walk_is_the_real_one(tmp_path: Path) -> None:
    """The README's walk from a blocked dump to a verified copy, run line by line."""
    block = next(b for b in blocks("text") if "keysift attest" in b)
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    shim = f'keysift() {{ PYTHONPATH={shlex.quote(str(ROOT))} {sys.executable} -m scanner "$@"; }}'
    said = ""
    for line in block.splitlines():
        if line.startswith("$ "):
            done = subprocess.run(
                ["sh", "-c", f"{shim}\n{line[2:]}"],
                cwd=tmp_path,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT if "verify" in line else None,
                text=True,
                check=False,
            )
            said += f"{line}\n{done.stdout}"
    assert _undated(block) == _undated(said)


def test_exit_codes_are_the_real_ones() -> None:
    """The README's table has each verdict with its code, and the codes that are no verdict."""
    said = dict(re.findall(r"^\| (\d+) \| (`\w+`)? ?\|", README, re.MULTILINE))
    expected = {str(code): f"`{verdict.value}`" for verdict, code in main.EXIT_CODES}
    assert said == expected | {"2": "", "130": ""}


def test_every_format_is_in_the_help() -> None:
    """The formats of the table are the choices of --format."""
    names = "|".join(name for name, _ in report.FORMATS)
    assert f"--format [{names}]" in README


def test_one_test_command() -> None:
    """The README names one command for all checks, and the pipeline calls exactly that one."""
    assert f"{TEST_COMMAND}\n" in blocks("sh")
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert TEST_COMMAND in [line.strip() for line in lines]


def test_what_is_said_to_be_installed_exists() -> None:
    """No document and no hint installs keysift from an index; each extra named is one there is."""
    there = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = set(there["optional-dependencies"])
    sources = (ROOT / "README.md", *ROOT.glob("recipes/**/*.md"), *ROOT.glob("scanner/**/*.py"))
    named: set[str] = set()
    for path in sources:
        text = path.read_text("utf-8")
        assert not re.search(r"pip install\s+'?keysift", text), path
        named |= set(re.findall(r"pip install\s+'\.\[(\w+)\]'", text))
    assert {"fleet", "hsm"} <= named <= extras
    assert "`vault` for `hv:`" in README


def test_no_example_writes_what_another_did() -> None:
    """Whoever follows the README from its beginning overwrites nothing of an example before."""
    made = re.findall(r"^\$ keysift .*(?:-o|--output) (\S+)", README, re.MULTILINE)
    assert len(made) > 2
    assert sorted(made) == sorted(set(made))


def test_example_dump_is_shipped() -> None:
    """The dump that the README scans is in the repository."""
    scans = [
        line for block in blocks("sh") for line in block.splitlines() if "keysift scan f" in line
    ]
    assert len(scans) == 1
    assert (ROOT / shlex.split(scans[0])[-1]).is_file()


def test_changelog_names_every_rule() -> None:
    """A rule that ships is in the changelog, under the heading Rules."""
    said = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").partition("### Rules")[2]
    assert said
    for rule in rules.load():
        assert f"`{rule.id}`" in said


def test_the_sums_are_those_of_the_tables() -> None:
    """What the README sums up of keys found, by state, is what the cells of its tables say."""
    sums = re.findall(r"^\| (\d+) [^|]* \| (\d+ of \d+) \| (.*) \| (.*) \|$", README, re.MULTILINE)
    tables = re.findall(r"^\| library \| state .*\n\|[ |-]+\n((?:\|.*\n)+)", README, re.MULTILINE)
    assert len(sums) == len(tables) == 2
    for (rows, *said), table in zip(sums, tables, strict=True):
        found: dict[str, list[int]] = {"live": [0, 0], "freed": [0, 0], "damaged": [0, 0]}
        names = set()
        for line in table.splitlines():
            name, state, *cells = (part.strip() for part in line.strip("|").split("|"))
            names.add(name)
            for cell in filter(None, cells):
                counts = re.search(r"(\d+) of (\d+)", cell)
                alone = (int(cell.startswith("found")), 1)
                some, every = map(int, counts.groups()) if counts else alone
                found[state][0] += some
                found[state][1] += every
        assert (int(rows), said) == (
            len(names),
            [f"{some} of {all_}" for some, all_ in found.values()],
        )


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md"])
def test_links_lead_somewhere(name: str) -> None:
    """Every link into the repository has a file at its end."""
    text = (ROOT / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert "://" in target or (ROOT / target).exists(), target
