"""The application in JupyterLab and Notebook, driven as a person does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from automl_jupyter.client import Client, Server

PATIENCE = 90_000
"""Milliseconds that something may take on a busy machine."""

pytestmark = [pytest.mark.slow]
DRAWN = ".am-canvas canvas"
PIXELS = "it => it.toDataURL()"
DRAWN_ANEW = """([where, before]) => {
    const drawn = document.querySelector(where);
    return drawn !== null && drawn.toDataURL() !== before;
}"""


@pytest.mark.usefixtures("nothing_runs")
def test_from_a_file_to_a_prediction(lab: Any, root: Path, client: Client) -> None:
    lab.open()
    before = [url for url in lab.asked if "extensions/automl_jupyter" in url]
    # Names and icons, nothing of the application.
    assert len(before) <= 3
    lab.page.locator(".jp-LauncherCard", has_text="AutoML").click()
    lab.shows("From a table to a model in service")
    assert len([url for url in lab.asked if "extensions/automl_jupyter" in url]) > len(before)
    screen = lab.screen
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


def test_a_file_of_the_file_browser_is_taken_to_a_training(lab: Any) -> None:
    lab.open()
    lab.page.locator(".jp-DirListing-item", has_text="flights.csv").click(button="right")
    lab.page.locator(".lm-Menu-item", has_text="Train a Model on This File").click()
    lab.shows("Train a model")
    expect(lab.app.locator(".am-eyebrow")).to_have_text("flights")
    lab.screen.has_no_barriers()


def test_the_panel_at_the_side_opens_models_also_in_the_dark(lab: Any, model: str) -> None:
    lab.open()
    lab.command("JupyterLab Dark")
    lab.page.locator("body[data-jp-theme-light=false]").wait_for(state="attached")
    lab.open_side()
    lab.side.app.get_by_role("region", name="Models").get_by_role("link", name=model).click()
    lab.shows(model)
    screen = lab.screen
    expect(lab.app.locator(".am-canvas .jp-RenderedVegaCommon5")).to_be_visible(timeout=PATIENCE)
    screen.has_no_barriers()
    lab.side.has_no_barriers()
    lab.page.screenshot(path=screen.folder / "lab-dark.png")
    lab.command("JupyterLab Dark High Contrast")
    lab.page.locator("body[data-jp-theme-name*='High Contrast']").wait_for(state="attached")
    expect(lab.app.locator(DRAWN)).to_be_visible(timeout=PATIENCE)
    for seen in (lab.screen, lab.side):
        seen.has_no_barriers()
    lab.page.screenshot(path=screen.folder / "lab-contrast.png")
    # Another theme draws what stands there again, in its own colours; what was chosen stays so.
    screen.field("Chart").select_option(label="ROC curve")
    expect(lab.app.locator("figcaption strong")).to_have_text("ROC curve")
    expect(lab.app.locator(DRAWN)).to_be_visible(timeout=PATIENCE)
    dark = lab.app.locator(DRAWN).evaluate(PIXELS)
    lab.command("JupyterLab Light")
    lab.page.locator("body[data-jp-theme-light=true]").wait_for(state="attached")
    lab.page.wait_for_function(DRAWN_ANEW, arg=[f"{lab.MAIN} {DRAWN}", dark])
    expect(lab.app.locator("figcaption strong")).to_have_text("ROC curve")
    expect(lab.app.locator(DRAWN)).to_have_count(1)


def test_notebook_opens_it_on_a_page_of_its_own(lab: Any, server: Server) -> None:
    lab.page.goto(f"{server.url}tree?token={server.token}")
    lab.page.locator(".jp-DirListing-item").first.wait_for()
    with lab.page.expect_popup() as opened:
        lab.command("Open AutoML")
    expect(opened.value.locator(".am-app h1")).to_have_text(
        "From a table to a model in service", timeout=PATIENCE
    )
