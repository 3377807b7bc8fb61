"""The application on its own page, driven as a person does."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from automl_jupyter.client import Client, Server

PATIENCE = 90_000
"""Milliseconds that something may take on a busy machine."""

pytestmark = [pytest.mark.slow]
LOOKS: dict[str, dict[str, str]] = {
    "light": {},
    "dark": {"scheme": "dark"},
    "contrast": {"contrast": "more"},
    "forced": {"scheme": "dark", "forced_colors": "active"},
}
"""What a reader asks of every page: more contrast, or the colours of the system alone."""

GROUND = "it => getComputedStyle(it).backgroundColor"
FRAME = "it => `${getComputedStyle(it).outlineStyle} ${getComputedStyle(it).outlineWidth}`"


def routes(client: Client, model: str) -> dict[str, str]:
    """Every screen, by name, with something on it."""
    version = client.model(model).versions[0]
    return {
        "home": "",
        "data": f"data/{version.dataset_id}",
        "train": f"train/{version.dataset_id}",
        "job": f"job/{version.job_id}",
        "model": f"model/{model}/{version.version}",
        "predict": f"predict/{model}/{version.version}",
        "about": "about",
    }


def with_mlflow(screen: Any) -> None:
    """Have the server say that MLflow's pages are somewhere; nobody goes there."""

    def told(route: Route) -> None:
        answer = route.fetch()
        pages = {"mlflow_ui_url": "https://mlflow.example.org/"}
        route.fulfill(response=answer, body=json.dumps({**answer.json(), **pages}))

    screen.page.route("**/api/user/", told)
    screen.page.reload()


def unfold(screen: Any, name: str) -> None:
    """Ask for what a screen shows only when it is asked for."""
    if name == "model":
        screen.button("Compare").click()
        screen.app.locator(".am-compare").wait_for()
    if name == "predict":
        screen.button("Explain this answer").click()
        screen.app.locator(".am-like").wait_for()


def goto(screen: Any, route: str) -> None:
    screen.page.evaluate("route => { location.hash = '#/' + route }", route)


@pytest.mark.usefixtures("nothing_runs")
def test_from_a_file_to_a_prediction_with_the_mouse(open_page: Any, root: Path, client: Client) -> None:
    screen = open_page()
    screen.shows("From a table to a model in service")
    screen.picture("page-1-home")
    screen.app.locator(".am-drop input").set_input_files(root / "flights.csv")
    screen.shows("flights")
    expect(screen.app).to_contain_text("400 rows × 4 columns")
    expect(screen.app.locator(".am-spread")).to_have_count(4, timeout=PATIENCE)
    screen.picture("page-2-data")
    screen.link("Train a model").click()
    screen.shows("Train a model")
    expect(screen.field("Column to predict")).to_have_value("late")
    leak = screen.app.locator(".am-finding", has_text="delay").first
    leak.get_by_role("checkbox").check()
    screen.app.get_by_role("button", name="thorough").click()
    screen.picture("page-3-train")
    screen.field("Time (60, 5m, 1h)").fill("100")
    screen.button("Start the training").click()
    screen.shows("Learning to predict late")
    # A page that is loaded again is where it was, and the training goes on.
    screen.page.reload()
    screen.shows("Learning to predict late")
    screen.until_model()
    screen.picture("page-4-job")
    screen.link("Open the model").click()
    screen.shows("flights-late")
    made = client.model("flights-late").versions[0]
    assert "delay" not in [column.name for column in made.columns]
    expect(screen.app.locator(".am-figure strong").first).to_have_text(f"{made.score:.4f}")
    expect(screen.app.locator("canvas").first).to_be_visible(timeout=PATIENCE)
    screen.picture("page-5-model")
    screen.step("Predict").click()
    screen.shows("Predict late")
    answer = screen.app.locator(".am-value")
    screen.field("hour").fill("5")
    expect(answer).to_have_text("no", timeout=PATIENCE)
    screen.field("hour").fill("23")
    expect(answer).to_have_text("yes", timeout=PATIENCE)
    screen.field("hour").fill("soon")
    expect(screen.app.locator(".am-answer .am-note")).to_contain_text("hour", timeout=PATIENCE)
    screen.field("hour").fill("23")
    screen.button("Explain this answer").click()
    expect(screen.app.locator(".am-adds li").first).to_contain_text("hour", timeout=PATIENCE)
    # Rows of the same table that the model takes for punctual differ in the hour.
    expect(screen.app.get_by_role("row", name="Predicted")).to_have_text("Predictedyesnonono")
    expect(screen.app.get_by_role("row", name="hour").get_by_role("strong")).to_have_count(3)
    screen.picture("page-6-predict")
    with screen.page.expect_download() as kept:
        screen.app.locator(".am-file input").set_input_files(root / "flights.csv")
    lines = kept.value.path().read_text(encoding="utf-8").splitlines()
    assert kept.value.suggested_filename == "flights-predictions.csv"
    assert len(lines) == 401
    assert "prediction" in lines[0]


