# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of a Windows host in one remote command, or a refusal: then the ordinary module runs instead.

On Windows, compiling C# is most of what a module costs. The command is a PowerShell script that compiles nothing: it
sends one request, unless the firmware is not an Azure VM's, and reports what it saw. Everything else happens here, by
the core that Linux hosts run. Only a usable answer with status 200 counts. The module retries and explains.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import zlib
from collections.abc import Mapping
from pathlib import Path
from socket import socket
from typing import Any, NamedTuple, cast

from ansible_collections.imds.azure.plugins.module_utils._imds import client as imds
from ansible_collections.imds.azure.plugins.module_utils._imds import (
    gather,
    paths,
    platform,
    run_facts,
    transport,
    versions,
)
from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError, Settings, settings
from ansible_collections.imds.azure.plugins.module_utils._imds.outcome import Outcome

from . import _action_base, _smbios
from ._declined import DeclinedError
from ._windows_guest import Adapter, WindowsGuest

SCRIPT = Path(__file__).with_suffix(".ps1")
DEVICES = Path(__file__).parents[1] / "module_utils" / "_ImdsDevices.psm1"
DELIVERY = "one_command"

# What cmd.exe takes, which WinRM and OpenSSH start by default.
LONGEST = 8191

# Unpacks the script and runs it. Constrained language mode does not allow that. There is no double quote in it, because
# shells differ in what they make of one.
_UNPACK = (
    "$mark='{mark}';"
    "if($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage'){{$mark+1+$mark}}"
    "elseif($PSVersionTable.PSVersion -lt [Version]'5.1'){{$mark+2+$mark}}"
    "else{{&([ScriptBlock]::Create([IO.StreamReader]::new([IO.Compression.DeflateStream]::new("
    "[IO.MemoryStream]::new([byte[]]({packed})),[IO.Compression.CompressionMode]0)).ReadToEnd()))}}"
)
_BASE64 = "[Convert]::FromBase64String('{packed}')"
# 15 bits in each character, none of which is a quote or half of a pair. -EncodedCommand takes as many bytes for any
# character, so that this is less than half as long as Base64 there.
_DENSE = (
    "$b=$n=0;foreach($c in [char[]]'{packed}'){{$b=$b*32768+[int]$c-20480;"
    "for($n+=15;$n-ge8;$b=$b-band((1-shl$n)-1)){{$n-=8;$b-shr$n}}}}"
)
_DENSE_FROM, _DENSE_BITS = 20480, 15
_REFUSALS = {1: "PowerShell is in constrained language mode", 2: "PowerShell is older than 5.1"}


class Report(NamedTuple):
    """What a host reports. elapsed: seconds; firmware: RawSMBIOSData, None where it can't be read.

    response: as received, None where nothing was sent or no complete answer came; failed: whether something went wrong;
    address: the connection's, at this end.
    """

    elapsed: float
    firmware: bytes | None
    response: bytes | None
    failed: bool
    address: str
    guest: WindowsGuest


def ask(plugin: Any, operation: str, options: Mapping[str, Any], _task_vars: Mapping[str, Any]) -> Outcome:
    """How azure_imds_facts ends on the host.

    :param plugin: the action plugin
    :param operation: as of _payload.pack
    :param options: those of azure_imds_facts, validated
    :raises DeclinedError: the host can't be asked like this, or gave no usable answer with status 200
    """
    if operation != "_imds.run_facts":
        raise DeclinedError("on Windows only facts have a short way")
    try:
        chosen = settings(options)
    except OptionError as error:
        return Outcome({}, [], str(error))
    fact, warnings = facts(plugin, chosen)
    return run_facts.ended(fact, warnings, options["required"])


