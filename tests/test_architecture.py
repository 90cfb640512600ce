"""The house: a module imports only from rows below its own, and nothing grows unseen."""

import ast
import functools
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "scanner"

ROWS: tuple[tuple[str, ...], ...] = (
    ("scanner", "errors", "urls", "private", "pipes", "progress", "folding", "beside", "arrays"),
    ("processes", "processes.cores", "processes.hardening", "processes.own_memory"),
    ("kernels.library",),
    ("kernels", "kernels.*"),
    ("caches",),
    ("model",),
    ("fingerprint", "fields", "regions"),
    ("spread",),
    ("dump.lzop",),
    ("dump.source", "dump.ledger", "dump.names", "dump.codecs", "dump.pack"),
    ("dump.registers", "dump.storage"),
    ("dump.draft", "dump.remote"),
    ("dump.bitmaps", "dump.pagetables"),
    ("dump.paging", "dump.conflicts"),
    (
        "dump.unpack",
        "dump.minidump",
        "dump.segments",
        "dump.machine",
        "dump.kernel",
        "dump.lime",
        "dump.images",
        "dump.vmware",
        "dump.libvirt",
        "dump.ramblocks",
        "dump.macho",
        "dump.texts",
    ),
    ("dump.elfcore", "dump.migration"),
    ("dump.qemu",),
    ("dump",),
    ("dump.archives.archive", "dump.archives.cores", "dump.archives.disks"),
    (
        "dump.archives.zips",
        "dump.archives.tars",
        "dump.archives.apport",
        "dump.archives.makedumpfile",
        "dump.archives.flattened",
        "dump.archives.avml",
        "dump.archives.saved",
        "dump.archives.hextext",
        "dump.archives.cabinets",
        "dump.archives.heapsnapshot",
        "dump.archives.erlang",
        "dump.archives.criu",
        "dump.archives.envelope",
        "dump.archives.multipart",
        "dump.archives.journal",
        "dump.archives.unreal",
        "dump.archives.unopened",
    ),
    ("dump.archives",),
    ("dump.trailing",),
    ("dump.unexplained",),
    ("dump.contents",),
    ("dump.layers",),
    ("dump.space",),
    ("dump.windows",),
    ("ruleanchors",),
    ("rules", "published", "labels", "policyfile", "saved"),
    ("rulecheck",),
    ("detect.expressions",),
    ("detect", "detect.anchors", "detect.cursor", "detect.algebra.*"),
    ("detect.asn1.*",),
    ("detect.evidence", "detect.encodings.*"),
    ("detect.factors", "detect.integers.*"),
    ("detect.register", "detect.locked.*"),
    ("detect.ciphers.*", "detect.ssh.*", "detect.openpgp.*"),
    ("detect.texts.*",),
    ("detect.programs.*",),
    ("detect.damaged.*", "detect.encrypted", "detect.inner", "detect.credentials.*"),
    ("detect.packed", "detect.celled", "detect.hexed", "detect.respelled", "detect.strided"),
    ("detect.relations", "detect.relations.related", "detect.relations.places.*"),
    (
        "detect.relations.rsa.*",
        "detect.relations.weierstrass.*",
        "detect.relations.edwards.*",
        "detect.relations.postquantum.*",
    ),
    ("detect.relations.fields.*",),
    ("detect.structures.*",),
    ("detect.needles",),
    ("known",),
    ("processes.later", "processes.handles", "processes.serving"),
    ("processes.workers",),
    ("stages.session",),
    ("stages.shade", "stages.overwrite", "stages.unlock", "stages.seals", "stages.limits"),
    ("stages.calls",),
    ("stages.sweep",),
    ("stages.examine",),
    ("stages.relate", "stages.naming"),
    ("stages.trace",),
    ("stages.withhold", "stages.owners"),
    ("stages.opening",),
    ("engine", "engine.stretches", "engine.answers", "engine.compiled", "engine.records"),
    ("engine.either", "engine.remains", "engine.traceable"),
    ("engine.coverage", "engine.placed", "engine.proving", "engine.resume"),
    ("engine.sweeping",),
    ("engine.scanning",),
    ("correlate",),
    ("policy",),
    ("gate",),
    ("redact", "attest", "signing", "audit"),
    ("report.printable",),
    ("report.wording",),
    ("report.*",),
    ("claims", "deliver"),
    ("spool", "metrics"),
    ("cluster",),
    ("watch", "fleet", "shards"),
    ("cli", "cli.patterns"),
    ("cli.console", "cli.inputs", "cli.targets"),
    ("cli.output",),
    ("cli.policy", "cli.info", "cli.report"),
    ("cli.scan",),
    ("cli.redact", "cli.attest"),
    ("cli.spool", "cli.fleet"),
    ("cli.main",),
    ("__main__",),
)
"""Bottom to top. A name that ends in ".*" is a room whose modules may use each other."""

