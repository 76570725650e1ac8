# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Numbers given as text, under each culture: what Python reads, or an error that names the option."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.imds.azure.tests.powershell.session import Session
from ansible_collections.imds.azure.tests.powershell.shell import PLUGINS
from ansible_collections.imds.azure.tests.tools import powershell

# Decimal comma, comma and blank, another minus sign, other digits, and a language that has its own upper case of i.
CULTURES = ["", "en-US", "de-DE", "fr-FR", "de-CH", "sv-SE", "fa-IR", "ar-SA", "tr-TR"]

MODULES = sorted((PLUGINS / "modules").glob("*.ps1"))
UTILS = sorted((PLUGINS / "module_utils").glob("*.psm1"))

NUMERIC = [
    (path.stem, name, option["type"])
    for path in MODULES
    for name, option in powershell.argument_spec(path, UTILS)["options"].items()
    if option["type"] in ("float", "int")
]

# What each module needs to come to the point where it looks at its options, and to ask nobody.
OTHERS: dict[str, dict[str, Any]] = {
    "azure_imds_attest_windows": {"nonce": "0123456789"},
    "azure_imds_keyvault_secret_windows": {"vault": "kv-web", "name": "db", "return_secret": True},
    "azure_imds_route_fix_windows": {"request": {"mode": "collect"}},
    "azure_imds_scheduled_events_windows": {"state": "appeared"},
    "azure_imds_token_windows": {"resource": "arm"},
}
# Longer than any time may be. The message quotes the number that was read.
FLOATS = {"86401.5": "86401.5", "9e4": "90000.0", "-1.5": "-1.5"}


def test_there_are_numeric_options() -> None:
    assert {module for module, _name, _kind in NUMERIC} == {path.stem for path in MODULES}


def said(session: Session, module: str, name: str, value: Any, culture: str) -> str:
    options = {"chassis_asset_tag": "none", **OTHERS.get(module, {}), name: value}
    return str(session.run(module, options, culture=culture).get("msg"))


@pytest.mark.parametrize("culture", CULTURES)
@pytest.mark.parametrize(("module", "name", "kind"), NUMERIC)
def test_numbers_as_text(session: Session, module: str, name: str, kind: str, culture: str) -> None:
    if kind == "int":  # checked on the controller; here only its type is
        assert "convert to int" not in said(session, module, name, "12", culture)
        for wrong in ("1,5", "1.5", "1,000"):
            assert f"argument for {name} is of type" in said(session, module, name, wrong, culture)
        return
    # The route fix's own limit of a try is called by the name of what the core limits by it.
    called = "timeout" if name == "verify_timeout" else name
    for value, read in FLOATS.items():
        if name == "timeout" and module == "azure_imds_route_fix_windows":  # the route fix has another in its place
            assert "convert to float" not in said(session, module, name, value, culture)
            continue
        shown = f"{float(read):g}" if name == "identity_wait" else read
        expected = f"{called}: {shown} is "
        for given in (value, float(value)):
            assert said(session, module, name, given, culture).startswith(expected)
    for wrong in ("1,5", "1.000,5", "3\u00a0601", "\u06f1"):
        assert f"argument for {name} is of type" in said(session, module, name, wrong, culture)


@pytest.mark.parametrize("culture", CULTURES)
def test_what_is_returned_has_a_decimal_point(session: Session, culture: str) -> None:
    found = session.run("azure_imds_facts_windows", {"chassis_asset_tag": "none"}, culture=culture)
    meta = found["ansible_facts"]["azure_imds"]["meta"]
    assert isinstance(meta["elapsed"], (int, float))
    assert meta["collected_at"].startswith("20")
