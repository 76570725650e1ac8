# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python3 -m azure_imds_emulator`: reads the arguments, starts, waits for SIGTERM."""

from __future__ import annotations

import argparse
import sys
from typing import Optional

from . import __version__, service
from .server import NEWEST_BUILD


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="azure_imds_emulator", description="Emulates the Azure Instance Metadata Service."
    )
    add = result.add_argument
    add(
        "--listen",
        action="append",
        metavar="ADDRESS:PORT",
        type=service.endpoint,
        help="where IMDS answers, [ADDRESS]:PORT for IPv6; may be given more than once (169.254.169.254:80)",
    )
    add(
        "--control",
        default="127.0.0.1:8254",
        metavar="ADDRESS:PORT",
        type=service.endpoint,
        help="where the control endpoint answers (%(default)s)",
    )
    add("--vms", metavar="FILE", help="JSON file with a list of VMs (one default VM)")
    add("--no-limiter", action="store_true", help="no limit on requests per second")
    add("--retry-after", type=int, metavar="SECONDS", help="send this Retry-After with every 429 (none)")
    add(
        "--server-build",
        type=int,
        default=NEWEST_BUILD,
        metavar="N",
        help="last number of the Server header (%(default)s)",
    )
    add("--ready-file", metavar="PATH", help="write the ready line, a JSON object, to this file too")
    add("--version", action="version", version=__version__)
    return result


def main(arguments: Optional[list[str]] = None) -> int:
    """Run until SIGTERM or SIGINT. Returns the exit status: 1 after a one-line error on stderr."""
    options = parser().parse_args(arguments)
    try:
        return service.run(options)
    except service.StartError as error:
        print(f"azure_imds_emulator: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
