# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scheduled events in both cores: the same dates, documents and options, and the same life of events ends the same."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from ansible_collections.imds.azure.plugins.module_utils._events import (
    dates,
    info,
    options,
    run_info,
    selection,
    terms,
)
from ansible_collections.imds.azure.plugins.module_utils._events.service import Service
from ansible_collections.imds.azure.plugins.module_utils._imds import client as client_module
from ansible_collections.imds.azure.plugins.module_utils._imds.client import Client
from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError
from ansible_collections.imds.azure.plugins.module_utils._imds.transport import Response, TransportError
from ansible_collections.imds.azure.tests.scenarios.imds.events import ID, OTHER_ID, raw_document, raw_event
from ansible_collections.imds.azure.tests.scenarios.imds.faults import LASTING
from ansible_collections.imds.azure.tests.scenarios.imds.life import PATH, Life, answer
from ansible_collections.imds.azure.tests.scenarios.imds.world import ScriptedAnswer
from ansible_collections.imds.azure.tests.scenarios.running_emulator import start as start_emulator
from ansible_collections.imds.azure.tests.windows.agreement import both_documents
from ansible_collections.imds.azure.tests.windows.core import Core, as_scripted, comparable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# --- pure -----------------------------------------------------------------------------------------------------------

DATES = [
    *("Tue, 16 Mar 2021 00:43:46 GMT", " tue, 16 mar 2021 00:43:46 gmt ", "16 Mar 2021 00:43:46 GMT"),
    *("Mon, 15 Mar 2021 19:13:46 -0530", "Tuesday, 16-Mar-21 00:43:46 GMT", "Tue, 16 Mar 21 00:43:46 UT"),
    *("Tue Mar 16 00:43:46 2021", "Tue Mar  6 00:43:46 2021", "16 Mar 21 00:43 GMT", "Mon, 1 Jan 69 00:00:00 GMT"),
    *("Sunday, 06-Nov-94 08:49:37 GMT", "Thu, 29 Feb 2024 23:59:59 GMT", "Thu, 29 Feb 2023 23:59:59 GMT"),
    *("2021-03-16T00:43:46Z", "2021-03-16 00:43:46.1234567", "2021-03-16t01:43:46,9+01", "2021-03-15T23:43:46-0100"),
    *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-99:99", "0000-01-01T00:00:00Z"),
    *("", "soon", "1615855426", "2021-03-16", "16 Mar 2021 24:00:00 GMT", "16 Mrz 2021 00:43:46 GMT", "0"),
    *("16 Mar 2021 00:43:60 GMT", "16 Mar 2021 00:43:46 CET", "16 Mar 2021 00:43:46", "1\uff16 Mar 2021 00:43:46 GMT"),
    *("Tue, 16 Mar 2021 00:43:46 GMT\nx", "2021-13-01T00:00:00Z", "2021-03-16T00:43:46K", "2021-03-16T00:43:46\u017f"),
]


def both_dates(core: Core, text: str) -> None:
    expected = dates.parse(text)
    found = core("event_date", text=text)
    assert found == (None if expected is None else [expected, dates.iso(expected)]), text


def test_dates(core: Core) -> None:
    for text in DATES:
        both_dates(core, text)


@given(
    st.from_regex(
        r"\A(Tue, )?[0-9]{1,2}[ -](Feb|dec|Foo)[ -]([0-9]{2}|[0-9]{4}) [0-2][0-9]:[0-6][0-9](:[0-6][0-9])? "
        r"(GMT|z|[+-][0-9]{2}:?[0-9]{2})\Z"
    )
    | st.from_regex(r"\A[0-9]{4}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9](Z|[+-][0-9]{2})?\Z")
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
def test_any_date(core: Core, text: str) -> None:
    both_dates(core, text)


ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    5,
    1.5,
    "",
    "x",
    "Started",
    "_vm1",
    "VM1",
    [],
    ["vm1"],
    ["VM1", "vm2"],
    ["", 1],
    {},
    {"a": 1},
]


