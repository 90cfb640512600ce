"""Write what ``peers.py`` measured as a table and as a picture: speed, memory, recall.

    python benchmarks/plot_peers.py FOLDER

Reads FOLDER/peers.json, writes FOLDER/peers.md and FOLDER/peers.svg. Speed is MB of the file a wall
second, the median of the rounds; ratios are keysift's speed over the other's. MB is 10**6 bytes.
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

OURS, THEIRS = "#1f6f8b", "#b8c4c9"
"""Colours of the bars."""

Result = dict[str, Any]


def table(result: Result) -> str:
    """Return the table in Markdown: a row a tool."""
    planted = {kind: count for kind, count in result["planted"].items() if count}
    head = ["tool", "version", "wall s", "CPU s", "MB/s", "keysift is", "peak MB", "found"]
    head += [f"{kind} ({count})" for kind, count in planted.items()]
    rows = [head, ["---"] * len(head)]
    tools = result["tools"]
    ours = next((_speed(result, tool) for tool in tools if tool["name"] == "keysift"), 0.0)
    total = sum(planted.values())
    for tool in tools:
        if not tool["runs"]:
            rows.append([tool["name"], "not installed", *[""] * (len(head) - 2)])
            continue
        speed = _speed(result, tool)
        ratio = f"{ours / speed:.1f}x" if ours and tool["name"] != "keysift" else ""
        rows.append(
            [
                tool["name"],
                tool["version"],
                f"{tool['wall']:.2f}",
                f"{tool['cpu']:.2f}",
                f"{speed:.0f}",
                ratio,
                f"{tool['peak'] / 1e6:.0f}",
                f"{sum(tool['found'].values())} of {total}",
                *(str(tool["found"][kind]) for kind in planted),
            ]
        )
    shares = result["shares"]
    said = (
        f"{result['bytes'] / 1e6:.0f} MB, {shares['zeros']:.1%} zero pages, "
        f"{shares['duplicates']:.1%} repeated pages, {total} planted objects, "
        f"{result['jobs']} workers where a tool can be told."
    )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + f"\n\n{said}\n"


def _speed(result: Result, tool: Result) -> float:
    return float(result["bytes"]) / 1e6 / float(tool["wall"]) if tool["runs"] else 0.0


def picture(result: Result, path: Path) -> None:
    """Draw three panels side by side: speed, memory, recall.

    A tool that found nothing may not have looked: it gets no bar for its speed.
    """
    mpl.rcParams.update(
        {
            "font.size": 9,
            "svg.fonttype": "none",
            "svg.hashsalt": "keysift",
            "font.family": "sans-serif",
        }
    )
    tools = [tool for tool in reversed(result["tools"]) if tool["runs"]]
    names = [tool["name"] for tool in tools]
    colours = [OURS if name == "keysift" else THEIRS for name in names]
    total = sum(result["planted"].values())
    panels = (
        (
            "speed, MB/s",
            [_speed(result, tool) if any(tool["found"].values()) else 0.0 for tool in tools],
        ),
        ("peak memory, MB", [tool["peak"] / 1e6 for tool in tools]),
        (
            f"found of {total} planted keys and tokens",
            [sum(tool["found"].values()) for tool in tools],
        ),
    )
    figure, axes = plt.subplots(1, 3, sharey=True, figsize=(9.6, 0.8 + 0.3 * len(tools)))
    for axis, (title, values) in zip(axes, panels, strict=True):
        _bars(axis, names, values, colours)
        axis.set_title(title, fontsize=9, loc="left")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _bars(axis: Axes, names: list[str], values: list[float], colours: list[str]) -> None:
    bars = axis.barh(names, values, color=colours)
    axis.bar_label(bars, [f"{value:,.0f}" for value in values], padding=3, fontsize=8)
    axis.margins(x=0.18)
    axis.spines[["top", "right", "bottom"]].set_visible(False)
    axis.tick_params(bottom=False, labelbottom=False, left=False)
    axis.minorticks_off()


def write(result: Result, folder: Path) -> None:
    """Write both files."""
    (folder / "peers.md").write_text(table(result))
    picture(result, folder / "peers.svg")


def main() -> None:
    """Read and write."""
    folder = Path(sys.argv[1])
    write(json.loads((folder / "peers.json").read_text()), folder)


if __name__ == "__main__":
    main()
