"""Bytes in from an object store: a URL as a file that is read at stated offsets.

The stores are fsspec's, which finds credentials and endpoints where each store's own tools do: in
the environment, in profiles, in the machine's role. This module exists so that an object that
changes or goes while it is read is an error and never other bytes. It refuses schemes that write a
copy somewhere (fsspec's caches and chains), and to repeat what a store's client says of an error.
"""

import contextlib
import datetime as dt
import errno
import logging
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

from scanner.dump import source
from scanner.dump.source import File, Identity
from scanner.errors import Unreadable, UsageError, phrase
from scanner.urls import shown

BLOCK = 4 << 20
"""Bytes of one request."""

BLOCKS = 8
"""Blocks of one object that are kept; the next one is fetched while one is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Store:
    """A kind of store: its schemes, and what must be installed for it beside fsspec."""

    schemes: tuple[str, ...]
    package: str
    root: str = "bucket"
    """What the part of a URL behind its scheme names."""
    listed: bool = True
    """Its objects can be listed, so that folders and patterns mean something."""


_STORES = (
    _Store(schemes=("s3", "s3a"), package="s3fs"),
    _Store(schemes=("az", "abfs", "abfss"), package="adlfs", root="container"),
    _Store(schemes=("gs", "gcs"), package="gcsfs"),
    _Store(schemes=("http", "https"), package="aiohttp", root="server", listed=False),
)

_TAGS = (
    "ETag",
    "etag",
    "VersionId",
    "version_id",
    "generation",
    "LastModified",
    "Last-Modified",
    "last_modified",
    "updated",
    "mtime",
    "Content-MD5",
    "Digest",
)
"""What the stores' clients call what changes with an object."""

_MEANT = {
    "NoCredentialsError": "this machine has no credentials for it",
    "ParamValidationError": "no bucket can have its name",
}
"""What botocore calls errors."""

_UNFOUND = {
    "ClientConnectorError": "its server cannot be reached",
    "ClientConnectorDNSError": "its server cannot be found",
    "ClientConnectorCertificateError": "its server's certificate is not trusted",
    "ClientConnectorSSLError": "its server does not speak TLS as it should",
}
"""What fsspec takes for an absent page, by what aiohttp raised."""

_TIMES = ("LastModified", "Last-Modified", "last_modified", "mtime")


def expand(url: str) -> tuple[str, ...]:
    """Return the objects that a URL of a store stands for: a folder's, a pattern's, or itself.

    What cannot be listed stays itself, and whoever reads it says why it cannot be read. Raises
    UsageError where the URL is of no kind that can be read here.
    """
    store = _store(url)
    if store is None or not store.listed:
        return (url,)
    try:
        with _quiet():
            files, path = _opened(url)
            if any(mark in path for mark in "*["):
                names = [name for match in files.glob(path) for name in _under(files, match)]
            else:
                names = list(_under(files, path))
    except Exception:  # noqa: BLE001 - whatever a client raises, reading it will tell
        return (url,)
    found = tuple(sorted({_url_of(str(name), url) for name in names if name != path}))
    return found or (url,)


def _url_of(name: str, near: str) -> str:
    """Return the URL of an object that lies where ``near`` does: its scheme, account and all."""
    parts = urlsplit(near)
    box, _, rest = name.partition("/")
    account = parts.netloc.partition("@")[0] == box  # abfss://BOX@ACCOUNT.dfs.core.windows.net/
    return f"{parts.scheme}://{parts.netloc if account else box}/{rest}"


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Let no client log meanwhile: what it says may hold the URL, with a signature."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _under(files: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - fsspec publishes no types
    """Yield the objects below a name, or the name where it is one."""
    yield from (files.find(path) if files.isdir(path) else (path,))


def modified(url: str) -> float | None:
    """Return when an object was last written, in seconds since 1970; None where nobody says."""
    try:
        with _quiet():
            files, path = _opened(url)
            said = files.info(path)
        value = next((said[name] for name in _TIMES if said.get(name)), None)
        value = parsedate_to_datetime(value) if isinstance(value, str) else value
    except Exception:  # noqa: BLE001 - whatever a client raises, reading it will tell
        return None
    return value.timestamp() if isinstance(value, dt.datetime) else None


def open_url(url: str) -> File:
    """Open an object for reads at offsets. Raises Unreadable."""
    try:
        store = _store(url)
    except UsageError as error:
        raise Unreadable(error.message, reason=error.reason, hint=error.hint) from None
    if store is None:
        return source.open_file(_local(url))
    return File(_Object(url))


def _local(url: str) -> str:
    """Return the path of a ``file:`` URL (RFC 8089)."""
    from urllib.request import url2pathname  # noqa: PLC0415 - costs time, for this alone

    return url2pathname(urlsplit(url).path)


