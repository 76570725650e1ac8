# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Instance documents in the shapes that IMDS had over the years, with invented values, and the facts they make.

EXPECTED names only the facts that are not blank.
"""

from __future__ import annotations

import base64
import json
from typing import Any

SUBSCRIPTION = "7f0c5c1e-0b6e-4c8e-8a2e-1b1f0e6d2c11"
VM_ID = "8e0d3a54-6a3c-4b0e-9a43-5f6f3c1f0e77"
RESOURCE_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/shop/providers/Microsoft.Compute/virtualMachines/web-1"
SCALE_SET_ID = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/shop/providers/Microsoft.Compute/virtualMachineScaleSets/flex"
)
# A public key whose private half is gone, and its fingerprint as ssh-keygen prints it.
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbD/LP4cal3ZEbSbKOwHtyUC0RyZmb0vhhCsTF12HS7 azureuser@example"
FINGERPRINT = "SHA256:LVdWYpfdFvTQKW0Wxusn7sUB2LWH2PjfwarFKFxNI+c"
# A longer one, whose private half is gone as well.
RSA_KEY = (
    "ssh-rsa "
    "AAAAB3NzaC1yc2EAAAADAQABAAABgQDBBTVJLw9v3xyaHA5+Yk23Io1PoGupFxLqyITJgNjsp0u2RTe4LYGauakFrh8gNyf9z2cf"
    "nOgCazKxMVJXStpcAn7c/rMFzKICzvb/Hp8sG2uJac4jV0gfmwHDuUd2WKxMfuMrnDIP/BUTGiX3oNMCMkv1jij94UZfk3gPe85O"
    "g7LJWADU0JpVO6P1t2YH6bUajNGRVEruKm1pCIgs41xRuTbdKnNOQ4tpAUnKzJJIxtyxGysUi2Z5brj019bNVmfa4GUs2GB593h9"
    "xD6SzDT0wY7slCM6fZnoPhYCksAfi0JOFq0urjE2JDA5Ep3m12WkHsP4G0taoUxX1ch0T0g7HTPSw3ZIRczC9l6e3gGfB326axLr"
    "p5jz8ktGdWgfbY3DWN6MNAFa2EYUId7zyg5X4iUQqiwplLURUfudik1xmOvti1jRL9v15egusUGwcRqIYiaiSxmdqT1gJtiRgGId"
    "/T4gWJd4QNuTkb0c/n8YVPkNw3wMW+O5hRHUREaxO4E="
    " generated-by-azure"
)
RSA_FINGERPRINT = "SHA256:h8C6YXG/xoMBpXhfx9pKY9h0QFWpC+5os+IN+onj2f4"
USER_DATA = "cGFzc3dvcmQ9Z2VoZWlt"  # password=geheim
USER_DATA_SHA256 = "37cccdc249d29ce1624af164ef6c00a90add247f270960c3b43be7c4b2790b0d"


def _network(mac: str = "000D3A1B2C3D", private: str = "10.1.0.4", public: str = "203.0.113.7") -> dict[str, Any]:
    return {
        "ipv4": {
            "ipAddress": [{"privateIpAddress": private, "publicIpAddress": public}],
            "subnet": [{"address": "10.1.0.0", "prefix": "24"}],
        },
        "ipv6": {"ipAddress": []},
        "macAddress": mac,
    }


def _interface(mac: str, private: str, public: list[str]) -> dict[str, Any]:
    return {
        "mac_address": mac,
        "private_ip_addresses": [private],
        "public_ip_addresses": public,
        "ipv6_addresses": [],
        "public_ipv6_addresses": [],
        "subnets": [{"address": "10.1.0.0", "prefix": 24}],
        **dict.fromkeys(("device", "driver", "accelerated", "vf_device", "vf_driver")),
    }


_FIRST = _interface("00:0d:3a:1b:2c:3d", "10.1.0.4", ["203.0.113.7"])
_NETWORK_FACTS: dict[str, Any] = {
    "network": {"primary": _FIRST, "interfaces": [_FIRST]},
    "private_ip": "10.1.0.4",
    "public_ip": "203.0.113.7",
    "public_ip_source": "instance",
}

_2017: dict[str, Any] = {
    "compute": {
        "location": "WestEurope",
        "name": "web-1",
        "offer": "debian-12",
        "osType": "Linux",
        "platformFaultDomain": "0",
        "platformUpdateDomain": "3",
        "publisher": "Debian",
        "sku": "12-gen2",
        "version": "0.20250703.2162",
        "vmId": VM_ID,
        "vmSize": "Standard_D2s_v5",
    },
    "network": {"interface": [_network()]},
}
_2017_FACTS: dict[str, Any] = {
    "name": "web-1",
    "vm_id": VM_ID,
    "location": "westeurope",
    "vm_size": "Standard_D2s_v5",
    "os_type": "Linux",
    "platform_fault_domain": 0,
    "platform_update_domain": 3,
    "image": {"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2", "version": "0.20250703.2162"},
    **_NETWORK_FACTS,
}

_2018: dict[str, Any] = {
    "compute": {
        **_2017["compute"],
        "placementGroupId": "",
        "resourceGroupName": "shop",
        "subscriptionId": SUBSCRIPTION,
        "tags": "environment:test;role:web",
        "vmScaleSetName": "workers",
        "zone": "1",
    },
    "network": _2017["network"],
}
_2018_FACTS: dict[str, Any] = {
    **_2017_FACTS,
    "resource_group_name": "shop",
    "subscription_id": SUBSCRIPTION,
    "scale_set": "workers",
    "zone": "1",
    "tags": {"environment": "test", "role": "web"},
    "tags_list": [{"name": "environment", "value": "test"}, {"name": "role", "value": "web"}],
}

_DISK = {
    "caching": "None",
    "createOption": "Empty",
    "diskSizeGB": "64",
    "image": {"uri": ""},
    "managedDisk": {"id": f"/subscriptions/{SUBSCRIPTION}/disks/data", "storageAccountType": "Premium_LRS"},
    "name": "data",
    "vhd": {"uri": ""},
    "writeAcceleratorEnabled": "false",
}
_DISK_FACT = {
    "device": None,
    "caching": "None",
    "create_option": "Empty",
    "disk_size_gb": 64,
    "image": {"uri": None},
    "managed_disk": {"id": f"/subscriptions/{SUBSCRIPTION}/disks/data", "storage_account_type": "Premium_LRS"},
    "name": "data",
    "vhd": {"uri": None},
    "write_accelerator_enabled": False,
}

_2019: dict[str, Any] = {
    "compute": {
        **_2018["compute"],
        "azEnvironment": "AzurePublicCloud",
        "customData": "",
        "plan": {"name": "pro", "product": "shop", "publisher": "example"},
        "provider": "Microsoft.Compute",
        "publicKeys": [{"keyData": KEY, "path": "/home/azureuser/.ssh/authorized_keys"}],
        "resourceId": RESOURCE_ID,
        "storageProfile": {
            "dataDisks": [{**_DISK, "lun": "10"}, {**_DISK, "lun": "2"}],
            "imageReference": {
                "id": "",
                "offer": "debian-12",
                "publisher": "Debian",
                "sku": "12-gen2",
                "version": "latest",
            },
            "osDisk": {**_DISK, "encryptionSettings": {"enabled": "false"}, "osType": "Linux"},
        },
        "tagsList": [{"name": "environment", "value": "te;st:1"}, {"name": "empty", "value": ""}],
        "vmScaleSetName": "",
        "zone": "",
    },
    "network": _2017["network"],
}
_PUBLIC_ENDPOINTS = {
    "resource_manager": "https://management.azure.com",
    "active_directory": "https://login.microsoftonline.com",
    "key_vault_suffix": "vault.azure.net",
    "storage_suffix": "core.windows.net",
}
_2019_FACTS: dict[str, Any] = {
    **_2018_FACTS,
    "environment": "AzurePublicCloud",
    "endpoints": _PUBLIC_ENDPOINTS,
    "plan": {"name": "pro", "product": "shop", "publisher": "example"},
    "provider": "Microsoft.Compute",
    "public_keys": [
        {
            "type": "ssh-ed25519",
            "path": "/home/azureuser/.ssh/authorized_keys",
            "fingerprint": FINGERPRINT,
            "key_data": None,
        }
    ],
    "resource_id": RESOURCE_ID,
    "storage": {
        "data_disks": [{**_DISK_FACT, "lun": 2}, {**_DISK_FACT, "lun": 10}],
        "image_reference": {
            "id": None,
            "offer": "debian-12",
            "publisher": "Debian",
            "sku": "12-gen2",
            "version": "latest",
        },
        "os_disk": {**_DISK_FACT, "encryption_settings": {"enabled": False}, "os_type": "Linux"},
    },
    "tags": {"environment": "te;st:1", "empty": ""},
    "tags_list": [{"name": "environment", "value": "te;st:1"}, {"name": "empty", "value": None}],
    "scale_set": None,
    "zone": None,
}

_2021: dict[str, Any] = {
    "compute": {
        **_2019["compute"],
        "additionalCapabilities": {"hibernationEnabled": "false"},
        "evictionPolicy": "Deallocate",
        "extendedLocation": {"name": "", "type": ""},
        "host": {"id": ""},
        "hostGroup": {"id": ""},
        "isHostCompatibilityLayerVm": "false",
        "licenseType": "",
        "osProfile": {
            "adminUsername": "azureuser",
            "computerName": "web-1",
            "disablePasswordAuthentication": "true",
        },
        "platformSubFaultDomain": "",
        "priority": "Spot",
        "securityProfile": {
            "encryptionAtHost": "true",
            "secureBootEnabled": "true",
            "securityType": "TrustedLaunch",
            "virtualTpmEnabled": "false",
        },
        "storageProfile": {**_2019["compute"]["storageProfile"], "resourceDisk": {"size": "16777216"}},
        "userData": USER_DATA,
        "virtualMachineScaleSet": {"id": SCALE_SET_ID},
    },
    "network": _2017["network"],
}
_2021_FACTS: dict[str, Any] = {
    **_2019_FACTS,
    "additional_capabilities": {"hibernation_enabled": False},
    "eviction_policy": "Deallocate",
    "is_host_compatibility_layer_vm": False,
    "os_profile": {"admin_username": "azureuser", "computer_name": "web-1", "disable_password_authentication": True},
    "priority": "Spot",
    "security": {
        "encryption_at_host": True,
        "secure_boot": True,
        "security_type": "TrustedLaunch",
        "virtual_tpm": False,
    },
    "storage": {**_2019_FACTS["storage"], "resource_disk": {"size": 16777216}},
    "user_data": {"present": True, "length": 15, "sha256": USER_DATA_SHA256, "base64": None},
    "scale_set": "flex",
    "scale_set_id": SCALE_SET_ID,
}

_2025: dict[str, Any] = {
    "compute": {**_2021["compute"], "isVmInStandbyPool": "false", "physicalZone": "westeurope-az2", "zone": "1"},
    "network": _2017["network"],
}
_2025_FACTS: dict[str, Any] = {
    **_2021_FACTS,
    "is_vm_in_standby_pool": False,
    "physical_zone": "westeurope-az2",
    "zone": "1",
}

# What signs the metadata of a confidential VM. It tells nobody's secret: of user data and keys it has the hashes.
SIGNATURE_INFO = base64.b64encode(
    json.dumps(
        {
            "certChain": "",
            "signature": json.dumps({"key1": "eyJhbGciOiJSUzI1NiJ9.eyJzaWduZWREYXRhIjoiMDAifQ.c2lnbmF0dXJl"}),
            "metadata": {
                "publicKeys": "4f53cda1" * 8,
                "subscriptionId": "0" * 64,
                "userData": "1" * 64,
                "vmId": "2" * 64,
            },
        }
    ).encode()
).decode()

DOCUMENTS: dict[str, dict[str, Any]] = {
    "2017-04-02": _2017,
    "2018-02-01": _2018,
    "2019-08-15": _2019,
    "2021-12-13": _2021,
    "2025-04-07": _2025,
    "2025-04-07, extended=true": {**_2025, "extended": {"compute": {"hasCustomData": False, "ppsType": "None"}}},
    "confidential": {**_2025, "compute": {**_2025["compute"], "signatureInfo": SIGNATURE_INFO}},
    "classic": {"network": _2017["network"]},
}

EXPECTED: dict[str, dict[str, Any]] = {
    "2017-04-02": _2017_FACTS,
    "2018-02-01": _2018_FACTS,
    "2019-08-15": _2019_FACTS,
    "2021-12-13": _2021_FACTS,
    "2025-04-07": _2025_FACTS,
    "2025-04-07, extended=true": {
        **_2025_FACTS,
        "extended": {"compute": {"has_custom_data": False, "pps_type": "None"}},
    },
    "confidential": {**_2025_FACTS, "signature_info": SIGNATURE_INFO},
    "classic": _NETWORK_FACTS,
}
