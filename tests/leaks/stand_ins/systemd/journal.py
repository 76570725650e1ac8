# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal is a file. Sending fails afterwards, so that Ansible logs to syslog as well."""

from __future__ import annotations

import errno
import json
import os
from typing import Any


def send(**fields: Any) -> None:
    """
    :raises OSError: always, once the entry is written
    """
    with open(os.environ["LEAKS_JOURNAL"], "a", encoding="utf-8") as file:
        file.write(json.dumps(fields, default=str) + "\n")
    raise OSError(errno.EAGAIN, "the journal of this test is followed by syslog")


sendv = send
