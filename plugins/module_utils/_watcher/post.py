# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A command of the watcher that posts the event to Event-Driven Ansible.

PROGRAM post URL [--token-file FILE] [--ca-file FILE]

A process of its own, which ends: what HTTP and TLS need in memory, the watcher never loads.
"""

from __future__ import annotations

import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence

# Seconds for one try, and before each further one: a controller that restarts is back by then.
TIMEOUT = 10.0
WAITS = (1.0, 2.0, 4.0, 8.0, 15.0)
DONE, FAILED, MISUSED = 0, 1, 2
_OPTIONS = ("--token-file", "--ca-file")


def main(arguments: Sequence[str], sleep: Callable[[float], None] = time.sleep) -> int:
    """Post standard input; the exit status."""
    given = dict(zip(arguments[1::2], arguments[2::2]))
    if len(arguments) % 2 == 0 or not arguments[0].startswith(("http://", "https://")) or set(given) - set(_OPTIONS):
        return _complain("usage: post URL [--token-file FILE] [--ca-file FILE]", MISUSED)
    try:
        request = _request(arguments[0], sys.stdin.buffer.read(), given.get("--token-file"))
        return _send(request, _opener(given.get("--ca-file")), sleep)
    except OSError as error:  # a file that can't be read, or that holds no certificate
        return _complain(f"{error.filename or given.get('--ca-file')}: {error.strerror or error}", MISUSED)


def _request(url: str, body: bytes, token_file: str | None) -> urllib.request.Request:
    headers = {"Content-Type": "application/json"}
    if token_file:
        with open(token_file, encoding="ascii") as file:
            headers["Authorization"] = f"Bearer {file.read().strip()}"
    return urllib.request.Request(url, body, headers, method="POST")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The token is for one place only."""

    def redirect_request(self, *_arguments: object) -> None:
        return None


def _opener(ca_file: str | None) -> urllib.request.OpenerDirector:
    import ssl  # only here: a URL of plain HTTP needs none

    context = ssl.create_default_context(cafile=ca_file)
    return urllib.request.build_opener(_NoRedirect, urllib.request.HTTPSHandler(context=context))


def _send(
    request: urllib.request.Request, opener: urllib.request.OpenerDirector, sleep: Callable[[float], None]
) -> int:
    for wait in (*WAITS, None):
        try:
            with opener.open(request, timeout=TIMEOUT):
                return DONE
        except urllib.error.HTTPError as error:
            problem = f"HTTP {error.code}: {error.read(200).decode('utf-8', 'replace').strip()}"
            if error.code < 500 and error.code not in (408, 429):
                return _complain(problem, FAILED)
        except OSError as error:
            problem = str(getattr(error, "reason", error))
        if wait is None:
            return _complain(problem, FAILED)
        sleep(wait)
    return FAILED


def _complain(sentence: str, status: int) -> int:
    shown = "".join(letter if letter.isprintable() else " " for letter in sentence)
    sys.stderr.write(f"post: {shown}\n")
    return status