@pytest.mark.parametrize("field", sorted(raw_event()))
@pytest.mark.parametrize("version", terms.VERSIONS)
def test_odd_values_of_each_field(core: Core, field: str, version: str) -> None:
    for value in ODD:
        odd: dict[str, Any] = {field: value}
        both_documents(core, raw_document({**raw_event(), **odd}), version=version)
        both_documents(core, raw_document({**raw_event(notice=None), **odd}), None, version)
    without = raw_event()
    del without[field]
    both_documents(core, raw_document(without, raw_event(OTHER_ID, 60)), version=version)


@pytest.mark.parametrize(
    "content",
    [
        *(None, [], {}, "x", {"Events": None}, {"Events": {}}, {"Events": [1]}, {"Events": [{}, []]}, {"Events": []}),
        *({"Events": [], "DocumentIncarnation": value} for value in (True, "1", 1.5, None, 2**40)),
    ],
    ids=str,
)
def test_what_may_be_no_document(core: Core, content: Any) -> None:
    both_documents(core, content)


# --- the modules ----------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _no_jitter(monkeypatch: Any) -> None:
    monkeypatch.setattr(client_module, "os", types.SimpleNamespace(urandom=bytes))


def csharp(core: Core, life: Life, check: bool, params: dict[str, Any]) -> tuple[Any, list[str], str]:
    """(result, warnings, failure) of the twin, by the clock of this life and with its answers."""

    def asked(what: dict[str, Any]) -> Any:
        if "clock" in what:
            return {"now": life.now}
        if "sleep" in what:
            life.sleep(what["sleep"])
            return {}
        headers = {header["Key"]: header["Value"] for header in what["Headers"]}
        body = () if what["Body"] is None else (bytes(what["Body"]),)
        times = (what["ConnectTimeout"], what["ReadTimeout"], what["Timeout"])
        send = life.post if body else life.get
        try:
            result: Response | TransportError = send(
                (what["Host"], what["Port"]), what["Target"], headers, *body, *times, what["Source"]
            )
        except TransportError as error:
            result = error
        return as_scripted(ScriptedAnswer(result, 0.0))

    given = {"endpoint": life.imds.url, "detect": "force", **params}
    found = core("events", asked=asked, params=given, check=check)
    return found["result"], found["warnings"], found["failure"] or ""


class Scenario(NamedTuple):
    """What happens, and what the task asks for."""

    params: dict[str, Any]
    happens: Callable[[Life], Any] = lambda _life: None
    check: bool = False


def plan(*steps: Callable[[Life], Any]) -> Callable[[Life], Any]:
    return lambda life: [step(life) for step in steps]


def event(**fields: Any) -> Callable[[Life], Any]:
    return lambda life: life.add(**{"type": "Reboot", **fields})


def later(seconds: float, what: Callable[[Life], Any]) -> Callable[[Life], Any]:
    return lambda life: life.at(seconds, lambda: what(life))


def fault(**fields: Any) -> Callable[[Life], Any]:
    return lambda life: life.imds.fault(**{"path": PATH, **fields})


def refused(*refusals: Any) -> Callable[[Life], Any]:
    return lambda life: life.refusals.extend(refusals)


def slow(life: Life) -> None:
    life.delay = 120


def lacking(life: Life) -> None:
    """The answer after each approval lacks the event, with the same incarnation."""
    post = life.post

    def forget(*arguments: Any, **named: Any) -> Response:
        life.imds.fault(path=PATH, body={"DocumentIncarnation": 2, "Events": []}, count=1)
        return post(*arguments, **named)

    life.post = forget  # type: ignore[method-assign]


THIS = {"state": "approved", "event_ids": [ID]}
BOTH = {"state": "approved", "event_ids": [ID.lower(), OTHER_ID]}
WAIT = {"state": "appeared"}
END = {"state": "gone", "event_ids": [ID]}
LOST = TransportError("read_timeout", "lost")
PAGE = Response(200, {"via": "1.1 proxy"}, b"<html>", "127.0.0.1")
THROTTLED = answer(429, b"Throttle Result: Too Many Requests")

