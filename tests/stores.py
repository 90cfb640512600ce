"""Stores of this machine alone, for the tests of what is read over the network.

S3 is moto's, Azure's is azurite (an npm package, whose programs must be on the PATH), Google's is
gcp-storage-emulator; the web is a server of our own.
"""

import contextlib
import hashlib
import http.server
import importlib.util
import logging
import os
import re
import shutil
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

AZURITE = "azurite-blob"
_AZURE_KEY = (  # azurite's own, which everybody knows
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)


def _needs(*packages: str, programs: tuple[str, ...] = ()) -> pytest.MarkDecorator:
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    missing += [name for name in programs if shutil.which(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed here: {', '.join(missing)}")


needs_s3 = _needs("moto", "flask", "flask_cors", "s3fs")
needs_azure = _needs("adlfs", programs=(AZURITE,))
needs_google = _needs("gcsfs", "gcp_storage_emulator")
needs_web = _needs("fsspec", "aiohttp")

KINDS = (
    pytest.param("s3", marks=needs_s3),
    pytest.param("az", marks=needs_azure),
    pytest.param("gs", marks=needs_google),
)
"""Kinds of stores, by the scheme of their URLs."""


@contextlib.contextmanager
def serving(kind: str = "s3") -> Iterator[str]:
    """Run a store, name it in the environment as users do, and yield a bucket's URL."""
    run: dict[str, Callable[[], contextlib.AbstractContextManager[dict[str, str]]]] = {
        "s3": _moto,
        "az": _azurite,
        "gs": _google,
    }
    with run[kind]() as names, mock.patch.dict(os.environ, names):
        if kind != "gs":  # whose emulator has it
            with contextlib.suppress(FileExistsError):  # moto's buckets last as long as the process
                files(kind).mkdir("dumps")
        yield f"{kind}://dumps"


def files(kind: str = "s3") -> Any:  # noqa: ANN401 - fsspec publishes no types
    """Return a store as a file system that remembers nothing."""
    import fsspec

    options: dict[str, Any] = {"skip_instance_cache": True, "use_listings_cache": False}
    if kind == "az":
        options["connection_string"] = os.environ["AZURE_STORAGE_CONNECTION_STRING"]
    return fsspec.filesystem(kind, **options)


@contextlib.contextmanager
def _moto() -> Iterator[dict[str, str]]:
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server: Any = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
    finally:
        server.stop()


@contextlib.contextmanager
def _azurite() -> Iterator[dict[str, str]]:
    words = ("--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry")
    where = ("--blobHost", "127.0.0.1", "--blobPort", "0")
    with subprocess.Popen(
        [str(shutil.which(AZURITE)), *words, *where], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            found = (re.search(r"listens on (http://\S+)", line) for line in process.stdout)
            url = next(match[1] for match in found if match)
            account = f"AccountName=devstoreaccount1;AccountKey={_AZURE_KEY}"
            said = f"DefaultEndpointsProtocol=http;{account};BlobEndpoint={url}/devstoreaccount1;"
            yield {"AZURE_STORAGE_CONNECTION_STRING": said}
        finally:
            process.kill()


@contextlib.contextmanager
def _google() -> Iterator[dict[str, str]]:
    from gcp_storage_emulator.server import Server

    logging.getLogger("gcp_storage_emulator").setLevel(logging.CRITICAL)
    server: Any = Server("127.0.0.1", 0, in_memory=True, default_bucket="dumps")
    with server:
        port = server._api._httpd.server_address[1]
        yield {
            "STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{port}",
            "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",  # by gRPC, which it does not speak
            "NO_GCE_CHECK": "true",
        }


class Site:
    """What a web server has, and what it says of it."""

    def __init__(self, pages: dict[str, bytes]) -> None:
        self.pages = dict(pages)
        self.ranges = True
        self.tags: tuple[str, ...] = ("ETag",)
        """Of ETag and Last-Modified, what it says."""
        self.asked = 0
        """Bodies that were asked for."""
        self.on_read: Callable[[], None] = lambda: None
        """Called before each of them."""

    def headers(self, data: bytes) -> dict[str, str]:
        """Return what tells one state of a page from another."""
        digest = hashlib.sha256(data).digest()
        when = f"Wed, 25 Nov 2026 {digest[0] % 24:02}:{digest[1] % 60:02}:00 GMT"
        told = {"ETag": f'"{digest.hex()[:12]}"', "Last-Modified": when}
        return {name: told[name] for name in self.tags}


@contextlib.contextmanager
def web(site: Site, tls: tuple[Path, Path] | None = None) -> Iterator[str]:
    """Serve a site, over HTTPS where a certificate and its key are given; yield its host."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.command == "GET":
                site.asked += 1
                site.on_read()
            data = site.pages.get(self.path.partition("?")[0])
            part = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers["Range"] or "")
            code, body = (404, b"") if data is None else (200, data)
            if data is not None and part and site.ranges:
                code, body = 206, data[int(part[1]) : int(part[2]) + 1]
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            for name, value in site.headers(data or b"").items():
                self.send_header(name, value)
            if code == http.HTTPStatus.PARTIAL_CONTENT:
                assert part is not None
                last = int(part[1]) + len(body) - 1
                self.send_header("Content-Range", f"bytes {part[1]}-{last}/{len(data or b'')}")
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815 - the library's names

        def log_message(self, *_arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