def test_another_version_is_put_into_service_and_back_by_keyboard(
    open_page: Any, client: Client, model: str
) -> None:
    screen = open_page()
    screen.shows("From a table to a model in service")
    keyboard = screen.page.keyboard
    models = screen.app.get_by_role("region", name="Models")
    models.get_by_role("link", name=model).wait_for()
    screen.tab_to(models.get_by_role("link", name=model))
    keyboard.press("Enter")
    screen.shows(model)
    # Who has come by keyboard goes on from the new screen's title.
    expect(screen.app.get_by_role("heading", level=1)).to_be_focused()
    screen.tab_to(screen.button("Put version 2 into service"))
    keyboard.press("Enter")
    said = screen.app.locator(".am-hidden[role=status]")
    expect(said).to_have_text("Version 2 is in service.", timeout=PATIENCE)
    assert client.model(model).champion == 2
    screen.tab_to(screen.button("Go back to the version before"))
    keyboard.press("Enter")
    expect(screen.button("Put version 2 into service")).to_be_visible(timeout=PATIENCE)
    assert client.model(model).champion == 1
    # Both have learnt the same.
    screen.tab_to(screen.button("Compare"))
    keyboard.press("Enter")
    compared = screen.app.get_by_role("region", name="Compare two versions")
    expect(compared).to_contain_text("versions 2 and 1 cannot be told apart", timeout=PATIENCE)
    expect(compared.get_by_role("row", name="difference")).to_contain_text("0.0000")
    expect(compared).to_contain_text("Both say the same for 100% of the rows.")
    screen.tab_to(screen.step("Predict"), "Shift+Tab")
    keyboard.press("Enter")
    screen.shows("Predict late")
    screen.tab_to(screen.field("hour"))
    keyboard.press("Control+A")
    keyboard.insert_text("5")
    expect(screen.app.locator(".am-value")).to_have_text("no", timeout=PATIENCE)
    screen.tab_to(screen.button("Explain this answer"))
    keyboard.press("Enter")
    # The button is gone, and what it asked for has its focus.
    expect(screen.app.locator(".am-asked")).to_be_focused()
    expect(screen.app.locator(".am-adds li").first).to_contain_text("hour", timeout=PATIENCE)
    screen.page.go_back()
    screen.shows(model)


@pytest.mark.parametrize("look", LOOKS)
def test_no_screen_has_barriers(open_page: Any, client: Client, model: str, look: str) -> None:
    screen = open_page(**LOOKS[look])
    with_mlflow(screen)
    for name, route in routes(client, model).items():
        goto(screen, route)
        screen.app.locator("h1").wait_for()
        screen.settled()
        unfold(screen, name)
        screen.settled()
        screen.has_no_barriers()
        screen.picture(f"screen-{name}-{look}")
        assert screen.page.evaluate("document.querySelectorAll('*').length") < 2000


def test_states_are_seen_in_the_colours_of_the_system(open_page: Any, client: Client, model: str) -> None:
    screen = open_page(routes(client, model)["train"], **LOOKS["forced"])
    quick, usual = (screen.app.get_by_role("button", name=name) for name in ("first look", "usual"))
    usual.click()
    for chosen, other in (
        (usual, quick),
        (screen.step("Train"), screen.step("Data")),
        (screen.button("Start the training"), quick),
    ):
        assert chosen.evaluate(GROUND) != other.evaluate(GROUND)
    screen.page.keyboard.press("Tab")
    assert screen.app.locator(":focus-visible").evaluate(FRAME) == "solid 3px"
    goto(screen, routes(client, model)["predict"])
    bar = screen.app.locator(".am-answer meter").first
    bar.wait_for()
    assert bar.evaluate(FRAME) == "solid 1px"
    goto(screen, routes(client, model)["model"])
    # Charts are drawn for the ground on which they stand.
    with screen.page.expect_request("**/charts/**theme=contrast**"):
        screen.page.reload()


