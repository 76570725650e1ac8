# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import importlib.util
import subprocess
import sys
import types
from pathlib import Path

import pytest
from ansible_collections.imds.azure.plugins.plugin_utils._attestation import dependencies

ROOT = Path(dependencies.__file__).parents[6]


def load_with(monkeypatch: pytest.MonkeyPatch, **modules: types.ModuleType | None) -> types.ModuleType:
    """The file as it looks where these modules are installed instead (``None``: not at all)."""
    for name in [name for name in sys.modules if name.split(".")[0] in modules]:
        monkeypatch.delitem(sys.modules, name)
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    spec = importlib.util.spec_from_file_location("dependencies_under_test", dependencies.__file__)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def test_this_controller_will_do() -> None:
    dependencies.require_cryptography()


def test_without_cryptography(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load_with(monkeypatch, cryptography=None)
    with pytest.raises(loaded.DependencyError, match=r"cryptography >= 42\.0\.0 on the controller; found none"):
        loaded.require_cryptography()


def test_old_cryptography(monkeypatch: pytest.MonkeyPatch) -> None:
    old = types.ModuleType("cryptography")
    old.__version__ = "41.0.7"  # type: ignore[attr-defined]
    loaded = load_with(monkeypatch, cryptography=old)
    with pytest.raises(loaded.DependencyError, match=r"found 41\.0\.7\. Install it"):
        loaded.require_cryptography()


def test_without_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load_with(monkeypatch, requests=None)
    assert loaded.find_requests() is None
    loaded.require_cryptography()


def test_requests_is_loaded_when_it_is_needed() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from ansible_collections.imds.azure.plugins.plugin_utils._attestation import anchors, verify, dependencies\n"
        "anchors.load_sources()\n"
        "print('requests' in sys.modules, dependencies.find_requests() is sys.modules.get('requests'))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(ROOT)], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.stdout == "False True\n", run.stderr


def test_certifi_is_found_without_being_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "certifi"
    package.mkdir()
    (package / "__init__.py").write_text("raise AssertionError")
    monkeypatch.syspath_prepend(str(tmp_path))
    dependencies.certifi_bundle.cache_clear()
    monkeypatch.delitem(sys.modules, "certifi", raising=False)
    assert dependencies.certifi_bundle() == str(package / "cacert.pem")
    dependencies.certifi_bundle.cache_clear()
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert dependencies.certifi_bundle() is None
    dependencies.certifi_bundle.cache_clear()


def test_the_verifier_loads_without_any_library() -> None:
    """Ansible loads a plugin before anyone can ask what is missing."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from ansible_collections.imds.azure.plugins.plugin_utils._attestation import anchors, verify, dependencies\n"
        "try: anchors.load_sources()\n"
        "except dependencies.DependencyError as error: print(error)\n"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(ROOT)], capture_output=True, text=True, timeout=60, check=False
    )
    assert "found none" in run.stdout, run.stderr
