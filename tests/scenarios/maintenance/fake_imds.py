# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stands in for the modules of scheduled events where only the role is tested: an action plugin without a host.

It keeps the events of all VMs in the file that the environment variable PLAYED_IMDS names, one JSON object:

    {"vms": {HOST: {"name": VM, "tags": {}, "reason": "ok", "unreachable": 1, "lost": 1}},
     "events": [{"event_id": ..., "event_type": ..., "event_status": ..., "resources": [VM, ...], ...}],
     "log": [[WHAT, HOST, ...], ...], "stuck": [ID, ...], "vanish": [ID, ...]}

``unreachable`` is how often the host can't be reached when it is asked, ``unreachable_at`` the one time when it can't.
``lost`` is how often its connection ends once an approval was sent. An approved event is gone at the next look, unless
it is ``stuck``. One of ``vanish`` is cancelled while its host is drained.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase


@contextmanager
def world() -> Iterator[dict[str, Any]]:
    """What there is, for one task at a time."""
    with open(os.environ["PLAYED_IMDS"], "r+", encoding="utf-8") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        state = json.load(stream)
        try:
            yield state
        finally:
            stream.seek(0)
            stream.truncate()
            json.dump(state, stream)


class ActionModule(ActionBase):  # type: ignore[misc]
    _requires_connection = False

    def run(self, _tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        host = task_vars["inventory_hostname"]
        name = self._task.action.rpartition(".")[2]
        with world() as state:
            return getattr(self, f"_{name}")(state, host, self._task.args)  # type: ignore[no-any-return]

    def _played_note(self, state: dict[str, Any], host: str, args: dict[str, Any]) -> dict[str, Any]:
        """What a task of the user does: it is noted, and fails on the hosts that are named."""
        state["log"].append([args["what"], host])
        state["events"] = [event for event in state["events"] if event["event_id"] not in state.get("vanish", [])]
        return {"failed": host in args.get("fail", []), "msg": f"{args['what']} of {host}", "changed": True}

    def _azure_imds_facts(self, state: dict[str, Any], host: str, _args: dict[str, Any]) -> dict[str, Any]:
        return {"ansible_facts": {"azure_imds": {"tags": state["vms"][host].get("tags", {})}}}

    def _azure_imds_scheduled_events_info(
        self, state: dict[str, Any], host: str, args: dict[str, Any]
    ) -> dict[str, Any]:
        vm = self._reach(state, host)
        reason = vm.get("reason", "ok")
        events = self._mine(state, vm, args) if reason == "ok" else []
        left = [event for event in events if event["seconds_left"] is not None]
        return {
            "available": reason == "ok",
            "reason": reason,
            "remedy": None if reason == "ok" else "Do something.",
            "vm_name": vm["name"],
            "events": events,
            "soonest": min(left, key=lambda event: event["seconds_left"]) if left else None,
        }

    def _azure_imds_scheduled_events(self, state: dict[str, Any], host: str, args: dict[str, Any]) -> dict[str, Any]:
        vm = self._reach(state, host)
        events = self._mine(state, vm, args)
        common = {"reason": "ok", "timed_out": False, "found": bool(events), "events": events, "notes": []}
        if args["state"] == "appeared":
            state["log"].append(["wait", host])
            return common
        if args["state"] == "gone":
            ids = [each for each in args["event_ids"] if each in {event["event_id"] for event in state["events"]}]
            ids = [each for each in ids if each in state.get("stuck", [])]
            state["events"] = [
                event
                for event in state["events"]
                if event["event_status"] != "Started" or event["event_id"] in state.get("stuck", [])
            ]
            return {**common, "found": bool(ids), "timed_out": bool(ids)}
        if args["others"] == "refuse" and any(event["resources"] != [vm["name"]] for event in events):
            return {**common, "failed": True, "msg": "These name others."}
        send = [event["event_id"] for event in events if event["event_status"] == "Scheduled"]
        if self._play_context.check_mode:
            return {**common, "approved": send, "changed": bool(send)}
        state["log"].append(["approve", host, send])
        for event in state["events"]:
            if event["event_id"] in send:
                event.update(event_status="Started", not_before=None, seconds_left=None)
        if vm.get("refuses"):
            return {**common, "reason": "rejected", "failed": True, "msg": "IMDS refused."}
        if vm.get("lost", 0) > 0:
            vm["lost"] -= 1
            raise AnsibleConnectionFailure("the connection is lost")
        return {**common, "approved": send, "changed": bool(send)}

    def _reach(self, state: dict[str, Any], host: str) -> dict[str, Any]:
        vm: dict[str, Any] = state["vms"][host]
        vm["asked"] = vm.get("asked", 0) + 1
        if vm["asked"] == vm.get("unreachable_at"):
            raise AnsibleConnectionFailure(f"{host} is away")
        if vm.get("unreachable", 0) > 0:
            vm["unreachable"] -= 1
            raise AnsibleConnectionFailure(f"{host} is away")
        return vm

    def _mine(self, state: dict[str, Any], vm: dict[str, Any], args: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            event
            for event in state["events"]
            if vm["name"] in event["resources"]
            and event["event_id"] in args.get("event_ids", [event["event_id"]])
            and event["event_type"] in args.get("event_types", [event["event_type"]])
        ]
