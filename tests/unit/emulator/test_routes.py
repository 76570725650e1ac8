# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Route parameters, `format=text` listings and leaves, and the load balancer's data."""

from __future__ import annotations

from typing import Any

import pytest

TEXT = "&format=text"


def walk(node: Any, route: str = "") -> list[tuple[str, Any]]:
    """Every node with its route."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [(route, node)] + [found for key, child in children for found in walk(child, f"{route}/{key}")]


def is_leaf(node: Any) -> bool:
    return not isinstance(node, (dict, list))


def test_every_route_of_the_document(imds: Any) -> None:
    for route, node in walk(imds.instance().json()):
        as_json = imds.instance(route)
        as_text = imds.instance(route, more=TEXT)
        assert as_text.status == 200
        if is_leaf(node):
            assert as_json.status == 400
            assert as_text.body.decode() == node
        else:
            assert as_json.json() == node
            children = node.items() if isinstance(node, dict) else enumerate(node)
            assert as_text.body.decode().split("\n") == [
                str(key) if is_leaf(child) else f"{key}/" for key, child in children
            ] or (not node and as_text.body == b"")


def test_listings(imds: Any) -> None:
    assert imds.instance("/", more=TEXT).body == b"compute/\nnetwork/"
    assert imds.instance("/network/interface", more=TEXT).body == b"0/"
    assert imds.instance("/network/interface/0/ipv4/", more=TEXT).body == b"ipAddress/\nsubnet/"
    assert (
        imds.instance("/network/interface/0/ipv4/ipAddress/0", more=TEXT).body == b"privateIpAddress\npublicIpAddress"
    )
    assert imds.instance("/network/interface/0/ipv6/ipAddress", more=TEXT).body == b""
    assert imds.instance("/compute/tagsList", more=TEXT).body == b"0/\n1/\n2/"


def test_a_traversal_from_the_root_finds_the_whole_document(imds: Any) -> None:
    found = {}
    waiting = ["/metadata/"]
    for _ignored in range(500):
        if not waiting:
            break
        here = waiting.pop()
        for name in imds.get(f"{here}?api-version=2025-04-07{TEXT}").body.decode().split("\n"):
            if name.endswith("/"):
                waiting.append(here + name)
            elif name:
                found[here + name] = imds.get(f"{here}{name}?api-version=2025-04-07{TEXT}").body.decode()
    leaves = {route: node for route, node in walk(imds.instance().json(), "/metadata/instance") if is_leaf(node)}
    assert found == leaves


@pytest.mark.parametrize(
    "route",
    [
        "/network/interface/1",
        "/network/interface/-1",
        "/network/interface/00",
        "/network/interface/x",
        "/network/interface/0/0",
        "/compute/vmId/x",
        "/compute/../compute",
        "/%2e%2e/instance",
        "/compute%2fvmId",
        "/network/interface/%d9%a0",  # a digit, but not an ASCII one
    ],
)
@pytest.mark.parametrize("more", ["", TEXT])
def test_routes_to_nothing(imds: Any, route: str, more: str) -> None:
    assert imds.instance(route, more=more).status == 404


def test_percent_encoded_route(imds: Any) -> None:
    assert imds.instance("/%63ompute/tags%4Cist").json() == imds.instance("/compute/tagsList").json()


def test_real_booleans_as_text(imds: Any) -> None:
    assert imds.instance("/extended/compute/hasCustomData", more="&extended=true&format=text").body == b"false"
    assert imds.instance("/extended", more="&extended=true").json() == {
        "compute": {"hasCustomData": False, "ppsType": "None"}
    }


@pytest.mark.parametrize("form", ["TEXT", "Text"])
def test_format_in_any_case(imds: Any, form: str) -> None:
    assert imds.instance("/compute/osType", more=f"&format={form}").body == b"Linux"


def test_unknown_format(imds: Any) -> None:
    assert imds.instance(more="&format=xml").status == 400


def test_load_balancer_ports_are_numbers(start: Any) -> None:
    rule = {"frontendIpAddress": "203.0.113.9", "frontendPort": 80, "backendPort": 8080, "protocol": "tcp",
            "privateIpAddress": "10.0.0.4"}  # fmt: skip
    imds = start([{"name": "a", "loadbalancer": {"inboundRules": [rule]}}])
    answer = imds.get("/metadata/loadbalancer?api-version=2020-10-01&format=json")
    assert answer.json() == {"loadbalancer": {"inboundRules": [rule], "outboundRules": [], "publicIpAddresses": []}}


@pytest.mark.parametrize("version", ["2020-07-01", "", "latest"])
def test_load_balancer_with_an_unknown_version(imds: Any, version: str) -> None:
    answer = imds.get(f"/metadata/loadbalancer?api-version={version}")
    assert answer.status == 400
    assert "newest-versions" in answer.json()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("resource=x", "api-version"),
        ("resource=x&api-version=2017-08-01", "api-version"),
        ("api-version=2018-02-01", "resource"),
        ("api-version=2018-02-01&resource=", "resource"),
        ("api-version=2018-02-01&resource=x&client_id=y&bypass_cache=true", "Identity not found"),
    ],
)
def test_token_errors(imds: Any, query: str, words: str) -> None:
    answer = imds.get(f"/metadata/identity/oauth2/token?{query}")
    assert answer.status == 400
    assert answer.json()["error"] == "invalid_request"
    assert words in answer.json()["error_description"]
