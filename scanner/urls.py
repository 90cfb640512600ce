"""What may be shown of a dump's name: of a URL, not what may be credentials.

Signed queries and passwords stand in URLs, and reports are for everybody. This module exists so
that every output says the same name, and imports nothing that costs time.
"""

import os
import re

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(::.*)?://", re.ASCII | re.DOTALL)

_PASSWORD = re.compile(r"[^/?#@]*:(?!\d*([/?#]|$))")
"""A colon that no port follows."""


def is_url(path: str) -> bool:
    """Say whether a path is a URL. A Windows drive is none."""
    return _URL.match(path) is not None


def everywhere(path: str) -> str:
    """Return a name of the same file for a process that runs in another folder."""
    return path if is_url(path) else os.path.join(os.getcwd(), path)  # noqa: PTH109, PTH118 - a name as it was given


def shown(path: str) -> str:
    """Return what may be shown of a path: of a URL, all but its userinfo and its query.

    The userinfo of an Azure URL is the name of a container, up to a colon.
    """
    if not is_url(path):
        return path
    scheme, _, rest = path.partition("://")
    web = scheme.lower() in {"http", "https"}
    user, rest = _parted(rest)
    if scheme.lower() in {"az", "abfs", "abfss"} and user.partition(":")[0]:
        rest = f"{user.partition(':')[0]}@{rest}"
    return f"{scheme}://{re.split('[?#]' if web else '[?]', rest, maxsplit=1)[0]}"


def _parted(rest: str) -> tuple[str, str]:
    """Part what follows ``://`` into userinfo and the rest (RFC 3986, section 3.2.1).

    A password with a slash or another mark that had to be escaped is still one.
    """
    user, at, _ = re.split("[/?#]", rest, maxsplit=1)[0].rpartition("@")
    if at:
        return user, rest[len(user) + 1 :]
    if _PASSWORD.match(rest) and "@" in rest:
        return "", rest.rpartition("@")[2]
    return "", rest
