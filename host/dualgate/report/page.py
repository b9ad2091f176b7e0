# SPDX-License-Identifier: BSD-2-Clause

"""The page of a report: one HTML file that needs nothing outside of it."""

from typing import Any

from ..contract.errors import MissingToolError
from .content import Content
from .drawn import Pictures, draw_pictures
from .origin import Origin
from .tables import class_rows, crossing_rows, lane_table, range_rows, record_table
from .words import about, clipped, derivatives, settings, tiles

TEMPLATE = "page.html.jinja"


def make_page(content: Content, origin: Origin) -> str:
    """Make the page of a report.

    Names of classes and inputs are escaped. Pictures are inside the page, and it forbids the
    browser to load anything. Without matplotlib there are only tables.

    Parameters
    ----------
    content : Content
    origin : Origin
        Where the run comes from.

    Returns
    -------
    str
        HTML.

    Raises
    ------
    MissingToolError
        If jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
        from markupsafe import Markup
    except ImportError:
        raise MissingToolError(
            "no page: jinja2 is missing; pip install dualgate[report], or give --json"
        ) from None
    environment = Environment(
        loader=PackageLoader("dualgate.report", "."), autoescape=True, undefined=StrictUndefined
    )
    notes = list(content.notes)
    try:
        pictures = draw_pictures(content)
    except MissingToolError as error:
        pictures = Pictures()
        notes.append(str(error))
    shown = {
        place: [{"caption": p.caption, "svg": Markup(p.svg)} for p in drawn]
        for place, drawn in vars(pictures).items()
    }
    return environment.get_template(TEMPLATE).render(
        **_words(content, origin), pictures=shown, notes=notes
    )


def _words(content: Content, origin: Origin) -> dict[str, Any]:
    """Return the values of the template's names, all but the pictures."""
    crossings = crossing_rows(content)
    return {
        "name": origin.name,
        "about": about(content, origin),
        "tiles": tiles(content),
        "hints": [
            {"what_where": hint.what_where, "attempt": hint.attempt} for hint in content.hints
        ],
        "records": record_table(content.state.records),
        "classes": class_rows(content),
        "inspected": content.inspection.samples if content.inspection else 0,
        "crossings": crossings.rows if crossings else None,
        "settings_head": crossings.settings if crossings else (),
        "prune": settings(content, origin)["pruning"],
        "lanes": lane_table(content),
        "ranges": range_rows(content),
        "clipped": clipped(content.state.counters),
        "derivatives": derivatives(content),
        "settings": settings(content, origin).items(),
        "command": origin.command(content.state),
    }
