"""Scan one file with yara-x, which comes without a command on PyPI: ``run_yara_x.py RULES FILE``.

Prints the offset of every match, one a line.
"""

import sys
from pathlib import Path

import yara_x


def main() -> None:
    """Scan and print."""
    rules = yara_x.compile(Path(sys.argv[1]).read_text())
    data = Path(sys.argv[2]).read_bytes()  # it takes bytes alone, no map
    for rule in rules.scan(data).matching_rules:
        for pattern in rule.patterns:
            for match in pattern.matches:
                print(match.offset)


if __name__ == "__main__":
    main()
