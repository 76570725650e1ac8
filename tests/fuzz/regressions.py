# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Inputs that once broke something, by target: what was wrong, and the input, as short as it could be made."""

from __future__ import annotations

from collections.abc import Mapping

Found = tuple[tuple[str, bytes], ...]

_VAULT = b"GET /secrets/a HTTP/1.1\r\nHost: kv-web.vault.azure.net\r\nAuthorization: Bearer a.b.c\r\n"

REGRESSIONS: Mapping[str, Found] = {
    "evidence": (
        (
            "a year before 1000 was written without its zeros, so that nobody could read the time again",
            b'{"encoding": "pkcs7", "signature": "QUJD", "verdict": {"verified_at": "0001-01-01T00:00:00Z"}}',
        ),
    ),
    "route_text": (
        ("a superscript digit was taken for a number", "---\n---\n\u00b2:\tfrom all lookup main\n".encode()),
        ("a prefix length that is no number ended the module", b"1: lo: <UP> x\n    inet 192.0.2.1/x\n"),
        ("an interface without a list of addresses ended the module", b'[{"addr_info": null, "ifname": "a"}]'),
        ("an address that is no object ended the module", b'[{"addr_info": [1], "ifname": "a"}]'),
        ("deeply nested output of ip ended the module", b"[" * 200_000),
    ),
    "route_report": (
        (
            "a prefix length above 32 ended the task",
            b'{"routes": {"active": [{"DestinationPrefix": "0.0.0.0/0", "InterfaceIndex": 5, "NextHop": '
            b'"10.0.1.1"}], "persistent": [{"DestinationPrefix": "169.254.169.254/32", "InterfaceIndex": 5, '
            b'"NextHop": "1z2.168.9.1"}]}, "addresses": {"active": [{"IPAddress": "10.0.1.10", '
            b'"PrefixLength": 52, "InterfaceIndex": 5}]}, "system": "windows", "pad": ""}',
        ),
        (
            "the other end of an address that is no address ended the task",
            b'{"system": "linux", "addresses": [{"ifname": "eth0", "flags": ["UP"], "addr_info": [{"family": "inet", '
            b'"local": "10.9.0.2", "address": "10.9.0.1.32"}]}], '
            b'"routes": [{"dst": "default", "gateway": "192.0.2.1", "dev": "eth0"}]}',
        ),
    ),
    "route_answers": (("notes that are no list ended the task", b'{"report": {}, "notes": 5}'),),
    "route_print": (
        ("a superscript digit was taken for a metric", "0.0.0.0 0.0.0.0 192.0.2.1 \u00b2".encode()),
        ("blanks at the end of a line took quadratic time", b"192.0.2.1 255.255.255.255 a" + b" " * 20_000),
    ),
    "route_files": (
        ("a deeply nested route in one of our own files ended the module", b"# route: " + b"[" * 200_000),
        ("a deeply nested journal, or status of the guest agent, ended the module", b"[" * 200_000),
        ("a journal with half a step was taken for one", b'{"steps": [1], "started": 0.5}'),
        ("a journal with a step without operations was taken for one", b'{"steps": [{}], "started": 1}'),
    ),
    "watcher_files": (
        ("missed events that are no list ended the watcher", b'{"format": 1, "watch": {"missed": 5}, "due": []}'),
        ("an incarnation that is text ended the watcher", b'{"format": 1, "watch": {"incarnation": "1"}, "due": []}'),
        (
            "a key of a due event with half of a surrogate pair ended the watcher",
            b'{"format": 1, "watch": {}, "due": [{"phase": "new", "event": '
            b'{"event_id": "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9", "\\ud800": 1}}]}',
        ),
        (
            "a known event without a fingerprint ended the watcher",
            b'{"format": 1, "watch": {"known": {"0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9": '
            b'{"event": {"event_id": "a"}}}}, "due": []}',
        ),
    ),
    "windows_host": (
        (
            "a LUN that is an object ended the task",
            b'{"elapsed": 1, "firmware": null, "body": {"compute": {"storageProfile": {"dataDisks": [{"lun": {}}]}}}, '
            b'"rows": {"disks": [{"Number": 0, "BusType": 17, "FriendlyName": "MSFT NVMe Accelerator v1.0"}]}}',
        ),
    ),
    "token_answer": (
        (
            "a time of expiry before the year 1 could not be shown",
            b'{"access_token": "a", "expires_on": "01/01/0001 00:00:00 +23:59"}',
        ),
        (
            "a date before 1970 was a time below 0",
            b'{"access_token": "a", "expires_on": "9", "not_before": "01/01/1960 00:00:00 +00:00"}',
        ),
        # {"appid": "\ud800"}
        (
            "half of a surrogate pair in a token's claims came into the result",
            b'{"access_token": "a.eyJhcHBpZCI6Ilx1ZDgwMCJ9.c", "expires_on": "9"}',
        ),
    ),
    "vault_answer": (
        ("half of a surrogate pair in a secret's ID came into the result", b'{"value": "a", "id": "/\\ud800"}'),
        ("half of a surrogate pair as content type came into the result", b'{"value": "a", "contentType": "\\ud800"}'),
    ),
    "emulator_vault": (
        ("a folded header was echoed as it came", _VAULT + b"x-ms-client-request-id: a\r\n b\r\n\r\n"),
        ("control characters were echoed in a header", _VAULT + b"x-ms-client-request-id: a\x00b\x1bc\r\n\r\n"),
    ),
    "emulator_scripts": (
        (
            "overrides that replace compute by text ended the connection",
            b'[["PUT", "/vms", [{"name": "a", "overrides": {"compute": "x"}}]]]',
        ),
        ("half of a surrogate pair as name ended the connection", b'[["PUT", "/vms", [{"name": "\\ud800"}]]]'),
        (
            "NaN was accepted, and sent to clients",
            b'[["PUT", "/vms", [{"name": "a", "overrides": {"compute": {"name": NaN}}}]]]',
        ),
    ),
}
