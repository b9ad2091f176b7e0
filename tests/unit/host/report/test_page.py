# SPDX-License-Identifier: BSD-2-Clause

"""The page of a report, in headless Chromium: pictures drawn, no request leaves the page."""

import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from support.browser import chromium, measured, needs_browser, requests_of
from support.small_runs import NETWORK, RECIPE, blobs, golden

from dualgate.contract.errors import MissingToolError
from dualgate.data import Dataset
from dualgate.report.content import Content, find_content
from dualgate.report.origin import Origin
from dualgate.report.page import make_page
from dualgate.train.trainer import Trainer

pytest.importorskip("jinja2")

CLASSES = ("setosa", "<script>alert('class')</script>", "a $ & _long name_ that goes on\n")
ORIGIN = Origin("<b>wine</b>", "wine.csv", "golden", "accuracy >= 0.9, reached")
WIDTH = 1100


@pytest.fixture(scope="module")
def content() -> Content:
    data = Dataset(blobs(90), blobs(40, seed=1))
    trainer = Trainer(NETWORK, RECIPE, data.train, data.held_out)
    with golden() as device:
        list(trainer.run(device))
        state = trainer.checkpoint(device)
    return find_content(state, data, CLASSES, tuple(f"<i>column {n}" for n in range(6)))


@pytest.fixture(scope="module")
def page(content: Content, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("matplotlib")
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(make_page(content, ORIGIN))
    return path


class Elements(HTMLParser):
    """The tags of a page with their attributes, the ids of its sections, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def sections(self) -> list[str | None]:
        return [attrs["id"] for tag, attrs in self.tags if tag == "section"]


def test_the_page_has_a_section_for_everything(page: Path) -> None:
    assert Elements(page.read_text()).sections() == [
        *("hints", "curves", "confusion", "pruned", "lanes", "ranges", "weights", "settings"),
    ]


def test_names_are_escaped(page: Path) -> None:
    found = Elements(page.read_text())
    assert not {"script", "b>", "i>"} & {tag for tag, _ in found.tags}
    assert CLASSES[1] in found.text
    assert "<b>wine</b>" in found.text
    assert "<i>column 0" in found.text


def test_every_picture_says_what_it_shows(page: Path) -> None:
    pictures = [attrs for tag, attrs in Elements(page.read_text()).tags if tag == "svg"]
    assert len(pictures) == 1 + 1 + 1 + 3  # curves, confusion, one crossing, three layers
    assert all(attrs["role"] == "img" and attrs["aria-label"] for attrs in pictures)


def test_ids_of_the_page_are_unique(page: Path) -> None:
    ids = [attrs["id"] for _, attrs in Elements(page.read_text()).tags if "id" in attrs]
    repeated = {name for name in ids if ids.count(name) > 1}
    # matplotlib names its groups alike in every picture; only what is referred to must be unique.
    referred = set(re.findall(r"(?:#|url\(#)([\w-]+)", page.read_text()))
    assert not repeated & referred


def test_nothing_in_the_page_refers_to_the_outside(page: Path) -> None:
    for tag, attrs in Elements(page.read_text()).tags:
        for name in ("src", "href", "xlink:href", "data", "action"):
            value = attrs.get(name) or ""
            assert value.startswith(("data:", "#")) or not value, (tag, name, value)
    assert "@import" not in page.read_text()


@pytest.mark.slow
@needs_browser
def test_chromium_draws_every_picture(page: Path, tmp_path: Path) -> None:
    image = pytest.importorskip("matplotlib.image")
    found = measured(page, WIDTH, tmp_path / "profile")
    assert found["scripts"] == 1  # the one that measures
    assert found["width"] <= WIDTH
    shot = tmp_path / "shot.png"
    size = f"--window-size={WIDTH},{found['height'] + 100}"
    chromium(page.as_uri(), tmp_path / "profile", size, f"--screenshot={shot}")
    pixels = image.imread(shot)[:, :, :3]
    pictures = [box[1:] for box in found["boxes"] if box[0] == "svg"]
    strips = [box[1:] for box in found["boxes"] if box[0] != "svg"]
    assert len(pictures) == 6
    assert len(strips) > 20
    for x, y, width, height in pictures:
        assert min(width, height) > 100, (x, y, width, height)
        inside = pixels[y : y + height, x : x + width].reshape(-1, 3)
        assert len(np.unique(inside, axis=0)) > 20, (x, y, width, height)
    drawn = [len(np.unique(pixels[y + 2 : y + h - 2, x : x + w].reshape(-1, 3), axis=0))
             for x, y, w, h in strips]  # fmt: skip
    assert np.mean(np.array(drawn) > 1) > 0.9


@pytest.mark.slow
@needs_browser
def test_no_request_leaves_the_page(page: Path, tmp_path: Path) -> None:
    outside = page.with_name("outside.html")
    outside.write_text('<img src="http://elsewhere.invalid/picture.png">')
    assert requests_of(page, tmp_path / "profile") == []
    assert requests_of(outside, tmp_path / "profile") == ["http://elsewhere.invalid/picture.png"]


@pytest.mark.slow
@needs_browser
def test_the_policy_of_the_page_stops_what_would_load(page: Path, tmp_path: Path) -> None:
    worse = page.with_name("worse.html")
    inserted = '<img src="http://elsewhere.invalid/picture.png"><script>document.title = 1</script>'
    worse.write_text(page.read_text().replace("</body>", inserted + "</body>"))
    assert requests_of(worse, tmp_path / "profile") == []
    shown = chromium(worse.as_uri(), tmp_path / "profile", "--dump-dom")
    assert "<title>1</title>" not in shown


def test_without_matplotlib_the_tables_stay(
    content: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    found = Elements(make_page(content, ORIGIN))
    assert "svg" not in {tag for tag, _ in found.tags}
    assert "matplotlib is missing" in found.text
    assert {"curves", "confusion", "pruned", "ranges"} <= set(found.sections())


def test_without_jinja2_it_says_what_to_install(
    content: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingToolError, match=r"pip install dualgate\[report\], or give --json$"):
        make_page(content, ORIGIN)


def test_a_run_before_its_first_epoch_has_a_page(content: Content) -> None:
    early = replace(content.state, epoch=0, batch=2, records=())
    found = Elements(make_page(replace(content, state=early), ORIGIN))
    assert "curves" not in found.sections()


def test_a_frozen_layer_has_no_picture_of_its_tangents() -> None:
    network = replace(NETWORK, frozen=(0,))
    trainer = Trainer(network, RECIPE, blobs())
    with golden() as device:
        list(trainer.run(device))
        state = trainer.checkpoint(device)
    page = make_page(find_content(state, Dataset(blobs(), blobs())), ORIGIN)
    assert "frozen" in page
    assert "share of the samples in which an entry is kept" not in page


def test_what_a_run_does_not_have_is_left_out(content: Content) -> None:
    bare = replace(content, evaluation=None, inspection=None, lanes=None, notes=("no model",))
    found = Elements(make_page(bare, Origin("a run")))
    assert found.sections() == ["hints", "curves", "ranges", "weights", "settings"]
    assert "Left out: no model" in found.text
    assert "to the bit, on every device" not in found.text
