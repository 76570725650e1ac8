# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import shutil
from typing import Any, Optional

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds import platform
from ansible_collections.imds.azure.plugins.module_utils._routes.host import probe
from ansible_collections.imds.azure.plugins.module_utils._routes.host.target import LinuxTarget
from ansible_collections.imds.azure.plugins.module_utils._routes.reply import ImdsReply
from ansible_collections.imds.azure.plugins.modules import azure_imds_route_fix
from ansible_collections.imds.azure.tests.scenarios.module_runner import assert_options_are_documented, run

COLLECT = {"mode": "collect", "recover": False}


def test_documentation() -> None:
    assert_options_are_documented(azure_imds_route_fix)


@pytest.mark.parametrize("request_", [None, {}, {"mode": "other"}])
def test_without_the_action_plugin(capsys: pytest.CaptureFixture[str], request_: Any) -> None:
    result = run(capsys, azure_imds_route_fix, request=request_)
    assert result["failed"]
    assert "action plugin" in result["msg"]


@pytest.mark.skipif(not shutil.which("ip"), reason="ip is not installed")
@pytest.mark.parametrize(
    ("tag", "options", "send"),
    [
        (platform.AZURE_CHASSIS_ASSET_TAG, {}, True),
        ("Default string", {}, False),
        ("Default string", {"force": True}, True),
        ("Default string", {"detect": "force"}, True),
    ],
)
def test_nothing_is_sent_off_azure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tag: str, options: dict[str, Any], send: bool
) -> None:
    asked: list[probe.Way] = []

    def ask(way: probe.Way, source: Optional[str] = None, device: Optional[str] = None) -> ImdsReply:
        assert bool(source) == bool(device)
        if not source:
            asked.append(way)
        return ImdsReply("connect_timeout", "nobody")

    monkeypatch.setattr(probe, "ask", ask)
    result = run(
        capsys, azure_imds_route_fix, request=COLLECT, chassis_asset_tag=tag, verify_timeout=3, check=True, **options
    )
    assert result["report"]["system"] == "linux"
    assert result["report"]["azure"] is (tag == platform.AZURE_CHASSIS_ASSET_TAG)
    assert asked == ([probe.Way(("169.254.169.254", 80), 2.0, 10.0, 3.0)] if send else [])


def test_check_mode_changes_nothing(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LinuxTarget, "apply", lambda *_arguments: pytest.fail("it changes something"))
    result = run(capsys, azure_imds_route_fix, check=True, request={"mode": "apply", "steps": []})
    assert result["failed"]


def test_bad_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert "endpoint" in run(capsys, azure_imds_route_fix, request=COLLECT, endpoint="http://x")["msg"]
    assert "next_hop" in run(capsys, azure_imds_route_fix, request=COLLECT, next_hop="x")["msg"]
