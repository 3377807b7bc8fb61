"""Every code of the data room has a sentence in every language, and every sentence has a code."""

from __future__ import annotations

import re
from pathlib import Path

import automl_jupyter.data
from automl_jupyter import messages

ROOM = Path(automl_jupyter.data.__file__).parent
TYPES = ("leading_zeros", "long_digits", "mixed_numbers", "mixed_dates")


def codes_in_source() -> set[str]:
    text = "".join(path.read_text(encoding="utf-8") for path in ROOM.glob("*.py"))
    return set(re.findall(r'"(data\.[a-z_]+)"', text)) | {f"data.{reason}" for reason in TYPES}


def codes_in_catalogue(language: str) -> dict[str, str]:
    text = (messages.LOCALE / language / "LC_MESSAGES" / "data.po").read_text(encoding="utf-8")
    return dict(re.findall(r'^msgid "(data\.\w+)"\n((?:msg.*\n)+)', text, re.MULTILINE))


def test_codes_and_sentences_are_the_same_in_every_language() -> None:
    for language in messages.LANGUAGES:
        assert set(codes_in_catalogue(language)) == codes_in_source()


def test_both_languages_mention_the_same_values() -> None:
    english, french = (codes_in_catalogue(language) for language in messages.LANGUAGES)
    for code, text in english.items():
        assert set(re.findall(r"{(\w+)}", text)) == set(re.findall(r"{(\w+)}", french[code])), code


def test_french_has_its_spaces() -> None:
    for code, text in codes_in_catalogue("fr").items():
        assert not re.search(r"[^\s\u00a0\u202f][;:?!»]|« | »", text.replace("::", "")), code
