# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""An undefined variable is reported by its name, by every filter; ansible-core before 2.19 hands them to filters."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from jinja2 import StrictUndefined, UndefinedError

PACKAGE = "ansible_collections.imds.azure.plugins.filter"
FILTERS = sorted(file.stem for file in (Path(__file__).parents[4] / "plugins" / "filter").glob("*.py"))
FURTHER_ARGUMENTS: dict[str, list[Any]] = {"tag": ["name"], "maintenance_plan": [[], []]}


@pytest.mark.parametrize("name", FILTERS)
def test_the_undefined_variable_is_named(name: str) -> None:
    function = import_module(f"{PACKAGE}.{name}").FilterModule().filters()[name]
    with pytest.raises(UndefinedError, match="'nope' is undefined"):
        function(StrictUndefined(name="nope"), *FURTHER_ARGUMENTS.get(name, []))
