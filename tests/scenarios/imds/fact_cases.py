# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What IMDS may send for each fact, and what becomes of it."""

from __future__ import annotations

from typing import Any

from ansible_collections.imds.azure.plugins.module_utils._imds import facts, fields
from hypothesis import strategies as st

from ..imds.documents import (
    FINGERPRINT,
    KEY,
    RSA_FINGERPRINT,
    RSA_KEY,
    USER_DATA,
    USER_DATA_SHA256,
)


def nested(path: str, value: Any) -> dict[str, Any]:
    """{"a": {"b": value}} for a.b"""
    for key in reversed(path.split(".")):
        value = {key: value}
    return value  # type: ignore[no-any-return]


def marked(node: Any, path: str = "the document") -> Any:
    """A copy with an unknown key in every object."""
    if isinstance(node, dict):
        inner = {key: marked(value, f"{path}.{key}") for key, value in node.items()}
        return {**inner, "keyOfTheFuture": f"mark of {path}"}
    return [marked(value, f"{path}[{at}]") for at, value in enumerate(node)] if isinstance(node, list) else node


INTERFACE = {
    "macAddress": "000D3A1B2C3D",
    "ipv4": {
        "ipAddress": [{"privateIpAddress": "10.1.0.4", "publicIpAddress": "203.0.113.7"}],
        "subnet": [{"address": "10.1.0.0", "prefix": "24"}],
    },
    "ipv6": {"ipAddress": [{"privateIpAddress": "fd00::4"}, {"publicIpAddress": "2001:db8::4"}]},
}

INTERFACE_FACT = {
    "mac_address": "00:0d:3a:1b:2c:3d",
    "private_ip_addresses": ["10.1.0.4"],
    "public_ip_addresses": ["203.0.113.7"],
    "ipv6_addresses": ["fd00::4"],
    "public_ipv6_addresses": ["2001:db8::4"],
    "subnets": [{"address": "10.1.0.0", "prefix": 24}],
    **dict.fromkeys(fields.NIC),
}

NO_ENDPOINTS = dict.fromkeys(["resource_manager", "active_directory", "key_vault_suffix", "storage_suffix"])
NO_BLOB = {"present": False, "length": 0, "sha256": None, "base64": None}

STRING = [
    ("x", "x"),
    ("1", "1"),
    ("true", "true"),
    # what came as a number is not lost
    (1, "1"),
    (True, "true"),
    ("", None),
    (None, None),
    (1.5, None),
    (["x"], None),
    ({"a": "x"}, None),
]

INTEGER = [("0", 0), ("36", 36), ("-1", -1), (7, 7), ("", None), ("1.5", None), ("x", None), (True, None), ({}, None)]
BOOLEAN = [("true", True), ("False", False), (True, True), ("", None), ("yes", None), (1, None), ([], None)]

BLOB = [
    ("", NO_BLOB),
    (None, NO_BLOB),
    ({"a": "b"}, NO_BLOB),
    (USER_DATA, {"present": True, "length": 15, "sha256": USER_DATA_SHA256, "base64": None}),
]


def wrapped(key: str, end: str) -> str:
    """A key as Azure stores those that it generates: in lines of 64 characters."""
    return "".join(key[start : start + 64] + end for start in range(0, len(key), 64))


# Keys in every form in which they are stored, and their fingerprints.
SSH_KEYS: list[tuple[str, str | None]] = [
    (RSA_KEY, RSA_FINGERPRINT),
    (RSA_KEY + "\r\n", RSA_FINGERPRINT),
    (" " + RSA_KEY, RSA_FINGERPRINT),
    (RSA_KEY.replace(" ", "\t"), RSA_FINGERPRINT),
    (wrapped(RSA_KEY, "\r\n"), RSA_FINGERPRINT),
    (wrapped(RSA_KEY, "\n"), RSA_FINGERPRINT),
    (wrapped(RSA_KEY.rpartition(" ")[0], "\r\n"), RSA_FINGERPRINT),
    (wrapped(KEY, "\r\n"), FINGERPRINT),
    # two keys without comments, and a comment in a line of its own
    (" ".join(KEY.split()[:2]) + "\n" + RSA_KEY, FINGERPRINT),
    (" ".join(RSA_KEY.split()[:2]) + "\r\ngenerated-by-azure", RSA_FINGERPRINT),
    ("ssh-rsa AAA", None),
    ("ssh-rsa", None),
]