SCENARIOS = {
    "approved": Scenario(THIS, event()),
    "a batch": Scenario(BOTH, plan(event(), event(type="Freeze", id=OTHER_ID))),
    "by type": Scenario({"state": "approved", "event_types": ["Reboot"]}, plan(event(), event(id=OTHER_ID))),
    "check mode: approved": Scenario(THIS, event(), check=True),
    "check mode: appeared": Scenario(WAIT, event(), check=True),
    "check mode: gone": Scenario(END, event(), check=True),
    "check mode, nothing there": Scenario(END, check=True),
    "it has started": Scenario(THIS, event(status="Started")),
    "it is not there": Scenario(THIS),
    "it names others": Scenario(BOTH, plan(event(scenario="shared"), event(id=OTHER_ID))),
    "it names others, which is meant": Scenario({**THIS, "others": "allow"}, event(scenario="shared")),
    "it names only others": Scenario(THIS, event(scenario="other-vm-only")),
    "it names only others, mine is false": Scenario({**THIS, "mine": False}, event(scenario="other-vm-only")),
    "nameless": Scenario(THIS, plan(event(), fault(path="/metadata/instance", status=404, count=1))),
    "nameless, meant": Scenario(
        {**THIS, "others": "allow"}, plan(event(), fault(path="/metadata/instance", status=404, count=1))
    ),
    "an unknown type": Scenario({"state": "approved", "within": 10**6}, event(type="Novelty")),
    "an unknown type, by its ID": Scenario(THIS, event(type="Novelty")),
    "advice": Scenario(
        {"state": "approved", "sources": ["Platform"], "api_version": "newest"},
        event(type="SpotRebalanceRecommendation"),
    ),
    "another filter": Scenario({**THIS, "within": 60}, event()),
    "503, then confirmed": Scenario(THIS, plan(event(), refused(*[answer(503)] * 9))),
    "throttled, then confirmed": Scenario(THIS, plan(event(), refused(*[THROTTLED] * 9))),
    "all kinds of trouble": Scenario(
        THIS, plan(event(), refused(answer(500), LOST, TransportError("reset", "no"), TransportError("refused", "no")))
    ),
    "confirmation lost": Scenario(THIS, plan(event(), refused(*[LOST] * 9))),
    "never through": Scenario({**THIS, "timeout": 120}, plan(event(), refused(*[answer(503)] * 999))),
    "never through, no failure": Scenario(
        {**THIS, "timeout": 20, "fail_on_timeout": False}, plan(event(), refused(*[answer(503)] * 99))
    ),
    "forbidden": Scenario(THIS, plan(event(), refused(answer(403)))),
    "rejected": Scenario(THIS, plan(event(), refused(*[answer(400, b"Bad request")] * 9))),
    "one goes before": Scenario(
        BOTH, plan(event(), event(type="Freeze", id=OTHER_ID), refused(answer(503)), later(1, Life.cancel))
    ),
    "the only one goes before": Scenario(THIS, plan(event(), refused(answer(503)), later(1, Life.cancel))),
    "it comes to name others": Scenario(
        THIS,
        plan(event(), refused(*[answer(503)] * 4), later(3, lambda life: life.change(resources=["vm1", "vm2"]))),
    ),
    "a slow start": Scenario({**THIS, "poll": 60}, event(start_delay=100)),
    "too slow a start": Scenario(THIS, event(start_delay=500)),
    "over between two looks": Scenario({**THIS, "poll": 30}, event(type="Freeze", start_delay=2, gone_after=2)),
    "it becomes another": Scenario(
        {"state": "approved", "event_types": ["Reboot"]}, event(becomes={"type": "Freeze", "after": 3}, start_delay=10)
    ),
    "a late first answer, and half a minute more": Scenario(
        {**THIS, "timeout": 100}, plan(event(start_delay=27), slow)
    ),
    "a proxy's page": Scenario(THIS, plan(event(), refused(*[PAGE] * 9))),
    "throttled with 200": Scenario(
        THIS, plan(event(), refused(*[answer(200, b"Throttle Result: Too Many Requests")] * 2))
    ),
    "rejected, and lacking once": Scenario(THIS, plan(event(), refused(answer(400, b"Bad request")), lacking)),
    "a slow first answer": Scenario({**THIS, "timeout": 20}, plan(event(), slow)),
    "there at once": Scenario(WAIT, event()),
    "appears": Scenario({**WAIT, "event_types": ["Preempt"], "poll": 1}, later(100, event(type="Preempt"))),
    "appears at the last look": Scenario({**WAIT, "timeout": 100, "poll": 60}, later(98, event())),
    "changes into it": Scenario(
        {**WAIT, "event_types": ["Reboot"]},
        plan(event(type="Freeze"), later(50, lambda life: life.change(type="Reboot"))),
    ),
    "nothing appears": Scenario({**WAIT, "timeout": 100}),
    "nothing appears, a failure": Scenario({**WAIT, "timeout": 99.5, "fail_on_timeout": True}),
    "trouble that passes": Scenario(WAIT, plan(later(1, fault(status=503, count=30)), later(2, event()))),
    "trouble from the beginning": Scenario(WAIT, plan(fault(status=404, count=10), event())),
    "trouble at the end": Scenario({**WAIT, "timeout": 60}, later(1, fault(status=503, count=999))),
    "trouble all the time": Scenario(WAIT, fault(status=410, count=9999)),
    "trouble that stays": Scenario(END, fault(path="/metadata/instance", status=403)),
    "a long wait": Scenario({**WAIT, "poll": 1}),
    "the whole life": Scenario(END, event(notice=60, gone_after=60)),
    "cancelled": Scenario(END, plan(event(), later(30, Life.cancel))),
    "never was": Scenario(END),
    "two to go": Scenario(
        {**END, "event_ids": [ID, OTHER_ID]},
        plan(
            event(status="Started", gone_after=30), event(status="Started", gone_after=90, id=OTHER_ID, type="Freeze")
        ),
    ),
    "others' event": Scenario(END, plan(event(scenario="other-vm-only"), later(30, Life.cancel))),
    "it stays": Scenario(END, event()),
    "the service starts over": Scenario(
        {**END, "timeout": 60},
        plan(
            event(type="Freeze", incarnation_step=7),
            later(10, fault(body='{"DocumentIncarnation":1,"Events":[]}', count=1)),
        ),
    ),
    "the host reboots": Scenario(
        END,
        plan(
            event(status="Started", gone_after=100),
            later(10, fault(drop=True, count=12)),
            later(20, fault(status=503, count=5)),
        ),
    ),
    "an empty list": Scenario({"state": "approved", "event_ids": []}, event()),
    "newest, refused": Scenario({**WAIT, "api_version": "newest"}, plan(event(), fault(status=404, count=1))),
    "a version that nobody knows": Scenario({**WAIT, "api_version": "2031-01-01"}, event()),
}


