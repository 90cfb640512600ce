"""Objects in stores as a dump's bytes come from: S3 of this machine alone, and the web."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures import elfcore, encodings, keys, noise, signers
from scanner import urls
from scanner.cli import inputs
from scanner.dump import remote
from scanner.errors import Unreadable, UsageError
from tests import inside, stores

ROOT = Path(__file__).resolve().parent.parent.parent
SECRET = "c0ffee5ec2e7"  # noqa: S105 - stands for a signature in a URL


@pytest.fixture(scope="module", params=stores.KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Give each kind of store in turn."""
    return str(request.param)


@pytest.fixture(scope="module")
def bucket(kind: str) -> Iterator[str]:
    """Give the URL of an empty bucket."""
    with stores.serving(kind) as url:
        yield url


def run(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "scanner", *words],
        cwd=ROOT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("core.1", "core.1"),
        ("C:\\dumps\\core", "C:\\dumps\\core"),
        ("s3://bucket/a/core", "s3://bucket/a/core"),
        (f"s3://id:{SECRET}@bucket/core@host", "s3://bucket/core@host"),
        (f"https://host/core?X-Amz-Signature={SECRET}", "https://host/core"),
        (f"https://host?{SECRET}@b", "https://host"),
        (f"https://{SECRET}@host:8443/core#x", "https://host:8443/core"),
        (f"https://me:{SECRET}/x@host/core", "https://host/core"),
        (f"https://me:{SECRET}?x@host/core", "https://host/core"),
        (f"abfss://box:{SECRET}@account/core?sig={SECRET}", "abfss://box@account/core"),
        (f"az://box:{SECRET}@account/core?sig={SECRET}", "az://box@account/core"),
        ("gs://bucket/core#17", "gs://bucket/core#17"),
        ("http://host:80/core@7", "http://host:80/core@7"),
    ],
)
def test_no_credential_of_a_url_is_shown(url: str, said: str) -> None:
    """Userinfo and query are left out, however badly they are escaped; names of keys stay."""
    assert urls.shown(url) == said
    assert SECRET not in said


@pytest.mark.parametrize(
    "url", ["simplecache::s3://b/k", "memory://x", "s3://a::zip://b", "ftp://h"]
)
def test_what_keeps_copies_or_is_unknown_is_refused(url: str) -> None:
    """A chain, a cache or an unknown scheme is a usage error, before anything is read."""
    with pytest.raises(UsageError):
        inputs.expand([url])
    with pytest.raises(Unreadable):
        remote.open_url(url)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("s3://", "it names no bucket"),
        ("s3:///core", "it names no bucket"),
        ("gs://", "it names no bucket"),
        ("az://", "it names no container"),
        (f"https://?{SECRET}", "it names no server"),
        (f"https://h:99999/core?{SECRET}", "its port is no number up to 65535"),
        (f"https://[::1/core?{SECRET}", "no server or bucket can have its name"),
    ],
)
def test_what_a_url_lacks_is_told(url: str, reason: str) -> None:
    """A URL that cannot be one is a usage error in plain words."""
    with pytest.raises(UsageError) as caught:
        inputs.expand([url])
    assert caught.value.reason == reason
    assert SECRET not in repr(vars(caught.value))


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the store's package the error says what to install, and shows no credential."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(UsageError) as caught:
        inputs.expand([f"gs://{SECRET}@bucket/core?{SECRET}"])
    assert SECRET not in repr(vars(caught.value))
    assert "fsspec" in caught.value.reason
    assert "pip install '.[fleet]' gcsfs" in caught.value.hint


def test_a_file_url_is_a_file(tmp_path: Path) -> None:
    """``file:`` names a local file, which is read as one."""
    path = tmp_path / "a core"
    path.write_bytes(b"0123456789")
    with remote.open_url(path.as_uri()) as file:
        assert file.read(2, 3) == b"234"
        assert file.identify().inode


