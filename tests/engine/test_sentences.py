import re

import pytest
from babel.messages.pofile import read_po

from automl_jupyter import messages


def sentences(language):
    with (messages.LOCALE / language / "LC_MESSAGES" / "engine.po").open("rb") as file:
        catalogue = read_po(file)
    return {m.id if isinstance(m.id, str) else m.id[0]: m.string for m in catalogue if m.id}


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_every_sentence_is_there_with_the_same_values(language):
    def values(text):
        return {
            frozenset(re.findall(r"{(\w+)}", part)) for part in ([text] if isinstance(text, str) else text)
        }

    english, other = sentences("en"), sentences(language)
    assert english.keys() == other.keys()
    assert {code: values(text) for code, text in english.items()} == {c: values(t) for c, t in other.items()}
    assert all(all(text) for text in other.values())


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_the_compiled_catalogue_is_that_of_the_source(language):
    for code, text in sentences(language).items():
        names = re.findall(r"{(\w+)}", str(text))
        for n, form in ((1, 0), (5, -1)):
            given = {name: f"<{name}>" for name in names} | ({"n": n} if "n" in names else {})
            expected = text if isinstance(text, str) else text[form]
            assert messages.render(code, given, language) == expected.format_map(given)
