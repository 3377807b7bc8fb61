"""The way from the panel to the application, which shows the same."""

from __future__ import annotations

import ipaddress
from urllib.parse import quote, urlsplit

from automl_jupyter.notebook.panel.state import State


def address(state: State) -> str:
    """Where the application shows what the panel shows; empty while the server is not known.

    A server on this machine is named by its path alone: the browser may be elsewhere, and reach it as it
    reaches the notebook.
    """
    if not state.base:
        return ""
    parts = urlsplit(state.base)
    place = parts.path if _is_here(parts.hostname or "") else state.base
    return f"{place}automl/#{_route(state)}"


def _route(state: State) -> str:
    if state.model is not None:
        version = "" if state.version is None else f"/{state.version.version}"
        return f"model/{quote(state.model.name, safe='')}{version}"
    if state.job is not None:
        return f"job/{quote(state.job.id, safe='')}"
    return "" if state.dataset is None else f"data/{quote(state.dataset.id, safe='')}"


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
