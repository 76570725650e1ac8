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
  - imds.azure._imds.endpoint
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
      - Directory of the script. It is created if it is missing. It must belong to root or to the user who runs the module.
      - If it is not the default, set O(ansible.builtin.setup#module:fact_path) for M(ansible.builtin.setup) as well.
    type: path
    default: /etc/ansible/facts.d
  python:
    description:
      - Interpreter that runs the script.
      - By default the one that runs this module. Another one also works, but is slower, because the script contains code
        compiled for the one that runs this module.
      - It loads the script once when the module runs. If it is gone later, the script still prints a fact, whose C(reason) is
        V(no_interpreter).
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
import stat
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
    installed = read_script(path)
    wanted: Optional[bytes] = None
    result: dict[str, Any] = {"path": path}
    if params["state"] == "present":
        check_owner(params["path"])
        options = {name: params[name] for name in spec if params[name] != spec[name].get("default")}
        settings({**DEFAULTS, **options})  # refuses here what the script could only report
        python = executable(params["python"])
        wanted = local_facts.build(local_facts.core(), options, python)
        try_out(module, python, wanted, module.tmpdir)
        result.update(python=python, version=release.VERSION, options=options)
        if local_facts.same(installed, wanted) and is_own(path):
            wanted = installed
    result["changed"] = wanted is not installed
    if result["changed"] and not module.check_mode:
        put(path, wanted)
    if wanted is not None:
        result["changed"] = module.set_mode_if_different(path, MODE, result["changed"])
    if module._diff:
        before, after = local_facts.describe(installed), local_facts.describe(wanted)
        result["diff"] = {"before": before, "after": after, "before_header": path, "after_header": path}
    return result


def executable(wanted: Optional[str]) -> str:
    """The interpreter that the script is made for.

    :raises OptionError: it is no file that can be executed
    """
    python = wanted or sys.executable
    if not python or not os.path.isfile(python) or not os.access(python, os.X_OK):
        raise OptionError(
            "python", f"{python!r} can't be executed on this host; give the path of a Python 3.9 or newer"
        )
    return python


def try_out(module: AnsibleModule, python: str, script: bytes, directory: str) -> None:
    """Let the interpreter load the script once, without asking IMDS.

    :raises OptionError: it can't
    """
    descriptor, temporary = tempfile.mkstemp(dir=directory)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(script)
        command = [python, local_facts.FLAGS, temporary, "--check"]
        timeout = module.get_bin_path("timeout")
        command = [timeout, "60", *command] if timeout else command
        rc, out, err = module.run_command(command, data="", errors="surrogate_or_replace", handle_exceptions=False)
        if rc == 0 and out.strip() == release.VERSION:
            return
        said = (err.strip() or out.strip() or "nothing").splitlines()[-1][:300]
        raise OptionError("python", f"{python!r} can't run the script (exit status {rc}): {said}")
    except OSError as error:
        raise OptionError("python", f"{python!r} can't run the script: {error}") from None
    finally:
        os.unlink(temporary)


def check_owner(directory: str) -> None:
    """Refuse a directory that belongs to somebody else, who could replace what setup executes.

    :raises OptionError: it does
    """
    try:
        owner = os.stat(directory).st_uid
    except OSError:
        return  # it is made, or the error comes when it is used
    if owner not in (0, os.geteuid()):
        raise OptionError(
            "path",
            f"{directory} belongs to user {owner}, who could replace the script that setup executes as user "
            f"{os.geteuid()}; give it to root, or name another directory",
        )


def is_own(path: str) -> bool:
    """Whether the script is a file of this user; one of somebody else is replaced."""
    status = os.lstat(path)
    return stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()


def read_script(path: str) -> Optional[bytes]:
    """What is installed; a link counts as a foreign file.

    :raises OptionError: something else than a file is there
    """
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(status.st_mode):
        return b""
    if not stat.S_ISREG(status.st_mode):
        what = "a directory" if stat.S_ISDIR(status.st_mode) else "not a regular file"
        raise OptionError("path", f"{path} is {what}; remove it, or name another directory")
    with open(path, "rb") as file:
        return file.read()


def put(path: str, script: Optional[bytes]) -> None:
    """Write the script in one step, as a file of this user, so that a setup meets the old or the new one; None removes it.

    :raises OSError: it can't be written
    """
    if script is None:
        os.unlink(path)
        return
    directory = os.path.dirname(path)
    os.makedirs(directory, MODE, exist_ok=True)
    if not os.access(directory, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), directory)
    # Beside the old one, under a name that setup does not take for a fact.
    descriptor, temporary = tempfile.mkstemp(dir=directory, prefix=".azure_imds.", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(script)
        os.chmod(temporary, MODE)
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise


if __name__ == "__main__":
    keep_loaded()
    main()
