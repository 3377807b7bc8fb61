"""The application's files, as the front end's build leaves them, and what a browser may do with them."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

STATIC = Path(__file__).parents[1] / "static"
"""Where the build puts the page's scripts; without it, pages are plain."""

_ENTRIES = {"script": "page.js", "style": "style.css"}


@cache
def is_built() -> bool:
    """Whether there is an application to show."""
    return all((STATIC / name).is_file() for name in _ENTRIES.values())


@cache
def files() -> dict[str, str]:
    """What the page begins with, each with a mark of its content, so that browsers keep it while it holds."""
    return {
        kind: f"{name}?v={sha256((STATIC / name).read_bytes()).hexdigest()[:16]}"
        for kind, name in _ENTRIES.items()
    }


def policy(place: str, style: str) -> str:
    """The content security policy of the application's page.

    Parameters
    ----------
    place : str
        Host and path of the application's files, with a slash at the end. ``'self'`` would not do: a script
        that somebody has among their files is on the same origin.
    style : str
        The hash of the style sheet that the page without scripts has in itself.
    """
    return (
        f"default-src 'none'; script-src {place}; style-src {place} '{style}'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
    )
