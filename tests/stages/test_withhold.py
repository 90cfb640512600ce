"""Names that hold a secret are withheld: in what ``info`` shows, and in what a scan reports."""

import base64
import io
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures import cabinet, carriers, elfcore, encodings, macho, minidump, unreal, vmware
from scanner import correlate, policy, rules
from scanner.dump.archives.archive import MAX_MEMBER_NAME
from scanner.engine import scanning
from scanner.engine.scanning import ScanRequest
from scanner.labels import WITHHELD
from scanner.progress import Silence
from scanner.report import info
from scanner.stages import withhold
from tests.test_secrets import EC, KEY, OKP, TOKENS, assert_silent

RULES = rules.load()

SECRETS = {
    "github": TOKENS[0].decode(),
    "slack": TOKENS[1].decode(),
    "aws": f"{TOKENS[2].decode()}:{TOKENS[3].decode()}",
    "aws-secret": TOKENS[3].decode(),
    "password": TOKENS[4].decode(),
    "jwt": TOKENS[5].decode(),
    "pem": encodings.pkcs8_pem(KEY).decode(),
    "pem-ec": encodings.sec1_pem(EC).decode(),
    "der-hex": encodings.sec1_der(EC).hex(),
    "der-base64": base64.b64encode(encodings.pkcs8_der(OKP)).decode(),
    "scalar-hex": f"{EC.private_values()['d']:064x}",
    "seed-hex": OKP.seed.hex().upper(),
    "seed-base64": base64.urlsafe_b64encode(OKP.seed).decode(),
}
WORDS = b"words of memory " * 64


def core(secret: str, base: str = "") -> bytes:
    """Write an ELF core in which everything that has a name is called so."""
    return elfcore.write(
        [elfcore.Segment(address=0x10000, data=WORDS * 4)],
        program=secret,
        arguments=f"signer --secret {secret}",
        files=[
            elfcore.Mapped(start=0x10000, end=0x11000, name=f"/opt/{secret}{base}"),
            elfcore.Mapped(start=0x11000, end=0x12000, name="/usr/lib/libc.so.6"),
        ],
        notes=[elfcore.Note(name=secret[:31], type=77, data=WORDS)],
    ).data


def windows(secret: str) -> bytes:
    """Write a minidump in which everything that has a name is called so."""
    named = struct.pack("<I", 2)
    return minidump.write(
        [minidump.Segment(address=0x10000, data=WORDS * 4)],
        modules=[
            minidump.Module(start=0x10000, size=4096, name=f"C:\\{secret}.dll"),
            minidump.Module(start=0x11000, size=4096, name=f"C:\\{secret}\\libc.dll"),
        ],
        threads=[minidump.Thread(id=1, stack_start=0x10000, stack_size=64, name=secret)],
        streams=[
            minidump.comment_a(secret),
            minidump.comment_w(secret),
            minidump.Stream(type=0x47670006, data=f"signer\0{secret}\0".encode()),
            minidump.Stream(type=0x47670007, data=f"SECRET={secret}\0".encode() + named),
        ],
    ).data


def apple(secret: str) -> bytes:
    """Write a Mach-O core with a note of that owner."""
    return macho.write([(0x10000, WORDS, 4096)], notes=[(secret[:16], WORDS)]).data


def machine(secret: str) -> bytes:
    """Write a VMware state file with a group of that name."""
    return vmware.write([(0, WORDS * 4)], others=[(secret[:64], WORDS)]).data


def zipped(secret: str) -> bytes:
    """Write an archive with a dump of that name."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(f"{secret}.core", core("words"))
    return out.getvalue()


def tarred(secret: str) -> bytes:
    """Write an archive with a dump of that name, in an archive of that name."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        inner = zipped(secret)
        about = tarfile.TarInfo(f"{secret}.zip")
        about.size = len(inner)
        archive.addfile(about, io.BytesIO(inner))
    return out.getvalue()


def boxed(secret: str) -> bytes:
    """Write a cabinet with a dump of that name."""
    return cabinet.write([(secret, core("words"))])