ONLY = {
    "numpy": (
        "arrays",
        "kernels.",
        "detect.",
        "dump.space",
        "dump.ledger",
        "dump.bitmaps",
        "dump.conflicts",
        "dump.unexplained",
        "dump.layers",
        "dump.paging",
        "dump.pagetables",
        "dump.windows",
        "dump.archives.archive",
        "dump.archives.flattened",
        "stages.",
        "labels",
        "engine.",
    ),
    "fsspec": ("dump.remote",),
    "dask": ("cluster",),
    "distributed": ("cluster", "fleet"),
    "click": ("cli.",),
    "rich": ("report.", "cli.console"),
    "cryptography": ("detect.", "known", "signing"),
    "securesystemslib": ("signing", "cli.attest", "cli.spool"),
    "in_toto_attestation": ("attest",),
    "google": ("attest",),
    "packaging": ("attest",),
    "filelock": ("claims",),
    "prometheus_client": ("metrics",),
    "watchfiles": ("watch",),
    "ctypes": ("kernels.", "processes.", "dump.source", "__main__"),
    "hyperscan": ("detect.expressions",),
    "re2": ("detect.expressions",),
    "multiprocessing": ("processes.",),
}
"""Who may import what costs time or touches other processes."""

SYSTEM = {"ctypes", "fcntl", "mmap", "msvcrt", "os", "resource", "select", "signal", "winreg"}
"""What is not the same on every system: the types of those who use it are checked for each."""

MOST_LINES = 400


def name_of(path: Path) -> str:
    """Return a module's name inside of the package."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__") or "scanner"


def place_of(name: str) -> tuple[int, str]:
    """Return the row of a module, and the entry there that covers it: itself, or its room."""
    for covers in (
        name.__eq__,
        lambda entry: entry[-2:] == ".*" and f"{name}.".startswith(entry[:-1]),
    ):
        for index, row in enumerate(ROWS):
            for entry in filter(covers, row):
                return index, entry
    raise AssertionError(f"{name} has no row")


MODULES = sorted(PACKAGE.rglob("*.py"))
NAMES = {name_of(path) for path in MODULES}


@functools.cache
def imports(path: Path) -> set[str]:
    """Return the full names of all modules that a file imports, wherever it does."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}".removeprefix("scanner.")
                ours = node.module is not None and node.module.split(".")[0] == "scanner"
                found.add(f"scanner.{inner}" if ours and inner in NAMES else str(node.module))
    return found


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_down(path: Path) -> None:
    """A module imports ours only from lower rows, or from its own room."""
    name = name_of(path)
    for target in imports(path):
        if target.split(".")[0] != "scanner":
            continue
        other = target.removeprefix("scanner.")
        (low, room), (high, own) = place_of(other), place_of(name)
        assert low < high or room == own or other == "scanner", f"{name} imports {other}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_heavy_imports_have_one_home(path: Path) -> None:
    """Each foreign library is imported where the house says."""
    name = name_of(path)
    for target in imports(path):
        homes = ONLY.get(target.split(".")[0])
        if homes is not None:
            assert any(name == home or name.startswith(home) for home in homes), (name, target)


def test_detectors_are_the_same_on_every_system() -> None:
    """So their types are checked for one."""
    for path in PACKAGE.joinpath("detect").rglob("*.py"):
        assert not SYSTEM & imports(path), path
        assert "sys.platform" not in path.read_text("utf-8"), path


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_are_documented_and_small(path: Path) -> None:
    """Every module says why it exists, and is short enough to read."""
    text = path.read_text("utf-8")
    assert ast.get_docstring(ast.parse(text))
    assert text.count("\n") <= MOST_LINES


def test_the_entry_module_imports_os_and_sys_alone() -> None:
    """What guards everything else needs nothing that could fail."""
    tree = ast.parse((PACKAGE / "__main__.py").read_text("utf-8"))
    top = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert {alias.name for node in top for alias in node.names} == {"os", "sys"}
