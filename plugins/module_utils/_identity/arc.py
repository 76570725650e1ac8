# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The agent of an Azure Arc machine, which proves with a key file that the one who asks may read it."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping

from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError
from ansible_collections.imds.azure.plugins.module_utils._imds.options import settings as imds_settings
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import ImdsError
from ansible_collections.imds.azure.plugins.module_utils._imds.transport import Response

from . import surroundings
from .errors import TokenPolicy

API_VERSION = "2020-06-01"
PROGRAM = "/opt/azcmagent/bin/himds"
KEYS = "/var/opt/azcmagent/tokens"
_MAX_KEY = 4096
_CHALLENGE = re.compile(r'Basic realm="?([^"]+?)"?', re.IGNORECASE)


class Challenge:
    """What the agent answers first. file: the key file that it names."""

    def __init__(self, file: str) -> None:
        self.file = file


class ArcPolicy(TokenPolicy):
    """The same, but the challenge is an answer."""

    def classify(self, response: Response) -> str:
        return "ok" if challenge(response) else super().classify(response)


def address(environ: Mapping[str, str]) -> tuple[str, int] | None:
    """IP address and port of the agent; None where there is none."""
    told = surroundings.agent(environ)
    if told is None:
        told = surroundings.AGENT if os.path.exists(PROGRAM) else None
    if told is None:
        return None
    try:
        found = imds_settings({"endpoint": told})
    except OptionError:
        return None
    return found.address if found.loopback else None


def challenge(response: Response) -> Challenge | None:
    """The challenge in an answer, if it is one."""
    match = _CHALLENGE.fullmatch(response.headers.get("www-authenticate", ""))
    return Challenge(match[1]) if response.status == 401 and match else None


def authorization(challenge: Challenge) -> dict[str, str]:
    """The header that answers a challenge.

    :raises ImdsError: the file is not one of the agent's, or can't be read
    """
    path = challenge.file
    if os.path.dirname(os.path.realpath(path)) != os.path.realpath(KEYS) or not path.endswith(".key"):
        raise ImdsError("intercepted", f"the agent names {path} as its key file, which is not a .key file in {KEYS}")
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_KEY:
            raise ImdsError("intercepted", f"the agent's key file {path} is not a file of at most {_MAX_KEY} bytes")
        with open(path, "rb") as file:
            key = file.read(_MAX_KEY).strip()
    except OSError as error:
        raise ImdsError(
            "forbidden", f"the agent's key file {path}: {error.strerror}; run as root or as a member of the group himds"
        ) from None
    if not re.fullmatch(rb"[!-~]+", key):
        raise ImdsError("intercepted", f"the agent's key file {path} does not hold a key")
    return {"Authorization": f"Basic {key.decode('ascii')}"}
