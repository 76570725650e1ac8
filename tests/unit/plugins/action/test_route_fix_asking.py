# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The route fix where IMDS may be asked: who is primary, what an answer is worth, and what is never done.

The tables are a real kernel's, in a namespace of the test. Nothing is sent: its verdict plays the requests.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._routes.host import asking, probe
from ansible_collections.imds.azure.plugins.module_utils._routes.host.journal import PATH, Journal
from ansible_collections.imds.azure.plugins.module_utils._routes.reply import AGENT, ImdsReply
from ansible_collections.imds.azure.tests.scenarios import namespace
from ansible_collections.imds.azure.tests.scenarios.linux_states import DEFAULT, HOST, NICS
from ansible_collections.imds.azure.tests.scenarios.linux_world import World

WHY_NOT = namespace.refusal()
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))

PRIMARY, SECOND = ("eth0", "10.0.1.10"), ("eth1", "10.0.2.10")
ON_SECOND = "route add 169.254.169.254 via 10.0.2.1 dev eth1 proto static"
LOCK = (
    "route add prohibit 169.254.169.254 proto static",
    "route add 169.254.169.254 dev eth0 scope link table 2147420181",
    "rule add fwmark 0x7fff0815 lookup 2147420181",
)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with namespace.Namespace() as net:
        made = World(tmp_path, net)
        made.pair = PRIMARY
        monkeypatch.setattr(probe, "prove", made.prove)
        monkeypatch.setattr(probe, "ask", made.ask)
        monkeypatch.setattr(probe, "with_vm_id", made.with_vm_id)
        monkeypatch.setattr(asking.ask_around, "__defaults__", (0.01, 1.0))
        yield made


def codes(result: dict[str, Any]) -> list[str]:
    return [one["code"] for one in result["findings"]]


def by_code(result: dict[str, Any], code: str) -> dict[str, Any]:
    return next(dict(one) for one in result["findings"] if one["code"] == code)


# Each is a state in which a rule would guess another NIC or address.
WRONG_GUESSES = {
    "default route over the data NIC": ("route add default via 10.0.2.1 dev eth1",),
    "DHCP's host route on the wrong NIC": (
        DEFAULT,
        "route add 169.254.169.254 via 10.0.2.1 dev eth1 proto dhcp src 10.0.2.10 metric 100",
    ),
    "static wire server route on the data NIC": (DEFAULT, "route add 168.63.129.16 dev eth1 scope link"),
    "second address used as the source": (
        "address add 10.0.1.7/24 dev eth0",
        "route add default via 10.0.1.1 dev eth0 src 10.0.1.7",
    ),
    "no default route": (),
    "two equal default routes": (DEFAULT, "route append default via 10.0.2.1 dev eth1"),
    "static host route on the data NIC": (DEFAULT, ON_SECOND),
}


@pytest.mark.parametrize("commands", WRONG_GUESSES.values(), ids=WRONG_GUESSES)
def test_answered_pair_is_primary_and_gets_the_route(world: World, commands: tuple[str, ...]) -> None:
    world.build(*NICS, *commands)
    query = world.task(state="query")
    assert (query["primary"]["interface"], query["primary"]["ip"], query["primary"]["rule"]) == (*PRIMARY, "asked")
    assert query["candidates"] == []
    done = world.task(persistent=False)
    assert not done.get("failed"), done
    assert (done["verified"], done["winner"]["interface"], done["source"]) == (True, *PRIMARY)
    assert codes(world.task(state="query"))[0] == "ok"


def test_option_counts_more_than_the_answer(world: World) -> None:
    world.build(*NICS, DEFAULT)
    done = world.task(state="query", interface="eth1")
    assert (done["primary"]["interface"], done["primary"]["rule"]) == ("eth1", "option")


def test_right_table_and_silent_imds_is_an_error(world: World) -> None:
    world.build(*NICS, DEFAULT, HOST + "src 10.0.1.10")
    world.silent = True
    query = world.task(state="query")
    assert codes(query) == ["silent_although_routed", "runtime_only"]
    assert query["verified"] is False
    assert "state: present" not in query["findings"][0]["remedy"]
    assert world.task(state="query", fail_on_findings=True)["failed"]
    assert world.task(state="present")["failed"]


def test_nothing_is_ok_without_an_answer(world: World) -> None:
    world.build(*NICS, DEFAULT, HOST + "src 10.0.1.10")
    for reply in (
        ImdsReply("foreign", "HTTP 503 that IMDS did not send", "10.0.1.10"),
        ImdsReply("refused", "refused"),
    ):
        world.reply = reply
        found = codes(world.task(state="query"))
        assert "ok" not in found
        assert found[0] in ("intercepted", "silent_although_routed")


