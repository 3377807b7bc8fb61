"""The page of a data set: how it was read, the form that has it read again, what to know before training."""

from __future__ import annotations

import html
import random
import re

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", name="shop")
def shop_dataset(server, verbs) -> str:
    """Sales in French, of which one column was filled in after the outcome was known."""
    dice = random.Random(0)
    lines = ["zip;prix;depuis;rappel;achat"]
    for _ in range(300):
        bought = dice.random() > 0.5
        day, month = dice.randint(1, 12), dice.randint(1, 12)
        price = f"{dice.randint(1, 9)},{dice.randint(100, 999)}"
        lines.append(
            f"0{dice.randint(1000, 9999)};{price};{day:02}/{month:02}/2024;"
            f"{'x' if bought else ''};{'oui' if bought else 'non'}"
        )
    with server.client("alice-token") as alice:
        return verbs.upload(alice, ("\n".join(lines) + "\n").encode(), "shop.csv")


def text_of(page) -> str:
    return html.unescape(page.text)


def page_of(client, dataset: str, language: str = "en", **query: str):
    headers = {"Accept-Language": language}
    return client.get("/automl/csv/", params={"dataset": dataset, **query}, headers=headers)


def post(client, dataset: str, **form: str):
    return client.post(f"/automl/csv/{dataset}/reread/", data=form)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            (
                "Semicolons separate the cells.",
                "Decimals follow a comma.",
                "the day comes first",
                "leading zeros",
            ),
        ),
        (
            "fr",
            (
                "Des points-virgules séparent",
                "suivent une virgule",
                "le jour vient en premier",
                "zéros en tête",
            ),
        ),
    ],
)
def test_each_guess_is_a_sentence(shop, alice, language, words):
    page = text_of(page_of(alice, shop, language))
    for word in words:
        assert word in page


def test_the_form_leads_to_the_new_data_set(shop, alice):
    answer = post(
        alice, shop, **{"decimal": "comma", "day_first": "month", "type-0": "integer", "encoding": " utf-8 "}
    )
    assert answer.status_code == 303
    child = answer.headers["location"].partition("dataset=")[2]
    body = alice.get(f"/automl/api/datasets/{child}/").json()
    assert body["parent"] == shop
    assert body["dialect"]["overrides"] == {
        "encoding": "utf-8",
        "decimal": ",",
        "day_first": False,
        "column_types": {"zip": "integer"},
    }
    page = text_of(page_of(alice, child))
    assert "your choice" in page
    assert f"dataset={shop}" in page
    back = post(alice, child, **{"decimal": "again", "type-0": "again"})
    body = alice.get(f"/automl/api/datasets/{back.headers['location'].partition('dataset=')[2]}/").json()
    assert body["dialect"]["overrides"] == {"encoding": "utf-8", "day_first": False}


@pytest.mark.parametrize(
    ("form", "status", "field"),
    [
        ({"encoding": "klingon"}, 422, "encoding"),
        ({"header": "first"}, 400, "header"),
        ({"header": "999"}, 422, "header"),
        ({"type-0": "money"}, 400, "type-0"),
        ({"separator": "dot"}, 400, "separator"),
    ],
)
def test_an_error_stands_at_its_field_and_what_was_filled_in_is_kept(shop, alice, form, status, field):
    answer = post(alice, shop, **form, decimal="comma")
    assert answer.status_code == status
    assert f'aria-describedby="wrong-{field}"' in answer.text
    assert f'id="wrong-{field}"' in answer.text
    assert '<option value="comma" selected>' in answer.text
    assert 'role="alert"' in answer.text


def test_the_button_of_a_warning_undoes_the_guess(shop, alice):
    page = page_of(alice, shop).text
    actions = [html.unescape(found) for found in re.findall(r'name="action" value="([^"]+)"', page)]
    assert actions
    for action in actions:
        assert post(alice, shop, action=action).status_code == 303


def test_findings_fill_in_the_training(shop, alice):
    assert "rappel" in page_of(alice, shop).text
    page = page_of(alice, shop, target="achat")
    assert "serious" in page.text
    assert "use=0#train" in page.text
    acted = page_of(alice, shop, target="achat", use="0")
    options = html.unescape(re.findall(r'name="options" value="([^"]+)"', acted.text)[0])
    form = {"dataset": shop, "target": "achat", "time_budget": "5", "options": options}
    answer = alice.post("/automl/csv/", data=form)
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == "/automl/"


def test_a_page_of_many_columns_stays_small(alice, verbs):
    names = ",".join(f"<b>c{i}</b>" for i in range(3000))
    wide = verbs.upload(alice, f"{names}\n{'1,' * 2999}1\n{'2,' * 2999}2\n".encode(), "wide.csv")
    page = page_of(alice, wide)
    assert len(page.content) < 1_000_000
    assert "<b>c0</b>" not in page.text
