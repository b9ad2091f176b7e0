# SPDX-License-Identifier: BSD-2-Clause

"""A headless Chromium: pages as it shows them, and what it asks for on their behalf."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

BROWSER = shutil.which("chromium")
needs_browser = pytest.mark.skipif(BROWSER is None, reason="chromium is missing; install it")

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)

BROWSER_ITSELF = "not an origin"
"""How the log names the initiator of a request that no page made."""

MEASURE = """
<script>
window.onload = () => {
  const boxes = [...document.querySelectorAll("figure svg, .strip, .bar")].map(e => {
    const b = e.getBoundingClientRect();
    return [e.tagName, b.x, b.y, b.width, b.height].map(v => v.toFixed ? Math.round(v) : v);
  });
  const data = document.createElement("pre");
  data.id = "measured";
  data.textContent = JSON.stringify({
    boxes,
    height: document.documentElement.scrollHeight,
    width: document.documentElement.scrollWidth,
    scripts: document.scripts.length,
  });
  document.body.append(data);
};
</script>
"""
"""A script that notes in the page where its pictures are."""


def chromium(url: str, profile: Path, *flags: str) -> str:
    """Open a page and return its elements as text, after its scripts ran."""
    assert BROWSER is not None
    done = subprocess.run(
        [BROWSER, *FLAGS, f"--user-data-dir={profile}", *flags, url],
        check=True,
        timeout=120,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    return done.stdout


def measured(page: Path, width: int, profile: Path) -> dict[str, Any]:
    """Return where the pictures of a page are: boxes (tag, x, y, width, height) in pixels.

    A copy of the page without its policy runs `MEASURE`, which the policy forbids.
    """
    html = page.read_text()
    start = html.index('<meta http-equiv="Content-Security-Policy"')
    copy = page.with_name(f"measured-{page.name}")
    end = html.index(">", start) + 1
    copy.write_text((html[:start] + html[end:]).replace("</body>", MEASURE + "</body>"))
    shown = chromium(copy.as_uri(), profile, f"--window-size={width},900", "--dump-dom")
    text = shown.rpartition('<pre id="measured">')[2].partition("</pre>")[0]
    found: dict[str, Any] = json.loads(text)
    return found


def requests_of(page: Path, profile: Path) -> list[str]:
    """Return the addresses that a page asks for over the network, by Chromium's own log.

    Chromium asks for things on its own behalf, too; the log names the initiator of each request.
    Nothing leaves the machine: the proxy does not exist.
    """
    log = profile.with_name(f"{page.stem}.netlog")
    flags = ("--proxy-server=127.0.0.1:9", f"--log-net-log={log}", "--dump-dom")
    chromium(page.as_uri(), profile, *flags)
    events = [event.get("params", {}) for event in json.loads(log.read_text())["events"]]
    asked = [
        params["url"]
        for params in events
        if params.get("initiator", BROWSER_ITSELF) != BROWSER_ITSELF
    ]
    return sorted({url for url in asked if not url.startswith(("file:", "data:"))})
