#!/usr/bin/python
# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: azure_imds_local_facts
version_added: 0.1.0
short_description: Install a script that adds the facts of an Azure VM to every setup
description:
  - Installs an executable C(azure_imds.fact) where M(ansible.builtin.setup) looks for local facts. From then on,
    C(ansible_facts.ansible_local.azure_imds) contains what M(imds.azure.azure_imds_facts) returns as C(ansible_facts.azure_imds).
  - The script is the collection's own code in one file. It needs only Python.
  - On a host that is not an Azure VM, the script sends nothing. It never fails, so it can't break M(ansible.builtin.setup).
    If there are no facts, C(ansible_facts.ansible_local.azure_imds.available) is V(false).
  - The module does not run on Windows, because the script needs Python. The role P(imds.azure.azure_imds#role) skips it there.
extends_documentation_fragment:
  - imds.azure._attributes
  - imds.azure._attributes.actiongroup_imds
  - imds.azure._imds
  - imds.azure._imds.facts
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Shows the version, options and interpreter of the script, not its content.
  platform:
    description: Target OS/families that can be operated against.
    support: full
    platforms: posix
    details:
      - The script needs Python, so there is no Windows version.
options:
  state:
    description:
      - V(present) installs or updates the script, V(absent) removes it.
    type: str
    choices: [present, absent]
    default: present
  path:
    description:
      - Directory of the script. It is created if it is missing.
      - If it is not the default, set O(ansible.builtin.setup#module:fact_path) for M(ansible.builtin.setup) as well.
    type: path
    default: /etc/ansible/facts.d
  python:
    description:
      - Interpreter that runs the script.
      - By default the one that runs this module. Another one also works, but is slower, because the script contains code
        compiled for the one that runs this module.
    type: path
  connect_timeout:
    description:
      - Seconds to wait for the TCP connection.
    type: float
    default: 1
  read_timeout:
    description:
      - Seconds to wait for the complete answer once connected.
    type: float
    default: 4
  timeout:
    description:
      - Seconds for the whole operation, including all retries and waits. Every M(ansible.builtin.setup) waits this long at most.
    type: float
    default: 5
  updating_timeout:
    description:
      - Seconds to allow instead of O(timeout) while IMDS answers that it is being updated, which takes up to 70 seconds.
    type: float
    default: 5
seealso:
  - module: imds.azure.azure_imds_facts
  - module: ansible.builtin.setup
author:
  - imds.azure contributors (@imds)
"""

EXAMPLES = r"""
- name: Add the facts to every setup
  imds.azure.azure_imds_local_facts:
  become: true

- name: Gather the local facts
  ansible.builtin.setup:
    gather_subset: ["!all", "!min", local]

- name: Install the agent on Azure only
  ansible.builtin.package:
    name: my-agent
    state: present
  when: ansible_facts.ansible_local.azure_imds.available

- name: Install it for a user who is not root
  imds.azure.azure_imds_local_facts:
    path: ~/facts.d

- name: Remove it
  imds.azure.azure_imds_local_facts:
    state: absent
  become: true
"""

RETURN = r"""
path:
  description: Path of the script.
  returned: always
  type: str
  sample: /etc/ansible/facts.d/azure_imds.fact
python:
  description: Interpreter that runs the script.
  returned: O(state=present)
  type: str
  sample: /usr/bin/python3
version:
  description: Version of the collection that the script comes from.
  returned: O(state=present)
  type: str
  sample: 0.1.0
options:
  description: Options of the script that differ from the defaults.
  returned: O(state=present)
  type: dict
  sample: {"load_balancer": true}
"""

from ansible_collections.imds.azure.plugins.module_utils._imds import interpreter

interpreter.start(interpreter.fail_module)  # ahead of what an older Python can't compile

import errno
import os
import sys
import tempfile
from typing import Any, Optional

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.imds.azure.plugins.module_utils import _local_facts as local_facts
from ansible_collections.imds.azure.plugins.module_utils._imds import release
from ansible_collections.imds.azure.plugins.module_utils._imds.local_fact import DEFAULTS
from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError, settings
from ansible_collections.imds.azure.plugins.module_utils._module import argument_spec, facts_spec, keep_loaded

NAME = "azure_imds.fact"
MODE = 0o755


def script_spec() -> dict[str, Any]:
    """The options that go into the script."""
    spec = {**argument_spec(), **facts_spec()}
    for name, seconds in DEFAULTS.items():
        spec[name]["default"] = seconds
    return spec


def main() -> None:
    spec = script_spec()
    module = AnsibleModule(
        argument_spec={
            **spec,
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "path": {"type": "path", "default": "/etc/ansible/facts.d"},
            "python": {"type": "path"},
        },
        supports_check_mode=True,
    )
    try:
        result = run(module, spec)
    except (OptionError, local_facts.ScriptError) as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(
            msg=f"path: {error.filename}: {error.strerror}. Give a directory that this user may write to, or use become."
        )
    module.exit_json(**result)


def run(module: AnsibleModule, spec: dict[str, Any]) -> dict[str, Any]:
    params = module.params
    if not os.path.isabs(params["path"]):
        raise OptionError("path", f"{params['path']!r} is not absolute; give the whole path of the directory")
    path = os.path.join(params["path"], NAME)
    installed = read(path)
    wanted: Optional[bytes] = None
    result: dict[str, Any] = {"path": path}
    if params["state"] == "present":
        options = {name: params[name] for name in spec if params[name] != spec[name].get("default")}
        settings({**DEFAULTS, **options})  # refuses here what the script could only report
        python = executable(params["python"])
        wanted = local_facts.build(local_facts.core(), options, python)
        result.update(python=python, version=release.VERSION, options=options)
        if local_facts.same(installed, wanted):
            wanted = installed
    result["changed"] = installed != wanted
    if result["changed"] and not module.check_mode:
        put(module, path, wanted)
    if wanted is not None:
        result["changed"] = module.set_mode_if_different(path, MODE, result["changed"])
    if module._diff:
        before, after = local_facts.describe(installed), local_facts.describe(wanted)
        result["diff"] = {"before": before, "after": after, "before_header": path, "after_header": path}
    return result


def executable(wanted: Optional[str]) -> str:
    python = wanted or sys.executable
    if not python or not os.access(python, os.X_OK):
        raise OptionError(
            "python", f"{python!r} can't be executed on this host; give the path of a Python 3.9 or newer"
        )
    return python


def read(path: str) -> Optional[bytes]:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def put(module: AnsibleModule, path: str, script: Optional[bytes]) -> None:
    """Write the script in one step, so that a setup meets the old one or the new one; None removes it."""
    if script is None:
        os.unlink(path)
        return
    directory = os.path.dirname(path)
    os.makedirs(directory, MODE, exist_ok=True)
    if not os.access(directory, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), directory)
    descriptor, temporary = tempfile.mkstemp(dir=module.tmpdir)
    with os.fdopen(descriptor, "wb") as file:
        file.write(script)
    os.chmod(temporary, MODE)
    module.atomic_move(temporary, path)


if __name__ == "__main__":
    keep_loaded()
    main()
