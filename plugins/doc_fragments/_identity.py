# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules that get tokens of managed identities have in common. PRIVATE to this collection."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  client_id:
    description:
      - Client ID of the identity to use.
      - Name an identity with this, O(object_id) or O(msi_res_id), or with none of them. Without one, the system-assigned identity
        is used, or the only user-assigned identity. Where several are assigned and none is the system-assigned one, the identity has
        to be named.
    type: str
  object_id:
    description:
      - Object ID (principal ID) of the identity to use, instead of O(client_id).
    type: str
  msi_res_id:
    description:
      - Resource ID of the user-assigned identity to use, instead of O(client_id). It begins with C(/subscriptions/).
    type: str
  bypass_cache:
    description:
      - Ask for a fresh token. IMDS hands out the same token for up to a day, without the groups and roles that the identity was
        given meanwhile.
    type: bool
    default: false
  identity_wait:
    description:
      - Seconds to keep asking while IMDS does not know the identity. A new assignment takes a while to reach the VM.
      - Has to be less than O(timeout).
    type: float
    default: 0
  arc:
    description:
      - V(auto) asks the Azure Connected Machine agent on a host that is not an Azure VM, if the agent is there. That takes root or a
        member of the group C(himds), and on Windows an administrator or a member of the group
        C(Hybrid agent extension applications).
      - V(never) asks IMDS only, V(always) asks the agent only.
      - A machine that is connected through Azure Arc has one identity, so O(client_id), O(object_id) and O(msi_res_id) are errors
        there.
    type: str
    choices: [auto, never, always]
    default: auto
  dest:
    description:
      - Absolute path of the file on the host that is written, in one step. The file is private from the start.
      - Its directory has to exist. A directory that everybody may write to, such as C(/tmp), is refused. On Windows that is one
        whose access control list lets a group such as C(Users) or C(Authenticated Users) create or remove files, which most
        directories inherit.
    type: path
  owner:
    description:
      - User that owns O(dest). By default the user that runs the module.
      - On Windows, the user or group that may use O(dest) besides C(SYSTEM) and the administrators, as a name or a SID. Only an
        administrator may give the file to another user.
    type: str
  group:
    description:
      - Group of O(dest). By default the group of new files.
      - On Windows, a group that may use O(dest) as the second digit of O(mode) says. By default there is none.
    type: str
  mode:
    description:
      - Permissions of O(dest), octal and in quotes. Whatever gives everybody access is refused.
      - On Windows, the digits become entries of the access control list, which inherits nothing. C(SYSTEM) and the administrators
        have full access in any case.
    type: str
    default: "0600"
  api_version:
    description:
      - The API version to ask for a token with. By default C(2018-02-01), the first that has identities, which is the one that all
        clients of Microsoft use.
    type: str
  timeout:
    description:
      - Seconds for the whole operation, including all retries and waits. The default outlasts an update of IMDS, which takes up to
        70 seconds.
    type: float
    default: 90
notes:
  - IMDS is never asked through a proxy, whatever the environment says. Redirects are not followed.
  - IMDS knows the identities of the machine on which the module runs. With C(delegate_to) or a local connection, that is
    another one than the task's host.
"""
