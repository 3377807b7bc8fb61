"""The application in a browser: a real server with what this checkout's build has made, and Chromium."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

import automl_jupyter
from automl_jupyter.client import Client, Server
from automl_jupyter.demo import running_server
from automl_jupyter.server import application

ROOT = Path(__file__).parents[2]
PACKAGE = Path(automl_jupyter.__file__).parent
PATIENCE = 90_000
"""Milliseconds that something may take on a busy machine."""

ARTIFACTS = Path(os.environ.get("AUTOML_TEST_ARTIFACTS", ROOT / "artifacts")) / "ui"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs the build is skipped where there is none."""
    built = pytest.mark.skipif(not application.is_built(), reason="the application is not built")
    for item in items:
        if item.path.parent == Path(__file__).parent and "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(built)


@dataclass
class Screen:
    """The application on a page, as a person has it before them.

    Attributes
    ----------
    page : Page
        The browser's page.
    within : str
        Where on the page the application is.
    complaints : list of str
        What the browser's console was told that it should not have to be.
    """

    page: Page
    within: str = ".am-app"
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console",
            lambda told: self.complaints.append(told.text) if "Content Security" in told.text else None,
        )
        self.page.set_default_timeout(PATIENCE)

    @property
    def folder(self) -> Path:
        """Where pictures are kept."""
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        return ARTIFACTS

    @property
    def app(self) -> Locator:
        return self.page.locator(self.within)

    def button(self, name: str) -> Locator:
        return self.app.get_by_role("button", name=name, exact=True)

    def link(self, name: str) -> Locator:
        return self.app.get_by_role("link", name=name, exact=True)

    def field(self, label: str) -> Locator:
        return self.app.get_by_label(label, exact=True)

    def heading(self, text: str) -> Locator:
        return self.app.get_by_role("heading", name=text, exact=True)

    def step(self, name: str) -> Locator:
        return self.app.locator(".am-steps").get_by_role("link", name=name, exact=True)

    def shows(self, heading: str) -> None:
        """Wait for a screen, by its title."""
        expect(self.app.get_by_role("heading", level=1, name=heading)).to_be_visible(timeout=PATIENCE)

    def settled(self) -> None:
        """Wait until nothing is on its way any more."""
        expect(self.app.locator(".am-waiting")).to_have_count(0, timeout=PATIENCE)

    def picture(self, name: str) -> None:
        """Keep how it looks."""
        self.app.screenshot(path=self.folder / f"{name}.png", animations="disabled")

    def has_no_barriers(self) -> None:
        """Ask axe about the application, and nothing else of the page."""
        found = Axe().run(self.page, context=self.within)
        assert found.violations_count == 0, found.generate_report()

    def until_model(self) -> None:
        """Wait for a first model on the leaderboard, and keep the best."""
        expect(self.app.locator("tr.am-best")).to_be_visible(timeout=PATIENCE)
        self.button("Stop, keep the best").click()
        expect(self.link("Open the model")).to_be_visible(timeout=PATIENCE)

    def tab_to(self, wanted: Locator, key: str = "Tab") -> None:
        """Press a key until something has the focus."""
        for _ in range(120):
            self.page.keyboard.press(key)
            if wanted.count() and wanted.first.evaluate("it => it === document.activeElement"):
                return
        raise AssertionError(f"{wanted} cannot be reached by {key}")


NOTED = """async () => {
    const answer = await fetch("/lab/api/workspaces/default", { cache: "no-store" });
    return await answer.text();
}"""


class Lab:
    """JupyterLab in a browser, and the application in its main area."""

    MAIN, SIDE = ".jp-MainAreaWidget .am-app", "#automl-side"

    def __init__(self, page: Page, at: Server) -> None:
        self.page = page
        self.address = f"{at.url}lab?token={at.token}&reset"
        self.asked: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        self.screen, self.side = Screen(page, self.MAIN), Screen(page, self.SIDE)

    @property
    def app(self) -> Locator:
        return self.page.locator(self.MAIN).last

    def open(self) -> None:
        """Load the page."""
        self.page.goto(self.address)
        self.page.locator(".jp-LauncherCard").first.wait_for()

    def open_side(self) -> None:
        """Choose the tab of the panel at the side."""
        self.page.get_by_role("tab", name="AutoML").first.click()

    def command(self, label: str) -> None:
        """Choose a command in the palette."""
        self.page.keyboard.press("Control+Shift+C")
        self.page.locator(".lm-CommandPalette-input").last.fill(label)
        self.page.locator(".lm-CommandPalette-item", has_text=label).first.click()

    def shows(self, heading: str) -> None:
        """Wait for a screen, by its title."""
        expect(self.app.get_by_role("heading", level=1, name=heading)).to_be_visible(timeout=PATIENCE)

    def noted(self, route: str) -> None:
        """Wait until JupyterLab, which takes its time, has noted a screen in its workspace."""
        until = time.monotonic() + PATIENCE / 1000
        while route not in self.page.evaluate(NOTED):
            assert time.monotonic() < until, self.page.evaluate(NOTED)
            self.page.wait_for_timeout(200)


