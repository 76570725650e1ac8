#!/usr/bin/python
# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: azure_imds_scheduled_events_info
version_added: 0.1.0
short_description: Read the scheduled events of an Azure VM
description:
  - Reads the scheduled events of the host from the Azure Instance Metadata Service (IMDS), the maintenance, evictions and deletions
    that Azure has announced.
  - Events are typed. Times are ISO 8601, the seconds left are computed from the date of IMDS' answer, and each event says whether
    it names this VM, and whether it names this VM only.
  - Types, statuses and dates that this release does not recognize are kept, and C(unrecognized) names the keys in question.
  - To approve events, or to wait for them, use M(imds.azure.azure_imds_scheduled_events). Facts never contain events, because asking
    for them switches them on for the VM.
extends_documentation_fragment:
  - imds.azure._attributes
  - imds.azure._attributes.platforms
  - imds.azure._attributes.read_only
  - imds.azure._attributes.one_command
  - imds.azure._attributes.actiongroup_imds
  - imds.azure._scheduled_events
  - imds.azure._imds
  - imds.azure._imds.endpoint
options:
  required:
    description:
      - Fail if the events can't be read, instead of only giving the RV(reason).
    type: bool
    default: true
seealso:
  - module: imds.azure.azure_imds_scheduled_events
author:
  - imds.azure contributors (@imds)
"""

EXAMPLES = r"""
- name: See what awaits the VM
  imds.azure.azure_imds_scheduled_events_info:
  register: maintenance

- name: Show it
  ansible.builtin.debug:
    msg: "{{ item.event_type }} {{ item.event_status | lower }}, starts {{ item.not_before or 'now' }}"
  loop: "{{ maintenance.events }}"

- name: Read the reboots and redeployments of the next ten minutes
  imds.azure.azure_imds_scheduled_events_info:
    event_types: [Reboot, Redeploy]
    statuses: [Scheduled]
    within: 600
  register: urgent

- name: Stop here if there is one
  ansible.builtin.fail:
    msg: "This VM is about to restart, in {{ urgent.soonest.seconds_left }} seconds."
  when: urgent.soonest is not none

- name: Read the events of all VMs that share the maintenance domain, with the newest version
  imds.azure.azure_imds_scheduled_events_info:
    mine: false
    api_version: newest
  register: shared

- name: Ask hosts even if some of them are not Azure VMs
  imds.azure.azure_imds_scheduled_events_info:
    required: false
  register: maintenance
"""

RETURN = r"""
available:
  description: Whether IMDS showed its events. There may be none.
  returned: always
  type: bool
  sample: true
reason:
  description: How the request ended, V(ok) or another of the R(reason codes,ansible_collections.imds.azure.docsite.reasons).
  returned: always
  type: str
  sample: ok
remedy:
  description: What to do about it, V(null) if nothing is wrong.
  returned: always
  type: str
vm_name:
  description: The name of this VM, by which events name it. V(null) if IMDS does not tell, as on a classic VM.
  returned: always
  type: str
  sample: web-1
document_incarnation:
  description: Changes whenever the events do, and starts over after events were off.
  returned: always
  type: int
  sample: 2
events:
  description: The events that match all filters, in the order of IMDS.
  returned: always
  type: list
  elements: dict
  contains:
    event_id:
      description: What identifies the event, also after it has started.
      type: str
      sample: 602d9444-d2cd-49c7-8624-8643e7171297
    event_type:
      description:
        - V(Freeze), V(Reboot), V(Redeploy), V(Preempt), V(Terminate), V(SpotRebalanceRecommendation), or one that this release does
          not know.
      type: str
      sample: Reboot
    event_status:
      description: V(Scheduled) or V(Started). An event that is over, or was cancelled, is gone.
      type: str
      sample: Scheduled
    resource_type:
      description: What kind of resource is affected.
      type: str
      sample: VirtualMachine
    resources:
      description: The names of the VMs that are affected.
      type: list
      elements: str
      sample: [web-1]
    mine:
      description: Whether this VM is one of them. V(null) if its name is unknown.
      type: bool
      sample: true
    only_mine:
      description: Whether it is the only one. V(null) if its name is unknown.
      type: bool
      sample: true
    not_before:
      description:
        - When the event starts at the earliest, ISO 8601 in UTC. V(null) if it has started, or if the time is unknown.
        - A date without a zone, which IMDS does not send, is taken as UTC.
      type: str
      sample: "2021-03-16T00:58:46Z"
    not_before_raw:
      description: The same as it was received.
      type: str
      sample: Tue, 16 Mar 2021 00:58:46 GMT
    seconds_left:
      description:
        - Seconds from the answer until RV(events[].not_before), negative once that has passed. V(null) if the event has started, or
          if the time is unknown.
      type: int
      sample: 840
    description:
      description: What IMDS says about it, for people. V(null) before API version 2019-04-01.
      type: str
      sample: Virtual machine is going to be restarted as requested by authorized user.
    event_source:
      description: V(Platform) or V(User). V(null) before API version 2019-08-01.
      type: str
      sample: User
    duration:
      description:
        - Seconds of the expected impact, such as the pause of a V(Freeze). V(null) if unknown, and before API version 2020-07-01.
      type: int
      sample: 5
    duration_raw:
      description: The same as it was received, V(-1) for unknown.
      type: raw
      sample: 5
    unrecognized:
      description: The keys above whose values this release does not recognize or can't read.
      type: list
      elements: str
      sample: []
soonest:
  description: The one of RV(events) that starts first. V(null) if none is scheduled for a known time.
  returned: always
  type: raw
read_at:
  description: When IMDS answered, ISO 8601 in UTC.
  returned: always
  type: str
  sample: "2021-03-16T00:44:46Z"
clock:
  description: Whose clock RV(read_at) and the seconds left are based on, V(imds), or V(guest) if the answer has no date.
  returned: always
  type: str
  sample: imds
api_version:
  description: The API version that was used, V(null) if no document was read.
  returned: always
  type: str
  sample: "2020-07-01"
attempts:
  description: The attempts, each with C(path), C(api_version), C(outcome), C(status), C(detail) and C(wait), the seconds waited after it.
  returned: always
  type: list
  elements: dict
  sample: [{"api_version": "2020-07-01", "detail": "HTTP 200", "outcome": "ok", "path": "scheduledevents", "status": 200, "wait": null}]
meta:
  description: About the task itself.
  returned: always
  type: dict
  contains:
    delivery:
      description: How the program that asked IMDS came to the host, as C(meta.delivery) of M(imds.azure.azure_imds_facts).
      returned: always
      type: str
      sample: one_command
"""

from ansible_collections.imds.azure.plugins.module_utils._imds import interpreter

interpreter.start(interpreter.fail_module)  # ahead of what an older Python can't compile

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.imds.azure.plugins.module_utils._events.run_info import run
from ansible_collections.imds.azure.plugins.module_utils._module import end, keep_loaded
from ansible_collections.imds.azure.plugins.module_utils._scheduled_events import info_argument_spec


def main() -> None:
    module = AnsibleModule(argument_spec=info_argument_spec(), supports_check_mode=True)
    end(module, run(module.params, "module"))


if __name__ == "__main__":
    keep_loaded()
    main()
