#!/usr/bin/python
# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: azure_imds_route_fix
version_added: 0.1.0
short_description: Find out why the Azure Instance Metadata Service does not answer, and repair the route to it
description:
  - Azure answers at C(169.254.169.254) only the primary address of a VM's primary network interface. This module finds out which
    way traffic to C(169.254.169.254) takes, says what is wrong with it, and puts a host route over the primary interface in place.
  - The host is only asked for its tables, and carries out the steps. What is wrong and what is to be done is decided on the
    controller, so check mode knows the outcome beforehand.
  - A repair is kept only if IMDS then answers the primary address. Otherwise it is rolled back. What a killed run began is rolled
    back by the next one.
  - Nothing but routes to C(169.254.169.254/32) is ever changed, no default route, no policy rule, no cluster adapter, no route of
    the kernel or of DHCP.
extends_documentation_fragment:
  - imds.azure._attributes
  - imds.azure._attributes.actiongroup_imds
  - imds.azure._attributes.platforms
  - imds.azure._imds
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
  - Needs C(become) for everything but O(state=query), and C(ip), of iproute2 or busybox, on a Linux host.
  - Several runs on one host at the same time are not possible, the second one fails.
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

- name: Repair the route, now and for good
  imds.azure.azure_imds_route_fix:
  become: true

- name: Repair it where the primary interface can't be told from outside
  imds.azure.azure_imds_route_fix:
    mac_address: 00:0d:3a:12:34:56
    primary_ip: 10.0.1.10
  become: true

- name: Roll it back
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
    - What was found at the start, errors first, then what the task can't do anything about, and why nothing is done. C(code) is one
      of the R(findings,ansible_collections.imds.azure.docsite.route_fix.findings) or R(refusals,ansible_collections.imds.azure.docsite.route_fix.refusals).
  returned: where the host's tables could be read
  type: list
  elements: dict
  contains:
    code:
      description: What it is.
      returned: success
      type: str
      sample: captured_by_apipa
    severity:
      description: V(ok), V(warning), V(error), or V(refusal), which is why nothing is done.
      returned: success
      type: str
      sample: error
    message:
      description: The same in a sentence.
      returned: success
      type: str
      sample: The link-local route 169.254.0.0/16 on eth1 captures 169.254.169.254.
    evidence:
      description: The rows it rests on.
      returned: success
      type: list
      elements: dict
    remedy:
      description: What to do about it, empty where nothing is to be done.
      returned: success
      type: str
      sample: Run azure_imds_route_fix with state present.
primary:
  description: The primary network interface, as far as it can be told. C(rule) is how, V(option), V(imds), V(dhcp_routes) or V(default_route).
  returned: where the host's tables could be read
  type: dict
  sample: {"interface": "eth0", "index": 2, "mac": "00:0d:3a:12:34:56", "ip": "10.0.1.10", "rule": "dhcp_routes"}
winner:
  description:
    - The route that traffic to C(169.254.169.254) takes at the end of the task. C(error) is the system's error where it takes none.
  returned: where the host's tables could be read
  type: dict
  sample: {"prefix": "169.254.169.254/32", "interface": "eth0", "index": 2, "next_hop": "10.0.1.1", "source": "10.0.1.10", "error": ""}
source:
  description: The address that it leaves from at the end of the task.
  returned: where the host's tables could be read
  type: str
  sample: 10.0.1.10
host_routes:
  description:
    - The routes to exactly C(169.254.169.254/32) at the end of the task, each C(prefix), C(interface), C(index), C(next_hop),
      C(metric), C(effective_metric), C(store), C(type), C(protocol) and C(source). C(store) is V(persistent) for one that is kept over
      a reboot, else the table.
  returned: where the host's tables could be read
  type: list
  elements: dict
plan:
  description:
    - The steps that were taken, or would be taken, in order. Empty where nothing is to be done, or nothing can be done.
  returned: where the host's tables could be read
  type: list
  elements: dict
  contains:
    action:
      description: What is done.
      returned: success
      type: str
      sample: replace
    target:
      description: To which route.
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
  description: The network stack that keeps the route, V(none) where there is none, empty where it was not found out.
  returned: where the host's tables could be read
  type: str
  sample: netplan
errors:
  description: What of the host could not be collected, and why, a line each. The findings then rest on what is left.
  returned: where the host's tables could be read
  type: list
  elements: str
  sample: []
predicted_winner:
  description: The RV(winner) after the plan.
  returned: in check mode, with O(state=query) and with O(route_print)
  type: dict
  sample: {"prefix": "169.254.169.254/32", "interface": "eth0", "index": 2, "next_hop": "10.0.1.1", "source": "10.0.1.10", "error": ""}
verified:
  description: Whether IMDS answered the primary address at the end of the task; V(null) where nobody asked.
  returned: where the host's tables could be read
  type: bool
  sample: true
proof:
  description: The answer that RV(verified) rests on, its C(outcome), C(detail), C(local_address) and the number of C(tries).
  returned: where the host's tables could be read; V(null) where nobody asked
  type: dict
  sample: {"detail": "HTTP 200", "local_address": "10.0.1.10", "outcome": "ok", "tries": 1, "verified": true}
tables:
  description:
    - The routes to C(169.254.169.254) as the host itself prints them, line by line, C(before) the steps, as they were C(tried) when
      IMDS was asked, and C(after) all, which is C(before) again where RV(rolled_back).
  returned: where steps were taken, or IMDS was asked again
  type: dict
  sample:
    before: []
    tried: [169.254.169.254 via 10.0.1.1 dev eth0 proto static src 10.0.1.10 onlink]
    after: []
rolled_back:
  description: Whether a repair was rolled back.
  returned: where the host's tables could be read
  type: bool
  sample: false
recovered:
  description: Whether something that an earlier, killed run had begun was rolled back or finished.
  returned: where the host's tables could be read
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
                words, environ_update={"LC_ALL": "C", "LANG": "C"}, path_prefix=PATHS, handle_exceptions=False
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
    except (HostError, ReportError, ValueError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**answer)


if __name__ == "__main__":
    keep_loaded()
    main()
