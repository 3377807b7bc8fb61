"""How the documentation is built: `make docs`."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import rest_reference  # noqa: E402

from automl_jupyter import __version__  # noqa: E402

project = "automl_jupyter"
author = "the authors of automl_jupyter"
copyright = author
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "_generated"]
nitpicky = False

myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"automl_jupyter {release}"
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False


def in_its_language(_app, page, _template, context, _doctree):
    """Declare the language of pages such as ``application.fr``, which a screen reader goes by."""
    if page.endswith(".fr"):
        context["language"] = "fr"


def setup(app):
    """Write the REST reference before the sources are read; let each page declare its language."""
    app.connect("builder-inited", lambda _: rest_reference.write(HERE / "_generated" / "rest.md"))
    app.connect("html-page-context", in_its_language)
