"""Charts and cards of a model over REST."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser

import pytest

pytestmark = pytest.mark.slow


def there(client, path, seconds=120, **params):
    """Ask until it is there."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = client.get(f"/automl/api/models/{path}/", params=params)
        if answer.status_code != 202:
            return answer
        assert answer.headers["retry-after"] == "1"
        time.sleep(0.05)
    raise AssertionError(f"not there within {seconds} s")


def test_charts_come_with_table_and_sentence(alice, world):
    answer = there(alice, f"{world.model}/charts")
    assert answer.status_code == 200, answer.text
    found = {}
    for chart in answer.json()["items"]:
        found.setdefault(chart["name"], []).append(chart)
    assert {"confusion", "roc", "calibration", "threshold", "leaderboard", "missing"} <= found.keys()
    assert {chart["about"] for chart in found["histogram"]} == {"age", "city", "since", "bought"}
    (roc,) = found["roc"]
    assert roc["spec"]["$schema"].startswith("https://vega.github.io/schema/vega-lite/v5")
    assert len(roc["table"]["columns"]) == len(roc["table"]["rows"][0])
    french = there(alice, f"{world.model}/charts", chart="roc", theme="dark")
    assert [chart["name"] for chart in french.json()["items"]] == ["roc"]
    assert french.json()["items"][0]["spec"]["config"] != roc["spec"]["config"]


def test_the_threshold_moves_with_what_errors_cost(alice, world):
    def cheapest(**costs):
        answer = there(alice, f"{world.model}/charts", chart="threshold", **costs)
        assert answer.status_code == 200, answer.text
        (chart,) = answer.json()["items"]
        return min(chart["table"]["rows"], key=lambda row: row[1])[0], chart["sentence"]

    plain, _ = cheapest()
    careful, sentence = cheapest(false_negative_cost=20)
    assert careful < plain
    assert "A false alarm counts 1, a miss 20." in sentence
    refused = alice.get(f"/automl/api/models/{world.model}/charts/", params={"false_positive_cost": "-1"})
    assert (refused.status_code, refused.json()["code"]) == (400, "server.bad_amount")


def test_importance_is_drawn_when_it_is_asked_for(alice, world):
    answer = there(alice, f"{world.model}/charts", chart="importance")
    assert answer.status_code == 200, answer.text
    (chart,) = answer.json()["items"]
    assert [row[0] for row in chart["table"]["rows"]][:2] == ["age", "city"]
    assert "“age”" in chart["sentence"]


def test_what_more_rows_would_bring_is_drawn_when_it_is_asked_for(alice, world):
    answer = there(alice, f"{world.model}/charts", chart="learning")
    assert answer.status_code == 200, answer.text
    (chart,) = answer.json()["items"]
    rows = [row[0] for row in chart["table"]["rows"]]
    assert rows == sorted(rows)
    assert rows[-1] > 300
    assert rows[-1] == pytest.approx(2 * rows[-2], abs=2)
    assert all(0.5 < low <= score <= high <= 1 for _, score, low, high in chart["table"]["rows"][-2:])


def test_a_row_is_drawn_with_what_each_column_adds(alice, world):
    rows = [{"age": 75, "city": "Paris", "since": "2024-01-01"}, {"age": 20, "city": None}]
    path = f"/automl/api/models/{world.model}"
    answer = alice.post(f"{path}/charts/", json={"rows": rows}, params={"theme": "dark"})
    assert answer.status_code == 200, answer.text
    old, young = answer.json()["items"]
    assert [(chart["name"], chart["about"]) for chart in (old, young)] == [
        ("contributions", "0"),
        ("contributions", "1"),
    ]
    told = alice.post(f"{path}/explain/", json={"rows": rows}).json()["rows"]
    for chart, row in zip((old, young), told, strict=True):
        # The bars lead from what is said of usual rows to what is said of this one.
        assert chart["table"]["rows"][0][1] == pytest.approx(row["base"][0], rel=1e-4, abs=1e-5)
        assert chart["table"]["rows"][-1][2] == pytest.approx(row["said"][0], rel=1e-4, abs=1e-5)
        assert f"{round(100 * row['probabilities']['yes'])} %" in chart["sentence"]
    assert old["table"]["rows"][0][0] == "age = 75"
    assert "city is empty" in [row[0] for row in young["table"]["rows"]]
    refused = alice.post(f"{path}/charts/", json={"rows": []})
    assert (refused.status_code, refused.json()["code"]) == (400, "server.bad_body")


def test_a_data_set_is_drawn_before_anything_is_learnt(alice, world):
    path = f"/automl/api/datasets/{world.dataset}/charts/"
    answer = alice.get(path)
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    assert [chart["about"] for chart in items if chart["name"] == "histogram"] == [
        "age",
        "city",
        "since",
        "bought",
    ]
    french = alice.get(path, params={"chart": "missing"}, headers={"Accept-Language": "fr"}).json()["items"]
    assert [chart["name"] for chart in french] == ["missing"]
    assert french[0]["title"] != items[0]["title"]


def test_what_is_not_known_is_refused_by_name(alice, world):
    for place in (f"models/{world.model}", f"datasets/{world.dataset}"):
        for params in ({"chart": "pie"}, {"theme": "pink"}, {"chart": "contributions"}):
            answer = alice.get(f"/automl/api/{place}/charts/", params=params)
            assert (answer.status_code, answer.json()["code"]) == (400, "server.not_one_of")
            assert answer.json()["errors"][0]["field"] == next(iter(params))
    for params in ({"format": "pdf"}, {"language": "de"}):
        assert alice.get(f"/automl/api/models/{world.model}/report/", params=params).status_code == 400


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.open, self.ids, self.urls = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.ids += [value for name, value in attrs if name == "id"]
        self.urls += [value for name, value in attrs if name in ("src", "href", "xlink:href")]
        assert not any(name.startswith("on") for name, _ in attrs)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_card_is_one_file_without_scripts(alice, world, language, record_property):
    began = time.monotonic()
    answer = there(alice, f"{world.model}/report", language=language)
    record_property("seconds", time.monotonic() - began)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-security-policy"] == "sandbox"
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    page = Page()
    page.feed(answer.text)
    assert not {"script", "iframe", "link", "img", "object", "form"} & set(page.tags)
    assert page.tags.count("svg") >= 2
    assert len(page.ids) == len(set(page.ids))
    assert all(url.startswith(("#", "data:image/png;base64,")) for url in page.urls)
    assert f'<html lang="{language}">' in answer.text
    for word in ("customers", "roc_auc", "SHA-256", "lightgbm=="):
        assert word in answer.text


def test_the_card_in_markdown_says_the_same(alice, world):
    answer = there(alice, f"{world.model}/report", format="markdown")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/markdown")
    headings = re.findall(r"^## (.*)$", answer.text, flags=re.M)
    assert headings[:5] == ["Purpose", "Data", "Findings in the data", "How it was judged", "Scores"]
    assert headings[-3:] == ["How to use it", "History", "Software"]
    assert "“bought”" in answer.text
