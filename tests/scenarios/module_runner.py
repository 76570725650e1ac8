# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module's main() in this process, and compares what it documents with what it does."""

from __future__ import annotations

import importlib
import json
from collections.abc import Collection
from types import ModuleType
from typing import Any
from unittest import mock

import pytest
import yaml
from ansible.module_utils import basic
from ansible.module_utils.basic import AnsibleModule

try:
    from ansible.module_utils import testing
except ImportError:  # ansible-core 2.16
    testing = None

TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "dict": (dict,),
    "list": (list,),
}


def module_arguments(arguments: dict[str, Any]) -> Any:
    """A context in which a module takes these for its arguments."""
    if testing:
        return testing.patch_module_args(arguments)
    return mock.patch.object(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode())


def run(
    capsys: pytest.CaptureFixture[str], module: ModuleType, check: bool = False, reads: bool = True, **options: Any
) -> dict[str, Any]:
    """The JSON that the module prints; it has to print that and nothing else. warnings are in it, if there are any.

    :param reads: the module only reads, and has to say that it changed nothing
    """
    arguments = {
        **options,
        "_ansible_check_mode": check,
        "_ansible_remote_tmp": "/tmp",
        "_ansible_keep_remote_files": False,
    }
    # Ansible keeps warnings for the whole process.
    with (
        mock.patch.object(AnsibleModule, "warn") as warn,
        module_arguments(arguments),
        pytest.raises(SystemExit) as end,
    ):
        module.main()
    output = capsys.readouterr()
    assert output.err == ""
    result: dict[str, Any] = json.loads(output.out, parse_constant=_refuse)
    assert end.value.code == (1 if result.get("failed") else 0)
    assert "exception" not in result
    assert not reads or not result.get("changed")
    warnings = {"warnings": [call.args[0] for call in warn.call_args_list]} if warn.called else {}
    return {**result, **warnings}


def _refuse(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


class _CapturedError(Exception):
    pass


def argument_spec(module: ModuleType) -> dict[str, Any]:
    """What main() hands to AnsibleModule."""
    with mock.patch.object(module, "AnsibleModule", side_effect=_CapturedError) as made, pytest.raises(_CapturedError):
        module.main()
    assert made.call_args.kwargs["supports_check_mode"] is True
    spec: dict[str, Any] = made.call_args.kwargs["argument_spec"]
    return spec


def documented_options(module: ModuleType) -> dict[str, Any]:
    """The module's own, and those of the fragments that it names: imds.azure.FILE or imds.azure.FILE.PART."""
    documentation = yaml.safe_load(module.DOCUMENTATION)
    options: dict[str, Any] = dict(documentation.get("options", {}))
    for name in documentation["extends_documentation_fragment"]:
        file, _dot, part = name[len("imds.azure.") :].partition(".")
        fragment = importlib.import_module(
            f"ansible_collections.imds.azure.plugins.doc_fragments.{file}"
        ).ModuleDocFragment
        shared = yaml.safe_load(getattr(fragment, part.upper() or "DOCUMENTATION"))["options"]
        # As in Ansible, the module's own options win over those of fragments, and earlier fragments over later ones.
        options = {**shared, **options}
    return options


def assert_options_are_documented(module: ModuleType) -> None:
    spec, documented = argument_spec(module), documented_options(module)
    assert set(spec) == set(documented)
    for name, option in documented.items():
        assert option["type"] == spec[name]["type"], name
        assert option.get("elements") == spec[name].get("elements"), name
        assert option.get("default") == spec[name].get("default"), name
        assert option.get("choices") == spec[name].get("choices"), name
        assert option.get("required", False) == spec[name].get("required", False), name


def assert_documented(value: Any, documented: dict[str, Any], path: str, free: Collection[str] = ()) -> None:
    """value has the documented type, or is None; a dictionary has exactly the documented keys.

    Where the keys stand in the description or the sample only, each key that is there has to be named in it.

    :param free: paths of dictionaries that have keys from elsewhere too
    """
    if value is None or documented["type"] == "raw":
        return
    assert type(value) in TYPES[documented["type"]], f"{path} is no {documented['type']}: {value!r}"
    named = json.dumps(documented.get("sample", "")) + str(documented["description"])
    for entry in value if isinstance(value, list) else [value]:
        if "contains" in documented:
            known = set(documented["contains"])
            assert known == (set(entry) & known if path in free else set(entry)), path
            for key, inner in documented["contains"].items():
                assert_documented(entry[key], inner, f"{path}.{key}", free)
        elif isinstance(entry, dict) and path not in free:
            assert not [key for key in entry if key not in named], path
