# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for the list of pages that Ansible's documentation publishes, so that references to it resolve offline.

Modules, plugins and their options are those of the installed ansible-core, so a reference to one that does not exist
still breaks the build.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import ansible
from ansible.parsing.plugin_docs import read_docstring

# The labels in Ansible's guides that our pages, and those that antsibull-docs generates, refer to.
GUIDES = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}
PLUGIN_TYPES = ("filter", "inventory", "lookup")
HEADER = "# Sphinx inventory version 2\n# Project: ansible\n# Version: \n# The rest is compressed with zlib.\n"


def plugins() -> Iterator[tuple[str, Path]]:
    """The type and the file of each documented plugin of ansible-core."""
    home = Path(ansible.__file__).parent
    folders = [("module", home / "modules"), *((kind, home / "plugins" / kind) for kind in PLUGIN_TYPES)]
    for kind, folder in folders:
        for file in sorted([*folder.glob("*.py"), *folder.glob("*.yml")]):
            if "DOCUMENTATION" in file.read_text(encoding="utf-8"):
                yield kind, file


def labels() -> Iterator[tuple[str, str]]:
    """Each label and the page that it is on, relative to the root of Ansible's documentation."""
    yield from GUIDES.items()
    for kind, file in plugins():
        label = f"ansible_collections.ansible.builtin.{file.stem}_{kind}"
        page = f"collections/ansible/builtin/{file.stem}_{kind}.html"
        yield label, page
        documentation = read_docstring(str(file), verbose=False).get("doc") or {}
        for option in documentation.get("options") or {}:
            yield f"{label}__parameter-{option}", f"{page}#parameter-{option}"


def write(file: Path) -> None:
    """Write the list to a file, in the format of Sphinx' objects.inv."""
    lines = "".join(f"{label} std:label -1 {page} {label}\n" for label, page in sorted(labels()))
    file.write_bytes(HEADER.encode() + zlib.compress(lines.encode()))
