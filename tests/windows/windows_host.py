# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Windows host as the route fix sees it: a model of the NetTCPIP cmdlets over two stores, and an IMDS behind it.

What the cmdlets do is written after their documentation and what runs of the real ones showed: New-NetRoute writes both
stores or the active one, refuses a key that exists and an interface that is gone; nothing found is an error; messages
come in some language.
"""

from __future__ import annotations

import copy
import hashlib
import ipaddress
from collections.abc import Callable, Mapping
from typing import Any, Optional

from ansible_collections.imds.azure.tests.scenarios.apply_contract import KilledError

Row = dict[str, Any]
IMDS = ipaddress.IPv4Address("169.254.169.254")
AZURE = "7783-7084-3265-9085-8269-3286-77"
MUTATIONS = ("New-NetRoute", "Remove-NetRoute", "Set-NetRoute", "Set-NetIPAddress")
MAC = "00:0d:3a:00:00:05"
SERVER = {"server": "IMDS/150.870.65.2030"}


class CmdletError(Exception):
    """An error record: what the script is told of it."""

    def __init__(self, error_id: str, category: str, message: str = "Das ist schiefgegangen.") -> None:
        super().__init__(message)
        self.record = {"id": error_id, "category": category, "message": message}


def _nic(mac: str, address: str) -> Row:
    addresses = [{"privateIpAddress": address, "publicIpAddress": ""}]
    return {"macAddress": mac.replace(":", "").upper(), "ipv4": {"ipAddress": addresses}}


def not_found(cmdlet: str) -> CmdletError:
    return CmdletError(f"CmdletizationQuery_NotFound,{cmdlet}", "ObjectNotFound")


def no_such_command(cmdlet: str) -> CmdletError:
    return CmdletError("CommandNotFoundException", "ObjectNotFound", f"The term '{cmdlet}' is not recognized.")


class Windows:
    """``given``: a report as `_route_plan/windows_report.py` describes it, from which the host is built.

    ``missing``: names of calls that the host does not have. ``failing``: how many of the next changes succeed before
    some, ``failures``, fail with ``failure``. ``kill``: at which call the process is killed. ``imds``: ``answers``,
    ``silent``, ``throttled``, ``foreign`` or ``another`` machine's, for the primary address ``primary`` on the
    interface ``index``; ``agent`` or ``agent_refuses``, the guest proxy agent; ``blocked`` by a local firewall.
    """

    def __init__(self, given: Row, primary: str = "10.0.1.10", index: int = 5) -> None:
        self.report = copy.deepcopy(given)
        self.primary, self.index = primary, index
        self.missing: set[str] = set()
        self.failing: Optional[int] = None
        self.failures = 1
        self.failure = CmdletError("Windows System Error 1450,New-NetRoute", "NotSpecified")
        self.kill: Optional[int] = None
        self.imds = "answers"
        self.vm_id = "00000000-0000-0000-0000-000000000000"
        self.calls: list[tuple[str, Row]] = []
        self.requests: list[Row] = []
        # Changes that were asked for although there was nothing to change.
        self.needless: list[tuple[str, Row]] = []

    # --- for the module -----------------------------------------------------------------------------------------------

    def answer(self, name: str, parameters: Row) -> Row:
        """What is handed to the module for one call: ``rows``, or an ``error``."""
        if self.kill == len(self.calls):
            self.kill = None
            raise KilledError
        self.calls.append((name, dict(parameters)))
        try:
            if name in self.missing:
                raise no_such_command(name)
            if name in MUTATIONS:
                self._fail_if_it_is_time()
            return {"rows": self._run(name, parameters)}
        except CmdletError as error:
            return {"error": error.record}

    def ask(self, request: Row) -> Row:
        """A request that the module sends. A socket that is bound to an address takes only its interface's routes."""
        self.requests.append(request)
        row, source = self.way(request["Source"])
        if self.imds == "blocked":
            return {"kind": "route_prohibited", "detail": "An attempt was made to access a socket in a forbidden way"}
        if self.imds.startswith("agent"):
            return self._agent(request)
        if row is None:
            return {"kind": "no_route", "detail": "A socket operation was attempted to an unreachable network"}
        if row["InterfaceIndex"] != self.index:
            return {"kind": "connect_timeout", "detail": "no connection within 2 s"}
        if source != self.primary or self.imds == "silent":
            return {"kind": "read_timeout", "detail": "no complete answer within 3 s"}
        if request.get("Target", "").startswith("/metadata/instance/compute/vmId"):
            return {"status": 200, "headers": SERVER, "body": self.vm_id, "local_address": source}
        status = {"throttled": 429, "foreign": 302}.get(self.imds, 200)
        mac = "00:0d:3a:99:99:99" if self.imds == "another" else MAC
        nics = [_nic("00:0d:3a:00:00:07", "10.0.2.10"), _nic(mac, self.primary)]
        return {"status": status, "headers": SERVER, "body": {"interface": nics}, "local_address": source}

    def _agent(self, request: Row) -> Row:
        """The guest proxy agent: connections are redirected to it, and it bars this program or hands on the answer."""
        nics = [_nic(MAC, self.primary)]
        passed = {"status": 200, "headers": SERVER, "body": {"interface": nics}}
        answer = passed if self.imds == "agent" else {"status": 403, "headers": {}, "body": ""}
        return {**answer, "local_address": request["Source"] or "127.0.0.1", "peer": "127.0.0.1:3080"}

    def _fail_if_it_is_time(self) -> None:
        if self.failing == 0 and self.failures:
            self.failures -= 1
            raise self.failure
        if self.failing:
            self.failing -= 1

    # --- for the test -------------------------------------------------------------------------------------------------

    def stores(self) -> list[tuple[str, ...]]:
        """All that a repair may change, and what it may not, in no order: Windows' stores have none."""
        routes = [(store, *map(str, row.values())) for store in ("active", "persistent") for row in self._routes(store)]
        addresses = [(row["IPAddress"], str(row["SkipAsSource"])) for row in self.report["addresses"]["active"]]
        return sorted([*routes, *addresses])

    def host_routes(self) -> list[tuple[str, int, str, int]]:
        """Store, interface, next hop and metric of the rows for IMDS."""
        return sorted(
            (store, row["InterfaceIndex"], row["NextHop"], row["RouteMetric"])
            for store in ("active", "persistent")
            for row in self._routes(store)
            if row["DestinationPrefix"] == f"{IMDS}/32"
        )

    def digest(self) -> str:
        """What stands for the rows of IMDS in both stores, in a report and in a request."""
        lines = [
            f"{IMDS}/32 via {next_hop} on interface {index} metric {metric} {store}"
            for store, index, next_hop, metric in self.host_routes()
        ]
        return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()

    def changes(self) -> list[tuple[str, Row]]:
        return [call for call in self.calls if call[0] in MUTATIONS]

    def way(self, bound: Optional[str] = None) -> tuple[Optional[Row], str]:
        """The route that Windows takes to IMDS, and the address it leaves from.

        :param bound: address that the socket is bound to
        """
        metrics = {row["InterfaceIndex"]: row["InterfaceMetric"] for row in self.report["interfaces"]}
        fitting = [
            (ipaddress.IPv4Network(row["DestinationPrefix"]).prefixlen, -row["RouteMetric"] - metrics[index], row)
            for row in self._routes("active")
            if IMDS in ipaddress.IPv4Network(row["DestinationPrefix"]) and (index := row["InterfaceIndex"]) in metrics
            if not bound or index in self._interfaces_of(bound)
        ]
        if not fitting:
            return None, ""
        row = max(fitting, key=lambda one: one[:2])[2]
        if bound:
            return row, bound
        next_hop = IMDS if row["NextHop"] == "0.0.0.0" else ipaddress.IPv4Address(row["NextHop"])
        sources = [
            ipaddress.IPv4Address(address["IPAddress"])
            for address in self.report["addresses"]["active"]
            if address["InterfaceIndex"] == row["InterfaceIndex"] and not address["SkipAsSource"]
        ]
        # Bits in common with the next hop; where several have as many, the lowest address.
        nearest = min(sources, key=lambda own: ((int(own) ^ int(next_hop)).bit_length(), int(own)), default=None)
        return row, str(nearest or "")

    def _interfaces_of(self, address: str) -> set[int]:
        rows = self.report["addresses"]["active"]
        return {row["InterfaceIndex"] for row in rows if row["IPAddress"] == address}

    # --- the cmdlets --------------------------------------------------------------------------------------------------

    def _routes(self, store: str) -> list[Row]:
        rows: list[Row] = self.report["routes"][store]
        return rows

    def _run(self, name: str, parameters: Row) -> list[Row]:
        cmdlets: Mapping[str, Callable[[Row], list[Row]]] = {
            "Get-NetRoute": self._get_route,
            "Get-NetIPAddress": lambda with_: self.report["addresses"][_store(with_)],
            "Get-NetIPInterface": lambda _: self.report["interfaces"],
            "Get-NetAdapter": lambda _: self.report["adapters"],
            "Find-NetRoute": self._find_route,
            "New-NetRoute": self._new_route,
            "Remove-NetRoute": self._remove_route,
            "Set-NetRoute": self._set_route,
            "Set-NetIPAddress": self._set_address,
            "Get-Service": self._get_service,
            "Win32_SystemEnclosure": lambda _: [{"SMBIOSAssetTag": self.report.get("tag", AZURE)}],
            "Win32_OperatingSystem": lambda _: [{"Caption": "Server", "Version": "10.0", "BuildNumber": "20348"}],
            "Win32_IP4PersistedRouteTable": lambda _: [],
            "PersistentRoutes": lambda _: [{"Name": name} for name in self.report.get("registry", ())],
            "IsElevated": self._is_elevated,
        }
        return copy.deepcopy(cmdlets[name](parameters))

    def _get_route(self, parameters: Row) -> list[Row]:
        rows = self._routes(_store(parameters))
        if not rows:
            raise not_found("Get-NetRoute")
        return rows

    def _find_route(self, parameters: Row) -> list[Row]:
        row, source = self.way()
        if row is None:
            raise CmdletError("Windows System Error 1231,Find-NetRoute", "NotSpecified")
        address = {"IPAddress": parameters["LocalIPAddress"] or source, "InterfaceIndex": row["InterfaceIndex"]}
        return [address, row]

    def _matches(self, rows: list[Row], parameters: Row) -> list[Row]:
        key = ("DestinationPrefix", "InterfaceIndex", "NextHop")
        assert all(parameters[name] for name in key), "a selector is missing: it would act on all routes"
        return [row for row in rows if all(row[name] == parameters[name] for name in key)]

    def _new_route(self, parameters: Row) -> list[Row]:
        if parameters["InterfaceIndex"] not in [row["InterfaceIndex"] for row in self.report["interfaces"]]:
            raise CmdletError("Windows System Error 1168,New-NetRoute", "NotSpecified")
        store = parameters.pop("PolicyStore")
        assert store in ("", "ActiveStore"), "never the persistent store alone"
        names = ("active",) if store else ("active", "persistent")
        if any(self._matches(self._routes(name), parameters) for name in names):
            raise CmdletError("Windows System Error 87,New-NetRoute", "InvalidArgument")
        made = {**parameters, "Protocol": "NetMgmt"}
        for name in names:
            self._routes(name).append(dict(made))
        return [made for _name in names]

    def _remove_route(self, parameters: Row) -> list[Row]:
        rows = self._routes(_store(parameters))
        matches = self._matches(rows, parameters)
        if not matches:
            self.needless.append(("Remove-NetRoute", parameters))
            raise not_found("Remove-NetRoute")
        for row in matches:
            rows.remove(row)
        return []

    def _set_route(self, parameters: Row) -> list[Row]:
        matches = self._matches(self._routes(_store(parameters)), parameters)
        if not matches:
            self.needless.append(("Set-NetRoute", parameters))
            raise not_found("Set-NetRoute")
        for row in matches:
            row["RouteMetric"] = parameters["RouteMetric"]
        return []

    def _set_address(self, parameters: Row) -> list[Row]:
        rows = [row for rows in self.report["addresses"].values() for row in rows]
        key = ("IPAddress", "InterfaceIndex")
        matches = [row for row in rows if all(row[name] == parameters[name] for name in key)]
        if not matches:
            raise not_found("Set-NetIPAddress")
        for row in matches:
            row["SkipAsSource"] = parameters["SkipAsSource"]
        return []

    def _get_service(self, _parameters: Row) -> list[Row]:
        if not any("Cluster" in row["InterfaceDescription"] for row in self.report["adapters"]):
            raise CmdletError(
                "NoServiceFoundForGivenName,Microsoft.PowerShell.Commands.GetServiceCommand", "ObjectNotFound"
            )
        return [{"Status": "Running"}]

    def _is_elevated(self, _parameters: Row) -> list[Row]:
        elevated = self.report["elevated"]
        if elevated is None:
            raise CmdletError("PlatformNotSupportedException", "NotSpecified")
        return [{"Elevated": elevated}]


def _store(parameters: Row) -> str:
    return {"ActiveStore": "active", "PersistentStore": "persistent"}[parameters["PolicyStore"]]
