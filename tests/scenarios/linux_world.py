# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The route fix whole, without a network: the action plugin, the module's code, and a real kernel's tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Optional

import yaml
from ansible_collections.imds.azure.plugins.action import azure_imds_route_fix as action
from ansible_collections.imds.azure.plugins.module_utils._routes import linux_report
from ansible_collections.imds.azure.plugins.module_utils._routes.host import probe
from ansible_collections.imds.azure.plugins.module_utils._routes.host.host import Host, HostError
from ansible_collections.imds.azure.plugins.module_utils._routes.host.target import LinuxTarget
from ansible_collections.imds.azure.plugins.module_utils._routes.model import ReportError
from ansible_collections.imds.azure.plugins.module_utils._routes.options import parse_options
from ansible_collections.imds.azure.plugins.module_utils._routes.reply import ImdsReply, as_plain
from ansible_collections.imds.azure.plugins.modules import azure_imds_route_fix

from . import namespace
from .apply_contract import KilledError
from .module_runner import assert_documented


class World:
    """A controller and one host. ``silent``: IMDS never answers. ``kill``: commands until the module is killed.

    ``pair``: interface and address that IMDS answers, where it may be asked at all. ``reply``: what it says instead.
    ``same_machine``: whether its vmId is the firmware's.
    ``between``: happens after the host was looked at, before it is changed.
    """

    def __init__(self, place: Path, net: namespace.Namespace) -> None:
        self.net = net
        self.host = Host(self.run, str(place))
        self.azure: Optional[bool] = True
        self.silent = False
        self.kill: Optional[int] = None
        self.fail = ""
        self.calls: list[dict[str, Any]] = []
        self.pair: Optional[tuple[str, str]] = None
        self.reply: Optional[ImdsReply] = None
        self.same_machine: Optional[bool] = None
        self.between: Callable[[], object] = lambda: None

    def build(self, *commands: str) -> None:
        self.net.ip(*commands)

    def run(self, argv: Sequence[str]) -> tuple[int, str, str]:
        if self.kill is not None:
            if self.kill == 0:
                raise KilledError
            self.kill -= 1
        if self.fail and self.fail in argv:
            return 2, "", "RTNETLINK answers: Operation not permitted"
        if argv[0] != "ip":
            return 127, "", "not found"
        done = self.net.run(argv)
        return done["rc"], done["stdout"], done["stderr"]

    def module(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """What the module does, without its process."""
        request = arguments["request"]
        self.calls.append(request)
        if request["mode"] == "apply":
            self.between()
        options = parse_options(arguments)
        target = LinuxTarget(
            self.host, options, arguments["persistence_backend"], probe.Way(), self.azure, self.pair is not None
        )
        try:
            return target.collect(request) if request["mode"] == "collect" else target.apply(request)
        except (HostError, ReportError, ValueError) as error:
            return {"failed": True, "msg": str(error)}

    def ask(self, _way: probe.Way, source: Optional[str] = None, device: Optional[str] = None) -> ImdsReply:
        """One request, that leaves as the kernel says or as it is bound, and is answered for one pair only."""
        if self.reply is not None and not source:
            return self.reply
        found = linux_report.parse_route_get(self.net.run(linux_report.COMMANDS["route_get"]))
        way = found.route.interface if found and found.route and not found.error else ""
        used = (device, source) if device else (way, source or (found.source if found else ""))
        if self.silent or used != self.pair:
            return ImdsReply("connect_timeout", "connect_timeout: nothing")
        return ImdsReply("ok", "HTTP 200", str(used[1]), (("", (str(used[1]),)),), "169.254.169.254:80")

    def with_vm_id(self, _way: probe.Way, reply: ImdsReply, mac: str, **_more: Any) -> ImdsReply:
        """Adds ``same_machine`` where IMDS does not list the MAC address."""
        listed = {known for known, _addresses in reply.interfaces}
        asked = reply.outcome == "ok" and mac not in listed and listed != {""}
        return reply._replace(same_machine=self.same_machine) if asked else reply

    def prove(self, _way: probe.Way, expect: dict[str, str], _retries: int) -> dict[str, Any]:
        if self.pair is not None:
            reply = self.ask(_way)
            fault = reply.judge(expect["address"], "")
            more = {"undecided": reply.undecided, "reply": as_plain(reply)}
            return {"verified": not fault, "detail": fault or reply.detail, "tries": 1, **more}
        done = self.net.run(linux_report.COMMANDS["route_get"])
        verdict = linux_report.parse_route_get(done)
        good = verdict is not None and verdict.source == expect["address"] and not self.silent
        detail = "HTTP 200" if good else "connect_timeout: nothing"
        return {"verified": good, "outcome": "ok", "detail": detail, "local_address": "", "tries": 1}

    def task(self, check_mode: bool = False, **args: Any) -> dict[str, Any]:
        task = SimpleNamespace(args=args, action=action.MODULE, async_val=0, check_mode=check_mode)
        connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="there"))
        plugin = action.ActionModule(task, connection, SimpleNamespace(), None, None, None)

        def execute_module(name: str, module_args: dict[str, Any], **_more: Any) -> dict[str, Any]:
            assert name == action.MODULE
            assert json.loads(json.dumps(module_args)) == module_args
            return dict(json.loads(json.dumps(self.module(module_args))))

        plugin._execute_module = execute_module
        result: dict[str, Any] = plugin.run(task_vars={})
        documented = yaml.safe_load(azure_imds_route_fix.RETURN)
        extra = {"changed", "failed", "msg", "diff", "warnings"}
        assert set(result) - extra <= set(documented)
        if "findings" in result:
            for name, value in result.items():
                if name not in extra:
                    assert_documented(
                        value, documented[name], name, {"findings.evidence", "host_routes", "plan", "candidates"}
                    )
        return result

    def table(self) -> tuple[str, ...]:
        return tuple(
            self.net.run(argv)["stdout"] for argv in (linux_report.COMMANDS["routes"], linux_report.COMMANDS["rules"])
        )
