# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attributes that the modules state about themselves. PRIVATE to this collection."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
  diff_mode:
    description: Returns details on what has changed, or possibly needs changing in C(check_mode), when in diff mode.
"""

    READ_ONLY = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - This module only reads.
  diff_mode:
    support: N/A
    details:
      - This module changes nothing.
"""

    PLATFORMS = r"""
options: {}
attributes:
  platform:
    description: Target OS/families that can be operated against.
    support: full
    platforms: posix, windows
    details:
      - Needs Python 3.9 or newer on the host, or PowerShell 5.1 or newer on Windows.
"""

    ONE_COMMAND = r"""
options: {}
attributes:
  action:
    description: Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
    support: full
    details:
      - Where the host allows it, the task is one remote command, and nothing is written on the host. Everywhere else, an ordinary
        module is run. The R(scaling guide,ansible_collections.imds.azure.docsite.scaling) says when.
  async:
    description: Supports being used with the C(async) keyword.
    support: full
    details:
      - Asynchronous tasks are ordinary modules.
"""

    FACTS = r"""
options: {}
attributes:
  facts:
    description: Action returns an C(ansible_facts) dictionary that will update existing host facts.
    support: full
"""

    ACTIONGROUP_IMDS = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/imds.azure.imds) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - imds.azure.imds
"""
