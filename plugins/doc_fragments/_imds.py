# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules that ask IMDS have in common. PRIVATE to this collection."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  api_version:
    description:
      - The API version to use, a date such as V(2025-04-07). A version that this release does not know is used with a
        warning.
      - By default the newest version that this release was tested with. If IMDS does not know it, the module uses the newest
        older version that IMDS offers.
    type: str
  timeout:
    description:
      - Seconds for the whole operation, including all retries and waits.
      - Raise it to 300 for a host that may still be booting.
      - A module waits and asks again if IMDS throttles it, fails or does not answer. If all this takes more than 10 seconds, a
        warning says how long it took and what was seen.
    type: float
    default: 30
  updating_timeout:
    description:
      - Seconds to allow instead of O(timeout) while IMDS answers that it is being updated (status 410), which takes up to
        70 seconds. With the default a task can take 100 seconds then.
    type: float
    default: 100
notes:
  - Requests never go through a proxy, whatever the environment, a netrc file or the system settings say. Redirects are never
    followed.
  - IMDS describes the machine on which the module runs. With C(delegate_to) or a local connection, that is not the machine for
    which the facts are stored.
"""

    # How to reach IMDS, for tokens too.
    ENDPOINT = r"""
options:
  detect:
    description:
      - V(auto) sends nothing to IMDS unless the firmware's chassis asset tag says that this is an Azure VM.
      - V(force) skips that check. The emulator and Azure Stack need it.
    type: str
    choices: [auto, force]
    default: auto
  chassis_asset_tag:
    description:
      - The chassis asset tag, if it is already known, usually C(ansible_facts.chassis_asset_tag).
      - By default the module reads the tag itself.
    type: str
  endpoint:
    description:
      - Where IMDS listens, C(http://ADDRESS) or C(http://ADDRESS:PORT). Host names are not resolved.
      - Addresses other than the default and loopback need O(detect=force).
    type: str
    default: http://169.254.169.254
  connect_timeout:
    description:
      - Seconds to wait for the TCP connection to IMDS.
    type: float
    default: 2
  read_timeout:
    description:
      - Seconds to wait for the complete answer from IMDS once connected.
    type: float
    default: 10
"""

    FACTS = r"""
options:
  include_user_data:
    description:
      - Include the Base64 text of user data and custom data in the facts, not only its length and hash.
      - Fact caches store facts in clear text, and user data often contains passwords.
    type: bool
    default: false
  include_public_keys:
    description:
      - Include the complete public SSH keys in the facts, not only type, path and fingerprint.
    type: bool
    default: false
  load_balancer:
    description:
      - If the VM has no public address of its own, ask the load balancer endpoint for the address under which it is reached.
        That is a second request.
      - The load balancer endpoint exists since API version 2020-10-01. With an older O(api_version), the address stays unknown.
    type: bool
    default: false
"""