def facts(plugin: Any, chosen: Settings) -> tuple[dict[str, Any], list[str]]:
    """The azure_imds fact of the host, and warnings.

    :raises DeclinedError: as ask
    """
    _require_fit(plugin, chosen)
    detection = platform.detect(chosen.chassis_asset_tag, lambda: platform.judge(None, ""))
    target = imds.request_target(paths.INSTANCE, chosen.api_version or versions.LADDER[0])
    mark = f"imds-{secrets.token_hex(8)}:"
    send = True if chosen.detect == "force" else detection.azure
    script = written(chosen, target, send)
    shell = _action_base.shell_family(plugin)
    way = "start" if shell == "cmd" else "encoded" if _action_base.transport(plugin) == "winrm" else "plain"
    report = read(_action_base.run_command(plugin, command(script, mark, way), None), mark)
    return judged(report, chosen, target)


def _require_fit(plugin: Any, chosen: Settings) -> None:
    """
    :raises DeclinedError: the task needs what only the module can do
    """
    if _action_base.become_method(plugin) is not None:
        raise DeclinedError("become on Windows is part of Ansible's wrapper of modules")
    if chosen.load_balancer:
        raise DeclinedError("the load balancer's address may take a second request")


# --- there ----------------------------------------------------------------------------------------------------------


def written(chosen: Settings, target: str, send: bool | None) -> str:
    """The script with what it is asked for.

    :param send: whether to send the request, None to have the firmware decide
    """
    request = transport.written(chosen.address, target, imds.request_headers())
    asked = {
        "host": chosen.address[0],
        "port": chosen.address[1],
        "request": request.decode("ascii"),
        **{name: round(getattr(chosen, f"{name}_timeout") * 1000) for name in ("connect", "read")},
        "timeout": round(chosen.timeout * 1000),
        "azure": send,
        "tag": platform.AZURE_CHASSIS_ASSET_TAG,
        "limit": transport.MAX_HEAD + transport.MAX_BODY,
    }
    code = [*_code(DEVICES, "Function ", "Export-ModuleMember"), *_code(SCRIPT)]
    entries = ";".join(f"{name}={_literal(value)}" for name, value in asked.items())
    return "\n".join((f"$asked=@{{{entries}}}", *code))


def _code(path: Path, start: str = "", end: str = "\0") -> list[str]:
    """The lines of a script without comments, from one that starts like this to before one that starts like that."""
    text = re.sub("<#.*?#>", "", path.read_text(encoding="ascii"), flags=re.DOTALL)
    lines = [line.strip() for line in text.splitlines()]
    first = next(number for number, line in enumerate(lines) if line.startswith(start))
    last = next((number for number, line in enumerate(lines) if line.startswith(end)), len(lines))
    return [line for line in lines[first:last] if line and not line.startswith("#")]


def _literal(value: str | int | bool | None) -> str:
    """A value as PowerShell writes it."""
    if value is None or isinstance(value, bool):
        return {None: "$null", True: "$true", False: "$false"}[value]
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def command(script: str, mark: str, way: str) -> str:
    """The command that runs a script.

    :param way: start, of PowerShell, by a shell that is not PowerShell; encoded, where the connection plugin does that;
        plain, where PowerShell takes the command
    :raises DeclinedError: it would be too long
    """
    deflate = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    packed = deflate.compress(script.encode("ascii")) + deflate.flush()
    if way == "plain":
        data = _BASE64.format(packed=base64.b64encode(packed).decode("ascii"))
        return _UNPACK.format(mark=mark, packed=data)
    dense = _UNPACK.format(mark=mark, packed=f"$({_DENSE.format(packed=_dense(packed))})")
    started = "powershell -NoProfile -NonInteractive -EncodedCommand "
    started += base64.b64encode(dense.encode("utf-16-le")).decode("ascii")
    if len(started) > LONGEST:
        raise DeclinedError(f"the command has {len(started)} characters")
    return started if way == "start" else dense