def same(python: tuple[Any, list[str], str], twin: tuple[Any, list[str], str]) -> dict[str, Any]:
    assert comparable(list(twin)) == comparable(list(python))
    result: dict[str, Any] = twin[0]
    return result


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_same_life_ends_the_same(core: Core, name: str) -> None:
    params, happens, check = SCENARIOS[name]
    ends, lives = [], []
    for run in (lambda life: life.run(check, **params), lambda life: csharp(core, life, check, params)):
        with start_lives() as life:
            happens(life)
            ends.append(run(life))
            lives.append((life.approved(), life.posts, [round(pause, 6) for pause in life.pauses]))
    same(*ends)
    assert lives[0] == lives[1]


def start_lives() -> Any:
    return Life.begin(start_emulator)


# --- reading only ---------------------------------------------------------------------------------------------------

INFO = {
    "nothing": Scenario({}),
    "some": Scenario({}, plan(event(notice=600), event(id=OTHER_ID, type="Preempt"))),
    "filtered": Scenario({"event_types": ["Preempt"], "within": 60}, plan(event(), event(id=OTHER_ID, type="Preempt"))),
    "an empty list": Scenario({"statuses": []}, event()),
    "others'": Scenario({"mine": False}, event(scenario="other-vm-only")),
    "not mine": Scenario({}, event(scenario="other-vm-only")),
    "started": Scenario({"statuses": ["Started"], "sources": ["Platform"]}, event(status="Started")),
    "newest": Scenario({"api_version": "newest"}, event(type="SpotRebalanceRecommendation")),
    "newest, refused": Scenario({"api_version": "newest"}, plan(event(), fault(status=400, count=1))),
    **{version: Scenario({"api_version": version}, event()) for version in (*terms.VERSIONS, "2031-01-01")},
    "nameless": Scenario({}, plan(event(), fault(path="/metadata/instance", status=404, count=1))),
    "a name that cannot be asked": Scenario({}, plan(event(), fault(path="/metadata/instance", status=403))),
    "no date": Scenario({}, plan(event(), fault(body=raw_document(raw_event()), headers={"Date": "today"}))),
    **{
        f"{name}, {'required' if required else 'not required'}": Scenario(
            {"required": required, "read_timeout": 0.3, "first_timeout": 0.3}, fault(**each)
        )
        for name, (each, _reason) in LASTING.items()
        for required in (False, True)
    },
}


