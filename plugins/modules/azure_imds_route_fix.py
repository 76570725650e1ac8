#!/usr/bin/python
# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: azure_imds_route_fix
version_added: 0.1.0
short_description: Find out why the Azure Instance Metadata Service does not answer, and repair the route to it
description:
  - At C(169.254.169.254), Azure answers only the primary address of a VM's primary network interface. This module finds out which way
    traffic to that address takes, says what is wrong, and sets a host route over the primary interface.
  - The host only reports its tables and carries out the steps. The controller decides what is wrong and what to do, so check mode
    can predict the outcome.
  - A repair is kept only if IMDS then answers the primary address. Otherwise it is rolled back. If a run is killed, the next one
    rolls back what it began.
  - Only routes to C(169.254.169.254/32) are ever changed, and of these none from the kernel or DHCP. Default routes, policy rules and
    cluster adapters stay as they are.
extends_documentation_fragment:
  - imds.azure._attributes
  - imds.azure._attributes.actiongroup_imds
  - imds.azure._attributes.platforms
  - imds.azure._imds
  - imds.azure._imds.endpoint
  - imds.azure._route_fix
attributes:
  action:
    description: Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
    support: full
  async:
    description: Supports being used with the C(async) keyword.
    support: none
  check_mode:
    support: full
    details:
      - RV(predicted_winner) is the route that will win.
  diff_mode:
    support: full
    details:
      - Shows the routes to C(169.254.169.254) before and after.
notes:
  - Needs C(become) unless O(state=query). On a Linux host it also needs C(ip) from iproute2 or busybox.
  - Only one run at a time is possible on a host. A second one fails.
seealso:
  - module: imds.azure.azure_imds_facts
author:
  - imds.azure contributors (@imds)
"""

EXAMPLES = r"""
- name: See what is wrong
  imds.azure.azure_imds_route_fix:
    state: query
  register: route

- name: Show it
  ansible.builtin.debug:
    msg: "{{ route.findings | map(attribute='message') }}"

- name: Repair the route permanently
  imds.azure.azure_imds_route_fix:
  become: true

- name: Repair it on a host whose primary interface can't be determined
  imds.azure.azure_imds_route_fix:
    mac_address: 00:0d:3a:12:34:56
    primary_ip: 10.0.1.10
  become: true

- name: Remove the route again
  imds.azure.azure_imds_route_fix:
    state: absent
  become: true

- name: Analyse the route table of a support case
  imds.azure.azure_imds_route_fix:
    state: query
    route_print: "{{ lookup('ansible.builtin.file', 'route_print.txt') }}"
"""

RETURN = r"""
findings:
  description:
    - What was found at the start, errors first, then what the task can't change, and why nothing is done. C(code) is one
      of the R(findings,ansible_collections.imds.azure.docsite.route_fix.findings) or R(refusals,ansible_collections.imds.azure.docsite.route_fix.refusals).
  returned: if the host's tables could be read
  type: list
  elements: dict
  contains:
    code:
      description: Code of the finding.
      returned: success
      type: str
      sample: captured_by_apipa
    severity:
      description: V(ok), V(warning), V(error), or V(refusal), which explains why nothing is done.
      returned: success
      type: str
      sample: error
    message:
      description: The finding in a sentence.
      returned: success
      type: str
      sample: The link-local route 169.254.0.0/16 on eth1 captures 169.254.169.254.
    evidence:
      description: The rows behind the finding.
      returned: success
      type: list
      elements: dict
    remedy:
      description: What to do about it, empty if nothing has to be done.
      returned: success
      type: str
      sample: Run azure_imds_route_fix with state present.
primary:
  description:
    - The primary network interface, as far as it can be told. C(rule) is how, V(option), V(asked), which means that IMDS answered
      this address, or one of the assumptions V(dhcp_routes) and V(default_route); empty where it can't be told.
  returned: if the host's tables could be read
  type: dict
  sample: {"interface": "eth0", "index": 2, "mac": "00:0d:3a:12:34:56", "ip": "10.0.1.10", "rule": "asked"}
candidates:
  description:
    - Where RV(primary) is an assumption, the interfaces and addresses that O(state=present) tries, in this order, until one is
      proven, each C(interface), C(ip) and C(rule). After they were tried, C(outcome) is V(proven) or what failed.
  returned: if the host's tables could be read
  type: list
  elements: dict
  sample: []
winner:
  description:
    - The route that traffic to C(169.254.169.254) takes at the end of the task. C(error) is the system's error if there is none.
  returned: if the host's tables could be read
  type: dict
  sample: {"prefix": "169.254.169.254/32", "interface": "eth0", "index": 2, "next_hop": "10.0.1.1", "source": "10.0.1.10", "error": ""}
source:
  description: The source address of that traffic at the end of the task.
  returned: if the host's tables could be read
  type: str
  sample: 10.0.1.10
host_routes:
  description:
    - The routes to exactly C(169.254.169.254/32) at the end of the task, each with C(prefix), C(interface), C(index), C(next_hop),
      C(metric), C(effective_metric), C(store), C(type), C(protocol) and C(source). C(store) is V(persistent) for a route that
      survives a reboot, and the table for others.
  returned: if the host's tables could be read
  type: list
  elements: dict
