# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of azure_imds_attest and its Windows twin. PRIVATE to this collection."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  nonce:
    description:
      - The nonce that the document must contain, 1 to 32 letters, digits, hyphens or underscores.
      - By default 32 random characters, which is what you want. If the host answers with another nonce, it is asked twice more, with a
        new one each time.
      - With O(document) it is what the stored document was fetched with. Without it, that document's nonce is not looked at.
    type: str
  clouds:
    description:
      - The clouds that the document may come from.
      - Azure Germany (V(germany)) was closed in 2021, and no built-in root vouches for its documents. They can only be verified with
        O(anchors) of your own, and a warning says so.
    type: list
    elements: str
    choices: [public, us_government, china, germany]
    default: [public]
  expected_vm_id:
    description:
      - The VM's ID, or several IDs of which one must match. Case is ignored.
      - Take it from a source other than the host, never from its facts.
      - An empty value is an error, here and in the other expected values, because a variable that is empty by mistake must not
        disable the check.
    type: list
    elements: str
  expected_subscription_id:
    description:
      - The ID of the subscription that the VM must belong to, or several IDs.
      - It proves less than O(expected_vm_id), because any VM in the subscription can answer.
    type: list
    elements: str
  expected_sku:
    description:
      - The SKU of the VM's image, or several.
      - This, O(expected_license_type) and O(expected_plan) tell what runs there, not which VM it is.
    type: list
    elements: str
  expected_license_type:
    description:
      - The licence type, such as V(Windows_Server), or several.
    type: list
    elements: str
  expected_plan:
    description:
      - The marketplace plan, a dictionary with one or more of C(name), C(product) and C(publisher), or a list of such
        dictionaries. Only the given keys are compared.
    type: raw
  max_age:
    description:
      - How old the document may be, in seconds, at most 86400.
      - Without it 300, and 21600 (6 hours, for which a document is valid) for a stored O(document).
    type: int
  clock_skew:
    description:
      - Seconds by which the clocks of Azure and the controller may differ.
    type: int
    default: 120
  anchors:
    description:
      - PEM or DER files on the controller with root certificates to trust in addition to the built-in ones, such as an emulator's.
      - Relative paths are searched like those of M(ansible.builtin.copy), in C(files) of the role or beside the playbook.
    type: list
    elements: path
  builtin_anchors:
    description:
      - Trust the roots that Azure uses. Their fingerprints are built in. The certificates are taken from the controller's CA bundles,
        from O(intermediates), from a stored O(document) or from the network (O(fetch_intermediates)).
      - With V(false), only O(anchors) are trusted.
    type: bool
    default: true
  intermediates:
    description:
      - PEM or DER files on the controller with CA certificates that may complete a chain. They are not trusted by themselves.
      - Relative paths are searched like those of O(anchors).
    type: list
    elements: path
  fetch_intermediates:
    description:
      - V(auto) lets the controller fetch a missing CA certificate from the address in the certificate below it, if that is on the
        list of Azure's addresses, and a missing built-in root from its CA. The proxy settings of the controller are honoured.
      - V(never) sends nothing, for closed networks.
    type: str
    choices: [auto, never]
    default: auto
  cache_dir:
    description:
      - Directory on the controller that keeps fetched CA certificates, and an index of its CA bundles that saves time.
      - Without it C(imds.azure/intermediates) in C($XDG_CACHE_HOME) or C(~/.cache).
    type: path
  document:
    description:
      - Stored evidence to verify instead of a host's. No host is contacted.
      - The signature in base64, the whole answer of IMDS, as JSON text or as a dictionary with C(encoding) and C(signature), which
        is what RV(evidence) is, or what O(dest) wrote, as text, as a dictionary or by the name of the file on the controller.
      - Relative paths are searched like those of O(anchors).
    type: raw
  verify_at:
    description:
      - The time as of which the stored O(document) is verified, in ISO 8601; without an offset it is UTC.
      - Without it, the time recorded in a file that O(dest) wrote, else now.
      - Only together with O(document). A host's answer is always judged now.
    type: str
  dest:
    description:
      - File on the controller to which the document, the certificates that were used and the verdict are written, so that the
        document can be verified again when roots and intermediates have disappeared. See O(document).
      - It is written in one step, readable for its owner only, and only where every step was passed. Missing directories are made.
      - A relative path is taken as by M(ansible.builtin.fetch), from the directory of the playbook.
    type: path
    version_added: 0.3.0
"""
