# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python3 -m azure_imds_emulator`: reads the arguments, starts, waits for SIGTERM."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import Optional

from . import __version__, arc_keys, background, service
from .server import NEWEST_BUILD
from .vms import LONGEST_RETRY_AFTER


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="azure_imds_emulator", description="Emulates the Azure Instance Metadata Service."
    )
    result.add_argument(
        "--listen",
        action="append",
        metavar="ADDRESS:PORT",
        type=service.endpoint,
        help="where IMDS answers; [ADDRESS]:PORT for IPv6; port 0: any free one; may be repeated (169.254.169.254:80)",
    )
    result.add_argument(
        "--control",
        metavar="ADDRESS:PORT",
        type=service.endpoint,
        default="127.0.0.1:8254",
        help="where the control endpoint answers (%(default)s)",
    )
    result.add_argument(
        "--control-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a host name that the control endpoint may be called by, beside localhost; may be repeated",
    )
    result.add_argument("--vms", metavar="FILE", type=Path, help="JSON file with the list of VMs (one default VM)")
    result.add_argument(
        "--vault-listen",
        action="append",
        default=[],
        metavar="ADDRESS:PORT",
        type=service.endpoint,
        help="where key vaults answer, over HTTPS; may be repeated (nowhere)",
    )
    result.add_argument("--vaults", metavar="FILE", type=Path, help="JSON file with the list of key vaults (none)")
    result.add_argument(
        "--arc-listen",
        action="append",
        default=[],
        metavar="ADDRESS:PORT",
        type=service.endpoint,
        help="where the agent of an Azure Arc machine answers, on Azure 127.0.0.1:40342 (nowhere)",
    )
    result.add_argument(
        "--arc-tokens",
        metavar="PATH",
        type=Path,
        default=arc_keys.DIRECTORY,
        help="where that agent puts its key files (%(default)s, the only directory that clients accept)",
    )
    result.add_argument("--no-limiter", action="store_true", help="no limit on requests per second")
    result.add_argument(
        "--retry-after",
        type=service.whole(0, LONGEST_RETRY_AFTER),
        metavar="SECONDS",
        help="Retry-After to send with a 429 (none)",
    )
    result.add_argument(
        "--server-build",
        type=service.whole(0, 99_999),
        metavar="N",
        default=NEWEST_BUILD,
        help="last number of the Server header (%(default)s)",
    )
    result.add_argument(
        "--ca-directory",
        metavar="PATH",
        type=Path,
        help="keep the CA of documents, tokens and vaults here, with root.pem to trust (a new CA at each start)",
    )
    result.add_argument("--ready-file", metavar="PATH", type=Path, help="also write the ready line to this file")
    result.add_argument("--background", action="store_true", help="return when ready; needs --pid-file")
    result.add_argument("--stop", action="store_true", help="end the one that runs in the background; needs --pid-file")
    result.add_argument("--pid-file", metavar="PATH", type=Path)
    result.add_argument("--log-file", metavar="PATH", type=Path, help="stderr of the background process (PID_FILE.log)")
    result.add_argument("--version", action="version", version=__version__)
    return result


def main(arguments: Optional[list[str]] = None) -> int:
    """Run until SIGTERM or SIGINT. Returns the exit status: 1 after a one-line error on stderr."""
    command = parser()
    options = command.parse_args(arguments)
    if (options.background or options.stop) and not options.pid_file:
        command.error("--background and --stop need --pid-file")
    try:
        if options.stop:
            print("stopped" if background.stop(options.pid_file) else "not running")
        elif options.background:
            log_file = options.log_file or Path(f"{options.pid_file}.log")
            print(background.start(partial(service.run, options), options.pid_file, log_file))
        else:
            return service.run(options, partial(print, flush=True))
    except (service.StartError, background.BackgroundError, OSError) as error:
        print(f"azure_imds_emulator: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