def flights(count: int) -> str:
    """Flights, late where the departure is late in the day, and a column that gives it away."""
    dice = random.Random(0)
    lines = ["hour,carrier,delay,late"]
    for _ in range(count):
        hour = dice.randrange(5, 24)
        late = hour + dice.gauss(0, 4) > 15
        delay = dice.randrange(20, 90) if late else dice.randrange(0, 10)
        lines.append(f"{hour},{dice.choice(['UA', 'AA', 'B6'])},{delay},{'yes' if late else 'no'}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="session")
def flights_csv() -> str:
    """400 flights."""
    return flights(400)


@pytest.fixture(scope="session")
def many_flights_csv() -> str:
    """As many as keep a search busy for a minute: of a few hundred there is soon nothing left to learn."""
    return flights(10_000)


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory, flights_csv: str) -> Path:
    """The folder that the server serves, with a file in it."""
    folder = tmp_path_factory.mktemp("jupyter")
    (folder / "flights.csv").write_text(flights_csv, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def extensions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where JupyterLab looks for extensions: it finds this checkout's build there, and nothing else."""
    share = tmp_path_factory.mktemp("share")
    (share / "labextensions").mkdir()
    (share / "labextensions" / "automl_jupyter").symlink_to(PACKAGE / "labextension")
    return share


@pytest.fixture(scope="session")
def server(root: Path, extensions: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without anything of the machine's own Jupyter, whose JupyterLab has this checkout's build."""
    places = tmp_path_factory.mktemp("places")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("JUPYTER", "JPY_", "LC_"))]:
            patch.delenv(name)
        for name in ("CONFIG", "DATA"):
            patch.setenv(f"JUPYTER_{name}_DIR", str(places / name.lower()))
        patch.setenv("JUPYTER_PATH", str(extensions))
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
        with running_server(root) as running:
            yield running


@pytest.fixture(scope="session")
def client(server: Server) -> Iterator[Client]:
    with Client(server.url, server.token, language="en") as asking:
        yield asking


@pytest.fixture(scope="session")
def model(client: Client, flights_csv: str) -> str:
    """The name of a model with two versions, of which the first serves."""
    table = client.upload(flights_csv.encode(), name="known.csv")
    for _ in range(2):
        job = client.train(
            table, "late", time_budget=100, max_trials=1, columns=["hour", "carrier"], name="known"
        )
        job = client.wait(job, timeout=90)
        assert job.model is not None, job.error
    return job.model.name


Open = Callable[..., Screen]


@pytest.fixture
def open_page(browser: Browser, server: Server) -> Iterator[Open]:
    """Open the application's own page; at the end, nobody must have complained."""
    contexts: list[BrowserContext] = []
    screens: list[Screen] = []

    def begin(
        route: str = "",
        *,
        size: tuple[int, int] = (1200, 900),
        locale: str = "en-US",
        scheme: str = "light",
        at: Server = server,
        **like: Any,
    ) -> Screen:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, locale=locale, color_scheme=scheme, **like
        )
        contexts.append(context)
        screen = Screen(context.new_page())
        screens.append(screen)
        screen.page.goto(f"{at.url}automl/?token={at.token}#/{route}")
        screen.app.wait_for()
        return screen

    yield begin
    for context in contexts:
        context.close()
    assert [told for screen in screens for told in screen.complaints] == []


@pytest.fixture
def open_lab(browser: Browser, server: Server) -> Iterator[Callable[..., Lab]]:
    """Give JupyterLab in a browser, which is not loaded yet."""
    contexts: list[BrowserContext] = []

    def begin(at: Server = server) -> Lab:
        contexts.append(browser.new_context(viewport={"width": 1300, "height": 1000}, locale="en-US"))
        return Lab(contexts[-1].new_page(), at)

    yield begin
    for context in contexts:
        context.close()


@pytest.fixture
def lab(open_lab: Callable[..., Lab]) -> Lab:
    """JupyterLab of the server."""
    return open_lab()


@pytest.fixture
def screen_of() -> Callable[[Page, str], Screen]:
    """The application where another page has it."""
    return Screen
