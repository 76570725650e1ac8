# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local fact script: prints the azure_imds fact as JSON whatever happens, because setup waits for it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from . import release
from .gather import gather, unavailable
from .options import settings

# These replace the defaults of Settings: every setup waits for the script, even if nobody needs its facts.
DEFAULTS = {"connect_timeout": 1.0, "read_timeout": 4.0, "timeout": 5.0, "updating_timeout": 5.0}
DELIVERY = "local_fact"


def main(options: Mapping[str, Any]) -> None:
    """Print the facts and end the process at once: a normal exit would take Python as long as asking IMDS."""
    if sys.argv[1:] == ["--check"]:
        check()
    else:
        report(options)
    sys.stdout.flush()
    os._exit(0)


def check() -> None:
    """Load everything that the facts may need and print the release: whoever installs the script tries it like this."""
    from . import block_devices, client, facts, guest, versions  # noqa: F401

    sys.stdout.write(f"{release.VERSION}\n")


def without_interpreter(python: str) -> dict[str, Any]:
    """What the script prints where this interpreter can't run it. Nobody is there then to tell the time."""
    found = unavailable("no_interpreter", python)
    found["meta"].update(collected_at=None, delivery=DELIVERY)
    return found


def report(options: Mapping[str, Any]) -> None:
    """Print the facts to standard output, and warnings to standard error.

    :param options: settings that differ from the defaults, by the names of the module's options
    """
    try:
        found, warnings = gather(settings({**DEFAULTS, **options}), DELIVERY)
    except Exception as error:
        # This should never happen; if it does, only this fact is lost and not the whole setup.
        found, warnings = unavailable("malformed", f"{type(error).__name__}: {error}"), []
        found["meta"]["delivery"] = DELIVERY
    for warning in warnings:
        sys.stderr.write(f"{warning}\n")
    sys.stdout.write(json.dumps(found) + "\n")
