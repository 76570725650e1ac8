# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The route readers: reports of Linux and Windows hosts, printed tables, commands, and files on a host."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.imds.azure.plugins.action.azure_imds_route_fix import analyze
from ansible_collections.imds.azure.plugins.module_utils._routes.host import guest_agent, persistence
from ansible_collections.imds.azure.plugins.module_utils._routes.host.apply import recover
from ansible_collections.imds.azure.plugins.module_utils._routes.host.collect import collect
from ansible_collections.imds.azure.plugins.module_utils._routes.host.host import Host, HostError, Run
from ansible_collections.imds.azure.plugins.module_utils._routes.host.journal import PATH, Journal
from ansible_collections.imds.azure.plugins.module_utils._routes.model import Interface, ReportError
from ansible_collections.imds.azure.plugins.module_utils._routes.options import PERSISTENCE_STACKS, RouteOptions
from ansible_collections.imds.azure.plugins.module_utils._routes.primary import Primary
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan import result as results
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.answers import (
    HostFailureError,
    read_carried_out,
    read_looked,
    require_report,
)
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.evaluation import Evaluation
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.plan import plain_steps
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.report import read_report
from ansible_collections.imds.azure.tests.scenarios.route_print_tables import CLUSTER, HEALTHY
from ansible_collections.imds.azure.tests.scenarios.windows_reports import CLUSTER as CLUSTER_NODE
from ansible_collections.imds.azure.tests.scenarios.windows_reports import REFUSALS, REPAIRS

from .target import Target, as_json, assert_plain, assert_told, from_json

_MAC = "00:0d:3a:00:00:01"
_REPLY = {"outcome": "ok", "detail": "HTTP 200", "local_address": "10.0.1.10", "interfaces": [[_MAC, ["10.0.1.10"]]]}
_PRIMARY = Primary(Interface("eth0", mac=_MAC), "10.0.1.10", "asked")
_OPTIONS = (
    RouteOptions(),
    RouteOptions(remove_conflicting=True, fix_source=True, next_hop="gateway"),
    RouteOptions(state="absent", interface="eth0"),
)

