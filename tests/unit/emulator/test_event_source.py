# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event source as ansible-rulebook runs it, by the path of its file, against the emulator."""

from __future__ import annotations

import asyncio
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.imds.azure.plugins.module_utils._events.document import KEYS
from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import ImdsError
from ansible_collections.imds.azure.plugins.module_utils._watcher.settings import WatchSettings
from ansible_collections.imds.azure.plugins.plugin_utils._event_source.options import RECEIVING
from ansible_collections.imds.azure.tests.scenarios import running_emulator

EDA = Path(__file__).parents[3] / "extensions" / "eda"
FILE = EDA / "plugins" / "event_source" / "azure_scheduled_events.py"
PLUGIN = runpy.run_path(str(FILE))
TIMEOUT = 20.0


def watch(change: Callable[[asyncio.Queue[Any]], Any], **arguments: Any) -> None:
    """Run the source while ``change`` runs, then cancel it, as ansible-rulebook does."""

    async def run() -> None:
        queue: asyncio.Queue[Any] = asyncio.Queue(maxsize=1)
        source = asyncio.create_task(PLUGIN["main"](queue, arguments))
        changing = asyncio.create_task(change(queue))
        done, _pending = await asyncio.wait({source, changing}, return_when=asyncio.FIRST_COMPLETED, timeout=TIMEOUT)
        changing.cancel()
        source.cancel()
        with pytest.raises(asyncio.CancelledError):
            await (source if changing in done else changing)
        for task in done:
            task.result()
        assert done, "nothing happened"

    asyncio.run(run())


def test_the_life_of_an_event() -> None:
    with running_emulator.start([{"name": "vm1"}], limiter=False) as emulator:
        status, planned = emulator.control("POST", "/events", {"type": "Reboot"})
        assert status == 200
        seen: list[dict[str, Any]] = []

        async def change(queue: asyncio.Queue[Any]) -> None:
            path = f"/events/{planned[0]['id']}"
            for method, where, body in (
                ("PATCH", path, {"notice": 1800}),
                ("POST", "/clock", {"advance": 1800}),
                ("POST", "/clock", {"advance": 600}),
                ("GET", "/events", None),
            ):
                seen.append(await queue.get())
                await asyncio.to_thread(emulator.control, method, where, body)

        watch(change, detect="force", endpoint=emulator.url, interval=0.02, eda_feedback_queue=object())
    assert [item["meta"] for item in seen] == [
        {"phase": phase, "host": "vm1"} for phase in ("new", "updated", "started", "gone")
    ]
    assert {item["azure_scheduled_event"]["event_id"] for item in seen} == {planned[0]["id"]}
    assert all(set(item["azure_scheduled_event"]) == set(KEYS) for item in seen)


def test_only_the_phases_that_count() -> None:
    with running_emulator.start([{"name": "vm1"}], limiter=False) as emulator:
        emulator.control("POST", "/events", [{"scenario": "spot"}, {"type": "Freeze"}])
        seen: list[Any] = []

        async def change(queue: asyncio.Queue[Any]) -> None:
            while not emulator.requests():
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            await asyncio.to_thread(emulator.control, "POST", "/clock", {"advance": 60})
            seen.append(await queue.get())

        given = {"event_types": ["Preempt"], "phases": ["started"]}
        watch(change, detect="force", endpoint=emulator.url, interval=0.02, **given)
    assert [(item["meta"]["phase"], item["azure_scheduled_event"]["event_type"]) for item in seen] == [
        ("started", "Preempt")
    ]


async def never(queue: asyncio.Queue[Any]) -> None:
    await queue.get()


def test_off_azure_it_ends_and_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "ansible_collections.imds.azure.plugins.module_utils._imds.platform._read_dmi", lambda _name: ""
    )
    with running_emulator.start([{"name": "vm1"}]) as emulator:
        with pytest.raises(ImdsError, match="chassis asset tag: none"):
            watch(never, endpoint=emulator.url)
        assert emulator.requests() == []


@pytest.mark.parametrize(
    "arguments", [{"intervall": 1}, {"listen": "5020"}, {"phases": ["over"]}, {"interval": "often"}]
)
def test_arguments_that_make_no_sense(arguments: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        watch(never, **arguments)


def test_every_argument_is_documented() -> None:
    options = yaml.safe_load(PLUGIN["DOCUMENTATION"])["options"]
    watching = WatchSettings({})
    accepted = {*RECEIVING, *watching.known}
    assert set(options) == accepted
    documented = {name: option["default"] for name, option in options.items() if "default" in option}
    assert documented == {**watching.defaults, "mine": True}


def test_the_file_finds_its_collection_by_its_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Not by that of the collection that a link leads to, whose folders may be called otherwise."""
    link = tmp_path / "ansible_collections" / "imds"
    link.mkdir(parents=True)
    (link / "azure").symlink_to(FILE.parents[4])
    plugin = runpy.run_path(str(link / "azure" / FILE.relative_to(FILE.parents[4])))
    path: list[str] = []
    monkeypatch.setattr("sys.path", path)
    plugin["_find_collection"]()
    assert path == [str(tmp_path)]


@pytest.mark.parametrize("file", sorted(EDA.glob("rulebooks/*.yml")), ids=lambda file: file.stem)
def test_rulebooks_name_a_source_that_there_is(file: Path) -> None:
    for ruleset in yaml.safe_load(file.read_text(encoding="utf-8")):
        for source in ruleset["sources"]:
            names = [name.rpartition(".")[2] for name in source if name.startswith("imds.azure.")]
            assert [(EDA / "plugins" / "event_source" / f"{name}.py").exists() for name in names] == [True]