def crash(secret: str) -> bytes:
    """Write an Unreal crash report with a dump of that name."""
    return unreal.write([(secret[:259], core("words"))])


def sent(secret: str) -> bytes:
    """Write an envelope of Sentry with a dump of that name."""
    return carriers.envelope([({"type": "attachment", "filename": secret}, core("words"))])


def uploaded(secret: str) -> bytes:
    """Write an upload with a dump of that name."""
    return carriers.upload([(secret, core("words"))])


WRITERS: tuple[Callable[[str], bytes], ...] = (
    core,
    windows,
    apple,
    machine,
    zipped,
    tarred,
    boxed,
    crash,
    sent,
    uploaded,
)


def surveys(path: Path) -> info.Inspected:
    """Return what ``info`` knows of a file."""
    request = ScanRequest(path=str(path), in_process=True, rules=RULES)
    return scanning.inspect(request, Silence())


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
@pytest.mark.parametrize("form", SECRETS)
def test_info_repeats_no_secret(tmp_path: Path, form: str, write: Callable[[str], bytes]) -> None:
    """No name that a format has room for brings a secret onto the screen, in whatever form."""
    path = tmp_path / "dump"
    path.write_bytes(write(SECRETS[form]))
    found = surveys(path)
    assert_silent(info.text(found).encode(), info.document(found).encode())
    for _, survey in found:
        assert_silent(repr(survey.layout.labels).encode(), repr(survey.members).encode())


def test_a_scan_repeats_no_secret(tmp_path: Path) -> None:
    """Names of members and of the owners of notes are withheld from the report on a scan."""
    path = tmp_path / "dump"
    for secret in (SECRETS["github"], SECRETS["pem-ec"]):
        path.write_bytes(zipped(secret))
        scans = scanning.scan_all(
            ScanRequest(path=str(path), in_process=True, rules=RULES), Silence()
        )
        assert [scan.path for scan in scans] == [str(path), f"{path}!member 1, {WITHHELD}"]
        for scan in scans:
            report = policy.judge(scan, correlate.findings(scan, RULES))
            assert_silent(repr(report).encode())


def test_a_certificate_called_after_a_secret(tmp_path: Path) -> None:
    """A subject in which a rule finds something names nobody; others do, random ones too."""
    secret, random = TOKENS[0].decode(), "5f" * 32
    path = tmp_path / "core"
    for name, shown in ((secret, WITHHELD), (random, f"CN={random}")):
        held = encodings.pkcs8_der(KEY), encodings.certificate_der(KEY, common_name=name)
        data = bytes(64) + bytes(64).join(held) + bytes(64)
        path.write_bytes(elfcore.write([elfcore.Segment(address=0x10000, data=data)]).data)
        scan = scanning.scan(ScanRequest(path=str(path), in_process=True, rules=RULES), Silence())
        assert {one.subject for one in scan.witnesses if one.subject} == {shown}
        report = policy.judge(scan, correlate.findings(scan, RULES))
        assert [finding.public.subject for finding in report.findings if finding.names] == [shown]
        assert_silent(repr(report).encode(), repr(scan.witnesses).encode())


@pytest.mark.parametrize(("at_once", "compared"), [(16, 256), (1, 256), (1, 0)])
def test_a_certificate_called_after_its_own_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int, compared: int
) -> None:
    """A subject that spells a private number of a key that was found is withheld, a digest is not.

    Where there are more keys than are compared, both are.
    """
    monkeypatch.setattr(withhold, "AT_ONCE", at_once)
    monkeypatch.setattr(withhold, "MOST_COMPARED", compared)
    scalar, digest = SECRETS["scalar-hex"], "5f" * 32
    path = tmp_path / "core"
    for name, shown in (
        (scalar.upper(), WITHHELD),
        (digest, f"CN={digest}" if compared else WITHHELD),
    ):
        certificate = encodings.certificate_der(EC, common_name=name)
        held = encodings.pkcs8_der(EC), certificate, encodings.pkcs8_der(KEY)
        data = bytes(64) + bytes(64).join(held) + bytes(64)
        path.write_bytes(elfcore.write([elfcore.Segment(address=0x10000, data=data)]).data)
        scan = scanning.scan(ScanRequest(path=str(path), in_process=True, rules=RULES), Silence())
        assert {one.subject for one in scan.witnesses if one.subject} == {shown}
        report = policy.judge(scan, correlate.findings(scan, RULES))
        assert scalar not in repr(report).lower()


