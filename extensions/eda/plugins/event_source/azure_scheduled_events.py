# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Event source of ansible-rulebook: scheduled events of Azure VMs."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

DOCUMENTATION = r"""
name: azure_scheduled_events
short_description: Scheduled events of Azure VMs, such as maintenance and the eviction of Spot VMs
description:
  - Without O(listen), the source watches the VM that it runs on. IMDS shows it the events of all VMs that it is
    maintained together with, such as the members of its availability set; see O(mine).
  - With O(listen), it receives what the watchers of other VMs post, which the role
    P(imds.azure.azure_imds_event_watcher#role) installs.
  - Each event is put into the queue once for each of its phases, as C(azure_scheduled_event), with the keys that
    M(imds.azure.azure_imds_scheduled_events_info) returns. C(meta) contains C(phase), and in C(host) the name of the VM
    that saw it.
  - What is there when the source starts is put into the queue, too.
options:
  listen:
    description:
      - Where to receive what watchers post, as C(ADDRESS:PORT), such as V(0.0.0.0:5020).
    type: str
  token:
    description:
      - What watchers must send as C(Authorization), after C(Bearer). Required unless O(listen) is a loopback address.
    type: str
  certfile:
    description:
      - File with the certificate of the server, and its chain, in PEM. With it, the source speaks TLS.
    type: str
  keyfile:
    description:
      - File with the key of the certificate, if O(certfile) does not contain it.
    type: str
  phases:
    description:
      - Phases that count, when watching.
    type: list
    elements: str
    choices: [new, updated, started, gone]
    default: [new, updated, started, gone]
  event_types:
    description:
      - Types of events that count, when watching. By default all of them do, also types that this release does not
        know.
    type: list
    elements: str
    choices: [Freeze, Reboot, Redeploy, Preempt, Terminate, SpotRebalanceRecommendation]
  sources:
    description:
      - Sources of events that count, when watching. By default both do.
    type: list
    elements: str
    choices: [Platform, User]
  mine:
    description:
      - Whether only events count that name this VM, when watching.
    type: bool
    default: true
  interval:
    description:
      - Seconds from one request to the next, when watching.
    type: float
    default: 1
  longest_wait:
    description:
      - Seconds between requests at most, while IMDS does not answer or answers with errors.
    type: float
    default: 10
  api_version:
    description:
      - The API version of scheduled events. V(newest) means 2024-07-09, or 2020-07-01 where the host does not have that
        yet.
    type: str
    default: "2020-07-01"
  detect:
    description:
      - V(force) asks even where the firmware does not say that this is an Azure VM. The emulator and Azure Stack need
        it.
    type: str
    choices: [auto, force]
    default: auto
  endpoint:
    description:
      - Where IMDS listens, if not at C(http://169.254.169.254).
    type: str
  connect_timeout:
    description:
      - Seconds to wait for the TCP connection.
    type: float
  read_timeout:
    description:
      - Seconds to wait for the complete answer once connected. The first answer may take two minutes all the same.
    type: float
author:
  - imds.azure contributors (@imds)
"""

EXAMPLES = r"""
- name: Evictions of this Spot VM
  imds.azure.azure_scheduled_events:
    event_types: [Preempt]
    phases: [new]

- name: What the watchers of a fleet post
  imds.azure.azure_scheduled_events:
    listen: 0.0.0.0:5020
    token: "{{ event_token }}"
    certfile: /etc/ansible/rulebook.pem
"""


def _find_collection() -> None:
    """Let Python find the collection that this file belongs to. ansible-rulebook runs the file by its path only."""
    collection = Path(__file__).absolute().parents[4]
    if (collection.parent.name, collection.name) == ("imds", "azure"):
        sys.path.insert(0, str(collection.parents[2]))


async def main(queue: asyncio.Queue[Any], args: dict[str, Any]) -> None:
    """What ansible-rulebook calls."""
    _find_collection()
    from ansible_collections.imds.azure.plugins.plugin_utils._event_source.source import run

    await run(queue, args)
