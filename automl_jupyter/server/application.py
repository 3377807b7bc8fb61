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


def policy(nonce: str) -> str:
    """The content security policy of the application's page.

    The page names its own script and style sheets by a word that nobody can guess, and a script hands it on
    to the modules that it imports. ``'self'`` would not do, since a script that somebody has among their
    files is on the same origin. Nor would the host with the folder's path: behind a proxy that changes
    ``Host`` the server does not know what the browser asked for, and a policy cannot name IPv6 addresses
    (Content Security Policy Level 3, section 2.3.1; HTML Standard, "descendant script fetch options").

    Parameters
    ----------
    nonce : str
        That word, made anew for each answer.
    """
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
    )
