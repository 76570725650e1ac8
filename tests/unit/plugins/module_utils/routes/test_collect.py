# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collecting, with commands and files played by the test."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._routes.candidates import Candidate
from ansible_collections.imds.azure.plugins.module_utils._routes.host.collect import collect
from ansible_collections.imds.azure.plugins.module_utils._routes.host.host import Host, HostError
from ansible_collections.imds.azure.plugins.module_utils._routes.linux_report import read_linux_report
from ansible_collections.imds.azure.plugins.module_utils._routes.model import ReportError
from ansible_collections.imds.azure.plugins.module_utils._routes.options import RouteOptions
from ansible_collections.imds.azure.plugins.module_utils._routes.reply import ImdsReply, as_plain

MAC = "00:0d:3a:00:00:01"
ADDRESS = {"family": "inet", "local": "10.0.0.4", "prefixlen": 24}
LINK = {"ifindex": 2, "ifname": "eth0", "flags": ["UP"], "address": MAC, "addr_info": [ADDRESS]}
ROUTES = [{"dst": "default", "gateway": "10.0.0.1", "dev": "eth0"}]
GET = [{"dst": "169.254.169.254", "gateway": "10.0.0.1", "dev": "eth0", "prefsrc": "10.0.0.4"}]
JSON = {"address": json.dumps([LINK]), "route show": json.dumps(ROUTES), "rule": "[]", "route get": json.dumps(GET)}
TEXT = {
    "address": f"2: eth0: <UP> mtu 1500\n    link/ether {MAC} brd ff:ff:ff:ff:ff:ff\n    inet 10.0.0.4/24\n",
    "route show": "default via 10.0.0.1 dev eth0\n",
    "rule": "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n",
    "route get": "169.254.169.254 via 10.0.0.1 dev eth0  src 10.0.0.4\n",
}


class Played:
    def __init__(self, place: Path, answers: dict[str, str], knows_json: bool = True) -> None:
        self.host = Host(self.run, str(place))
        self.answers = answers
        self.knows_json = knows_json
        self.log: list[str] = []

    def run(self, argv: Sequence[str]) -> tuple[int, str, str]:
        line = " ".join(argv)
        self.log.append(line)
        if argv[0] != "ip":
            return 127, "", "not found"
        if "-j" in argv and not self.knows_json:
            return 1, "", "ip: invalid option -- 'j'"
        return next(((0, out, "") for words, out in self.answers.items() if words in line), (1, "", "no such thing"))

    def put(self, path: str, text: str) -> None:
        file = Path(self.host.root + path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(("answers", "knows_json"), [(JSON, True), (TEXT, False)], ids=["json", "busybox"])
def test_report_of_json_and_of_text_say_the_same(tmp_path: Path, answers: dict[str, str], knows_json: bool) -> None:
    played = Played(tmp_path, answers, knows_json)
    report = collect(played.host, RouteOptions(), azure=True)
    state = read_linux_report(report)
    assert (state.azure, state.persistence, state.persistent, state.errors) == (True, "none", None, ())
    assert state.kernel_verdict
    assert state.kernel_verdict_bound
    assert (state.kernel_verdict.source, state.routes[0].next_hop, state.interfaces[0].mac) == (
        "10.0.0.4",
        "10.0.0.1",
        MAC,
    )
    assert played.log[-2:] != []
    assert any(line.endswith("route get 169.254.169.254 from 10.0.0.4") for line in played.log)
    assert report["imds"] is None


def test_host_without_ip_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="is there an ip command"):
        collect(Played(tmp_path, {}).host, RouteOptions())


def test_command_that_fails_is_listed_in_errors(tmp_path: Path) -> None:
    answers = {words: out for words, out in JSON.items() if words != "rule"}
    report = collect(Played(tmp_path, answers).host, RouteOptions())
    assert report["rules"] is None
    assert "ip -j -4 rule show" in report["errors"][0]


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("/.dockerenv", "", True),
        ("/run/.containerenv", "", True),
        ("/run/systemd/container", "lxc", True),
        ("/proc/1/environ", "A=b\0container=podman\0", True),
        ("/proc/self/environ", "KUBERNETES_SERVICE_HOST=10.0.0.1\0", True),
        ("/proc/1/environ", "MYcontainer=b\0", False),
    ],
)
def test_container_is_recognized(tmp_path: Path, path: str, text: str, expected: bool) -> None:
    played = Played(tmp_path, JSON)
    played.put(path, text)
    assert collect(played.host, RouteOptions())["container"] is expected


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [("000001ffffffffff", True), ("0000000000001000", True), ("0000000000000000", False), ("0000000000000fff", False)],
)
def test_missing_capability_is_reported(tmp_path: Path, capabilities: str, expected: bool) -> None:
    played = Played(tmp_path, JSON)
    assert collect(played.host, RouteOptions())["elevated"] is None
    played.put("/proc/self/status", f"Name:\tpython\nCapEff:\t{capabilities}\n")
    assert collect(played.host, RouteOptions())["elevated"] is expected


def test_reply_of_imds_is_reported(tmp_path: Path) -> None:
    answer = ImdsReply("ok", "HTTP 200", "10.0.0.4", ((MAC, ("10.0.0.4",)),))
    asked: list[Candidate] = []

    def ask(candidates: Sequence[Candidate]) -> dict[str, Any]:
        asked.extend(candidates)
        return {"unbound": as_plain(answer), "bound": []}

    report = collect(Played(tmp_path, JSON).host, RouteOptions(), ask=ask)
    assert asked == [Candidate("eth0", "10.0.0.4")]
    assert report["imds"]["unbound"]["outcome"] == "ok"
    state = read_linux_report(json.loads(json.dumps(report)))
    assert state.imds
    assert state.imds.unbound == answer


def test_of_many_interfaces_only_those_that_matter_are_reported(tmp_path: Path) -> None:
    many = [
        {"ifindex": number, "ifname": f"veth{number}", "flags": ["UP"], "address": f"02:00:00:00:00:{number % 256:02x}"}
        for number in range(10, 2010)
    ]
    port = {**many[0], "ifname": "port", "master": "eth0"}
    answers = {**JSON, "address": json.dumps([*many, LINK, port])}
    report = collect(Played(tmp_path, answers).host, RouteOptions())
    assert [link["ifname"] for link in report["addresses"]] == ["eth0", "port"]
    assert report["counts"]["interfaces"] == 2002


def test_host_without_any_address_is_reported(tmp_path: Path) -> None:
    answers = {
        **JSON,
        "address": json.dumps([{"ifindex": 1, "ifname": "lo", "flags": ["LOOPBACK"]}]),
        "route show": "[]",
    }
    state = read_linux_report(collect(Played(tmp_path, answers).host, RouteOptions()))
    assert [nic.name for nic in state.interfaces] == ["lo"]


def test_persistent_form_is_reported(tmp_path: Path) -> None:
    played = Played(tmp_path, JSON)
    played.put("/etc/network/if-up.d/x", "")
    played.put("/etc/network/interfaces", "iface eth0 inet dhcp\n")
    report = collect(played.host, RouteOptions())
    assert (report["persistence"], report["persistent"]) == ("ifupdown", [])
    assert collect(played.host, RouteOptions(), backend="none")["persistence"] == "none"
    with pytest.raises(HostError, match="persistence_backend"):
        collect(played.host, RouteOptions(), backend="netplan")


def test_an_unknown_nic_has_no_persistence(tmp_path: Path) -> None:
    report: dict[str, Any] = collect(Played(tmp_path, JSON).host, RouteOptions(interface="eth9"))
    assert "persistence" not in report
    assert "route_get_bound" not in report
