# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation site is sound, and what looks at it finds what is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.imds.azure.tests.site.browser import look

PAGE = "<!DOCTYPE html><html><head><title>A page</title></head><body>{}</body></html>"


def test_site(chromium: str) -> None:
    """Every page is reached, no link is dead, nothing is wider than a phone, nothing is loaded from elsewhere."""
    site = Path(os.environ["IMDS_SITE"])
    report = look(chromium, site)
    pages = {"/" + str(file.relative_to(site)) for file in site.rglob("*.html") if "_static" not in file.parts}
    assert report.problems == []
    assert set(report.pages) == pages


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('<a href="nowhere.html">x</a>', "/index.html: the link to /nowhere.html leads nowhere (404)"),
        ('<a href="#nothing">x</a>', "/index.html: /index.html has no anchor nothing"),
        ('<a href="other.html#nothing">x</a>', "/index.html: /other.html has no anchor nothing"),
        ('<p style="width: 500px">x</p>', "/index.html: wider than 400 px: the page is"),
        ('<div style="overflow: hidden"><p style="width: 500px">y</p></div>', "/index.html: wider than 400 px: p: y"),
        ('<img src="http://elsewhere.example/x.png">', "/index.html: loads http://elsewhere.example/x.png"),
    ],
)
def test_problem_is_found(tmp_path: Path, chromium: str, body: str, problem: str) -> None:
    (tmp_path / "index.html").write_text(PAGE.format(body))
    (tmp_path / "other.html").write_text(PAGE.format("x"))
    found = look(chromium, tmp_path).problems
    assert [line for line in found if line.startswith(problem)], found


def test_sound_site(tmp_path: Path, chromium: str) -> None:
    """Wide things may stand in a box that scrolls; a page that no link leads to is not reached."""
    wide = '<div style="overflow: auto"><p style="width: 500px">x</p></div>'
    (tmp_path / "index.html").write_text(PAGE.format('<a href="other.html#there">x</a>' + wide))
    (tmp_path / "other.html").write_text(PAGE.format('<p id="there">x</p><a href="https://elsewhere.example/">x</a>'))
    (tmp_path / "lost.html").write_text(PAGE.format("x"))
    report = look(chromium, tmp_path)
    assert report.problems == []
    assert sorted(report.pages) == ["/index.html", "/other.html"]