def test_assumption_that_proves_wrong_is_followed_by_the_other_candidates(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where asking from the candidates shows nothing, as behind a socket that can't be bound."""
    world.build(*NICS, "route add default via 10.0.2.1 dev eth1")
    original = world.ask

    def deaf_when_bound(way: probe.Way, *bound: Any) -> ImdsReply:
        return ImdsReply("no_route", "no_route: nothing") if bound else original(way)

    monkeypatch.setattr(probe, "ask", deaf_when_bound)
    check = world.task(check_mode=True, persistent=False)
    assert [(one["interface"], one["rule"]) for one in check["candidates"]] == [
        ("eth1", "default_route"),
        ("eth0", "trial"),
    ]
    before = world.table()
    done = world.task(persistent=False)
    assert not done.get("failed"), done
    assert (done["primary"]["interface"], done["verified"], done["changed"]) == ("eth0", True, True)
    assert [one["outcome"] == "proven" for one in done["candidates"]] == [False, True]
    assert world.table() != before


def test_failure_of_all_candidates_names_them_and_leaves_everything_as_it_was(world: World) -> None:
    world.build(*NICS, "route add default via 10.0.2.1 dev eth1")
    world.silent = True
    before = world.table()
    done = world.task(persistent=False)
    assert done["failed"]
    assert not done["changed"]
    assert world.table() == before
    for word in ("10.0.2.10 on eth1", "10.0.1.10 on eth0", "rule default_route", "interface", "primary_ip"):
        assert word in done["msg"]


def test_lock_of_systemd_is_never_opened(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.build(*NICS, DEFAULT, *LOCK)
    before = world.table()
    asked: list[Any] = []

    def ask(way: probe.Way, *bound: Any) -> ImdsReply:
        asked.append(bound)
        return world.ask(way, *bound)

    monkeypatch.setattr(probe, "ask", ask)
    for options in ({}, {"force": True}, {"remove_conflicting": True}, {"verify": False}, {"interface": "eth0"}):
        done = world.task(**options)
        assert done["failed"]
        assert codes(done)[0] == "locked_by_systemd"
        assert "systemd.imds.network=unlocked" in done["msg"]
    assert set(asked) == {()}  # a bound request would slip past the lock
    assert world.table() == before


def test_agent_serves_programs_and_proves_nothing_about_the_nic(world: World) -> None:
    world.build(*NICS, DEFAULT, HOST + "src 10.0.1.10")
    mac = world.task(state="query")["primary"]["mac"]
    world.reply = ImdsReply("ok", "HTTP 200", "127.0.0.1", ((mac, ("10.0.1.10",)),), AGENT)
    query = world.task(state="query")
    assert query["primary"]["rule"] == "default_route"
    assert {"ok", "served_by_guest_agent"} <= set(codes(query))
    done = world.task()
    assert not done.get("failed"), done
    assert (done["verified"], done["changed"]) == (True, False)


@pytest.mark.parametrize(("same", "verified"), [(True, True), (False, False), (None, False)])
def test_vm_id_decides_where_imds_lists_another_mac(world: World, same: bool | None, verified: bool) -> None:
    world.build(*NICS, DEFAULT, HOST + "src 10.0.1.10")
    world.reply = ImdsReply("ok", "HTTP 200", "127.0.0.1", (("00:0d:3a:ff:ff:ff", ("10.0.1.10",)),), AGENT)
    world.same_machine = same
    assert world.task(state="query")["verified"] is verified


def test_refusal_of_the_agent_is_neither_proof_nor_failure(world: World) -> None:
    world.build(*NICS, DEFAULT, ON_SECOND)
    world.reply = ImdsReply("agent_refused", f"HTTP 403 from {AGENT}", "127.0.0.1", peer=AGENT)
    log = Path(world.host.root + "/var/log/azure-proxy-agent/status.json")
    log.parent.mkdir(parents=True)
    refused = {"userName": "deploy", "processFullPath": "/usr/bin/python3", "responseStatus": "403", "count": 2}
    states = {"secureChannelState": "WireServer Enforce -  IMDS Enforce", "imdsRuleId": "rule-7"}
    status = {"keyLatchStatus": {"states": states}, "failedAuthenticateSummary": [refused]}
    log.write_text(json.dumps({"proxyAgentStatus": status}), encoding="utf-8")
    done = world.task(persistent=False)
    assert not done.get("failed"), done
    assert (done["verified"], done["changed"], done["rolled_back"]) == (False, True, False)
    assert any("rule-7" in line and "deploy" in line for line in done["warnings"])
    assert "refused_by_guest_agent" in codes(done)


def test_without_verify_an_answering_host_is_not_rearranged(world: World) -> None:
    world.build(*NICS, DEFAULT, HOST + "src 10.0.1.10", ON_SECOND + " metric 50")
    done = world.task(verify=False)
    assert done["failed"]
    assert "verify: false" in done["msg"]
    assert world.task()["changed"]


def test_off_azure_not_azure_comes_first_and_nothing_has_a_remedy(world: World) -> None:
    world.build(*NICS, DEFAULT, "route add 169.254.0.0/16 dev eth1")
    world.azure = False
    world.pair = None
    query = world.task(state="query", fail_on_findings=True)
    assert not query.get("failed")
    assert codes(query)[0] == "not_azure"
    assert len(codes(query)) > 1
    assert {one["remedy"] for one in query["findings"]} == {""}


def test_own_imds_address_comes_first(world: World) -> None:
    world.build(*NICS, DEFAULT, ON_SECOND, "address add 169.254.169.254/32 dev lo")
    assert codes(world.task(state="query"))[0] == "imds_address_is_local"


@pytest.mark.parametrize(
    ("commands", "code", "words"),
    [
        (("rule del pref 32766", "rule del pref 32767"), "rules_missing", "ip rule add pref 32766 lookup main"),
        (("rule flush",), "rules_missing", "ip rule add pref 32767 lookup default"),
        (
            ("route add default via 10.0.1.77 dev eth0 table 9", "rule add pref 50 to 169.254.169.254 table 9"),
            "policy_bad_next_hop",
            "ip rule add to 169.254.169.254 lookup main",
        ),
        (
            ("route add default via 10.0.2.1 dev eth1 table 9", "rule add pref 50 to 169.254.169.254 table 9"),
            "policy_rule_override",
            "ip rule add to 169.254.169.254 lookup main",
        ),
    ],
)
def test_rules_are_named_with_their_cure_and_never_changed(
    world: World, commands: tuple[str, ...], code: str, words: str
) -> None:
    world.build(*NICS, DEFAULT, *commands)
    world.silent = True
    before = world.table()
    query = world.task(state="query")
    assert words in by_code(query, code)["remedy"]
    assert world.task()["failed"]
    assert world.table() == before


@pytest.mark.parametrize(
    "commands", [("rule add pref 100 l3mdev",), ("rule add pref 100 uidrange 1000-2000 lookup 77",)]
)
def test_rule_that_can_not_answer_does_not_matter(world: World, commands: tuple[str, ...]) -> None:
    world.build(*NICS, DEFAULT, HOST + "src 10.0.1.10", *commands)
    assert codes(world.task(state="query", persistent=False)) == ["ok"]


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("via 10.0.2.1 dev eth1 mtu 1400", "mtu"),
        ("nexthop via 10.0.1.1 dev eth0 nexthop via 10.0.2.1 dev eth1", "several next hops"),
    ],
)
@pytest.mark.parametrize("remove", [None, True])
def test_row_that_can_not_be_restored_is_refused_with_what_it_has(
    world: World, row: str, what: str, remove: Any
) -> None:
    world.build(*NICS, DEFAULT, f"route add 169.254.169.254 {row}")
    done = world.task(**({} if remove is None else {"remove_conflicting": remove}))
    assert done["failed"]
    assert f"{what}, which could not be put back" in done["msg"]
    assert "remove_conflicting" not in done["msg"]
    assert "ip route delete 169.254.169.254/32" in done["msg"]


