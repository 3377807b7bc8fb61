"""The sentences of client, command line and demonstration are complete in both languages, and compiled."""

from __future__ import annotations

import gettext
import re
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

import automl_jupyter
from automl_jupyter.messages import LANGUAGES, LOCALE

PACKAGE = Path(automl_jupyter.__file__).parent
DOMAINS = ("client", "cli", "demo", "argparse")
CODE = re.compile(r'"((?:client|cli|demo)\.[a-z_]+(?:\.[a-z_]+)*)"')


def _catalogue(domain: str, language: str) -> Catalog:
    with (LOCALE / language / "LC_MESSAGES" / f"{domain}.po").open("rb") as file:
        return read_po(file, locale=language)


def _texts(domain: str, language: str) -> dict[str, list[str]]:
    """The sentences of a catalogue by their code; several where they have a plural."""
    found = {}
    for message in _catalogue(domain, language):
        if message.id:
            code = message.id if isinstance(message.id, str) else message.id[0]
            found[code] = [message.string] if isinstance(message.string, str) else list(message.string)
    return found


def _names(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("domain", DOMAINS)
def test_each_sentence_is_there_in_each_language_with_the_same_values(domain: str) -> None:
    english, french = (_texts(domain, language) for language in LANGUAGES)
    assert english.keys() == french.keys()
    for code, texts in english.items():
        assert all(texts), code
        assert all(french[code]), code
        if domain != "argparse":
            assert set().union(*map(_names, texts)) == set().union(*map(_names, french[code])), code


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("domain", DOMAINS)
def test_what_is_compiled_is_what_is_written(domain: str, language: str) -> None:
    compiled = gettext.translation(domain, LOCALE, [language])
    for code, texts in _texts(domain, language).items():
        if len(texts) == 1:
            assert compiled.gettext(code) == texts[0]
        else:
            assert [compiled.ngettext(code, code, n) for n in (1, 5)] == texts


def test_each_code_in_the_source_has_its_sentence() -> None:
    sources = [*(PACKAGE / "client").glob("*.py"), *(PACKAGE / "cli").glob("*.py"), PACKAGE / "demo.py"]
    used = {code for source in sources for code in CODE.findall(source.read_text("utf-8"))}
    known = {code for domain in DOMAINS for code in _texts(domain, "en")}
    assert used
    assert used - known == set()


def test_french_is_set_as_french_is() -> None:
    for domain in DOMAINS:
        for code, texts in _texts(domain, "fr").items():
            for text in texts:
                assert not re.search(r" [:;?!»]|« ", text), code
