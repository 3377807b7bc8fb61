"""The application in JupyterLab and Notebook, driven as a person does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from automl_jupyter.client import Client, Server

PATIENCE = 90_000
"""Milliseconds that something may take on a busy machine."""

pytestmark = [pytest.mark.slow]
MAIN = ".jp-MainAreaWidget .am-app"
DRAWN = ".am-canvas canvas"
PIXELS = "it => it.toDataURL()"
NOTED = """async () => {
    const answer = await fetch("/lab/api/workspaces/default", { cache: "no-store" });
    return await answer.text();
}"""
DRAWN_ANEW = """([where, before]) => {
    const drawn = document.querySelector(where);
    return drawn !== null && drawn.toDataURL() !== before;
}"""


class Lab:
    """JupyterLab in a browser, and the application in its main area."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.asked: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda request: self.asked.append(request.url))

    @property
    def app(self) -> Locator:
        return self.page.locator(MAIN).last

    def open(self) -> None:
        """Load the page."""
        self.page.goto(self.address)
        self.page.locator(".jp-LauncherCard").first.wait_for()

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


@pytest.fixture
def lab(browser: Any, server: Server) -> Iterator[Lab]:
    context = browser.new_context(viewport={"width": 1300, "height": 1000}, locale="en-US")
    yield Lab(context.new_page(), f"{server.url}lab?token={server.token}&reset")
    context.close()


@pytest.mark.usefixtures("nothing_runs")
def test_from_a_file_to_a_prediction(lab: Lab, root: Path, client: Client, screen_of: Any) -> None:
    lab.open()
    before = [url for url in lab.asked if "extensions/automl_jupyter" in url]
    # Names and icons, nothing of the application.
    assert len(before) <= 3
    lab.page.locator(".jp-LauncherCard", has_text="AutoML").click()
    lab.shows("From a table to a model in service")
    assert len([url for url in lab.asked if "extensions/automl_jupyter" in url]) > len(before)
    screen = screen_of(lab.page, MAIN)
    lab.app.locator(".am-drop input").set_input_files(root / "flights.csv")
    lab.shows("flights")
    screen.link("Train a model").click()
    screen.field("Time (60, 5m, 1h)").fill("100")
    screen.button("Start the training").click()
    screen.until_model()
    told = lab.page.locator(".Toastify__toast", has_text="The training on late is done.")
    expect(told).to_be_visible(timeout=PATIENCE)
    told.get_by_role("button", name="Look").click()
    lab.shows("flights-late")
    # JupyterLab's own Vega draws it.
    expect(lab.app.locator(".am-canvas .jp-RenderedVegaCommon5")).to_be_visible(timeout=PATIENCE)
    screen.picture("lab-model")
    screen.step("Predict").click()
    lab.shows("Predict late")
    screen.field("hour").fill("5")
    screen.field("delay").fill("0")
    expect(lab.app.locator(".am-value")).to_have_text("no", timeout=PATIENCE)
    screen.has_no_barriers()
    # What was open is open again, where it was, once JupyterLab has noted it.
    lab.noted("predict/flights-late")
    lab.page.reload()
    lab.shows("Predict late")
    lab.page.screenshot(path=screen.folder / "lab-restored.png")


def test_a_file_of_the_file_browser_is_taken_to_a_training(lab: Lab, screen_of: Any) -> None:
    lab.open()
    lab.page.locator(".jp-DirListing-item", has_text="flights.csv").click(button="right")
    lab.page.locator(".lm-Menu-item", has_text="Train a Model on This File").click()
    lab.shows("Train a model")
    expect(lab.app.locator(".am-eyebrow")).to_have_text("flights")
    screen_of(lab.page, MAIN).has_no_barriers()


def test_the_panel_at_the_side_opens_models_also_in_the_dark(lab: Lab, model: str, screen_of: Any) -> None:
    lab.open()
    lab.command("JupyterLab Dark")
    lab.page.locator("body[data-jp-theme-light=false]").wait_for(state="attached")
    lab.page.get_by_role("tab", name="AutoML").first.click()
    side = lab.page.locator("#automl-side")
    side.get_by_role("region", name="Models").get_by_role("link", name=model).click()
    lab.shows(model)
    screen = screen_of(lab.page, MAIN)
    expect(lab.app.locator(".am-canvas .jp-RenderedVegaCommon5")).to_be_visible(timeout=PATIENCE)
    screen.has_no_barriers()
    screen_of(lab.page, "#automl-side").has_no_barriers()
    lab.page.screenshot(path=screen.folder / "lab-dark.png")
    lab.command("JupyterLab Dark High Contrast")
    lab.page.locator("body[data-jp-theme-name*='High Contrast']").wait_for(state="attached")
    expect(lab.app.locator(DRAWN)).to_be_visible(timeout=PATIENCE)
    for where in (MAIN, "#automl-side"):
        screen_of(lab.page, where).has_no_barriers()
    lab.page.screenshot(path=screen.folder / "lab-contrast.png")
    # Another theme draws what stands there again, in its own colours; what was chosen stays so.
    screen.field("Chart").select_option(label="ROC curve")
    expect(lab.app.locator("figcaption strong")).to_have_text("ROC curve")
    expect(lab.app.locator(DRAWN)).to_be_visible(timeout=PATIENCE)
    dark = lab.app.locator(DRAWN).evaluate(PIXELS)
    lab.command("JupyterLab Light")
    lab.page.locator("body[data-jp-theme-light=true]").wait_for(state="attached")
    lab.page.wait_for_function(DRAWN_ANEW, arg=[f"{MAIN} {DRAWN}", dark])
    expect(lab.app.locator("figcaption strong")).to_have_text("ROC curve")
    expect(lab.app.locator(DRAWN)).to_have_count(1)


def test_notebook_opens_it_on_a_page_of_its_own(lab: Lab, server: Server) -> None:
    lab.page.goto(f"{server.url}tree?token={server.token}")
    lab.page.locator(".jp-DirListing-item").first.wait_for()
    with lab.page.expect_popup() as opened:
        lab.command("Open AutoML")
    expect(opened.value.locator(".am-app h1")).to_have_text(
        "From a table to a model in service", timeout=PATIENCE
    )