def test_reads_at_offsets(kind: str, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads give the bytes at their offsets, over the edges of blocks, in any order."""
    monkeypatch.setattr(remote, "BLOCK", 1 << 16)
    monkeypatch.setattr(remote, "BLOCKS", 2)
    data = noise.text(5 << 16) + b"tail"
    stores.files(kind).pipe("dumps/blocks", data)
    with remote.open_url(f"{bucket}/blocks") as file:
        assert file.size == len(data)
        for at, size in ((0, 9), (300_000, 27_684), (65_530, 140_000), (3, 0), (len(data) - 4, 4)):
            assert file.read(at, size) == data[at : at + size]
        for at in (-1, len(data)):
            with pytest.raises(Unreadable):
                file.read(at, 1)


def test_another_or_no_object_is_an_error(
    kind: str, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The identity tells two states of an object apart; where a store can say so, a read does."""
    monkeypatch.setattr(remote, "BLOCK", 1 << 16)
    store = stores.files(kind)
    store.pipe("dumps/changing", bytes(12 << 16))
    with remote.open_url(f"{bucket}/changing") as file:
        before = file.identify()
        assert file.identify() == before
        store.pipe("dumps/changing", b"\1" * (12 << 16))
        assert file.identify() != before
        if kind == "s3":
            with pytest.raises(Unreadable) as caught:
                file.read(10 << 16, 9)
            assert "changed" in caught.value.reason
        store.rm("dumps/changing")
        with pytest.raises(Unreadable) as caught:
            file.identify()
        assert caught.value.reason == "there is no such object"
    with pytest.raises(Unreadable):
        remote.open_url(f"{bucket}/changing")


def test_folders_and_patterns(kind: str, bucket: str) -> None:
    """A folder stands for every object under it; what cannot be found stays as it was named."""
    store = stores.files(kind)
    for name in ("b", "a", "deep/er/c", "deep/d"):
        store.pipe(f"dumps/folder/{name}", b"x")
    base = f"{bucket}/folder"
    every = tuple(f"{base}/{name}" for name in ("a", "b", "deep/d", "deep/er/c"))
    assert inputs.expand([f"{base}/"]) == every
    assert inputs.expand([f"{base}/[ab]", f"{base}/a"]) == every[:2]
    assert inputs.expand([f"{base}/de*"]) == every[2:]
    nowhere = f"{kind}://nowhere/x"
    assert inputs.expand([f"{base}/a", nowhere]) == (every[0], nowhere)
    assert remote.modified(every[0]) is not None


@pytest.mark.parametrize(
    ("name", "near", "url"),
    [
        ("box/a/core", "s3://box/a", "s3://box/a/core"),
        (
            "box/core",
            "abfss://box@acc.dfs.core.windows.net/",
            "abfss://box@acc.dfs.core.windows.net/core",
        ),
        ("box/core", "az://box", "az://box/core"),
        ("box/a#7", "gcs://box/a*", "gcs://box/a#7"),
    ],
)
def test_an_object_is_named_as_its_store_was(name: str, near: str, url: str) -> None:
    """What a folder or pattern stands for has its scheme, and its account."""
    assert remote._url_of(name, near) == url


def test_the_report_is_that_of_the_file(kind: str, bucket: str, tmp_path: Path) -> None:
    """A dump in a store gives the same report as the file, but for its name, packed ones too."""
    key = keys.rsa_key(1024)
    segment = elfcore.Segment(address=0x10000, data=encodings.pkcs8_pem(key) + bytes(8192))
    dump = tmp_path / "core"
    dump.write_bytes(elfcore.write([segment]).data)
    packed = tmp_path / "core.gz"
    packed.write_bytes(gzip.compress(dump.read_bytes()))
    for path in (dump, packed):
        stores.files(kind).pipe(f"dumps/same/{path.name}", path.read_bytes())
    near = inside.keysift("scan", str(dump), str(packed), "-f", "json")
    far = run("scan", f"{bucket}/same", "-j1", "-f", "json")
    assert far.stdout.replace(f"{bucket}/same", str(tmp_path)) == near.stdout
    assert (far.returncode, far.stderr) == (near.returncode, near.stderr) == (1, "")


# --- the web ------------------------------------------------------------------------------------


@stores.needs_web
def test_a_signed_url_that_cannot_be_read_stays_unsaid() -> None:
    """A server without ranges is incomplete, and no output has the signature."""
    site = stores.Site({"/core": bytes(100)})
    site.ranges = False
    with stores.web(site) as host:
        url = f"http://me:{SECRET}@{host}/core?sig={SECRET}"
        done = run("scan", url, f"http://{host}/gone?sig={SECRET}", "-f", "json")
    assert done.returncode == 3
    assert SECRET not in done.stdout + done.stderr
    assert [dump["path"] for dump in json.loads(done.stdout)["dumps"]] == [
        f"http://{host}/core",
        f"http://{host}/gone",
    ]


@stores.needs_web
@pytest.mark.parametrize("tags", [("ETag",), ("Last-Modified",)])
def test_a_page_that_changes_is_another(tags: tuple[str, ...]) -> None:
    """By either header that servers have for it; the second tells when, too."""
    site = stores.Site({"/core": bytes(1000) + b"end"})
    site.tags = tags
    with stores.web(site) as host, remote.open_url(f"http://{host}/core") as file:
        assert file.read(998, 5) == b"\0\0end"
        before = file.identify()
        assert file.identify() == before
        site.pages["/core"] = bytes(1000) + b"END"
        assert file.identify() != before
        assert (remote.modified(f"http://{host}/core") is None) == (tags == ("ETag",))


@stores.needs_web
def test_a_page_of_which_nobody_says_when_it_changes() -> None:
    """It could change unseen while it is read: it is not read."""
    site = stores.Site({"/core": bytes(1000)})
    site.tags = ()
    with stores.web(site) as host, pytest.raises(Unreadable) as caught:
        remote.open_url(f"http://{host}/core")
    assert "does not say when it changes" in caught.value.reason


@stores.needs_web
def test_why_a_page_cannot_be_read(tmp_path: Path) -> None:
    """What fsspec takes for an absent page is told apart, without a word of the client's."""
    reasons = []
    site = stores.Site({"/core": bytes(9)})
    with stores.web(site) as plain, stores.web(site, signers.certificate(tmp_path)) as sealed:
        for url in (
            f"http://{plain}/gone?sig={SECRET}",
            f"http://127.0.0.1:1/core?sig={SECRET}",
            f"https://{sealed}/core?sig={SECRET}",
            f"https://{plain}/core?sig={SECRET}",
        ):
            with pytest.raises(Unreadable) as caught:
                remote.open_url(url)
            reasons.append(caught.value.reason)
            assert SECRET not in repr(vars(caught.value))
    assert reasons == [
        "there is no such object",
        "its server cannot be reached",
        "its server's certificate is not trusted",
        "its server does not speak TLS as it should",
    ]


@stores.needs_web
def test_a_scan_over_tls_and_one_of_a_page_that_changes(tmp_path: Path) -> None:
    """A page has the report of the file; one that changes, or is not trusted, is incomplete."""
    whole = elfcore.write([elfcore.Segment(address=0x10000, data=noise.text(1 << 16))]).data
    (tmp_path / "core").write_bytes(whole)
    near = inside.keysift("scan", str(tmp_path / "core"), "-f", "json")
    site, tls = stores.Site({"/core": whole}), signers.certificate(tmp_path)
    with stores.web(site, tls) as host:
        url, trust = f"https://{host}/core", {"SSL_CERT_FILE": str(tls[0])}
        far = run("scan", f"{url}?sig={SECRET}", "-j1", "-f", "json", **trust)
        assert far.stdout.replace(url, str(tmp_path / "core")) == near.stdout
        assert (far.returncode, near.returncode, far.stderr) == (0, 0, "")
        assert inside.keysift("scan", "-q", url).returncode == 3  # nobody trusts its certificate

        def change() -> None:
            site.pages["/core"] = whole[:-1] + bytes([site.asked])

        site.on_read = change
        done = run("scan", url, "-j1", **trust)
    assert (done.returncode, "changed" in done.stdout + done.stderr) == (3, True)
