"""The whole way in French, in both hosts, and what stands on the screens meanwhile."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from babel.messages.pofile import read_po
from playwright.sync_api import expect

from automl_jupyter import messages
from automl_jupyter.client import Client, Server

PATIENCE = 90_000
"""Milliseconds that something may take on a busy machine."""

pytestmark = [pytest.mark.slow]
MAIN = ".jp-MainAreaWidget .am-app"
LOCALE = "lab/api/settings/@jupyterlab/translation-extension:plugin"
SHOWN = """it => {
    // JupyterLab's renderer brings a menu of its own, which is never shown.
    const found = [...it.querySelectorAll('*')].filter(
        one => (one.checkVisibility() || one.closest('details')) && !one.closest('.vega-actions')
    );
    const own = found.flatMap(one => [
        ...[...one.childNodes].filter(node => node.nodeType === Node.TEXT_NODE).map(node => node.data),
        ...['aria-label', 'placeholder', 'alt'].map(name => one.getAttribute(name) ?? '')
    ]);
    const code = new Set([...it.querySelectorAll('code, pre')].flatMap(one => [...one.childNodes]));
    return [...new Set(own.map(text => text.trim()).filter(text => text))].filter(text => !code.has(text));
}"""
"""Every text of the application, folded away or not, and what is read instead of one."""

UNSPACED = re.compile(r"\w[:;?!»](?=\s|$)|\w [:;?!»](?=\s|$)|« |«\w|\d %")
"""No space, or one at which a line may break, where French wants one that holds."""

said = partial(messages.render, language="fr")


@cache
def english() -> list[re.Pattern[str]]:
    """The sentences that French says in another way."""
    found = []
    for path in (messages.LOCALE / "en" / "LC_MESSAGES").glob("*.po"):
        with path.open("rb") as own, (messages.LOCALE / "fr" / "LC_MESSAGES" / path.name).open("rb") as other:
            french = {entry.id: entry.string for entry in read_po(other)}
            for entry in read_po(own):
                both = [one if isinstance(one, tuple) else (one,) for one in (entry.string, french[entry.id])]
                found += [text for text, there in zip(*both, strict=True) if entry.id and text != there]
    # What is left of a sentence without its values has to be recognisable.
    parts = [re.split(r"\{\w*[^}]*\}", text) for text in found]
    return [re.compile(".+".join(map(re.escape, part))) for part in parts if max(map(len, part)) > 3]


def reads_french(screen: Any, *names: str) -> None:
    """Nothing is said in English, and all is written as French is."""
    shown = [text for text in screen.app.evaluate(SHOWN) if text not in names]
    assert [text for text in shown if any(one.fullmatch(text) for one in english())] == []
    assert [text for text in shown if UNSPACED.search(text)] == []
    assert [text for text in shown if re.fullmatch(r"[−-]?\d+\.\d+( \w+)?", text)] == []


@pytest.fixture(scope="module")
def delays(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 trains, as a French office writes them."""
    dice = random.Random(3)
    lines = ["heure;compagnie;prix;minutes;retard"]
    for _ in range(300):
        hour = dice.randrange(5, 24)
        late = hour + dice.gauss(0, 4) > 15
        minutes = dice.randrange(20, 90) if late else dice.randrange(0, 10)
        price = f"{dice.uniform(20, 90):.2f}".replace(".", ",")
        kind = dice.choice(["TER", "TGV", "Intercités"])
        lines.append(f"{hour};{kind};{price};{minutes};{'oui' if late else 'non'}")
    file = tmp_path_factory.mktemp("french") / "trains.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