def _dense(data: bytes) -> str:
    """Bytes as _DENSE reads them. It may read a byte of zeros more."""
    length = -(-len(data) * 8 // _DENSE_BITS)
    bits = int.from_bytes(data, "big") << (length * _DENSE_BITS - len(data) * 8)
    units = (bits >> (place * _DENSE_BITS) & ((1 << _DENSE_BITS) - 1) for place in reversed(range(length)))
    return "".join(chr(_DENSE_FROM + unit) for unit in units)


# --- here -----------------------------------------------------------------------------------------------------------


def read(output: str, mark: str) -> Report:
    """The report in what the host printed. A banner around it is ignored, and so are line breaks in it.

    :raises DeclinedError: there is none
    """
    parts = output.split(mark)
    try:
        given = json.loads("".join(parts[1].splitlines()))
        if isinstance(given, int):
            raise DeclinedError(_REFUSALS[given])
        if not isinstance(given, dict):
            raise TypeError(given)
        return _report(given)
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError):  # of Base64 too
        raise DeclinedError("the host gave no usable answer") from None


def _report(given: Mapping[str, Any]) -> Report:
    """
    :raises ArithmeticError, LookupError, TypeError, ValueError: it has another form
    """
    adapters = [
        Adapter(_text(one["name"]), _text(one["mac"]), one["up"] is True, list(map(_text, one["addresses"])))
        for one in given.get("adapters", ())
    ]
    default = given.get("default_address")
    rows = json.loads(_text(given.get("rows", "{}")))
    return Report(
        elapsed=int(given["elapsed"]) / 1000,
        firmware=_bytes(given["firmware"]),
        response=_bytes(given.get("response")),
        failed="failure" in given,
        address=_text(given.get("local_address", "")),
        guest=WindowsGuest(adapters, None if default is None else _text(default), rows),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _bytes(value: Any) -> bytes | None:
    return None if value is None else base64.b64decode(value, validate=True)


class _Received:
    """A response that is here already, in the place of a connection."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._left = report.response or b""

    def settimeout(self, _seconds: float) -> None:
        """Nothing is waited for."""

    def sendall(self, _data: bytes) -> None:
        """It was sent."""

    def recv(self, size: int) -> bytes:
        data, self._left = self._left[:size], self._left[size:]
        return data

    def getsockname(self) -> tuple[str, int]:
        return self._report.address, 0

    def getpeername(self) -> tuple[str, int]:
        return "", 0  # facts do not tell


def judged(report: Report, chosen: Settings, target: str) -> tuple[dict[str, Any], list[str]]:
    """The azure_imds fact and warnings, as the module would have found them.

    :param target: what was asked for
    :raises DeclinedError: there is no usable answer with status 200, or there was no telling whether to ask
    """
    firmware = report.firmware
    detection = platform.detect(
        chosen.chassis_asset_tag,
        lambda: platform.judge(_smbios.chassis_asset_tag(firmware), "SMBIOS enclosure"),
    )
    warnings: list[str] = []
    if detection.azure or chosen.detect == "force":
        if report.failed or report.response is None:
            raise DeclinedError("the host got no answer from IMDS")
        client = _client(report, chosen, target)
        fact, warnings = gather.ask(chosen, client, report.guest)
        if not fact["available"]:
            raise DeclinedError(f"the host's answer from IMDS means {fact['reason']}")
    elif detection.azure is None:
        raise DeclinedError("the firmware can't be read from the registry")
    else:
        fact = gather.unavailable(*platform.miss(detection))
    gather.complete(fact, chosen, detection, report.elapsed, DELIVERY)
    return fact, warnings


def _client(report: Report, chosen: Settings, target: str) -> imds.Client:
    """A client that is given what the host received, and nothing more."""

    def get(_address: Any, wanted: str, *_others: Any) -> transport.Response:
        if wanted != target:
            raise DeclinedError("IMDS does not know this API version")
        return transport.exchange(cast(socket, _Received(report)), b"", 1.0)

    def sleep(_seconds: float) -> None:
        raise DeclinedError("IMDS has to be asked again")

    def same_machine(vm_id: str) -> bool | None:
        uuid = _smbios.system_uuid(report.firmware)
        return platform.same_uuid(vm_id, uuid.hex() if uuid else None)

    return imds.Client(chosen, get, sleep=sleep, same_machine=same_machine)
