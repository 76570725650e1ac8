# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks at a site in headless Chromium: look.html follows its links at the width of a phone, and reports.

Another page may take its place, to use what a site has instead of following links.
"""

from __future__ import annotations

import http.server
import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nothing but this machine's own server can be reached.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
SECONDS = 300


@dataclass(frozen=True)
class Report:
    """What the browser found."""

    pages: list[str]
    """The paths of the pages that can be reached from /index.html."""
    problems: list[str]
    """Dead links and anchors, what is too wide, and what is loaded from elsewhere; each line names its page."""


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the site, the page that looks at it, and takes that page's report."""

    def __init__(self, *args: Any, looks: Path, reports: queue.Queue[Report], **kwargs: Any) -> None:
        self.looks = looks
        self.reports = reports
        super().__init__(*args, **kwargs)

    def do_GET(self) -> None:
        if self.path != "/look":
            super().do_GET()
            return
        page = self.looks.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def do_POST(self) -> None:
        report = Report(**json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()
        self.reports.put(report)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def browser(program: str, url: str) -> Iterator[None]:
    """A browser that shows a page, with a profile of its own."""
    with tempfile.TemporaryDirectory(prefix="imds-site-") as profile:
        flags = [*FLAGS, f"--user-data-dir={profile}"]
        if os.geteuid() == 0:
            flags.append("--no-sandbox")
        process = subprocess.Popen(
            [program, *flags, url], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def look(program: str, site: Path, looks: str = "look.html") -> Report:
    """What the browser reports of a site. `looks`: the page beside this file that looks at it.

    :raises queue.Empty: if no report comes
    """
    reports: queue.Queue[Report] = queue.Queue()
    page = Path(__file__).parent / looks
    handler = partial(Handler, directory=str(site), looks=page, reports=reports)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            with browser(program, f"http://127.0.0.1:{server.server_port}/look"):
                return reports.get(timeout=SECONDS)
        finally:
            server.shutdown()
