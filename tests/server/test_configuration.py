"""What is refused in the configuration."""

from __future__ import annotations

import pytest
from traitlets import TraitError
from traitlets.config import Config

from automl_jupyter.server.app import AutoML


def configured(**options: object) -> AutoML:
    return AutoML(config=Config({"AutoML": options}))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("", ""),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000/"),
        ("http://[::1]:5000/", "http://[::1]:5000/"),
        ("https://mlflow.example.org/ui", "https://mlflow.example.org/ui/"),
    ],
)
def test_the_address_of_mlflows_pages_ends_in_a_slash(given: str, told: str) -> None:
    assert configured(mlflow_ui_url=given).mlflow_ui_url == told


@pytest.mark.parametrize(
    "given",
    [
        "javascript:alert(1)",
        "ftp://mlflow.example.org/",
        "//mlflow.example.org/",
        "mlflow.example.org",
        "http://",
        "https:///ui",
        "https://me:secret@mlflow.example.org/",
        "https://secret@mlflow.example.org/",
        "https://mlflow.example.org:99999/",
        "https://mlflow.example.org/?token=secret",
        "https://mlflow.example.org/#/models",
        "https://mlflow.example.org/\n",
        "https://mlflow.example.org\\ui",
        "https://mlflow.example.org/a b",
        "https://[mlflow/",
    ],
)
def test_what_is_no_address_of_pages_is_refused_and_not_repeated(given: str) -> None:
    with pytest.raises(TraitError, match="mlflow_ui_url") as refused:
        configured(mlflow_ui_url=given)
    assert "secret" not in str(refused.value)