def test_no_screen_is_wider_than_a_narrow_window(open_page: Any, client: Client, model: str) -> None:
    screen = open_page(size=(320, 700))
    for name, route in routes(client, model).items():
        goto(screen, route)
        screen.app.locator("h1").wait_for()
        screen.settled()
        unfold(screen, name)
        screen.settled()
        assert screen.page.evaluate("document.documentElement.scrollWidth") <= 320, name
    screen.has_no_barriers()


def test_an_upload_goes_on_after_a_cut(open_page: Any, tmp_path: Path) -> None:
    large = tmp_path / "long.csv"
    large.write_text("a,b\n" + "123456789,987654321\n" * 900_000, encoding="utf-8")
    screen = open_page()
    sent: list[str] = []

    def cut(route: Route) -> None:
        if route.request.method != "PATCH":
            route.continue_()
            return
        sent.append(route.request.headers.get("upload-offset", ""))
        if len(sent) == 2:
            route.abort("connectionreset")
        else:
            route.continue_()

    screen.page.route("**/api/uploads/*/", cut)
    screen.app.locator(".am-drop input").set_input_files(large)
    expect(screen.app.locator(".am-drop progress")).to_be_visible()
    screen.shows("long")
    expect(screen.app).to_contain_text("900,000 rows × 2 columns")
    assert sent[1] == sent[2] != "0"


def test_each_trouble_has_a_sentence_and_a_way_on(
    open_page: Any, client: Client, model: str, server: Server
) -> None:
    screen = open_page("about")
    screen.shows("About")
    trouble = screen.app.locator(".am-trouble")
    goto(screen, "job/nothing")
    expect(trouble).to_contain_text("no such", ignore_case=True)
    screen.page.context.set_offline(True)
    goto(screen, f"model/{model}")
    expect(trouble).to_contain_text("The server cannot be reached.", timeout=PATIENCE)
    expect(screen.button("Try again").first).to_be_visible()
    screen.page.context.set_offline(False)
    # It is asked again by itself.
    screen.shows(model)
    screen.page.context.clear_cookies()
    goto(screen, routes(client, model)["data"])
    expect(trouble.first).to_contain_text("Your login has expired.", timeout=PATIENCE)
    screen.link("Log in").first.click()
    screen.page.get_by_label("Password or token").fill(server.token)
    screen.page.get_by_role("button", name="Log in", exact=True).click()
    screen.shows("known")
    assert screen.page.url.endswith(f"automl/#/{routes(client, model)['data']}")


def test_a_server_of_another_version_is_told(open_page: Any) -> None:
    screen = open_page("about")

    def older(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=json.dumps({**answer.json(), "version": "0.0.9"}))

    screen.page.route("**/api/user/", older)
    screen.page.reload()
    expect(screen.app.locator(".am-main > .am-note")).to_contain_text("0.0.9", timeout=PATIENCE)


def test_the_way_to_mlflow_is_there_where_it_is_configured(
    open_page: Any, client: Client, model: str
) -> None:
    screen = open_page("about")
    link = screen.app.get_by_role("link", name="Open in MLflow (in a new tab)")
    screen.shows("About")
    screen.settled()
    expect(link).to_have_count(0)
    with_mlflow(screen)
    expect(link).to_have_attribute("href", "https://mlflow.example.org/", timeout=PATIENCE)
    expect(link).to_have_attribute("target", "_blank")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    # MLflow is told beside the job, and where it is slow a little later.
    job = client.job(client.model(model).versions[0].job_id)
    until = time.monotonic() + PATIENCE / 1000
    while job.mlflow_run_id is None and time.monotonic() < until:
        screen.page.wait_for_timeout(200)
        job = client.job(job.id)
    goto(screen, f"job/{job.id}")
    expect(link).to_have_attribute("href", f"https://mlflow.example.org/#/runs/{job.mlflow_run_id}")


