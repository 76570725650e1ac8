# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What measures the tools."""

from __future__ import annotations

import socket
import string
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.tests.peers import install, machine, meter, packets
from ansible_collections.imds.azure.tests.peers.install import MissingError
from ansible_collections.imds.azure.tests.peers.tools import HOST, MODULE, TOOLS


def job(code: str, **more: Any) -> dict[str, Any]:
    return {"command": [sys.executable, "-c", code], "environment": {}, "seconds": 60, "memory": False, **more}


def test_a_command_is_measured() -> None:
    done = meter.measure(job("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"))
    assert (done["code"], done["peak_kib"]) == (3, None)
    assert sorted(done["output"].split()) == ["err", "out"]
    assert done["seconds"] > 0


def test_memory_is_that_of_the_whole_tree() -> None:
    child = "data = bytearray(64 << 20); import time; time.sleep(0.2)"
    done = meter.measure(job(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])", memory=True))
    assert done["peak_kib"] > 64 << 10


def test_a_command_that_does_not_end_is_ended() -> None:
    done = meter.measure(job("import time; print('began', flush=True); time.sleep(60)", seconds=0.5))
    assert done["code"] is None
    assert done["seconds"] < 30


def test_family() -> None:
    assert meter.family({1: 0, 2: 1, 3: 2, 4: 1, 5: 9}, 2) == {2, 3}
    assert meter.family({}, 7) == {7}


def test_resident() -> None:
    assert meter.resident(["Name:\tx", "VmRSS:\t    1234 kB"]) == 1234
    assert meter.resident(["Name:\tkthread"]) == 0


def packet(target: str, protocol: int = 6) -> bytes:
    head = bytes([0x45, 0, 0, 40, 0, 0, 0, 0, 64, protocol, 0, 0])
    return head + socket.inet_aton("192.0.2.1") + socket.inet_aton(target) + (4711).to_bytes(2, "big") + bytes(18)


def test_packets() -> None:
    assert packets.read(packet("192.0.2.9"), "192.0.2.9") == {"protocol": 6, "port": 4711}
    assert packets.read(packet("192.0.2.9", 17), "192.0.2.9") == {"protocol": 17, "port": None}
    assert packets.read(packet("192.0.2.8"), "192.0.2.9") is None
    assert packets.read(b"short", "192.0.2.9") is None


def test_machine() -> None:
    assert machine.processor("processor\t: 0\nmodel name\t: Example CPU\n") == "Example CPU"
    assert machine.system('NAME="x"\nPRETTY_NAME="Example Linux 1"\n') == "Example Linux 1"


def test_a_program_that_is_missing_is_the_reason(tmp_path: Path) -> None:
    assert install.on_path("sh")(tmp_path)["sh"].endswith("/sh")
    with pytest.raises(MissingError, match="``no-such-tool`` is not installed"):
        install.on_path("sh", "no-such-tool")(tmp_path)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_commands_name_only_what_there_is(tool: Any) -> None:
    programs = {"curl", "jq", "facter", "ohai", "salt", "ansible", "cloud-init"}
    known = programs | {"cloud-init-modules", "here", "python", "collection", "collections"}
    words = [*tool.command, *tool.version, *tool.environment.values()]
    words += [word for command in (*tool.evidence, *tool.setup) for word in command]
    assert {name for word in words for _text, name, _spec, _kind in string.Formatter().parse(word) if name} <= known


def test_each_group_has_one_baseline() -> None:
    assert sorted(tool.group for tool in TOOLS if tool.baseline) == sorted([HOST, MODULE])
