# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables of the IMDS core as C#."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping

from ansible_collections.imds.azure.plugins.module_utils._events import terms
from ansible_collections.imds.azure.plugins.module_utils._identity import resources, vault
from ansible_collections.imds.azure.plugins.module_utils._imds import disks, fields, paths, reasons, retry, versions
from ansible_collections.imds.azure.plugins.plugin_utils import _windows_disks, _windows_guest
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan import windows_report

_WIDTH = 120


def literal(value: object) -> str:
    """A string, number or truth value as C# writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{value:g}" if isinstance(value, float) else str(value)


def constructed(name: str, values: Iterable[object], indent: int, end: str) -> list[str]:
    """new NAME(...), on one line where it fits below an indentation, else with one argument per line."""
    arguments = [literal(value) for value in values]
    line = f"new {name}({', '.join(arguments)}){end}"
    if indent + len(line) <= _WIDTH:
        return [line]
    lines = [f"new {name}("]
    for number, argument in enumerate(arguments):
        last = number == len(arguments) - 1
        lines += _broken(argument, 4, _WIDTH - indent, f"){end}" if last else ",")
    return lines


def _broken(argument: str, indent: int, width: int, end: str) -> list[str]:
    """A string literal that is too long for a line, as a sum of several."""
    margin = " " * indent
    if indent + len(argument) + len(end) <= width:
        return [margin + argument + end]
    room = width - indent - len('+ ""') - len(end)
    parts = textwrap.wrap(argument[1:-1], room, drop_whitespace=False, break_on_hyphens=False, break_long_words=False)
    return [
        f'{margin}{"+ " if number else ""}"{part}"{end if number == len(parts) - 1 else ""}'
        for number, part in enumerate(parts)
    ]


def _pairs(entries: Mapping[str, str] | Mapping[int, str]) -> list[str]:
    return [f"    {{ {literal(key)}, {literal(value)} }}," for key, value in entries.items()]


def _array(declaration: str, values: Iterable[str]) -> list[str]:
    return [declaration, "{", *(f"    {literal(value)}," for value in values), "};"]


def field_table() -> list[str]:
    rows = [line for field in fields.FIELDS for line in constructed("Field", vars(field).values(), 12, ",")]
    return ["public static readonly Field[] Table =", "{", *(f"    {row}" for row in rows), "};"]


def guest() -> list[str]:
    kind = "public static readonly string[]"
    return [
        *_array(f"{kind} GuestFacts =", fields.GUEST_FACTS),
        *_array(f"{kind} Nic =", fields.NIC),
        *_array(f"{kind} Device =", fields.WINDOWS_DEVICE),
    ]


def adapters() -> list[str]:
    return [
        f"private const string Mana = {literal(_windows_guest.MANA)};",
        *_array("private static readonly string[] Vf =", _windows_guest.VF),
    ]


def disk_names() -> list[str]:
    """What tells the kinds of disks apart, in lower case."""
    tables = {
        "Virtual": _windows_disks.VIRTUAL,
        "RemoteNvme": _windows_disks.REMOTE_NVME,
        "LocalNvme": _windows_disks.LOCAL_NVME,
        "Ata": _windows_disks.ATA,
        "Scsi": _windows_disks.SCSI,
        "Nvme": _windows_disks.NVME,
    }
    name = "Dictionary<string, string>"
    return [
        *(
            line
            for table, each in tables.items()
            for line in _array(f"private static readonly string[] {table} =", each)
        ),
        f"private const string RemoteNvmePath = {literal(_windows_disks.REMOTE_NVME_PATH)};",
        f"private const string LocalNvmePath = {literal(_windows_disks.LOCAL_NVME_PATH)};",
        f"private static readonly {name} Styles = new {name}",
        *("{", *_pairs(_windows_disks.STYLES), "};"),
    ]


def disk_messages() -> list[str]:
    name = "Dictionary<string, string>"
    tables = {
        "Unreadable": {code: disks.UNREADABLE[code] for code in _windows_disks.UNREADABLE},
        "Contradictions": {code: disks.CONTRADICTIONS[code] for code in _windows_disks.CONTRADICTIONS},
    }
    lines = []
    for table, entries in tables.items():
        lines += [f"private static readonly {name} {table} = new {name}", "{"]
        for code, message in entries.items():
            lines += ["    {", f"        {literal(code)},", *_broken(literal(message), 8, _WIDTH - 8, ""), "    },"]
        lines.append("};")
    return lines


def containers() -> list[str]:
    name = "Dictionary<string, string>"
    return [f"public static readonly {name} Containers = new {name}", "{", *_pairs(fields.CONTAINERS), "};"]


def typed_keys() -> list[str]:
    name = "HashSet<string>"
    return [
        *_array(f"public static readonly {name} Integers = new {name}", sorted(fields.INTEGERS)),
        *_array(f"public static readonly {name} Booleans = new {name}", sorted(fields.BOOLEANS)),
    ]


def leaves() -> list[str]:
    name = "HashSet<string>"
    return _array(f"public static readonly {name} Leaves = new {name}", sorted(paths.leaves()))


def clouds() -> list[str]:
    name = "Dictionary<string, Cloud>"
    lines = [f"public static readonly {name} Clouds = new {name}", "{"]
    for cloud, endpoints in fields.CLOUDS.items():
        made = constructed("Cloud", endpoints.values(), 16, "")
        lines += ["    {", f"        {literal(cloud)},", *(f"        {line}" for line in made), "    },"]
    return [*lines, "};"]


def reason_table() -> list[str]:
    rows = [
        line
        for reason in reasons.REASONS.values()
        for line in constructed("ImdsReason", vars(reason).values(), 12, ",")
    ]
    return ["public static readonly ImdsReason[] Table =", "{", *(f"    {row}" for row in rows), "};"]


def rules(table: str, rules: Mapping[str, retry.Rule]) -> list[str]:
    name = "Dictionary<string, Rule>"
    lines = [f"public static readonly {name} {table} = new {name}", "{"]
    for outcome, rule in rules.items():
        arguments = [literal(rule.reason)]
        if rule.waits:
            arguments.append(f"new double[] {{ {_numbers(rule.waits)} }}")
        if rule.jitter:
            arguments.append(literal(rule.jitter))
        lines.append(f"    {{ {literal(outcome)}, new Rule({', '.join(arguments)}) }},")
    return [*lines, "};"]


def resource_names() -> list[str]:
    name = "Dictionary<string, string[]>"
    lines = [
        "// The clouds as azEnvironment in the instance document calls them.",
        *_array("public static readonly string[] Clouds =", resources.CLOUDS),
        "",
        "// Name -> the URI in each of Clouds; empty where the service is not there or its URI is not known.",
        f"public static readonly {name} Names = new {name}",
        "{",
    ]
    for resource, uris in resources.NAMES.items():
        lines += ["    {", f"        {literal(resource)},", "        new[]", "        {"]
        lines += [*(f"            {literal(uri)}," for uri in uris), "        }", "    },"]
    return [*lines, "};"]


def vault_tables() -> list[str]:
    rows = [
        line for reason in vault.REASONS.values() for line in constructed("VaultReason", vars(reason).values(), 12, ",")
    ]
    waits, refusals = "Dictionary<string, double[]>", "Dictionary<string, string>"
    return [
        *("public static readonly VaultReason[] Reasons =", "{", *(f"    {row}" for row in rows), "};", ""),
        "// Seconds before each further try, of an answer or a failure that may be another one next time.",
        *(f"public static readonly {waits} Waits = new {waits}", "{"),
        *(f"    {{ {literal(code)}, new double[] {{ {_numbers(each)} }} }}," for code, each in vault.WAITS.items()),
        *("};", "", "// What the vault calls its refusals, in innererror."),
        *(f"public static readonly {refusals} Refusals = new {refusals}", "{", *_pairs(vault._REFUSALS), "};"),
    ]


def _numbers(values: Iterable[float]) -> str:
    return ", ".join(literal(value) for value in values)


def statuses() -> list[str]:
    name = "Dictionary<int, string>"
    return [f"public static readonly {name} ByStatus = new {name}", "{", *_pairs(retry.BY_STATUS), "};"]


def version_tables() -> list[str]:
    return [
        f"// All {len(versions.INSTANCE)} that IMDS documents, oldest first.",
        *_array("public static readonly string[] Instance =", versions.INSTANCE),
        "",
        "// Versions that IMDS knows without documenting them.",
        *_array("public static readonly string[] Undocumented =", versions.UNDOCUMENTED),
        "",
        "// The newest version that this release was tested with, then the ones that each brought much.",
        *_array("public static readonly string[] Ladder =", versions.LADDER),
        "",
        f"public const string LoadBalancerSince = {literal(versions.LOAD_BALANCER_SINCE)};",
        f"public const string AttestedSince = {literal(versions.ATTESTED_SINCE)};",
        f"public const string TagsListSince = {literal(versions.TAGS_LIST_SINCE)};",
    ]


def event_terms() -> list[str]:
    words = {"EventTypes": terms.EVENT_TYPES, "Statuses": terms.STATUSES, "Sources": terms.SOURCES}
    single = {
        "Advice": terms.ADVICE,
        "Scheduled": terms.SCHEDULED,
        "Started": terms.STARTED,
        "Preview": terms.PREVIEW,
        "Default": terms.DEFAULT,
        "Newest": terms.NEWEST,
    }
    return [
        "// Oldest first.",
        *_array("public static readonly string[] Versions =", terms.VERSIONS),
        *(line for name, each in words.items() for line in _array(f"public static readonly string[] {name} =", each)),
        *(f"public const string {name} = {literal(word)};" for name, word in single.items()),
    ]


def interface_marks() -> list[str]:
    """What tells the kinds of Windows' interfaces apart, in lower case."""
    tables = {
        "ClusterMarks": windows_report._CLUSTER,
        "TunnelMarks": windows_report._TUNNELS,
        "TunnelTypes": windows_report._TUNNEL_TYPES,
        "LoopbackTypes": windows_report._LOOPBACK_TYPES,
        "InnerSwitches": windows_report._INNER_SWITCHES,
    }
    return [
        line for name, table in tables.items() for line in _array(f"private static readonly string[] {name} =", table)
    ]
