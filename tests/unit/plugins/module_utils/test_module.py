# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.imds.azure.plugins.module_utils import _module

MODULES = sorted((Path(str(_module.__file__)).parents[1] / "modules").glob("*.py"))


@pytest.fixture(autouse=True)
def thaw() -> Iterator[None]:
    gc.unfreeze()
    yield
    gc.unfreeze()


def test_what_is_loaded_is_kept_from_the_collector() -> None:
    _module.keep_loaded()
    assert gc.get_freeze_count() > 1000


def test_a_python_that_can_not_keep_it_runs_the_module_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(gc, "freeze")
    _module.keep_loaded()
    assert gc.get_freeze_count() == 0


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.stem))
def test_every_module_starts_so(file: Path) -> None:
    assert file.read_text(encoding="utf-8").endswith('if __name__ == "__main__":\n    keep_loaded()\n    main()\n')
