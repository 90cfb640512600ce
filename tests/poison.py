"""Faults that the tests put into the real command, through PYTHONPATH.

``folder(tmp_path, module, body, where)`` gives a folder whose ``sitecustomize`` runs ``body`` when
``module`` is imported: in workers, in the parent, or in both.
"""

import signal
from pathlib import Path

CANARY = "sk_live_canary_5f2b"

_SITE = """
import importlib.abc, sys

class Poison(importlib.abc.MetaPathFinder):
    taken = False

    def find_spec(self, name, path, target=None):
        if name == {module!r} and not self.taken:
            self.taken = True
            import os
            inside = any("spawn_main" in word for word in sys.orig_argv)
            try:
                if {where!r} in ("both", "worker" if inside else "parent"):
{body}
            except BaseException:
                self.taken = False  # what fails, fails each time
                raise
        return None

sys.meta_path.insert(0, Poison())
"""


def heed_interrupts() -> None:
    """Let a child hear SIGINT, which a shell's background jobs inherit as ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def folder(tmp_path: Path, module: str, body: str, where: str = "worker") -> Path:
    """Write the poison and return the folder to put on PYTHONPATH."""
    made = tmp_path / "poison"
    made.mkdir(exist_ok=True)
    indented = "\n".join(" " * 20 + line for line in body.splitlines())
    text = _SITE.format(module=module, where=where, body=indented)
    (made / "sitecustomize.py").write_text(text)
    return made