def test_folders_of_members_called_after_a_secret(tmp_path: Path) -> None:
    """A folder's name in an archive is withheld as a file's is, and one that is cut as a whole."""
    path = tmp_path / "dump"
    cut = "x" * (MAX_MEMBER_NAME - 10) + TOKENS[0].decode()
    for secret, folder in ((SECRETS["scalar-hex"], f"{SECRETS['scalar-hex']}/core"), (cut, cut)):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(folder, core("words"))
        _, (name, _) = surveys(path)
        assert name == f"{path}!member 1, {WITHHELD}"
        assert secret[-40:] not in name


def test_names_are_names(tmp_path: Path) -> None:
    """What is called like files, programs, digests and streams are is shown."""
    names = (
        "/usr/bin/curl",
        "/usr/lib/x86_64-linux-gnu/libsecret-1.so.0",
        "/home/u/.cargo/bin/libring-8cb1f2a3d4e5f607.so",
        "/nix/store/0c5kx1b4yq8zq0q2k9r4x4z2n9d1p7vw-openssl-3.0.13/lib/libcrypto.so.3",
        "/var/lib/docker/overlay2/" + "5e" * 32 + "/diff/usr/lib/libssl.so.3",
        "/usr/lib/debug/.build-id/" + "1f" * 19 + ".debug",
        "/var/db/550e8400-e29b-41d4-a716-446655440000.db",
        "/opt/Microsoft.Extensions.Configuration.EnvironmentVariables.dll",
        "/opt/UE4Editor-OnlineSubsystemGooglePlay-Win64-Shipping.so",
        "/opt/api-ms-win-core-processthreads-l1-1-0.dll",
    )
    path = tmp_path / "core"
    path.write_bytes(
        elfcore.write(
            [elfcore.Segment(address=0x10000, data=WORDS * 4)],
            program="iTunesHelper64",
            files=[
                elfcore.Mapped(start=0x10000 + 4096 * n, end=0x11000 + 4096 * n, name=name)
                for n, name in enumerate(names)
            ],
            notes=[elfcore.Note(name="LINUX", type=0x205, data=WORDS)],
        ).data
    )
    ((_, survey),) = surveys(path)
    assert tuple(module.name for module in survey.layout.modules) == names
    assert survey.layout.process == "iTunesHelper64"
    assert WITHHELD not in repr(survey.layout)


def test_other_names_stay(tmp_path: Path) -> None:
    """Of the names of a dump those that hold a secret are withheld, and no others."""
    path = tmp_path / "core"
    path.write_bytes(core(SECRETS["slack"], "/signer"))
    ((_, survey),) = surveys(path)
    assert [m.name for m in survey.layout.modules] == [WITHHELD, "/usr/lib/libc.so.6"]
    assert survey.layout.process == WITHHELD
    assert sum(label.name == WITHHELD for label in survey.layout.labels) == 1


def test_more_names_than_are_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names for which there is no room, and all of a dump that is full of anchors, are withheld."""
    path = tmp_path / "core"
    path.write_bytes(core("words"))
    monkeypatch.setattr(withhold, "MOST_BYTES", 64)
    ((_, survey),) = surveys(path)
    assert WITHHELD in {module.name for module in survey.layout.modules}
    monkeypatch.undo()
    monkeypatch.setattr(withhold, "MOST_HITS", 0)
    path.write_bytes(core(SECRETS["github"]))
    ((_, survey),) = surveys(path)
    assert {module.name for module in survey.layout.modules} == {WITHHELD}


def test_a_library_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library that confirms tokens, what announces one is withheld."""
    monkeypatch.setattr("scanner.detect.credentials.kingfisher.MODULE", "no_such_library")
    path = tmp_path / "core"
    path.write_bytes(zipped(SECRETS["github"]))
    assert_silent(info.text(surveys(path)).encode())
