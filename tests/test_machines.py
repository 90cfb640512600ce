"""Dumps of whole machines, from file to verdict: a key over pages that lie apart is found."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from fixtures import encodings, kerneldump, keys, lime, makedumpfile
from fixtures.machine import PAGE, Machine
from scanner import correlate, policy, rules
from scanner.engine import scanning
from scanner.engine.scanning import ScanRequest
from scanner.model import DumpReport, Verdict
from scanner.progress import Silence

RULES = rules.load()
KEY = keys.rsa_key(2048)
AT = 0x5555_5555_5000 + PAGE - 700
"""Seven hundred bytes before a page ends."""


def reports(data: bytes, folder: Path) -> list[DumpReport]:
    """Scan bytes, and judge each dump in them."""
    path = folder / "dump"
    path.write_bytes(data)
    request = ScanRequest(path=str(path), in_process=True, rules=RULES)
    scans = scanning.scan_all(request, Silence())
    return [policy.judge(scan, correlate.findings(scan, RULES)) for scan in scans]


def machine() -> Machine:
    """Return a machine with a process that has a key."""
    made = Machine(2 << 20)
    made.process()
    pages = made.map(made.process(), AT, encodings.pkcs8_der(KEY))
    assert pages[0] + PAGE != pages[1]
    return made


@pytest.mark.parametrize("kind", ["kerneldump", "lime", "avml", "makedumpfile"])
def test_key_over_two_pages(kind: str, tmp_path: Path) -> None:
    """A key that spans pages of a process blocks in every format, at its virtual address."""
    runs = machine().runs()
    data = {
        "kerneldump": lambda: kerneldump.write(kerneldump.FULL, runs),
        "lime": lambda: lime.write(runs),
        "avml": lambda: lime.write(runs, packed=True),
        "makedumpfile": lambda: makedumpfile.write(runs),
    }[kind]().data
    last = reports(data, tmp_path)[-1]
    assert last.verdict is Verdict.BLOCKED
    assert last.coverage.faults == ()
    [whole] = [o for f in last.findings for o in f.occurrences if o.encoding == "PKCS8-DER"]
    assert [extent.address for extent in whole.extents] == [AT, AT + 700]
    assert whole.region.startswith("process with page table 0x")


@pytest.mark.parametrize("wrap", ["raw", "zip", "tar"])
def test_image_in_an_archive(wrap: str, tmp_path: Path) -> None:
    """An image of memory has no magic; in an archive too its own tables tell it."""
    image = bytes(machine().memory)
    out = io.BytesIO()
    if wrap == "zip":
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("machine.vmem", image)
            archive.writestr("vmware.log", b"a log")
    elif wrap == "tar":
        with tarfile.open(fileobj=out, mode="w") as tar:
            info = tarfile.TarInfo("machine.vmem")
            info.size = len(image)
            tar.addfile(info, io.BytesIO(image))
    last = reports(out.getvalue() or image, tmp_path)[-1]
    assert (last.format, last.verdict) == ("memory-image", Verdict.BLOCKED)
    assert last.coverage.faults == ()


def test_machine_without_a_key(tmp_path: Path) -> None:
    """A machine whose tables are read, and that holds no key, passes."""
    made = Machine(2 << 20)
    made.map(made.process(), AT, b"words and words " * 500)
    assert reports(lime.write(made.runs()).data, tmp_path)[0].verdict is Verdict.PASS