@pytest.mark.parametrize("name", INFO)
def test_reading_ends_the_same(core: Core, monkeypatch: Any, name: str) -> None:
    params, happens, _check = INFO[name]
    params = {"required": False, **params}

    def python(life: Life) -> tuple[Any, list[str], str]:
        given = {"endpoint": life.imds.url, "detect": "force", **params}
        how = options.reading(given)
        client = Client(how.settings, life.get, lambda: life.now, life.sleep, post=life.post)
        monkeypatch.setattr(info, "Service", functools.partial(Service, client=client, now=lambda: 0.0))
        outcome = run_info.run(given, "module")
        return outcome.result, outcome.warnings, outcome.failure or ""

    ends = []
    for run in (python, lambda life: csharp(core, life, False, params)):
        with start_lives() as life:
            happens(life)
            ends.append(run(life))
    same(*ends)


# --- options --------------------------------------------------------------------------------------------------------

BAD: list[dict[str, Any]] = [
    *({"state": "approved"}, {"state": "approved", "mine": False}, {"state": "gone", "event_types": ["Reboot"]}),
    *({"state": "appeared", name: []} for name in selection.LISTS),
    *({"state": "approved", "event_ids": ["17"]}, {"state": "gone", "event_ids": [ID, "all", "it's"]}, {"within": -5}),
    *({"event_types": ["reboot"]}, {"statuses": ["Started", "x"]}, {"state": "appeared", "sources": [""]}),
    *({"event_ids": ["x"]}, {"within": 366 * 86400 + 1}, {"first_timeout": -1}, {"first_timeout": 3601.5}),
    *({"api_version": "2020"}, {"api_version": "Newest"}, {"read_timeout": 0}, {"endpoint": "http://x"}),
    *({"state": "appeared", "poll": poll} for poll in (0, 0.5, 61, 60.5)),
    *({"state": "appeared", "timeout": timeout} for timeout in (0, -1, 86401)),
]


def checked(given: dict[str, Any]) -> None:
    """As the Python modules check their options."""
    if "state" in given:
        options.desired_state(given)
        options.reading({**given, "timeout": None})
    else:
        options.reading(given)
        selection.selection(given)


@pytest.mark.parametrize("given", BAD, ids=str)
def test_options_that_cannot_be_used(core: Core, given: dict[str, Any]) -> None:
    with pytest.raises(OptionError) as error:
        checked(given)
    found = core("events", params=given, check=False)
    assert (found["failure"], found["result"]) == (str(error.value), {})


@pytest.mark.parametrize("params", [{"required": True}, {"required": False}, THIS, WAIT, END], ids=str)
def test_off_azure_nothing_is_asked(core: Core, params: dict[str, Any]) -> None:
    def asked(what: Any) -> Any:
        assert "clock" in what
        return {"now": 0.0}

    found = core("events", asked=asked, params={"chassis_asset_tag": "elsewhere", **params}, check=False)
    assert (found["result"]["reason"], found["result"]["attempts"]) == ("not_azure", [])
    assert bool(found["failure"]) == (params.get("required") is not False)
