"""Where the running Jupyter server is and which token it takes, without importing Jupyter Server.

Looked at in this order, the first that answers the question wins: what the caller says, what JupyterHub tells
its servers, what the environment names, the server that started this kernel, and the files that every running
server leaves in Jupyter's runtime folder.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

from automl_jupyter.errors import Malformed, Unavailable

PAGES = ("lab", "tree", "notebooks", "edit", "consoles", "automl", "login")
"""First parts of paths of Jupyter's pages, cut off an address that was copied from the browser."""


@dataclass(frozen=True)
class Server:
    """A Jupyter server to speak to.

    Attributes
    ----------
    url : str
        Its base URL, ending in a slash.
    token : str or None
        What it takes as proof of who is asking.
    socket : str or None
        The path of the Unix socket that it listens on, instead of a port.
    others : tuple of str
        Other running servers, which could have been meant.
    """

    url: str
    token: str | None
    socket: str | None = None
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Running:
    """A server that left its description in Jupyter's runtime folder.

    Attributes
    ----------
    pid : int
        Its process.
    root : Path
        The folder that it serves.
    started : float
        When it started, in seconds since the epoch.
    """

    pid: int
    url: str
    token: str
    root: Path
    socket: str | None
    started: float


def find_server(
    url: str | None = None, token: str | None = None, *, environ: Mapping[str, str] = os.environ
) -> Server:
    """Find the server to speak to.

    Parameters
    ----------
    url : str, optional
        The server's address, as printed by Jupyter or copied from the browser; ``?token=`` in it is used.
    token : str, optional
        Its token; looked up unless given.

    Raises
    ------
    Malformed
        If the address is not one.
    Unavailable
        If no server is running.
    """
    if url is not None:
        return _named(url, token, environ)
    for found in (_from_hub(environ), _from_environment(environ)):
        if found is not None and (token is not None or found.token is not None):
            return Server(found.url, token or found.token)
    servers = _ranked(list(running_servers()), Path.cwd().resolve(), environ.get("JPY_PARENT_PID"))
    if not servers:
        raise Unavailable("client.no_server")
    first, *rest = servers
    return Server(first.url, token or first.token, first.socket, tuple(other.url for other in rest))


def running_servers() -> Iterator[Running]:
    """The servers of this account whose process is alive, in no particular order."""
    from jupyter_core.paths import jupyter_runtime_dir

    for file in Path(jupyter_runtime_dir()).glob("jpserver-*.json"):
        server = _described(file)
        if server is not None and _is_alive(server.pid):
            yield server


def language_of(environ: Mapping[str, str] = os.environ) -> str:
    """The language that the environment asks for, as a tag such as ``fr-FR``; English unless it says."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = environ.get(name, "").partition(".")[0]
        if value:
            return "en" if value in ("C", "POSIX") else value.replace("_", "-")
    return "en"


def _named(url: str, token: str | None, environ: Mapping[str, str]) -> Server:
    base, own = _base(url)
    if token or own:
        return Server(base, token or own)
    # A token goes only to the server that it belongs to, never along to whatever address was typed.
    for found in (_from_hub(environ), _from_environment(environ)):
        if found is not None and found.token is not None and _same_place(found.url, base):
            return Server(base, found.token)
    for server in running_servers():
        if _same_place(server.url, base):
            return Server(base, server.token, server.socket)
    return Server(base, None)


def _base(url: str) -> tuple[str, str | None]:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    try:
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise Malformed("client.bad_url", url=url)
    kept: list[str] = []
    for part in parts.path.split("/"):
        if part in PAGES:
            break
        if part:
            kept.append(part)
    path = "/".join(["", *kept, ""])
    token = parse_qs(parts.query).get("token", [None])[0]
    return urlunsplit((parts.scheme, parts.netloc, path, "", "")), token


def _same_place(one: str, other: str) -> bool:
    a, b = urlsplit(one), urlsplit(other)
    return (_loopback(a.hostname), a.port, a.path) == (_loopback(b.hostname), b.port, b.path)


def _loopback(host: str | None) -> str | None:
    return "localhost" if is_loopback(host) else host


def is_loopback(host: str | None) -> bool:
    """Whether a host name means this machine."""
    return host is not None and (host in ("localhost", "::1") or host.startswith("127."))


def _from_hub(environ: Mapping[str, str]) -> Server | None:
    url, token = environ.get("JUPYTERHUB_SERVICE_URL"), environ.get("JUPYTERHUB_API_TOKEN")
    if not url or not token:
        return None
    parts = urlsplit(url)
    # The hub tells its servers which interfaces to listen on; "all of them" is not an address to call.
    host = "127.0.0.1" if parts.hostname in ("0.0.0.0", "::", None) else parts.hostname  # noqa: S104
    host = f"[{host}]" if ":" in host else host
    netloc = f"{host}:{parts.port}" if parts.port else host
    path = environ.get("JUPYTERHUB_SERVICE_PREFIX") or parts.path or "/"
    return Server(urlunsplit((parts.scheme, netloc, path.rstrip("/") + "/", "", "")), token)


def _from_environment(environ: Mapping[str, str]) -> Server | None:
    url = environ.get("JUPYTER_SERVER_URL") or environ.get("JUPYTER_URL")
    if not url or url.startswith("http+unix:"):
        return None
    base, own = _base(url)
    token = own or environ.get("JUPYTER_TOKEN")
    if not token:
        token = next((server.token for server in running_servers() if _same_place(server.url, base)), None)
    return Server(base, token)


def _described(file: Path) -> Running | None:
    try:
        info = json.loads(file.read_text("utf-8"))
        started = file.stat().st_mtime
        pid, url, token = int(info["pid"]), str(info["url"]), str(info["token"])
        root, socket = Path(info["root_dir"]), str(info.get("sock") or "") or None
        base = str(info["base_url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Running(pid, f"http://localhost{base}" if socket else url, token, root, socket, started)


def _is_alive(pid: int) -> bool:
    # On Windows, signal 0 is a Ctrl-C event: a server that is gone is noticed when it does not answer.
    if sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True


def _ranked(servers: list[Running], here: Path, parent: str | None) -> list[Running]:
    def rank(server: Running) -> tuple[bool, int, float]:
        root = server.root.expanduser().resolve()
        depth = len(root.parts) if here.is_relative_to(root) else 0
        return (str(server.pid) == parent, depth, server.started)

    return sorted(servers, key=rank, reverse=True)
