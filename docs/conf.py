# SPDX-License-Identifier: BSD-2-Clause

"""How Sphinx builds the documentation; `make docs` runs it."""

import re
import sys
from pathlib import Path
from shutil import rmtree
from typing import Any

from amaranth import Elaboratable
from sphinx.application import Sphinx
from sphinx.ext.napoleon import Config, NumpyDocstring
from sphinx.util.inspect import signature, stringify_signature

DOCS = Path(__file__).parent
CODE = [DOCS.parent / root for root in ("host", "hw", "sim")]
sys.path[:0] = map(str, CODE)

import dualgate  # noqa: E402

PACKAGES = [
    ".".join(package.parent.relative_to(root).parts)
    for root in CODE
    for package in root.rglob("__init__.py")
]

# Pages of the API are generated: those of packages that are gone must not stay.
rmtree(DOCS / "reference" / "api", ignore_errors=True)

project = "dualgate"
author = "the dualgate authors"
copyright = f"2026, {author}"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "sphinx_click",
]
templates_path = ["templates"]
exclude_patterns = ["templates"]
default_role = "py:obj"  # a name in single backticks is a link where it is known, else code

myst_heading_anchors = 3

autosummary_generate = True
autosummary_context = {"packages": PACKAGES}
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False
autodoc_typehints = "none"  # docstrings give types, with shapes
autodoc_default_options = {
    "members": True,
    "show-inheritance": True,
    # A class is documented where it is defined; packages that pass it on only name it.
    "ignore-module-all": True,
    # scikit-learn adds these to every estimator, with links into its own pages.
    "exclude-members": "set_fit_request, set_score_request",
}

html_theme = "furo"
html_title = "dualgate"
html_static_path = ["static"]
html_css_files = ["site.css"]


SECTIONS = Config(
    # Ports of a component are its members. These sections are lists as parameters are.
    napoleon_custom_sections=[
        (name, "params_style") for name in ("Members", "Fields", "Attributes")
    ],
    # Or words of a shape, such as `samples`, become links.
    napoleon_use_param=False,
    napoleon_use_rtype=False,
)


QUOTED = re.compile(r"^`\w+`(?:, `\w+`)*(?= : )")
"""Names at the beginning of an entry, which are bold on the page instead."""


def render_sections(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]
) -> None:
    """Render the sections of numpy's docstrings.

    Constants and properties have none; of their text the part before a colon would become a type.
    That is why napoleon is not loaded as an extension, which knows no exceptions.
    """
    if what in ("module", "class", "exception", "function", "method"):
        plain = [QUOTED.sub(lambda names: names[0].replace("`", ""), line) for line in lines]
        lines[:] = NumpyDocstring(plain, SECTIONS, app, what, name, thing, options).lines()


def component_signature(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, text: str, returns: str
) -> tuple[str, str] | None:
    """The arguments of a component, which are those of `__init__`: autodoc shows Amaranth's
    `__new__`, which takes any."""
    if what != "class" or not issubclass(thing, Elaboratable):
        return None
    arguments = signature(thing.__init__, bound_method=True)
    return stringify_signature(arguments, show_annotation=False), returns


GENERATED = re.compile(r"(set_\w+_request|get_metadata_routing)$")
"""Methods that scikit-learn adds to an estimator; their text refers to scikit-learn's own pages."""


def leave_out(
    app: Sphinx, what: str, name: str, thing: Any, skip: bool, options: Any
) -> bool | None:
    """Leave out the methods that scikit-learn generates; None for all others, as it would be."""
    return True if GENERATED.match(name) else None


def list_exports(app: Sphinx, page: str, source: list[str]) -> None:
    """Fill in the names that `dualgate` exports, by the modules that define them."""
    if page == "reference/api":
        things = [getattr(dualgate, name) for name in dualgate.__all__]
        names = [f"~{thing.__module__}.{thing.__qualname__}" for thing in things]
        source[0] = source[0].replace("@EXPORTS@", "\n   ".join(names))


def setup(app: Sphinx) -> None:
    """Connect the functions above; Sphinx calls this."""
    app.connect("source-read", list_exports)
    app.connect("autodoc-skip-member", leave_out)
    app.connect("autodoc-process-docstring", render_sections)
    app.connect("autodoc-process-signature", component_signature)