plan:
  description:
    - The steps that were taken, or would be taken, in order. Empty if there is nothing to do, or nothing can be done.
  returned: if the host's tables could be read
  type: list
  elements: dict
  contains:
    action:
      description: What is done.
      returned: success
      type: str
      sample: replace
    target:
      description: The route that it is done to.
      returned: success
      type: str
      sample: 169.254.169.254/32 via 10.0.1.1 dev eth0 proto static src 10.0.1.10 onlink
    reason:
      description: Why.
      returned: success
      type: str
      sample: the primary NIC's host route must win
    phase:
      description: V(repair) before the proof, V(cleanup) after it.
      returned: success
      type: str
      sample: repair
persistence:
  description: The network stack that keeps the route, V(none) if there is none, empty if it was not determined.
  returned: if the host's tables could be read
  type: str
  sample: netplan
errors:
  description: What could not be collected from the host and why, one line each. The findings then rest on the rest.
  returned: if the host's tables could be read
  type: list
  elements: str
  sample: []
predicted_winner:
  description: The RV(winner) after the plan.
  returned: in check mode, with O(state=query) and with O(route_print)
  type: dict
  sample: {"prefix": "169.254.169.254/32", "interface": "eth0", "index": 2, "next_hop": "10.0.1.1", "source": "10.0.1.10", "error": ""}
verified:
  description: Whether IMDS answered the primary address at the end of the task; V(null) if IMDS was not asked.
  returned: if the host's tables could be read
  type: bool
  sample: true
proof:
  description: The answer behind RV(verified), with its C(outcome), C(detail), C(local_address) and the number of C(tries).
  returned: if the host's tables could be read; V(null) if IMDS was not asked
  type: dict
  sample: {"detail": "HTTP 200", "local_address": "10.0.1.10", "outcome": "ok", "tries": 1, "verified": true}
tables:
  description:
    - The routes to C(169.254.169.254) as the host itself prints them, line by line, C(before) the steps, as C(tried) when IMDS
      was asked, and C(after) all of it. After a rollback, that is C(before) again.
  returned: if steps were taken, or IMDS was asked again
  type: dict
  sample:
    before: []
    tried: [169.254.169.254 via 10.0.1.1 dev eth0 proto static src 10.0.1.10 onlink]
    after: []
rolled_back:
  description: Whether a repair was rolled back.
  returned: if the host's tables could be read
  type: bool
  sample: false
recovered:
  description: Whether the task rolled back or finished what an earlier, killed run had begun.
  returned: if the host's tables could be read
  type: bool
  sample: false
"""

from ansible_collections.imds.azure.plugins.module_utils._imds import interpreter

interpreter.start(interpreter.fail_module)  # ahead of what an older Python can't compile

import errno

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.imds.azure.plugins.module_utils._imds import options as imds_options
from ansible_collections.imds.azure.plugins.module_utils._imds import platform
from ansible_collections.imds.azure.plugins.module_utils._module import keep_loaded
from ansible_collections.imds.azure.plugins.module_utils._route_fix import argument_spec
from ansible_collections.imds.azure.plugins.module_utils._routes.host.host import Host, HostError
from ansible_collections.imds.azure.plugins.module_utils._routes.host.probe import Way
from ansible_collections.imds.azure.plugins.module_utils._routes.host.target import LinuxTarget
from ansible_collections.imds.azure.plugins.module_utils._routes.model import ReportError
from ansible_collections.imds.azure.plugins.module_utils._routes.options import parse_options

# Where ip, nmcli and netplan are, which is not always in a user's PATH.
PATHS = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
SECONDS = 60


def make_host(module: AnsibleModule) -> Host:
    """Commands by the module's own means, in the C locale, and never longer than a minute."""

    def run(argv: object) -> tuple[int, str, str]:
        words = list(argv)  # type: ignore[call-overload]
        command = module.get_bin_path("timeout", opt_dirs=PATHS.split(":"))
        words = [command, str(SECONDS), *words] if command else words
        try:
            rc, out, err = module.run_command(
                words,
                environ_update={"LC_ALL": "C", "LANG": "C"},
                path_prefix=PATHS,
                handle_exceptions=False,
                expand_user_and_vars=False,  # an interface may be called ~root
            )
        except OSError as error:
            return 127, "", error.strerror or errno.errorcode.get(error.errno or 0, "")
        return int(rc), str(out), str(err)

    return Host(run)


def make_target(module: AnsibleModule) -> LinuxTarget:
    """The host, and what the options say about it.

    :raises OptionError, ValueError: where an option can't be used
    """
    params = module.params
    options = parse_options(params)
    settings = imds_options.settings({**params, "timeout": params["verify_timeout"]})
    azure = platform.detect(settings.chassis_asset_tag).azure is True
    force = options.force or settings.detect == "force"
    return LinuxTarget(
        host=make_host(module),
        options=options._replace(force=force),
        backend=params["persistence_backend"],
        way=Way(settings.address, settings.connect_timeout, settings.read_timeout, settings.timeout),
        azure=azure,
        send=azure or force,
    )


def main() -> None:
    """The host's part: collect, or carry out. The action plugin of the same name decides."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    request = module.params["request"]
    if not request or request.get("mode") not in ("collect", "apply"):
        module.fail_json(
            msg="What is to be done is decided on the controller, by the action plugin of this module, which was left "
            "out. Call imds.azure.azure_imds_route_fix in a task of its own."
        )
    try:
        target = make_target(module)
        if request["mode"] == "collect":
            answer = target.collect(request)
        elif module.check_mode:
            module.fail_json(msg="Nothing is changed in check mode.")
        else:
            answer = target.apply(request)
    except (HostError, ReportError, ValueError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**answer)


if __name__ == "__main__":
    keep_loaded()
    main()
