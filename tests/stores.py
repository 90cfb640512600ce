"""An S3 store of this machine alone, for the tests of what is read over the network."""

import contextlib
import http.server
import importlib.util
import logging
import os
import threading
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest


def _needs(*packages: str) -> pytest.MarkDecorator:
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed here: {', '.join(missing)}")


needs_s3 = _needs("moto", "flask", "flask_cors", "s3fs")
needs_web = _needs("fsspec", "aiohttp")


@contextlib.contextmanager
def serving() -> Iterator[str]:
    """Run the store, name it in the environment as users do, and yield a bucket's URL."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server: Any = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    names = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    try:
        with mock.patch.dict(os.environ, names):
            files().makedirs("dumps", exist_ok=True)
            yield "s3://dumps"
    finally:
        server.stop()


def files() -> Any:  # noqa: ANN401 - fsspec publishes no types
    """Return the store as a file system that remembers nothing."""
    import s3fs

    return s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False)


@contextlib.contextmanager
def web(answers: dict[str, bytes]) -> Iterator[str]:
    """Serve some paths over HTTP, without ranges, and yield the address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = answers.get(self.path.partition("?")[0])
            self.send_response(404 if data is None else 200)
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(data or b"")

        do_HEAD = do_GET  # noqa: N815 - the library's names

        def log_message(self, *_arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