def _store(url: str) -> _Store | None:
    """Return the store that a URL is in; None where it is a local file.

    Raises UsageError where it is of no kind that can be read here.
    """
    parts = _split(url)
    scheme = parts.scheme
    if scheme == "file" and parts.netloc in {"", "localhost"}:
        return None
    store = next((store for store in _STORES if scheme in store.schemes), None)
    if store is None or "::" in url:
        kinds = ", ".join(("file", *(scheme for store in _STORES for scheme in store.schemes)))
        raise UsageError(
            f"cannot read {shown(url)}",
            reason="URLs of this kind are not read",
            hint=f"name a file, or a URL of one of these kinds: {kinds}",
        )
    _whole(store, parts, url)
    _need(store, url)
    return store


def _whole(store: _Store, parts: SplitResult, url: str) -> None:
    """Raise UsageError where a URL lacks what its kind must have, or has a port that cannot be."""
    try:
        reason = "" if parts.hostname else f"it names no {store.root}"
        if not store.listed:
            parts.port  # noqa: B018 - it is read when it is asked for
    except ValueError:
        reason = "its port is no number up to 65535"
    if reason:
        raise UsageError(
            f"cannot read {shown(url)}",
            reason=reason,
            hint=f"write it so: {parts.scheme}://{store.root.upper()}/NAME",
        )


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise UsageError(
            f"cannot read {shown(url)}",
            reason="no server or bucket can have its name",
            hint="check the URL: it is one like https://SERVER/NAME",
        ) from None


def _need(store: _Store, url: str) -> None:
    """Raise UsageError where what reads a store is not installed."""
    from importlib.util import find_spec  # noqa: PLC0415 - costs time, for this alone

    for package in ("fsspec", store.package):
        if find_spec(package) is None:
            raise UsageError(
                f"cannot read {shown(url)}",
                reason=f"the package {package} is not installed here",
                hint=f"in keysift's checkout: pip install '.[fleet]' {store.package}",
            )


def _opened(url: str) -> tuple[Any, str]:
    """Return a file system that remembers no listing, and the path in it."""
    import fsspec.core  # noqa: PLC0415 - an extra, and costs time

    files, path = fsspec.core.url_to_fs(url, skip_instance_cache=True, use_listings_cache=False)
    return files, str(path)


class _Object:
    """Reads an object in a store by ranges, with a few blocks kept, the next one fetched ahead."""

    def __init__(self, url: str) -> None:
        try:
            self._files, self._path = _opened(url)
            said = self._info()
            self._open = self._files.open(
                self._path,
                "rb",
                block_size=BLOCK,
                cache_type="background",
                cache_options={"maxblocks": BLOCKS},
            )
            size = said.get("size")
        except Exception as error:  # noqa: BLE001 - clients raise what they like
            raise self._failed(error) from None
        if said.get("type") == "directory" or type(size) is not int or size < 0:
            raise Unreadable(
                "the object cannot be scanned",
                reason="it is no object of a known size",
                hint="name an object, or copy it here and scan the copy",
            )
        if not _tag(said):
            raise Unreadable(
                "the object cannot be scanned",
                reason="its server does not say when it changes: neither ETag nor Last-Modified",
                hint="copy it here and scan the copy",
            )
        self.size: int = size
        self._lock = threading.Lock()

    def read_at(self, offset: int, view: memoryview) -> int:
        try:
            with self._lock:
                self._open.seek(offset)
                return int(self._open.readinto(view))
        except Exception as error:  # noqa: BLE001 - clients raise what they like
            raise self._failed(error) from None

    def zeros(self, offset: int) -> int:  # noqa: ARG002 - see Reader; no store tells
        return 0

    def identify(self) -> Identity:
        try:
            said = self._info()
        except Exception as error:  # noqa: BLE001 - clients raise what they like
            raise self._failed(error) from None
        return Identity(size=int(said.get("size") or 0), tag=_tag(said))

    def close(self) -> None:
        with self._lock:
            self._open.close()

    def _info(self) -> dict[str, Any]:
        self._files.invalidate_cache()
        return dict(self._files.info(self._path))

    def _failed(self, error: Exception) -> Unreadable:
        """Say what went wrong in our own words: a client's may hold the URL, with a signature."""
        name = type(error).__name__
        reason = _MEANT.get(name, name)
        status = getattr(error.__cause__, "status", None)  # aiohttp's, behind fsspec's
        if isinstance(status, int) and status not in {404, 410}:
            reason = f"its server answers {status}"
        elif isinstance(error, FileNotFoundError):
            reason = _UNFOUND.get(type(error.__cause__).__name__, "there is no such object")
        elif isinstance(error, PermissionError):
            reason = "the store refuses it"
        elif isinstance(error, OSError) and error.errno == errno.EBUSY:
            reason = "the object changed while it was read"  # s3fs, whose requests say If-Match
        elif isinstance(error, OSError) and error.errno:
            reason = phrase(os.strerror(error.errno))
        return Unreadable(
            "the object cannot be read",
            reason=reason,
            hint="check the URL and the credentials of the machine that reads it",
        )


def _tag(said: dict[str, Any]) -> str:
    """Return what a store says that changes with an object; empty where it says nothing."""
    return " ".join(f"{name}={said[name]}" for name in _TAGS if said.get(name))
