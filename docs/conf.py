"""Configuration of Sphinx: ``sphinx-build -W docs docs/_build/html``."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from pathlib import Path
from runpy import run_path
from typing import Any

project = "bioimageio-runtime"
author = "the contributors"
try:
    release = version_of("bioimageio-runtime")
except PackageNotFoundError:
    release = "0.1.0"
version = release

sys.path.insert(0, str(Path(__file__).parent))  # for directives of these pages

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click", "list_ops"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_title = "bioimageio-runtime"

myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "deflist"]

nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 120  # seconds for a cell
nb_execution_show_tb = True

default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "separated"
autodoc_default_options = {"exclude-members": "__init__, __new__"}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
# Descriptions of options are written below them, so their defaults need not be evaluated.
autodoc_preserve_defaults = True


def keep_first_line(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Keep napoleon from taking what stands before a colon in the first line on an attribute for its type."""
    if what in ("attribute", "data"):
        lines[:0] = ["..", ""]  # an empty comment


def leave_out_options(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Leave out what docstrings state about each option, since options have a section of their own."""
    if "Options:" in lines:
        begin = lines.index("Options:")
        end = next((n for n in range(begin + 1, len(lines)) if lines[n] and not lines[n].startswith(" ")), len(lines))
        del lines[begin:end]


def keep_asterisks(app: Any, context: Any, lines: list[str]) -> None:
    """Keep patterns of files in help, such as ``*.tif``, from being taken for emphasis."""
    lines[:] = [line.replace("*", "\\*") for line in lines]


def shorten_signatures(app: Any) -> None:
    """Show ``**options`` in place of all options, which have a section of their own."""
    import bioimageio_core as bc

    functions = [*(getattr(bc, name) for name in bc.__all__), *vars(bc.Predictor).values()]
    for function in functions:
        if "__signature__" in getattr(function, "__dict__", {}):
            del function.__signature__


ACCESSIBLE = {
    'role="heading"': 'role="heading" aria-level="2"',  # of the navigation
    "<pre>": '<pre tabindex="0">',
    '<div class="table-wrapper': '<div tabindex="0" class="table-wrapper',
}
"""What the theme writes, and what readers of screens and keyboards need: levels of headings, and focus on what may be scrolled."""


def make_accessible(app: Any, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Give headings a level, and what may be scrolled the focus of the keyboard."""
    for name in ("furo_navigation_tree", "body"):
        if isinstance(context.get(name), str):
            for written, needed in ACCESSIBLE.items():
                context[name] = context[name].replace(written, needed)


def draw_objects(app: Any) -> None:
    """Draw the pictures of objects.md, which a build without the packages for them lacks."""
    from sphinx.util.logging import getLogger

    from bioimageio_core.errors import BioimageioError

    try:
        run_path(str(Path(__file__).parent / "draw_objects.py"))["main"]()
    except (ImportError, BioimageioError) as error:
        getLogger(__name__).warning("the pictures of objects.md need ONNX Runtime and the plugin bioimageio-runtime-labels: %s", error)


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    app.connect("builder-inited", shorten_signatures)
    app.connect("builder-inited", draw_objects)
    app.connect("html-page-context", make_accessible, priority=900)  # after the theme
    app.connect("autodoc-process-docstring", keep_first_line, priority=400)
    app.connect("autodoc-process-docstring", leave_out_options, priority=400)
    for part in ("description", "epilog", "options", "arguments"):
        app.connect(f"sphinx-click-process-{part}", keep_asterisks)
