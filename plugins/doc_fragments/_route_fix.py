# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of azure_imds_route_fix and of its twin for Windows. PRIVATE to this collection."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  state:
    description:
      - V(query) looks and changes nothing. Findings do not make it fail, unless O(fail_on_findings) is set.
      - V(present) sees to it that a host route over the primary interface wins, with the primary address as source.
      - V(absent) removes what V(present) sets. A route that DHCP gave stays.
    type: str
    choices: [query, present, absent]
    default: present
  interface:
    description:
      - Name of the primary network interface, on Windows also its index.
      - Without this, O(mac_address) and O(primary_ip) it is the one that IMDS names, if it answers, else the one that Azure gave its
        host routes to, else the one with the best default route. Where that is not exactly one, nothing is changed.
    type: str
  mac_address:
    description:
      - MAC address of the primary network interface, in any notation.
    type: str
  primary_ip:
    description:
      - The primary private address of the primary network interface.
    type: str
  next_hop:
    description:
      - V(auto), V(on_link), V(gateway), or the address of a gateway in a subnet of the interface.
      - V(auto) is the gateway of the interface, if it has one, and on-link otherwise; on Windows always on-link.
    type: str
    default: auto
  persistent:
    description:
      - Keep the route over a reboot.
      - On Linux by the network stack that configures the interface, which is not made to reload. On Windows in the persistent store.
    type: bool
    default: true
  persistence_backend:
    description:
      - The network stack that keeps the route on Linux. V(auto) finds out which one configures the interface.
      - V(none) sets the route until the next reboot, and so does V(auto) where nobody is found. A finding says so.
    type: str
    choices: [auto, netplan, networkd, networkmanager, ifupdown, none]
    default: auto
  remove_conflicting:
    description:
      - Other routes to C(169.254.169.254/32) that contradict. Without it, static ones are removed.
      - V(true) also removes those of tunnels, container networks and routing daemons, V(false) removes none.
    type: bool
  fix_source:
    description:
      - On Windows, exclude other addresses of the interface from being chosen as source, if nothing else helps. They are then not
        registered in DNS any more. On Linux the route itself names the source.
    type: bool
    default: false
  verify:
    description:
      - Ask IMDS afterwards, and keep the repair only if it answers the primary address.
      - Being throttled or updated is an answer too.
    type: bool
    default: true
  verify_timeout:
    description:
      - Seconds for one try, more than 0 and at most 60. O(connect_timeout) and O(read_timeout) hold within it.
      - O(timeout) and O(updating_timeout) have no meaning here.
    type: float
    default: 5
  verify_retries:
    description:
      - How often it is tried again, 0 to 10.
    type: int
    default: 2
  rollback:
    description:
      - Take the repair back where IMDS does not answer.
      - A step that fails rolls it back in any case.
    type: bool
    default: true
  force:
    description:
      - Go on where the firmware does not say that this is an Azure VM. O(detect=force) means the same.
    type: bool
    default: false
  fail_on_findings:
    description:
      - Fail where there are findings of severity V(error) and nothing is done about them, with O(state=query) or O(route_print).
    type: bool
    default: false
  route_print:
    description:
      - Text of C(route print) of a Windows host, in any language. It is analysed on the controller, and no host is contacted.
    type: str
  request:
    description:
      - What the controller asks of the host. It is made by the action plugin, and an error in a task.
    type: dict
"""