# kind, or fact, -> what is sent at its source, and what becomes of it
CASES: dict[str, list[tuple[Any, Any]]] = {
    "string": STRING,
    "integer": INTEGER,
    "boolean": BOOLEAN,
    "blob": BLOB,
    "location": [
        ("westeurope", "westeurope"),
        ("SwedenCentral", "swedencentral"),
        ("West US 2", "westus2"),
        ("", None),
    ],
    "environment": [
        ("AzurePublicCloud", "AzurePublicCloud"),
        ("AZUREPUBLICCLOUD", "AzurePublicCloud"),
        ("azureusgovernmentcloud", "AzureUSGovernmentCloud"),
        ("AzureChinaCloud", "AzureChinaCloud"),
        ("AzureGermanCloud", "AzureGermanCloud"),
        ("AzureStack", "AzureStack"),
        ("", None),
    ],
    "endpoints": [
        ("AZUREPUBLICCLOUD", fields.CLOUDS["AzurePublicCloud"]),
        *((cloud, endpoints) for cloud, endpoints in fields.CLOUDS.items()),
        ("AzureStack", NO_ENDPOINTS),
        ("", NO_ENDPOINTS),
        (["AzurePublicCloud"], NO_ENDPOINTS),
    ],
    "storage.image_reference": [
        (
            {"offer": "o", "id": "", "communityGalleryImageId": "g"},
            {"offer": "o", "id": None, "community_gallery_image_id": "g"},
        ),
        ("", {}),
        ([], {}),
    ],
    "storage.os_disk": [
        (
            {"diskSizeGB": "30", "diffDiskSettings": {"option": "Local"}, "encryptionSettings": {"enabled": "false"}},
            {
                "device": None,
                "disk_size_gb": 30,
                "diff_disk_settings": {"option": "Local"},
                "encryption_settings": {"enabled": False},
            },
        ),
        (
            {"diskSizeGB": "", "writeAcceleratorEnabled": ""},
            {"device": None, "disk_size_gb": None, "write_accelerator_enabled": None},
        ),
        ({"device": "theirs"}, {"device": None, "imds_device": "theirs"}),
        ({}, {"device": None}),
    ],
    "storage.data_disks": [
        (
            [
                {"lun": "10", "isUltraDisk": "true", "isSharedDisk": "false"},
                {"lun": "9", "bytesPerSecondThrottle": "979202048", "opsPerSecondThrottle": "65280"},
                {"lun": "0", "diskCapacityBytes": "1073741824"},
            ],
            [
                {"device": None, "lun": 0, "disk_capacity_bytes": 1073741824},
                {"device": None, "lun": 9, "bytes_per_second_throttle": 979202048, "ops_per_second_throttle": 65280},
                {"device": None, "lun": 10, "is_ultra_disk": True, "is_shared_disk": False},
            ],
        ),
        (
            [{"lun": "1"}, {"name": "no lun"}, "no disk"],
            [{"device": None, "name": "no lun"}, {"device": None, "lun": 1}],
        ),
        ("", []),
    ],
    "storage.resource_disk": [
        ({"size": "16777216"}, {"device": None, "size": 16777216}),
        ({"size": ""}, {"device": None, "size": None}),
        ("", {"device": None}),
    ],
    "network.primary": [([INTERFACE], INTERFACE_FACT), ([], {}), ("", {}), ([1, "x", None], {})],
    "network.interfaces": [([INTERFACE, "x", INTERFACE], [INTERFACE_FACT, INTERFACE_FACT]), ({}, []), (None, [])],
    "private_ip": [
        ([INTERFACE], "10.1.0.4"),
        ([], None),
        ([{"ipv4": {"ipAddress": [{"privateIpAddress": ""}]}}], None),
    ],
    "public_ip": [
        ([INTERFACE], "203.0.113.7"),
        ([], None),
        ([{"ipv4": {"ipAddress": [{"publicIpAddress": ""}]}}], None),
    ],
    "public_ip_source": [([INTERFACE], "instance"), ([], None), ([{"ipv4": {}}], None)],
    "tags": [
        ([{"name": "a", "value": "1"}, {"name": "B c", "value": ""}], {"a": "1", "B c": ""}),
        (
            [{"name": "a"}, {"value": "x"}, {"name": 1, "value": "x"}, {"name": "c", "value": None}, "d"],
            {"a": "", "c": ""},
        ),
        ([], {}),
        ("a:1", {}),
    ],
    "tags_list": [
        (
            [{"name": "a", "value": "1"}, {"name": "b", "value": ""}],
            [{"name": "a", "value": "1"}, {"name": "b", "value": None}],
        ),
        ([{"name": "a", "value": "1"}, "x", None], [{"name": "a", "value": "1"}]),
        ("", []),
    ],
    "public_keys": [
        (
            [{"keyData": KEY, "path": "/home/a/.ssh/authorized_keys"}],
            [
                {
                    "type": "ssh-ed25519",
                    "path": "/home/a/.ssh/authorized_keys",
                    "fingerprint": FINGERPRINT,
                    "key_data": None,
                }
            ],
        ),
        *(
            (
                [{"keyData": data, "path": "p"}],
                [{"type": data.split()[0], "path": "p", "fingerprint": fingerprint, "key_data": None}],
            )
            for data, fingerprint in SSH_KEYS
        ),
        (
            [{"keyData": KEY, "path": "p", "newKey": "1", "type": "x"}],
            [
                {
                    "type": "ssh-ed25519",
                    "path": "p",
                    "fingerprint": FINGERPRINT,
                    "key_data": None,
                    "new_key": "1",
                    "imds_type": "x",
                }
            ],
        ),
        (
            [{"keyData": "ssh-rsa !", "path": ""}, {}, "x"],
            [
                {"type": "ssh-rsa", "path": None, "fingerprint": None, "key_data": None},
                {"type": None, "path": None, "fingerprint": None, "key_data": None},
            ],
        ),
        ("", []),
    ],
}

