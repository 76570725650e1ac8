# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role azure_imds_maintenance takes a Windows host through an event. IMDS' clock is virtual."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ansible_collections.imds.azure.tests.powershell.plays import Controller
from ansible_collections.imds.azure.tests.scenarios.running_emulator import Running, start

ROLE = "imds.azure.azure_imds_maintenance"
TASKS = "- name: {0} the host\n  ansible.builtin.debug:\n    msg: {0}\n"
VM = {"name": "win", "limiter": False, "options": {"scheduled_events": {}}}
# Seconds. The longest that anything takes in an event's life is less.
HOUR = 3600


@contextmanager
def events_pass_once_approved(imds: Running) -> Iterator[None]:
    """Turn IMDS' clock on whenever an approval has come."""
    over = threading.Event()

    def turn() -> None:
        while not over.wait(0.2):
            if any(request["method"] == "POST" for request in imds.requests()):
                imds.control("POST", "/clock", {"advance": HOUR})

    thread = threading.Thread(target=turn, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_a_windows_host_is_drained_approved_and_resumed(controller: Controller) -> None:
    for name in ("drain", "resume"):
        (controller.directory / f"{name}.yml").write_text(TASKS.format(name))
    with start([VM]) as imds, events_pass_once_approved(imds):
        _status, (planned,) = imds.control("POST", "/events", {"vm": "win", "scenario": "user-reboot"})
        role = {
            "role": ROLE,
            "azure_imds_maintenance_drain_tasks": str(controller.directory / "drain.yml"),
            "azure_imds_maintenance_resume_tasks": str(controller.directory / "resume.yml"),
            "azure_imds_maintenance_poll": 1,
            "azure_imds_endpoint": imds.url,
            "azure_imds_detect": "force",
        }
        found = controller.play(
            {"win": controller.windows()}, [{"hosts": "all", "gather_facts": False, "roles": [role]}]
        )
        posts = [request for request in imds.requests() if request["method"] == "POST"]
    shown = [task.removeprefix(f"{ROLE} : ") for _host, task in found]
    done = [name for name in shown if name in ("drain the host", "resume the host")]
    assert done == ["drain the host", "resume the host"]
    assert len(posts) == 1, "one approval"
    assert planned["id"]
    assert not [task for (_host, task), result in found.items() if result.get("failed")]