@pytest.fixture
def french_lab(server: Server) -> Iterator[httpx.Client]:
    """JupyterLab speaks French wherever it can, as long as a test asks for this."""
    headers = {"Authorization": f"token {server.token}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as asking:
        asking.put(LOCALE, json={"raw": json.dumps({"locale": "fr_FR"})}).raise_for_status()
        yield asking
        asking.put(LOCALE, json={"raw": "{}"}).raise_for_status()


@pytest.fixture(params=["page", "lab"])
def screen(request: pytest.FixtureRequest, server: Server, screen_of: Callable[..., Any]) -> Iterator[Any]:
    """The application's first screen in one of its hosts."""
    if request.param == "page":
        yield request.getfixturevalue("open_page")(locale="fr-FR")
        return
    request.getfixturevalue("french_lab")
    context = request.getfixturevalue("browser").new_context(
        viewport={"width": 1300, "height": 1000}, locale="fr-FR"
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{server.url}lab?token={server.token}&reset")
    page.locator(".jp-LauncherCard", has_text="AutoML").click()
    yield screen_of(page, MAIN)
    context.close()


Look = Callable[[str], None]


@pytest.fixture
def looks(screen: Any, request: pytest.FixtureRequest) -> Look:
    """Keep a picture of a screen, and see that it is French."""
    host = request.node.callspec.params["screen"]

    def look(name: str) -> None:
        screen.settled()
        screen.picture(f"french-{host}-{name}")
        # Whoever asks by REST knows the model that knows no column by this name, too.
        reads_french(screen, "baseline")

    return look


def trains(screen: Any, looks: Look, file: Path) -> None:
    """From a file to a model."""
    screen.shows("D’un tableau à un modèle en service")
    assert screen.app.get_attribute("lang") == "fr"
    looks("1-home")
    screen.app.locator(".am-drop input").set_input_files(file)
    screen.shows("trains")
    expect(screen.app).to_contain_text("300 lignes × 5 colonnes")
    expect(screen.app.locator(".am-spread")).to_have_count(5, timeout=PATIENCE)
    looks("2-data")
    screen.link(said("pages.train")).click()
    screen.shows("Entraîner un modèle")
    leak = screen.app.locator(".am-finding", has_text="minutes").first
    leak.get_by_role("checkbox").check()
    screen.app.locator("details", has_text=said("notebook.train.advanced")).locator("summary").first.click()
    screen.field(said("notebook.train.trials")).fill("1")
    looks("3-train")
    screen.button(said("app.train.start")).click()
    screen.shows("Apprendre à prédire retard")
    expect(screen.link(said("app.job.open_model"))).to_be_visible(timeout=PATIENCE)
    looks("4-job")
    screen.link(said("app.job.open_model")).click()
    screen.shows("trains-retard")
    expect(screen.app.locator("canvas").first).to_be_visible(timeout=PATIENCE)
    looks("5-model")


def serves_another(screen: Any, model: str, client: Client) -> None:
    """From the first screen to another version in service, and back."""
    screen.app.locator(".am-brand").click()
    screen.app.get_by_role("region", name=said("pages.models")).get_by_role("link", name=model).click()
    screen.shows(model)
    promote = screen.button(said("app.model.promote_version", {"version": 2}))
    promote.click()
    told = screen.app.locator(".am-hidden[role=status]")
    expect(told).to_have_text("La version 2 est en service.", timeout=PATIENCE)
    assert client.model(model).champion == 2
    screen.button(said("app.model.rollback")).click()
    expect(promote).to_be_visible(timeout=PATIENCE)


@pytest.mark.usefixtures("nothing_runs")
def test_from_a_file_to_another_version_in_service(
    screen: Any, looks: Look, delays: Path, client: Client, model: str
) -> None:
    trains(screen, looks, delays)
    score = client.model("trains-retard").versions[0].score
    expect(screen.app.locator(".am-figure strong").first).to_have_text(f"{score:.4f}".replace(".", ","))
    screen.step(said("notebook.part.predict")).click()
    screen.shows("Prédire retard")
    for hour, late in (("5,5", "non"), ("22,5", "oui")):
        screen.field("heure").fill(hour)
        expect(screen.app.locator(".am-value")).to_have_text(late, timeout=PATIENCE)
    # A decimal comma is no reason to warn.
    expect(screen.app.locator(".am-answer .am-note")).to_have_count(0)
    looks("6-predict")
    serves_another(screen, model, client)
    screen.link(said("app.about")).click()
    screen.shows("À propos")
    looks("7-about")


def test_the_settings_are_french_too(browser: Any, server: Server, french_lab: httpx.Client) -> None:
    context = browser.new_context(locale="fr-FR")
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{server.url}lab?token={server.token}&reset")
    page.locator(".jp-LauncherCard").first.wait_for()
    page.keyboard.press("Control+,")
    page.locator(".jp-PluginList-entry", has_text="AutoML").click()
    panel = page.locator(".jp-SettingsPanel", has_text="Annoncer la fin d’un entraînement")
    expect(panel).to_contain_text("dans un panneau à gauche")
    context.close()
