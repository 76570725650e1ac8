# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A proxy that leads nowhere: it writes down what it is asked, and answers 502.

proxy.py LOG ADDRESS:PORT
"""

from __future__ import annotations

import http.server
import json
import sys
from pathlib import Path
from typing import Any


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def _refuse(self) -> None:
        self.server.tell({"method": self.command, "target": self.path})
        self.send_error(502)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # any method
            return self._refuse
        raise AttributeError(name)

    def log_message(self, *_arguments: Any) -> None:
        pass


class _Server(http.server.ThreadingHTTPServer):
    def __init__(self, address: tuple[str, int], log: Path) -> None:
        super().__init__(address, _Handler)
        self._log = log

    def tell(self, word: dict[str, Any]) -> None:
        with self._log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(word) + "\n")


def main(log: str, address: str) -> None:
    host, _colon, port = address.rpartition(":")
    server = _Server((host, int(port)), Path(log))
    server.tell({"ready": True})
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
