"""Keys as integers of MicroPython: micropython micropython_keys.py FOLDER live|freed KIND..."""

import gc
import sys
import time

folder, state = sys.argv[1:3]
held = []
for kind in sys.argv[3:]:
    key = {}
    for name in ("n", "d", "p", "q") if kind.startswith("rsa") else ("d", "x", "y"):
        with open(f"{folder}/{kind}.{name}.num", "rb") as file:  # noqa: PTH123 - it has no pathlib
            key[name] = int.from_bytes(file.read(), "big")
    if "n" in key:
        key["signed"] = pow(12345, key["d"], key["n"])
    held.append(key)
if state == "freed":
    held = None
    gc.collect()
    held = [bytes(64)]
print("ready")
time.sleep(3600)
