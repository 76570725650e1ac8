# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cmdlets do to Windows' two stores, as far as their documentation and real runs tell."""

from __future__ import annotations

import copy
from typing import Any

from .windows_reports import IMDS, Row, route


class Stores:
    """The routes of a report, as operations change them."""

    def __init__(self, given: Row) -> None:
        self.report = copy.deepcopy(given)

    def rows(self, store: str) -> list[Row]:
        rows: list[Row] = self.report["routes"][store]
        return rows

    def run(self, op: Row) -> None:
        if op["action"] == "skip_as_source":
            for row in [row for rows in self.report["addresses"].values() for row in rows]:
                if (row["IPAddress"], row["InterfaceIndex"]) == (op["address"], op["interface_index"]):
                    row["SkipAsSource"] = op["skip"]
            return
        new = route(op["prefix"], op["interface_index"], op["next_hop"], op["metric"])
        if op["action"] == "add":
            indexes = [row["InterfaceIndex"] for row in self.report["interfaces"]]
            stores = {"active": ["active"], "both": ["active", "persistent"]}[
                op["store"]
            ]  # never the persistent one alone
            assert new["InterfaceIndex"] in indexes, "Element not found"
            for store in stores:
                assert not self.find(store, new), "Windows System Error 87"
                self.rows(store).append(dict(new))
        for row in self.find(op["store"], new) if op["action"] in ("remove", "set_metric") else ():
            if op["action"] == "remove":
                self.rows(op["store"]).remove(row)
            else:
                row["RouteMetric"] = op["metric"]

    def find(self, store: str, wanted: Row) -> list[Row]:
        key = ("DestinationPrefix", "InterfaceIndex", "NextHop")
        return [row for row in self.rows(store) if all(row[k] == wanted[k] for k in key)]

    def stores(self) -> list[tuple[Any, ...]]:
        """Everything that may change, in no order: Windows' stores have none."""
        routes = [(store, *map(str, row.values())) for store in ("active", "persistent") for row in self.rows(store)]
        skips = [(row["IPAddress"], str(row["SkipAsSource"])) for row in self.report["addresses"]["active"]]
        return sorted(routes) + sorted(skips)


def host_rows(stores: Stores) -> list[tuple[str, int, str]]:
    """The rows for IMDS: store, interface index, next hop."""
    return sorted(
        (store, row["InterfaceIndex"], row["NextHop"])
        for store in ("active", "persistent")
        for row in stores.rows(store)
        if row["DestinationPrefix"] == IMDS
    )
