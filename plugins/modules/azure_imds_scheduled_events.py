#!/usr/bin/python
# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: azure_imds_scheduled_events
version_added: 0.1.0
short_description: Approve the scheduled events of an Azure VM, or wait for them
description:
  - Approves scheduled events of the Azure Instance Metadata Service (IMDS), so that Azure starts them now and not at their time, or
    waits until events appear, or are over.
  - An approval can't be undone, and a started event can't be stopped. Drain the host first.
  - After an approval, the module reads the events again until each has started or is gone. An approved reboot may end the module
    before it can report that. See the examples for how a play survives it.
  - To read events, use M(imds.azure.azure_imds_scheduled_events_info).
extends_documentation_fragment:
  - imds.azure._attributes
  - imds.azure._attributes.platforms
  - imds.azure._attributes.actiongroup_imds
  - imds.azure._scheduled_events
  - imds.azure._imds
  - imds.azure._imds.endpoint
attributes:
  check_mode:
    support: full
    details:
      - Reads the events once, waits for nothing and sends no approval. RV(approved) and RV(request) say what would be sent.
  diff_mode:
    support: none
    details:
      - RV(events) shows what the approval concerns.
options:
  state:
    description:
      - V(approved) approves the events that match all filters, in one request. It needs O(event_ids) or another filter. Events that
        have started or are gone need no approval.
      - V(appeared) waits until an event matches all filters.
      - V(gone) waits until the events in O(event_ids) are over or cancelled. Other filters are not considered.
      - An event counts as gone when two answers in a row lack it, or one whose incarnation has gone up.
    type: str
    choices: [approved, appeared, gone]
    required: true
  others:
    description:
      - What O(state=approved) does with events that name other VMs too. An approval starts them for those VMs as well.
      - V(refuse) fails, and approves none of the events.
      - V(allow) approves them.
    type: str
    choices: [refuse, allow]
    default: refuse
  timeout:
    description:
      - Seconds for the whole operation, at most 86400. Only if the first answer takes longer because it switches scheduled events
        on, up to 30 seconds are added.
      - Temporary errors, such as status 429 or 5xx and missing answers, are retried until then.
    type: float
    default: 300
  fail_on_timeout:
    description:
      - Whether to fail if O(timeout) passes first. If not, RV(timed_out) says so.
      - By default V(false) for O(state=appeared), V(true) for the other states.
    type: bool
  poll:
    description:
      - Seconds from one look to the next, from 1 to 60. An eviction gives 30 seconds of notice, so wait for it with 1.
    type: float
    default: 5
seealso:
  - module: imds.azure.azure_imds_scheduled_events_info
author:
  - imds.azure contributors (@imds)
"""

EXAMPLES = r"""
- name: Approve the reboots and redeployments that users asked for
  imds.azure.azure_imds_scheduled_events:
    state: approved
    event_types: [Reboot, Redeploy]
    sources: [User]

- name: Wait up to an hour for any event of this VM
  imds.azure.azure_imds_scheduled_events:
    state: appeared
    timeout: 3600
  register: awaited

- name: Drain the host
  ansible.builtin.service:
    name: web
    state: stopped
  when: awaited.found

- name: Approve it, and leave the host before it reboots
  imds.azure.azure_imds_scheduled_events:
    state: approved
    event_ids: "{{ awaited.events | map(attribute='event_id') }}"
  async: 300
  poll: 0

- name: Wait until the host is back
  ansible.builtin.wait_for_connection:
    delay: 60
    timeout: 1200

- name: Wait until the events are over
  imds.azure.azure_imds_scheduled_events:
    state: gone
    event_ids: "{{ awaited.events | map(attribute='event_id') }}"
    timeout: 1200
    poll: 10

- name: Approve an event for all VMs that it names
  imds.azure.azure_imds_scheduled_events:
    state: approved
    event_ids: [602d9444-d2cd-49c7-8624-8643e7171297]
    others: allow
"""

RETURN = r"""
found:
  description: Whether a matching event was there, with O(state=approved) at the first look, otherwise at the last one.
  returned: always
  type: bool
  sample: true
timed_out:
  description: Whether O(timeout) passed before the state was reached.
  returned: always
  type: bool
  sample: false
events:
  description:
    - The matching events as last seen, including those that are gone by now. Each is as in
      RV(imds.azure.azure_imds_scheduled_events_info#module:events), with C(event_id), C(event_type), C(event_status),
      C(resource_type), C(resources), C(mine), C(only_mine), C(not_before), C(not_before_raw), C(seconds_left), C(description),
      C(event_source), C(duration), C(duration_raw) and C(unrecognized).
  returned: always
  type: list
  elements: dict
approved:
  description: The IDs of the events that were approved, or in check mode would be.
  returned: always
  type: list
  elements: str
  sample: [602d9444-d2cd-49c7-8624-8643e7171297]
request:
  description: The approval with its C(StartRequests), as it was sent, or in check mode would be. V(null) if there is none.
  returned: always
  type: dict
  sample: {"StartRequests": [{"EventId": "602d9444-d2cd-49c7-8624-8643e7171297"}]}
notes:
  description: What was not approved and why, and which answers were missing.
  returned: always
  type: list
  elements: str
  sample: ["Reboot 602d9444-d2cd-49c7-8624-8643e7171297 is not approved: it has started."]
reason:
  description: How the requests ended, V(ok) or another of the R(reason codes,ansible_collections.imds.azure.docsite.reasons).
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
  description: The one of the last answer. It changes whenever the events do, and starts over after events were off.
  returned: always
  type: int
  sample: 3
read_at:
  description: When IMDS sent the last answer, ISO 8601 in UTC.
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
waited:
  description: How long the whole operation took, in seconds.
  returned: always
  type: float
  sample: 12.3
requests:
  description: How many requests were sent.
  returned: always
  type: int
  sample: 4
attempts:
  description:
    - The last attempts, each with C(path), C(api_version), C(outcome), C(status), C(detail) and C(wait), the seconds waited after
      it.
  returned: always
  type: list
  elements: dict
  sample: [{"api_version": "2020-07-01", "detail": "HTTP 200", "outcome": "ok", "path": "scheduledevents", "status": 200, "wait": null}]
"""

from ansible_collections.imds.azure.plugins.module_utils._imds import interpreter

interpreter.start(interpreter.fail_module)  # ahead of what an older Python can't compile

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.imds.azure.plugins.module_utils._events import options
from ansible_collections.imds.azure.plugins.module_utils._events.act import act
from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError
from ansible_collections.imds.azure.plugins.module_utils._module import keep_loaded
from ansible_collections.imds.azure.plugins.module_utils._scheduled_events import argument_spec


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **argument_spec(),
            "state": {
                "type": "str",
                "choices": [options.APPROVED, options.APPEARED, options.GONE],
                "required": True,
            },
            "others": {"type": "str", "choices": [options.REFUSE, options.ALLOW], "default": options.REFUSE},
            "timeout": {"type": "float", "default": options.TIMEOUT},
            "fail_on_timeout": {"type": "bool"},
            "poll": {"type": "float", "default": options.POLL},
        },
        supports_check_mode=True,
    )
    try:
        desired = options.desired_state(module.params)
        # The deadline is for all requests together; a single one has the usual time.
        how = options.reading({**module.params, "timeout": None})
    except OptionError as error:
        module.fail_json(msg=str(error))
    result, warnings, problem = act(how, desired, module.check_mode)
    for warning in warnings:
        module.warn(warning)
    if problem:
        module.fail_json(msg=problem, **result)
    module.exit_json(**result)


if __name__ == "__main__":
    keep_loaded()
    main()
