# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-in for EC2's metadata service."""

from __future__ import annotations

from ansible_collections.imds.azure.tests.peers.ec2 import INSTANCE_ID, Service, find

TTL = {"x-aws-ec2-metadata-token-ttl-seconds": "60"}


def test_nothing_is_told_without_a_token() -> None:
    service = Service(0)
    assert service.answer("GET", "/latest/meta-data/instance-id", {}).status == 401
    assert service.answer("GET", "/latest/meta-data/", {"x-aws-ec2-metadata-token": "made up"}).status == 401
    assert service.answer("PUT", "/latest/api/token", {}).status == 400
    assert service.answer("PUT", "/latest/api/token", {**TTL, "x-forwarded-for": "192.0.2.1"}).status == 403
    assert service.answer("GET", "/latest/api/token", TTL).status == 405


def test_the_tree() -> None:
    service = Service(0)
    token = {"x-aws-ec2-metadata-token": service.answer("PUT", "/latest/api/token", TTL).text}

    def get(path: str) -> tuple[int, str]:
        answer = service.answer("GET", path, token)
        return answer.status, answer.text

    assert get("/latest/meta-data/instance-id") == (200, INSTANCE_ID)
    assert get("/latest/meta-data/placement/") == (200, "availability-zone\navailability-zone-id\nregion")
    assert get("/latest/") == (200, "meta-data\ndynamic")
    assert get("/latest/dynamic/") == (200, "instance-identity/")
    assert get("/latest/meta-data/public-keys/") == (200, "0=lab")
    assert get("/latest/meta-data/public-keys/0/openssh-key")[0] == 200
    assert get("/latest/user-data/")[0] == get("/latest/meta-data/mac/none")[0] == get("/oldest/meta-data")[0] == 404
    assert service.answer("POST", "/latest/meta-data/", token).status == 405


def test_it_throttles_as_often_as_it_is_told() -> None:
    service = Service(2)
    assert [service.answer("PUT", "/latest/api/token", TTL).status for _number in range(3)] == [429, 429, 200]


def test_every_value_can_be_reached_by_its_listing() -> None:
    service = Service(0)
    token = {"x-aws-ec2-metadata-token": service.answer("PUT", "/latest/api/token", TTL).text}

    def walk(path: str) -> int:
        names = service.answer("GET", path, token).text.split("\n")
        assert names
        found = 0
        for name in names:
            name = name.replace("=lab", "/")
            found += walk(path + name) if name.endswith("/") else isinstance(find(path + name), str)
        return found

    assert walk("/latest/meta-data/") + walk("/latest/dynamic/") > 40
