"""Configuration of Sphinx: ``sphinx-build -W docs build/docs``."""

from importlib.metadata import PackageNotFoundError, version as version_of

project = "bioimageio-runtime"
author = "the contributors"
try:
    release = version_of("bioimageio-runtime")
except PackageNotFoundError:
    release = "0.1.0"
version = release

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_static_path = ["_static"]
html_title = "bioimageio-runtime"

myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]

default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "separated"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
# Descriptions of options are written below them, so their defaults need not be evaluated.
autodoc_preserve_defaults = True
