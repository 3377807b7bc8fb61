"""Every code that a backend raises has its sentence in both languages, and no sentence is left over."""

import re
import string
from pathlib import Path

import pytest

import automl_jupyter.backends
from automl_jupyter import messages

ROOM = Path(automl_jupyter.backends.__file__).parent
CODE = re.compile(r'"(backends\.[a-z_]+)"')


def raised():
    return {code for path in ROOM.rglob("*.py") for code in CODE.findall(path.read_text(encoding="utf-8"))}


def catalogue(language):
    text = (messages.LOCALE / language / "LC_MESSAGES" / "backends.po").read_text(encoding="utf-8")
    entries = re.findall(
        r'^msgid "(backends\.\w+)"\n(?:msgid_plural .*\n)?((?:msgstr.*\n?)+)', text, re.MULTILINE
    )
    return dict(entries)


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_codes_and_sentences_match(language):
    assert set(catalogue(language)) == raised()


def test_both_languages_mention_the_same_values():
    def fields(text):
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    english, french = catalogue("en"), catalogue("fr")
    assert {code: fields(text) for code, text in english.items()} == {
        code: fields(text) for code, text in french.items()
    }


def test_plurals_are_chosen():
    one = messages.render("backends.dataset_has_models", {"name": "w", "models": ["m"], "n": 1}, "fr")
    two = messages.render("backends.dataset_has_models", {"name": "w", "models": ["m", "o"], "n": 2}, "fr")
    assert one.startswith("Un modèle")
    assert two.startswith("2 modèles")
    assert "m, o" in two