_ADDRESSES = """\
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
    inet 127.0.0.1/8 scope host lo
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc mq state UP
    link/ether 00:0d:3a:00:00:01 brd ff:ff:ff:ff:ff:ff
    inet 10.0.1.10/24 brd 10.0.1.255 scope global dynamic eth0
3: wg0: <POINTOPOINT,NOARP,UP> mtu 1420
    link/none
    wireguard
    inet 10.9.0.2 peer 10.9.0.1/32 scope global secondary wg0
"""
_ROUTES = """\
default via 10.0.1.1 dev eth0 proto dhcp src 10.0.1.10 metric 100
169.254.169.254 via 10.0.1.1 dev eth0 proto static onlink
unreachable 169.254.0.0/16 metric 7 table 100
10.0.0.0/8 table 51 mtu 1400
    nexthop via 10.0.1.1 dev eth0 weight 2
    nexthop via inet6 fe80::1 dev wg0 weight 1 dead
"""
_RULES = "0:\tfrom all lookup local\n100:\tnot from 10.0.1.10/24 fwmark 0xca6c/0xff lookup 51 suppress_prefixlength 0\n"
_RULES += "32766:\tfrom all lookup main\n32767:\tfrom all iif eth0 [detached] unreachable\n"
_GET = "169.254.169.254 via 10.0.1.1 dev eth0 src 10.0.1.10 uid 0 \n    cache\n"
_PROC = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0101000A\t0003\t0\t0\t100\t00000000\t0\t0\t0
*\tFEA9FEA9\t00000000\t0200\t0\t0\t0\tFFFFFFFF\t0\t0\t0
"""
_LINK = {"ifindex": 2, "ifname": "eth0", "flags": ["UP", "BROADCAST"], "address": _MAC, "link_type": "ether"}
_LINKS = [
    {"ifindex": 1, "ifname": "lo", "flags": ["LOOPBACK", "UP"], "link_type": "loopback", "addr_info": []},
    {
        **_LINK,
        "addr_info": [{"family": "inet", "local": "10.0.1.10", "prefixlen": 24, "scope": "global", "dynamic": True}],
    },
    {
        "ifindex": 3,
        "ifname": "br0",
        "flags": ["UP"],
        "linkinfo": {"info_kind": "bridge"},
        "addr_info": [],
        "master": "eth0",
    },
]
_ROWS = [
    {"dst": "default", "gateway": "10.0.1.1", "dev": "eth0", "protocol": "dhcp", "metric": 100, "flags": []},
    {"type": "unreachable", "dst": "169.254.0.0/16", "metric": 4, "table": "100"},
    {
        "dst": "169.254.169.254",
        "nexthops": [{"via": {"host": "10.0.1.1"}, "dev": "eth0", "weight": 1, "flags": ["onlink"]}],
    },
    {"dst": "168.63.129.16", "gateway": "10.0.1.1", "dev": "eth0", "prefsrc": "10.0.1.10", "metrics": [{"mtu": 9}]},
]
_RULE_ROWS = [
    {"priority": 0, "src": "all", "table": "local"},
    {"priority": 50, "not": None, "src": "10.0.1.0", "srclen": 24, "fwmark": "0x1/0xff", "table": "100", "tos": "0x10"},
    {"priority": 32766, "src": "all", "table": "main"},
]
_LINUX: dict[str, Any] = {
    "system": "linux",
    "addresses": _LINKS,
    "routes": _ROWS,
    "rules": _RULE_ROWS,
    "route_get": {
        "rc": 0,
        "stdout": json.dumps([{"dst": "169.254.169.254", "dev": "eth0", "prefsrc": "10.0.1.10"}]),
        "stderr": "",
    },
    "route_get_bound": {"rc": 2, "stdout": "", "stderr": "RTNETLINK answers: Network is unreachable"},
    "persistent": [{"dst": "169.254.169.254", "dev": "eth0", "gateway": "10.0.1.1", "flags": ["onlink"]}],
    "counts": {"routes": 4, "interfaces": 3},
    "imds": {
        "unbound": _REPLY,
        "bound": [{"interface": "eth0", "address": "10.0.1.10", "reply": {**_REPLY, "peer": "a:1"}}],
    },
    "guest_agent": {"state": "Enforce", "rule_id": "r", "refused": ["root, /bin/a: 403 (2 times)"]},
    "firewall": ["nft: ip daddr 169.254.169.254 drop"],
    "azure": True,
    "elevated": True,
    "container": False,
    "persistence": "netplan",
    "errors": [],
    "digest": "0",
}


def report(data: bytes) -> None:
    """What a host reports of its routes: a diagnosis and a plan, or a ReportError."""
    given = from_json(data)
    if not isinstance(given, dict):
        return
    try:
        host = Evaluation(read_report(given), _options(data))
    except ReportError as error:
        assert_told(error)
        return
    case = results.make_case(given, host)
    json.dumps(results.describe_case(case), allow_nan=False)
    json.dumps(plain_steps(host.state, case.plan.steps), allow_nan=False)
    results.difference(host, case.plan.after)


def _options(data: bytes) -> RouteOptions:
    """Options for an input, always the same."""
    return _OPTIONS[sum(data) % len(_OPTIONS)]


def linux_text(data: bytes) -> None:
    """The words of ip, busybox and /proc: a report of text parts, apart by lines of ---."""
    parts = data.decode("utf-8", "replace").split("---\n")
    names = ("addresses", "routes", "rules", "stdout", "proc_net_route")
    given: dict[str, Any] = {"system": "linux", **dict(zip(names, parts))}
    given["route_get"] = {"rc": 0, "stdout": given.pop("stdout", ""), "stderr": ""}
    report(as_json(given))
    collected(parts)


def collected(parts: Sequence[str]) -> None:
    """The same on the host, where the commands are run."""
    texts = [*parts, *("" for _missing in range(5))]
    words = {"address": 0, "rule": 2, "get": 3, "route": 1}

    def run(argv: Sequence[str]) -> tuple[int, str, str]:
        if argv[0] != "ip":
            return 127, "", "not found"
        return 0, next(texts[place] for word, place in words.items() if word in argv), ""

    host = _MemoryHost(run, {"/proc/net/route": texts[4]})
    try:
        found = collect(host, RouteOptions())
    except (ReportError, HostError) as error:
        assert_told(error)
        return
    json.dumps(found, allow_nan=False)


def answers(data: bytes) -> None:
    """What the module on the host answers, before and after the steps."""
    given = from_json(data)
    if not isinstance(given, dict):
        return
    try:
        answer = require_report(given)
        read_looked(answer)
        done = read_carried_out(answer, _PRIMARY)
    except HostFailureError as error:
        _assert_failed(error.result)
        return
    host = Evaluation(read_report(_LINUX))
    outcome = results.describe_outcome(results.make_case(_LINUX, host), {"recovered": False, "changed": False}, done)
    assert isinstance(outcome["changed"], bool)
    json.dumps({name: value for name, value in outcome.items() if name != "report"}, default=str)


def _assert_failed(result: dict[str, Any]) -> None:
    assert result["failed"] is True
    assert result["changed"] is False


def route_print(data: bytes) -> None:
    """The text of route print: a diagnosis, or a failure that says what is missing."""
    result = analyze({"route_print": data.decode("utf-8", "replace"), "fail_on_findings": False}, _options(data))
    assert result["changed"] is False
    json.dumps(result, allow_nan=False)


class _MemoryHost(Host):
    """A host whose files are in memory: by path, their text. Some are always there."""

    files: dict[str, str]

    def __new__(cls, run: Run, files: Mapping[str, str]) -> _MemoryHost:
        self = super().__new__(cls, run, "/nonexistent")
        self.files = {**_FILES, **files}
        return self

    def read_text(self, path: str) -> str | None:
        return self.files.get(path)

    def exists(self, path: str) -> bool:
        return any(f"{file}/".startswith(f"{path}/") for file in self.files)

    def names(self, directory: str) -> list[str]:
        below = [file[len(directory) + 1 :] for file in self.files if file.startswith(f"{directory}/")]
        return sorted({rest.partition("/")[0] for rest in below})

    def write(self, path: str, text: str, mode: int) -> None:
        del mode
        self.files[path] = text

    def remove(self, path: str) -> None:
        self.files.pop(path, None)


# What network stacks write.
_FILES = {
    "/sys/class/net/eth0/ifindex": "2\n",
    "/run/systemd/netif/links/2": "ADMIN_STATE=configured\nNETWORK_FILE=/run/10-netplan-eth0.network\n",
    "/etc/network/interfaces": "iface eth0 inet dhcp\n",
    "/etc/network/if-up.d/other": "",
}
# Files that a route fix reads again: its own, and those of network stacks and agents.
_OWN_FILES = (
    "/etc/netplan/90-imds-azure-route.yaml",
    "/etc/systemd/network/10-netplan-eth0.network.d/90-imds-azure-route.conf",
    "/etc/network/if-up.d/imds-azure-route",
    PATH,
    "/var/log/azure-proxy-agent/status.json",
)


def host_files(data: bytes) -> None:
    """Every file that is read on a host, each with this text, and what nmcli prints."""
    text = data.decode("utf-8", "replace")

    def run(argv: Sequence[str]) -> tuple[int, str, str]:
        if argv[0] != "nmcli":
            return 127, "", "not found"
        return 0, text if "ipv4.routes" in argv else "eth0:0-1-2:netplan-eth0\n" + text, ""

    host = _MemoryHost(run, dict.fromkeys(_OWN_FILES, text))
    for stack in PERSISTENCE_STACKS:
        json.dumps(persistence.stored_rows(host, stack, "eth0"))
    agent = guest_agent.agent_status(host)
    assert agent is None or set(agent) == {"state", "rule_id", "refused"}
    with contextlib.suppress(HostError):
        entry = Journal(host).load()
        if entry:
            recover(entry, lambda operation: assert_plain(operation["action"]), Journal(host))


def _reports() -> Iterator[bytes]:
    yield as_json(_LINUX)
    yield as_json({**_LINUX, "routes": [], "proc_net_route": _PROC, "imds": None, "rules": None, "persistent": None})
    windows = [case[0] for case in REPAIRS.values()][::6] + [case[0] for case in REFUSALS.values()][::4]
    for given in windows:
        yield as_json({**given, "system": "windows"})
    find_route = [
        {"IPAddress": "10.0.1.10", "InterfaceIndex": 5},
        {"DestinationPrefix": "0.0.0.0/0", "InterfaceIndex": 5},
    ]
    values = ["169.254.169.254,255.255.255.255,10.0.1.1,1"]
    bound = [{"interface": 5, "address": "10.0.1.10", "reply": _REPLY}]
    more = {"find_route": find_route, "persistent_route_values": values, "imds": {"unbound": _REPLY, "bound": bound}}
    yield as_json({**CLUSTER_NODE, "system": "windows", "compartments": 1, **more})


def _texts() -> Iterator[bytes]:
    yield "---\n".join((_ADDRESSES, _ROUTES, _RULES, _GET, _PROC)).encode()
    rows = (_LINKS, _ROWS, _RULE_ROWS, [{"dst": "169.254.169.254", "dev": "eth0"}])
    yield "---\n".join((*(json.dumps(one) for one in rows), _PROC)).encode()
    yield "---\n".join((_ADDRESSES, "", "", "", _PROC)).encode()


def _answers() -> Iterator[bytes]:
    proof = {"verified": True, "detail": "HTTP 200", "tries": 1, "reply": _REPLY}
    done = {
        "rolled_back": False,
        "restored": False,
        "error": "",
        "undo_errors": [],
        "proof": proof,
        "tables": {"before": ["a"]},
    }
    yield as_json({**done, "notes": ["n"], "report": {"system": "linux"}, "recovered": True})
    yield as_json({"failed": True, "msg": "m", "exception": "e", "rc": 1})


def _tables() -> Iterator[bytes]:
    for table in (CLUSTER, HEALTHY):
        yield table.format(on_link="On-link").encode() + b"169.254.169.254 255.255.255.255 10.0.1.1 Default\n"
    yield (
        b" 9 ...00 0d 3a 00 00 01 ......Microsoft Failover Cluster Virtual Adapter\n"
        + CLUSTER.format(on_link="x").encode()
    )


def _host_files() -> Iterator[bytes]:
    row = {"dst": "169.254.169.254", "dev": "eth0", "gateway": "10.0.1.1", "metric": 5, "prefsrc": "10.0.1.10"}
    for stack in ("networkd", "ifupdown"):
        yield str(persistence.STACKS[stack].render({**row, "flags": ["onlink"]})).encode()
    yield str(persistence.STACKS["netplan"].render(row, "eth0")).encode()
    yield b"169.254.169.254/32 10.0.1.1 5 src=10.0.1.10 onlink=true, 10.0.0.0/8 10.0.1.1; 169.254.169.254 9"
    step = {"phase": "repair", "do": [{"action": "replace"}], "undo": [{"action": "delete"}]}
    yield as_json({"steps": [step], "started": 1, "proven": False, "backend": "netplan", "boot": "b"})
    refused = [{"userName": "root", "processFullPath": "/bin/a", "responseStatus": "403", "count": 2}]
    states = {"secureChannelState": "Enforce", "imdsRuleId": "r"}
    status = {"keyLatchStatus": {"states": states}, "failedAuthenticateSummary": refused}
    yield as_json({"proxyAgentStatus": status})


_WORDS = (
    *b"169.254.169.254 169.254.169.254/32 0.0.0.0/0 default 10.0.1.1 eth0 fe80::1 255.255.255.255 addresses".split(),
    *b"routes rules dst gateway via dev table metric flags nexthops type unreachable prohibit blackhole".split(),
    *b"throw local onlink master addr_info linkinfo peer priority goto fwmark suppress_prefixlen iif lookup".split(),
    *b"persistent active InterfaceIndex DestinationPrefix NextHop RouteMetric IPAddress PrefixLength".split(),
    *b"MacAddress interfaces imds outcome agent_refused busy reply bound unbound same_machine steps started".split(),
    *b"127.0.0.1:3080 redirected secondary prefsrc On-link".split(),
    b"\n---\n",
    b"# route: ",
    b"weight 2",
    b"\tnexthop ",
)

TARGETS = (
    Target("route_report", "reports of Linux and Windows hosts, up to the plan", report, _reports, _WORDS, 16 * 1024),
    Target("route_text", "the words of ip, busybox and /proc on a host", linux_text, _texts, _WORDS),
    Target("route_answers", "what a host answers after the steps", answers, _answers, _WORDS),
    Target("route_print", "the text of Windows' route print", route_print, _tables, _WORDS),
    Target("route_files", "persisted routes, journal and status files on a host", host_files, _host_files, _WORDS),
)