def test_no_other_script_of_the_origin_can_run(open_page: Any, root: Path) -> None:
    (root / "evil.js").write_text("window.evil = true", encoding="utf-8")
    screen = open_page()
    blocked = screen.page.evaluate(
        """() => new Promise(resolve => {
            addEventListener('securitypolicyviolation', event => resolve(event.violatedDirective));
            const script = document.createElement('script');
            script.src = new URL('../files/evil.js', location.href).href;
            document.head.append(script);
        })"""
    )
    assert blocked.startswith("script-src")
    assert screen.page.evaluate("window.evil") is None
    # That was said in the console, as it should be.
    screen.complaints.clear()


def test_names_and_cells_are_never_html(open_page: Any, client: Client) -> None:
    nasty = '<img src=x onerror="window.evil=1">'
    table = f'"{nasty.replace(chr(34), chr(34) * 2)}",b\n<b>x</b>,1\n<i>y</i>,2\n'
    made = client.upload(table.encode(), name="<svg onload=alert(1)>.csv")
    screen = open_page(f"data/{made.id}")
    screen.settled()
    expect(screen.app.get_by_role("rowheader", name=nasty)).to_be_visible(timeout=PATIENCE)
    assert screen.page.evaluate("window.evil") is None
    assert screen.app.locator("img, svg svg, b, i").count() == 0


def test_a_long_leaderboard_is_leafed_through(open_page: Any, client: Client, model: str) -> None:
    screen = open_page("about")
    route = routes(client, model)["job"]

    def longer(told: Route) -> None:
        answer = told.fetch()
        job = answer.json()
        (baseline,) = (trial for trial in job["leaderboard"] if trial["baseline"])
        made = [
            {**baseline, "name": f"made-{place}", "baseline": False, "score": 2 - place / 1000}
            for place in range(1, 121)
        ]
        missed = [{**trial, "name": f"missed-{trial['name']}", "score": None} for trial in made]
        told.fulfill(response=answer, body=json.dumps({**job, "leaderboard": [*made, baseline, *missed]}))

    screen.page.route(f"**/api/{route.replace('job', 'jobs')}/", longer)
    goto(screen, route)
    names = screen.app.locator(".am-board th[scope=row]")
    # The baseline is on every page.
    expect(names).to_have_count(51, timeout=PATIENCE)
    expect(names.nth(50)).to_contain_text("baseline")
    for begins in ("made-51", "made-101"):
        screen.button("Next").click()
        expect(names.first).to_have_text(begins)
    expect(names).to_have_count(21)
    # The last page takes nobody's focus away.
    expect(screen.button("Next")).to_be_focused()
    expect(screen.button("Next")).to_have_attribute("aria-disabled", "true")
    fold = screen.app.locator("details", has_text="missed-made-1")
    expect(fold.locator("p")).to_be_hidden()
    fold.locator("summary").click()
    expect(fold.locator("p")).to_contain_text("missed-made-120")
    screen.has_no_barriers()


def test_a_list_stays_until_its_next_page_is_there(open_page: Any) -> None:
    screen = open_page("about")

    def more(told: Route) -> None:
        answer = told.fetch()
        offset = 20 if "offset=20" in told.request.url else 0
        told.fulfill(response=answer, body=json.dumps({**answer.json(), "total": 45, "offset": offset}))

    screen.page.route("**/api/datasets/?*", more)
    goto(screen, "")
    data = screen.app.get_by_role("region", name="Data")
    expect(data).to_contain_text("1–20 / 45", timeout=PATIENCE)
    data.get_by_role("button", name="Older").click()
    expect(data).to_contain_text("21–40 / 45", timeout=PATIENCE)
    expect(data.get_by_role("button", name="Older")).to_be_focused()


def test_without_scripts_the_page_says_the_same(browser: Any, server: Server, model: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page: Page = context.new_page()
    page.goto(f"{server.url}automl/?token={server.token}")
    expect(page.get_by_role("heading", level=1)).to_have_text("From a table to a model in service")
    expect(page.get_by_role("rowheader", name=model).first).to_be_visible()
    context.close()
