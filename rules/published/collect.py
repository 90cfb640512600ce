"""Print a list of the private keys that a program or a document carries for everybody to read.

    python rules/published/collect.py "where they stand" FILE [FILE ...] > rules/published/NAME.toml

The files are swept as raw bytes; what is proved in a program as it is shipped is public knowledge.
Only fingerprints of public halves are printed.
"""

import json
import subprocess
import sys


def main() -> None:
    """Scan the files and print the list."""
    source, *files = sys.argv[1:]
    command = [sys.executable, "-m", "scanner", "scan", "--raw", "-f", "json", *files]
    report = json.loads(subprocess.run(command, capture_output=True, check=False).stdout)
    keys = {}
    for dump in report["dumps"]:
        for finding in dump["findings"]:
            if finding["kind"] == "private-key":
                algorithm = finding["algorithm"]
                size = f" {finding['bits']}" if algorithm == "rsa" else ""
                name = f"{finding['curve'] or algorithm.upper()}{size}"
                keys[finding["fingerprint"]["value"]] = name
    print(f"source = {json.dumps(source)}")
    for fingerprint, name in sorted(keys.items(), key=lambda item: (item[1], item[0])):
        print(f'\n[[keys]]\nname = "{name}"\nfingerprint = "{fingerprint}"')


if __name__ == "__main__":
    main()