def test_refusal_that_recommends_an_option_is_cured_by_it(world: World) -> None:
    world.build(*NICS, DEFAULT, "route add 169.254.169.254 via 10.0.2.1 dev eth1 proto dhcp src 10.0.2.10")
    refused = world.task(persistent=False)
    assert "remove_conflicting: true" in refused["msg"]
    assert "10.0.2.1 on eth1" in refused["msg"]
    assert not world.task(persistent=False, remove_conflicting=True).get("failed")


def test_route_that_is_added_in_between_survives(world: World) -> None:
    world.build(*NICS, DEFAULT, ON_SECOND)
    world.between = lambda: world.net.ip("route add 169.254.169.254 via 10.0.2.9 dev eth1 metric 7")
    done = world.task(persistent=False)
    assert done["failed"]
    assert "no longer those that were planned for" in done["msg"]
    assert not done["changed"]
    assert '"gateway":"10.0.2.9"' in world.table()[0]
    assert '"gateway":"10.0.2.1"' in world.table()[0]


def test_rollback_onto_a_device_that_is_gone_ends_with_a_warning(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.build(*NICS, DEFAULT, ON_SECOND)
    original = world.prove

    def lose_the_device(*given: Any) -> dict[str, Any]:
        world.net.ip("link del eth1")
        world.silent = True
        return original(*given)

    monkeypatch.setattr(probe, "prove", lose_the_device)
    done = world.task(persistent=False)
    assert done["failed"]
    assert any("Nothing to restore" in line for line in done["warnings"])
    assert Journal(world.host).load() is None


def test_killed_run_is_not_reported_while_it_is_alive(world: World) -> None:
    world.build(*NICS, DEFAULT)
    journal = Journal(world.host)
    journal.write({"steps": [], "started": 0, "proven": False, "backend": "", "boot": ""})
    with journal.alone():
        assert "warnings" not in world.task(state="query")
    assert "was killed" in world.task(state="query")["warnings"][0]


def test_journal_that_can_not_be_understood_locks_nobody_out(world: World) -> None:
    world.build(*NICS, DEFAULT, ON_SECOND)
    world.host.write(PATH, "garbage", 0o600)
    done = world.task(persistent=False)
    assert not done.get("failed"), done
    assert any("unreadable" in line for line in done["warnings"])
