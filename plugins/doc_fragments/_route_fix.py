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
      - V(query) changes nothing. Findings do not make it fail unless O(fail_on_findings) is set.
      - V(present) makes a host route over the primary interface win, with the primary address as source.
      - V(absent) removes what V(present) sets. A route from DHCP stays.
    type: str
    choices: [query, present, absent]
    default: present
  interface:
    description:
      - Name of the primary network interface, on Windows also its index.
      - Without this, O(mac_address) and O(primary_ip) it is the one that IMDS answers when it is asked from each address. If it answers
        none, the one that Azure gave its host routes to is assumed, else the one with the best default route, and
        O(state=present) tries the others as well. Where that is not exactly one, nothing is changed.
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
      - Keep the route after a reboot.
      - On Linux, it is written for the network stack that configures the interface, which is not reloaded. On Windows, it goes to the
        persistent store.
    type: bool
    default: true
  persistence_backend:
    description:
      - The network stack that keeps the route on Linux. V(auto) finds out which one configures the interface.
      - V(none) sets the route until the next reboot only. So does V(auto) if it finds no network stack; a finding says so.
    type: str
    choices: [auto, netplan, networkd, networkmanager, ifupdown, none]
    default: auto
  remove_conflicting:
    description:
      - What to do with conflicting routes to C(169.254.169.254/32). By default static ones are removed.
      - V(true) also removes those of tunnels, container networks and routing daemons, V(false) removes none.
    type: bool
  fix_source:
    description:
      - On Windows, stop other addresses of the interface from being used as source if nothing else helps. They are then no longer
        registered in DNS. On Linux, the route itself names the source.
    type: bool
    default: false
  verify:
    description:
      - Ask IMDS afterwards, and keep the repair only if it answers the primary address.
      - An answer that IMDS is throttling or being updated counts too, but not what a proxy sends.
      - Without it, a host that IMDS answers already is not changed where that takes removing or replacing a route.
    type: bool
    default: true
  verify_timeout:
    description:
      - Seconds for one try, more than 0 and at most 60. O(connect_timeout) and O(read_timeout) apply within it.
      - O(timeout) and O(updating_timeout) are ignored.
    type: float
    default: 5
  verify_retries:
    description:
      - Number of further tries, 0 to 10.
    type: int
    default: 2
  rollback:
    description:
      - Roll the repair back if IMDS does not answer.
      - If a step fails, the repair is rolled back in any case.
    type: bool
    default: true
  force:
    description:
      - Continue even if the firmware does not say that this is an Azure VM. O(detect=force) means the same.
      - This does not open the lock of systemd-imdsd; no option does.
    type: bool
    default: false
  fail_on_findings:
    description:
      - With O(state=query) or O(route_print), fail if there are findings of severity V(error).
    type: bool
    default: false
  route_print:
    description:
      - Text of C(route print) of a Windows host, in any language. It is analysed on the controller, and no host is contacted.
    type: str
  request:
    description:
      - The controller's request to the host. The action plugin sets it; it is an error in a task.
    type: dict
"""
