# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Persistent forms under the real daemons, which set the route by themselves at their next start.

They run in namespaces of the test: network, processes, and mounts over everything that they would write to.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import Any

import pytest

NETWORKD = "/lib/systemd/systemd-networkd"
ROW = {
    "dst": "169.254.169.254/32",
    "dev": "eth0",
    "prefsrc": "10.0.0.4",
    "gateway": "10.0.0.1",
    "flags": ["onlink"],
}

# Runs first, inside: nothing of the machine is written to.
_PREPARE = """
set -e
mount -t tmpfs tmpfs /run
mount -t sysfs -o ro sysfs /sys
mkdir -p /run/dbus /run/NetworkManager /run/udev /run/systemd/network /run/systemd/netif/links
mkdir -p /run/systemd/netif/leases /run/systemd/netif/lldp
for place in /etc/network /etc/systemd/network /etc/NetworkManager/system-connections /var/lib/NetworkManager; do
    [ ! -d $place ] || mount -t tmpfs tmpfs $place
done
if id systemd-network >/dev/null 2>&1; then chown -R systemd-network /run/systemd/netif; fi
ip link set lo up
dbus-daemon --system --fork --nopidfile
"""

# What all scenarios know. A script ends by printing JSON.
_COMMON = """
import json, subprocess, sys, time
from ansible_collections.imds.azure.plugins.module_utils._routes.host import persistence
from ansible_collections.imds.azure.plugins.module_utils._routes.host.host import Host

ROW = json.loads(sys.argv[1])

def run(argv):
    try:
        done = subprocess.run(list(argv), capture_output=True, text=True, timeout=30)
    except FileNotFoundError:
        return 127, "", "not found"
    return done.returncode, done.stdout, done.stderr

def must(*argv):
    return host.command(*argv)

def wait(condition):
    for attempt in range(100):
        if condition():
            return
        time.sleep(0.1)
    sys.exit("it does not happen: " + run(["ip", "route"])[1])

def route():
    return json.loads(must("ip", "-j", "route", "show", "169.254.169.254"))

host = Host(run)
"""

_NETWORKD = """
import os
must("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0p")
must("ip", "link", "set", "eth0p", "up")
host.write("/etc/systemd/network/20-a.network",
           "[Match]\\nName=eth0\\n[Network]\\nAddress=10.0.0.4/24\\nLinkLocalAddressing=no\\n", 0o644)
def start():
    return subprocess.Popen(["/lib/systemd/systemd-networkd"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
daemon = start()
wait(lambda: persistence.find(host, "eth0") == "networkd")
persistence.write(host, "networkd", ROW)
daemon.terminate()
daemon.wait()
must("ip", "address", "flush", "dev", "eth0")
daemon = start()
wait(route)
daemon.terminate()
daemon.wait()
print(json.dumps([persistence.find(host, "lo"), persistence.stored_rows(host, "networkd", "eth0"), route()]))
"""

_NETWORKMANAGER = """
daemon = subprocess.Popen(["NetworkManager", "--no-daemon"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
wait(lambda: run(["nmcli", "general"])[0] == 0)
must("nmcli", "connection", "add", "type", "veth", "con-name", "a: b", "ifname", "eth0", "veth.peer", "eth0p",
     "ipv4.method", "manual", "ipv4.addresses", "10.0.0.4/24", "ipv4.routes", "10.9.0.0/16 10.0.0.2 5")
wait(lambda: run(["ip", "link", "set", "eth0p", "up"])[0] == 0)
wait(lambda: persistence.find(host, "eth0") == "networkmanager")
persistence.write(host, "networkmanager", ROW)
uuid = persistence.STACKS["networkmanager"].manages(host, "eth0")
must("nmcli", "connection", "up", "uuid", uuid)
wait(route)
found = route()
kept = persistence.stored_rows(host, "networkmanager", "eth0")
other = json.loads(must("ip", "-j", "route", "show", "10.9.0.0/16"))
persistence.remove(host, "networkmanager", ROW)
assert persistence.stored_rows(host, "networkmanager", "eth0") == []
assert len(other) == 1
daemon.terminate()
daemon.wait()
print(json.dumps([persistence.find(host, "lo"), kept, found]))
"""

_IFUPDOWN = """
import os
must("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0p")
must("ip", "link", "set", "eth0p", "up")
for phase in ("if-pre-up.d", "if-up.d", "if-down.d", "if-post-down.d"):
    os.makedirs("/etc/network/" + phase)
os.makedirs("/run/network")
host.write("/etc/network/interfaces", "iface eth0 inet static\\n  address 10.0.0.4/24\\n", 0o644)
assert persistence.find(host, "eth0") == "ifupdown"
persistence.write(host, "ifupdown", ROW)
must("ifup", "eth0")
wait(route)
print(json.dumps([persistence.find(host, "lo"), persistence.stored_rows(host, "ifupdown", "eth0"), route()]))
"""


@pytest.mark.parametrize(
    ("needs", "script"),
    [((NETWORKD,), _NETWORKD), (("NetworkManager", "nmcli"), _NETWORKMANAGER), (("ifup",), _IFUPDOWN)],
    ids=["networkd", "networkmanager", "ifupdown"],
)
def test_the_daemon_sets_the_route_at_its_next_start(needs: tuple[str, ...], script: str) -> None:
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("needs root on Linux")
    for tool in ("unshare", "ip", "dbus-daemon", *needs):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    unshare = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    probe = subprocess.run([*unshare, "sh", "-c", _PREPARE], capture_output=True, text=True, check=False, timeout=60)
    if probe.returncode:
        pytest.skip(f"no place for a daemon here: {probe.stderr.strip()}")
    python = 'exec "$0" -c "$1" "$2"'
    done = subprocess.run(
        [*unshare, "sh", "-c", _PREPARE + python, sys.executable, _COMMON + script, json.dumps(ROW)],
        env={**os.environ, "LC_ALL": "C", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr
    elsewhere, kept, (route,) = json.loads(done.stdout.splitlines()[-1])
    assert (elsewhere, kept) == ("none", [ROW])
    expected: dict[str, Any] = {"gateway": "10.0.0.1", "dev": "eth0", "prefsrc": "10.0.0.4", "protocol": "static"}
    assert {name: route[name] for name in expected} == expected
    assert "onlink" in route["flags"]
