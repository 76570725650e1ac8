# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a VM sees of the machine, and what it may do to it: read, and nothing."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from pathlib import Path

import pytest

from .api import Lab
from .spec import AZURE_ASSET_TAG
from .state import REPOSITORY


@pytest.mark.parametrize("folder", ["/etc", "/var/lib", "/usr/local/bin", "/opt", "/tmp", "/root", "/"])
def test_what_a_vm_writes_stays_in_the_vm(lab: Lab, folder: str) -> None:
    file = Path(folder, f"lab-{uuid.uuid4()}")
    lab.run("web", ["sh", "-c", f"echo kept > {file}"], check=True)
    assert lab.run("web", ["cat", str(file)], check=True).stdout == "kept\n"
    assert lab.run("db", ["test", "-e", str(file)]).returncode == 1
    assert not os.path.exists(file)  # no error where even looking is forbidden


def test_a_vm_changes_and_removes_files_of_its_own_etc(lab: Lab) -> None:
    before = Path("/etc/passwd").read_bytes()
    lab.run("web", ["sh", "-c", "echo x >> /etc/passwd && rm /etc/os-release"], check=True)
    assert lab.run("web", ["tail", "-n", "1", "/etc/passwd"]).stdout == "x\n"
    assert lab.run("web", ["test", "-e", "/etc/os-release"]).returncode == 1
    assert Path("/etc/passwd").read_bytes() == before
    assert Path("/etc/os-release").exists()
    assert lab.run("db", ["cat", "/etc/passwd"]).stdout.encode() == before


@pytest.mark.usefixtures("lab")
def test_a_vm_is_no_container_though_the_machine_may_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "192.0.2.1")
    monkeypatch.setenv("container", "engine")
    with Lab({"vms": [{"name": "vm"}], "emulator": False}) as running:
        seen = running.run("vm", ["sh", "-c", "cat /proc/1/environ /proc/self/environ"], check=True).stdout.split("\0")
        assert running.run("vm", ["ls", "-a", "/"]).stdout.count(".dockerenv") == 0
    assert any(entry.startswith("PATH=") for entry in seen)
    assert not [entry for entry in seen if entry.startswith(("container=", "KUBERNETES_SERVICE_HOST="))]


def test_a_vm_knows_its_own_name(lab: Lab) -> None:
    assert lab.run("db", ["hostname"]).stdout == "db\n"
    assert lab.run("db", ["cat", "/etc/hostname"]).stdout == "db\n"
    assert lab.run("db", ["getent", "hosts", "db"]).stdout.split()[0] == "10.99.0.5"


def test_routes_stay_in_the_vm(lab: Lab) -> None:
    lab.run("web", ["ip", "route", "add", "198.51.100.0/24", "via", "10.99.0.1"], check=True)
    assert "198.51.100.0/24" in lab.run("web", ["ip", "route"]).stdout
    assert "198.51.100.0/24" not in lab.run("db", ["ip", "route"]).stdout
    machine = subprocess.run(["ip", "route"], capture_output=True, text=True, check=True, timeout=10)
    assert "198.51.100.0/24" not in machine.stdout


def test_firmware_tables(lab: Lab) -> None:
    for folder in ("/sys/class/dmi/id", "/sys/devices/virtual/dmi/id"):
        assert lab.run("web", ["cat", f"{folder}/chassis_asset_tag"]).stdout == f"{AZURE_ASSET_TAG}\n"
    assert lab.run("elsewhere", ["cat", "/sys/class/dmi/id/chassis_asset_tag"]).stdout == "\n"
    assert lab.run("web", ["stat", "-c", "%a", "/sys/class/dmi/id/product_uuid"]).stdout == "400\n"


def test_sys_shows_the_vms_own_links(lab: Lab) -> None:
    assert lab.run("web", ["ls", "/sys/class/net"]).stdout.split() == ["eth0", "eth1", "lo"]
    assert lab.run("db", ["cat", "/sys/class/net/eth0/operstate"]).stdout == "up\n"


def test_a_vm_sets_parameters_of_its_network_only(lab: Lab) -> None:
    assert lab.run("web", ["sh", "-c", "echo 2 > /proc/sys/net/ipv4/conf/eth0/rp_filter"]).returncode == 0
    assert lab.run("web", ["cat", "/proc/sys/net/ipv4/conf/eth0/rp_filter"]).stdout == "2\n"
    before = Path("/proc/sys/kernel/panic").read_text(encoding="ascii")
    for file in ("/proc/sys/kernel/panic", "/sys/class/net/lo/mtu"):
        assert lab.run("web", ["sh", "-c", f"cat {file} > {file}"]).returncode != 0, file
    assert Path("/proc/sys/kernel/panic").read_text(encoding="ascii") == before


def test_a_vm_has_the_harmless_devices(lab: Lab) -> None:
    script = "head -c 4 /dev/urandom | wc -c && echo x > /dev/null && echo y > /dev/shm/y && echo z > /dev/stdout"
    assert lab.run("web", ["sh", "-c", script], check=True).stdout == "4\nz\n"
    terminal = "import os, pty; print(os.ttyname(pty.openpty()[1]))"
    assert lab.run("web", ["/usr/bin/python3", "-c", terminal], check=True).stdout.startswith("/dev/pts/")


def test_the_repository_is_there_as_it_is_now_and_read_only(lab: Lab) -> None:
    file = REPOSITORY / "galaxy.yml"
    assert lab.run("web", ["cat", str(file)]).stdout == file.read_text(encoding="utf-8")
    assert "Read-only file system" in lab.run("web", ["touch", str(file)]).stderr


def test_of_the_labs_directory_a_vm_sees_its_own_part(lab: Lab) -> None:
    seen = lab.run("web", ["find", str(lab.place.path), "!", "-type", "d"], check=True).stdout
    assert seen == f"{lab.place.shell('web')}\n"


def test_the_shared_directory(lab: Lab) -> None:
    shared = lab.place.shared("web")
    (shared / "from-controller").write_text("a", encoding="ascii")
    lab.run("web", ["sh", "-c", f"cat {shared}/from-controller > {shared}/from-vm"], check=True)
    assert (shared / "from-vm").read_text(encoding="ascii") == "a"
    assert lab.run("db", ["ls", str(shared)]).returncode != 0


def test_a_vm_without_its_machines_user(lab: Lab) -> None:
    """Root inside, whoever started the lab."""
    assert lab.run("web", ["id", "-u"]).stdout == "0\n"
    capabilities = json.dumps(lab.run("web", ["grep", "CapEff", "/proc/self/status"]).stdout)
    assert "0000000000000000" not in capabilities
