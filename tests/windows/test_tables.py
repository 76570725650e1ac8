# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables of both cores are the same, line by line."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds import (
    client,
    facts,
    fields,
    options,
    paths,
    platform,
    reasons,
    release,
    retry,
    transport,
    versions,
)
from ansible_collections.imds.azure.tests.windows.core import Core, compile_core

# How .NET calls what the system says.
SOCKET_ERRORS = {
    errno.ECONNREFUSED: "ConnectionRefused",
    errno.ECONNRESET: "ConnectionReset",
    errno.EPIPE: "Shutdown",
    errno.ETIMEDOUT: "TimedOut",
    errno.EACCES: "AccessDenied",
    errno.EPERM: "AccessDenied",
    errno.EINVAL: "InvalidArgument",
}

SETTINGS = options.Settings()
TABLES: dict[str, Any] = {
    "reasons": [list(vars(reason).values()) for reason in reasons.REASONS.values()],
    "rules": {name: [rule.reason, list(rule.waits), rule.jitter] for name, rule in retry.RULES.items()},
    "by_status": {str(status): outcome for status, outcome in retry.BY_STATUS.items()},
    "connect_errors": {
        SOCKET_ERRORS[error]: kind for error, kind in transport._CONNECT_ERRORS.items() if error is not None
    },
    "instance": list(versions.INSTANCE),
    "undocumented": list(versions.UNDOCUMENTED),
    "ladder": list(versions.LADDER),
    "since": [versions.LOAD_BALANCER_SINCE, versions.ATTESTED_SINCE, versions.TAGS_LIST_SINCE],
    "roots": {root.path: [root.since, root.root] for root in paths._ROOTS.values()},
    "fields": [list(vars(field).values()) for field in fields.FIELDS],
    "guest_facts": list(fields.GUEST_FACTS),
    "nic": list(fields.NIC),
    "device": list(fields.WINDOWS_DEVICE),
    "containers": fields.CONTAINERS,
    "integers": sorted(fields.INTEGERS),
    "booleans": sorted(fields.BOOLEANS),
    "clouds": fields.CLOUDS,
    "kinds": list(facts.CONVERTERS),
    "reserved": sorted(facts.RESERVED),
    "tag": platform.AZURE_CHASSIS_ASSET_TAG,
    "endpoint": options.ENDPOINT,
    "settings": {**vars(SETTINGS), "address": list(SETTINGS.address), "loopback": False},
    "limits": [
        transport.MAX_HEAD,
        transport.MAX_BODY,
        client._MAX_DEPTH,
        client.MAX_VALUES,
        client.PACE,
        client._PROBE_TIMEOUT,
    ],
    "version": release.VERSION,
}


@pytest.fixture(scope="module")
def tables(core: Core) -> Any:
    return core("tables")


@pytest.mark.parametrize("name", TABLES)
def test_each_table_is_the_same(tables: Any, name: str) -> None:
    assert tables[name] == TABLES[name]
    if isinstance(TABLES[name], dict):
        assert list(tables[name]) == list(TABLES[name])


@pytest.mark.usefixtures("program")
def test_the_core_needs_no_more_than_ansible_gives_it(tmp_path: Path) -> None:
    compile_core(tmp_path)


def test_no_table_is_left_out(tables: Any) -> None:
    assert set(tables) == set(TABLES)
