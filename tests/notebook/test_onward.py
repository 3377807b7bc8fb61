"""The panel leads on to the application, at the place where the browser finds it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from automl_jupyter.notebook.panel.onward import address
from automl_jupyter.notebook.panel.state import State

JOB, DATASET = SimpleNamespace(id="j-1"), SimpleNamespace(id="d_2")
MODEL, VERSION = SimpleNamespace(name="vols été/1"), SimpleNamespace(version=3)


@pytest.mark.parametrize(
    ("base", "place"),
    [
        ("", ""),
        ("http://127.0.0.1:8888/", "/automl/#"),
        ("http://localhost:8888/user/ada%20b/", "/user/ada%20b/automl/#"),
        ("http://[::1]:8888/", "/automl/#"),
        ("https://hub.example.org/user/ada/", "https://hub.example.org/user/ada/automl/#"),
    ],
)
def test_it_is_where_the_browser_finds_the_server(base, place):
    assert address(State(base=base)) == place


@pytest.mark.parametrize(
    ("known", "route"),
    [
        ({"dataset": DATASET}, "data/d_2"),
        ({"dataset": DATASET, "job": JOB}, "job/j-1"),
        ({"dataset": DATASET, "job": JOB, "model": MODEL}, "model/vols%20%C3%A9t%C3%A9%2F1"),
        ({"model": MODEL, "version": VERSION}, "model/vols%20%C3%A9t%C3%A9%2F1/3"),
    ],
)
def test_it_shows_what_the_panel_shows(known, route):
    assert address(State(base="http://127.0.0.1/", **known)) == f"/automl/#{route}"
