# SPDX-License-Identifier: BSD-2-Clause

"""Figures as SVG inside a page: its text is text, and its lines have the colour of the page."""

import io
import re
from collections.abc import Callable
from html import escape
from typing import Any

from .figures import new_figure
from .plots import missing_letters_ignored

INK = "#010203"
"""A colour that no data has; the page's own takes its place, so that dark pages stay readable."""

_INKED = (
    *("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"),
    *("xtick.labelcolor", "ytick.labelcolor", "legend.labelcolor"),
)


def inline_svg(build: Callable[[], Any], name: str, about: str) -> str:
    """Draw a figure as an SVG element for a page.

    Parameters
    ----------
    build : callable
        Makes the figure.
    name : str
        Name of the figure, different from all others of the page: ids in the element follow it.
    about : str
        What the figure shows, for readers who cannot see it; plain text.

    Returns
    -------
    str
        One element ``<svg>``, escaped, without a reference to anything outside.

    Raises
    ------
    MissingToolError
        If matplotlib is not installed.
    """
    content = io.StringIO()
    with _style(name), missing_letters_ignored():
        figure = build()
        figure.savefig(
            content, format="svg", transparent=True, bbox_inches="tight", metadata={"Date": None}
        )
    text = content.getvalue()
    text = text[text.index("<svg") :].replace(INK, "currentColor")
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    label = f'<svg role="img" aria-label="{escape(about)}" '
    return re.sub(r'(<svg [^>]*?)height="[^"]*pt" ', r"\1", text, count=1).replace(
        "<svg ", label, 1
    )


def _style(name: str) -> Any:
    new_figure(1, 1)  # raises where matplotlib is missing
    from matplotlib import rc_context

    settings: dict[Any, Any] = dict.fromkeys(_INKED, INK)
    settings |= {"svg.fonttype": "none", "svg.hashsalt": name, "legend.framealpha": 0.0}
    return rc_context({**settings, "font.family": "sans-serif", "grid.color": INK})