NICS = {
    "00:0d:3a:00:00:01": {
        "device": "eth0",
        "driver": "hv_netvsc",
        "accelerated": True,
        "vf_device": "enP1s1",
        "vf_driver": "mlx5_core",
    },
    "00:0d:3a:00:00:02": {"device": "eth1"},
}

NAMES = sorted(
    {part for field in fields.FIELDS for part in field.source.split(".")} | fields.INTEGERS | fields.BOOLEANS
)

KEYS = st.sampled_from(
    [*NAMES, "ipv4", "ipv6", "ipAddress", "subnet", "macAddress", "privateIpAddress", "tags"]
) | st.text(max_size=6)

LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9)
)

VALUES = st.recursive(
    LEAVES | st.sampled_from(["true", "24", "", KEY, USER_DATA, "a:1;b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)

DOCUMENT = st.dictionaries(KEYS | st.sampled_from(["compute", "network"]), VALUES, max_size=4) | st.fixed_dictionaries(
    {
        "compute": st.dictionaries(KEYS, VALUES, max_size=8),
        "network": st.fixed_dictionaries(
            {"interface": st.lists(st.dictionaries(KEYS, VALUES, max_size=4), max_size=3)}
        ),
    }
)

CONTEXTS = st.builds(
    facts.Context,
    nics=st.just(NICS),
    default_device=st.sampled_from([None, "eth0"]),
    local_address=st.sampled_from([None, "10.1.0.4"]),
    include_user_data=st.booleans(),
    include_public_keys=st.booleans(),
)
