"""The application's page wherever the server stands: the browser's name for it is not the server's own."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from automl_jupyter.client import Server

PATIENCE = 90_000
"""Milliseconds that something may take on a busy machine."""

pytestmark = [pytest.mark.slow]
FOREIGN = """async () => {
    const refused = new Promise(resolve => addEventListener('securitypolicyviolation', resolve));
    const script = document.createElement('script');
    script.src = new URL('../files/evil.js', location.href).href;
    document.head.append(script);
    return (await refused).violatedDirective;
}"""


def ipv6() -> bool:
    """Whether this machine can listen on its own IPv6 address."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def works(screen: Any, model: str) -> None:
    """Scripts, those that are loaded later, and styles are there; a script from elsewhere is not."""
    screen.app.get_by_role("region", name="Models").get_by_role("link", name=model).click()
    screen.shows(model)
    expect(screen.app.locator("canvas").first).to_be_visible(timeout=PATIENCE)
    assert screen.app.locator(".am-card").first.evaluate("it => getComputedStyle(it).display") == "grid"
    assert screen.complaints == []
    assert screen.page.evaluate(FOREIGN).startswith("script-src")
    # That was said in the console, as it should be.
    screen.complaints.clear()


def test_behind_a_proxy_that_says_another_host(
    open_page: Any, server: Server, model: str, behind: Callable[..., str]
) -> None:
    place = urlsplit(server.url)
    outside = behind(lambda _: (place.hostname, place.port), said=f"localhost:{place.port}")
    works(open_page(at=Server(f"http://{outside}/", server.token)), model)


@pytest.mark.skipif(not ipv6(), reason="there is no IPv6 here")
def test_at_an_ipv6_address(open_page: Any, server: Server, model: str, behind: Callable[..., str]) -> None:
    place = urlsplit(server.url)
    outside = behind(lambda _: (place.hostname, place.port), at="::1")
    works(open_page(at=Server(f"http://{outside}/", server.token)), model)
