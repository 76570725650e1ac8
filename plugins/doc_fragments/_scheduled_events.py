# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules for scheduled events have in common. PRIVATE to this collection.

To be named ahead of the fragment _imds, whose api_version it replaces: of two fragments, the first one wins.
"""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  api_version:
    description:
      - The API version to use, a date. Scheduled events have versions of their own, V(2017-08-01), V(2019-08-01), V(2020-07-01) and
        V(2024-07-09) among them.
      - V(newest) asks for V(2024-07-09), and for V(2020-07-01) where IMDS does not have that yet.
      - Types and fields that are newer than the version are missing from the answer. V(SpotRebalanceRecommendation) needs
        V(2024-07-09).
      - A version that this release does not know is used with a warning.
    type: str
    default: "2020-07-01"
  first_timeout:
    description:
      - Seconds to allow for the first answer, instead of O(timeout) and O(read_timeout) if they are less.
      - The first request switches scheduled events on for the VM, which takes up to two minutes. After 24 hours without a
        request they are off again.
    type: float
    default: 130
  event_types:
    description:
      - Only events of these types.
      - By default events of all types, including those that this release does not know.
    type: list
    elements: str
    choices: [Freeze, Reboot, Redeploy, Preempt, Terminate, SpotRebalanceRecommendation]
  sources:
    description:
      - Only events that the platform or a user caused. Needs API version 2019-08-01 or newer.
    type: list
    elements: str
    choices: [Platform, User]
  statuses:
    description:
      - Only events that are scheduled, or have started.
    type: list
    elements: str
    choices: [Scheduled, Started]
  event_ids:
    description:
      - Only these events, by their C(event_id). Upper and lower case are the same.
      - An event must match all filters that are given. An empty list matches no event.
    type: list
    elements: str
  mine:
    description:
      - Only events that name this VM. IMDS also shows a VM the events of those that share its maintenance domain, such as its
        availability set or the placement group of its scale set.
      - With V(false), the events of those VMs too.
      - The VM's name is asked from IMDS. In a scale set it differs from the host name.
    type: bool
    default: true
  within:
    description:
      - Only events that start within so many seconds. Events that have started, or whose time is unknown, match too.
    type: int
notes:
  - Reading switches scheduled events on for the VM. Events show up within five minutes of that.
"""
