# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module that asks IMDS has in common. PRIVATE to this collection."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  api_version:
    description:
      - Pin the API version that is asked for.
      - Without it the newest version that this release was tested with is used. Where IMDS does not know that one,
        the next lower version that it offers is taken.
    type: str
    choices:
      # <generated versions: make generate>
      - "2017-03-01"
      - "2017-04-02"
      - "2017-08-01"
      - "2017-10-01"
      - "2017-12-01"
      - "2018-02-01"
      - "2018-04-02"
      - "2018-10-01"
      - "2019-02-01"
      - "2019-03-11"
      - "2019-04-30"
      - "2019-06-01"
      - "2019-06-04"
      - "2019-08-01"
      - "2019-08-15"
      - "2019-11-01"
      - "2020-06-01"
      - "2020-07-15"
      - "2020-09-01"
      - "2020-10-01"
      - "2020-12-01"
      - "2021-01-01"
      - "2021-02-01"
      - "2021-03-01"
      - "2021-05-01"
      - "2021-08-01"
      - "2021-10-01"
      - "2021-11-01"
      - "2021-11-15"
      - "2021-12-13"
      - "2023-07-01"
      - "2023-11-15"
      - "2024-03-15"
      - "2024-07-17"
      - "2025-04-07"
      # </generated>
  detect:
    description:
      - V(auto) sends nothing unless the firmware's chassis asset tag says that this is an Azure VM.
      - V(force) skips that check, as is needed for the emulator and for Azure Stack.
    type: str
    choices: [auto, force]
    default: auto
  chassis_asset_tag:
    description:
      - The chassis asset tag where it is known already, usually C(ansible_facts.chassis_asset_tag).
      - Without it, the module reads the tag itself.
    type: str
  endpoint:
    description:
      - Where IMDS listens, C(http://ADDRESS) or C(http://ADDRESS:PORT). Names are not looked up.
      - Any address other than the default and loopback needs O(detect=force).
    type: str
    default: http://169.254.169.254
  connect_timeout:
    description:
      - Seconds until a connection has to stand.
    type: float
    default: 2
  read_timeout:
    description:
      - Seconds from then until the whole answer has to be here.
    type: float
    default: 10
  timeout:
    description:
      - Seconds for everything, all tries and waits included.
      - Raise it to 300 for a host that may still be booting.
    type: float
    default: 30
  updating_timeout:
    description:
      - Seconds that take the place of O(timeout) while IMDS says that it is being updated, which takes it up to 70 seconds.
    type: float
    default: 100
notes:
  - Requests never go through a proxy, whatever the environment, a netrc file or the system settings say, and redirects are
    never followed.
  - IMDS belongs to the host on which the module runs. With C(delegate_to) or a local connection that is another machine
    than the one that the facts are stored for.
"""

    FACTS = r"""
options:
  include_user_data:
    description:
      - Put the Base64 text of user data and custom data into the facts, not only its length and hash.
      - Facts are kept in clear text in every fact cache, and user data often holds passwords.
    type: bool
    default: false
  include_public_keys:
    description:
      - Put the whole public SSH keys into the facts, not only type, path and fingerprint.
    type: bool
    default: false
  load_balancer:
    description:
      - Where the VM has no public address of its own, ask the load balancer endpoint for the one it is reached by.
        That is a second request.
      - The load balancer endpoint came with version 2020-10-01, so an older O(api_version) leaves the address unknown.
    type: bool
    default: false
"""
