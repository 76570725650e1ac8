#!/usr/bin/python
# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: azure_imds_attest
version_added: 0.1.0
short_description: Prove that a host is the Azure VM it claims to be
description:
  - Challenges a host with a nonce that was drawn on the controller. The host fetches the attested document of the Azure Instance
    Metadata Service (IMDS) with one request, and the controller verifies it, its signature, certificate chain, age, nonce and
    identity. What the host says about itself counts for nothing.
  - Fails unless every step is passed.
  - A genuine document proves that some VM in Azure answered just now. To prove that it is this host, supply O(expected_vm_id) or
    O(expected_subscription_id) from a source that you trust, such as the inventory.
  - Revocation is not checked, and any process on a VM can fetch its document. The R(attestation
    guide,ansible_collections.imds.azure.docsite.attestation) says what is proven and what is not.
extends_documentation_fragment:
  - imds.azure._attributes
  - imds.azure._attributes.platforms
  - imds.azure._attributes.read_only
  - imds.azure._attributes.actiongroup_imds
  - imds.azure._imds
  - imds.azure._imds.endpoint
  - imds.azure._attest
attributes:
  check_mode:
    support: full
    details:
      - Verifies as usual. Only O(dest) is not written.
  diff_mode:
    support: N/A
    details:
      - Nothing changes on the host, and O(dest) is different after each challenge.
  action:
    description: Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
    support: full
  async:
    description: Supports being used with the C(async) keyword.
    support: none
  facts_module:
    description: Can be run by C(gather_facts).
    support: none
    details:
      - It fails there, because C(gather_facts) leaves out the part on the controller that verifies.
options: {}
requirements:
  - cryptography >= 42.0.0 on the controller
  - requests on the controller, for O(fetch_intermediates=auto)
notes:
  - The options O(document), O(dest), O(anchors), O(intermediates) and O(cache_dir) concern the controller. All options are checked
    before anything is sent.
seealso:
  - module: imds.azure.azure_imds_facts
  - module: imds.azure.azure_imds_info
author:
  - imds.azure contributors (@imds)
"""

EXAMPLES = r"""
- name: Stop unless the host is the VM that the inventory says it is
  imds.azure.azure_imds_attest:
    expected_vm_id: "{{ azure_vm_id }}"

- name: Take any VM of two subscriptions, but no other
  imds.azure.azure_imds_attest:
    expected_subscription_id:
      - 8d10da13-8125-4ba9-a717-bf7490507b3d
      - 0f3cbbd5-a9dd-4ac4-9b6e-5aa05b1a9f4e

- name: Attest in a closed network of Azure US Government
  imds.azure.azure_imds_attest:
    expected_vm_id: "{{ azure_vm_id }}"
    clouds: us_government
    intermediates: azure-intermediates.pem
    fetch_intermediates: never

- name: Keep evidence that can be verified without the host, the network or a CA bundle
  imds.azure.azure_imds_attest:
    expected_vm_id: "{{ azure_vm_id }}"
    dest: "evidence/{{ inventory_hostname }}.json"

- name: Verify it years later, as of the time recorded in the file
  imds.azure.azure_imds_attest:
    document: "evidence/{{ inventory_hostname }}.json"
    expected_vm_id: "{{ azure_vm_id }}"
    fetch_intermediates: never

- name: Attest an emulated VM
  imds.azure.azure_imds_attest:
    endpoint: http://127.0.0.1:8169
    detect: force
    anchors: emulator-root.pem
    builtin_anchors: false
"""

RETURN = r"""
verified:
  description: Whether every step was passed.
  returned: where a document was verified, or IMDS gave a reason why there is none
  type: bool
  sample: true
reason:
  description:
    - V(ok), or the R(code of the step that failed,ansible_collections.imds.azure.docsite.attestation.reason_codes), or the
      R(reason why IMDS did not answer,ansible_collections.imds.azure.docsite.reasons).
  returned: where a document was verified, or IMDS gave a reason why there is none
  type: str
  sample: ok
step:
  description: The step that decided, V(done) where all were passed, V(request) where IMDS did not answer.
  returned: where a document was verified, or IMDS gave a reason why there is none
  type: str
  sample: done
remedy:
  description: What to do about it, empty where nothing is wrong. For a missing CA certificate it names the issuer, its address and the option.
  returned: where a document was verified, or IMDS gave a reason why there is none
  type: str
  sample: ""
signature_verified:
  description: Whether the content is what the signer signed. Alone, it proves nothing.
  returned: where a document was verified, or IMDS gave a reason why there is none
  type: bool
  sample: true
chain_verified:
  description: Whether the signer's certificate is one of Azure's metadata service.
  returned: where a document was verified, or IMDS gave a reason why there is none
  type: bool
  sample: true
nonce_verified:
  description: Whether the document has the nonce that was asked for.
  returned: where a document was verified, or IMDS gave a reason why there is none
  type: bool
  sample: true
identity_bound:
  description: Whether the document was compared with an expected VM or subscription, and matches.
  returned: where a document was verified, or IMDS gave a reason why there is none
  type: bool
  sample: true
revocation_checked:
  description: Always V(false). Whether the certificates were revoked is not checked.
  returned: where a document was verified, or IMDS gave a reason why there is none
  type: bool
  sample: false
document:
  description: The decoded document. V(null) unless RV(verified).
  returned: where a document was verified, or IMDS gave a reason why there is none
  type: dict
  contains:
    vm_id:
      description: The VM's ID.
      returned: success
      type: str
      sample: 02aab8a4-74ef-476e-8182-f6d2ba4166a6
    subscription_id:
      description: The subscription's ID, V(null) for a classic VM and before 2019-04-30.
      returned: success
      type: str
      sample: 8d10da13-8125-4ba9-a717-bf7490507b3d
    sku:
      description: SKU of the image, V(null) where there is none and before 2019-11-01.
      returned: success
      type: str
      sample: 2022-datacenter
    license_type:
      description: Licence type, V(null) where there is none and before 2020-09-01.
      returned: success
      type: str
      sample: Windows_Server
    plan:
      description: The marketplace plan, C(name), C(product) and C(publisher), each V(null) where there is none.
      returned: success
      type: dict
      sample: {"name": null, "product": null, "publisher": null}
    nonce:
      description: The nonce in the document.
      returned: success
      type: str
      sample: 5a0d6f8a7b2e4c1f9d3b6a8c0e2f4a6b
    created_on:
      description: When IMDS made the document.
      returned: success
      type: str
      sample: "2026-07-28T13:24:00Z"
    expires_on:
      description: When it expires.
      returned: success
      type: str
      sample: "2026-07-28T19:24:00Z"
    other:
      description: Keys that this release does not know, as they came.
      returned: success
      type: dict
      sample: {}
cloud:
  description: The cloud that the signer belongs to. V(null) unless RV(verified).
  returned: where a document was verified, or IMDS gave a reason why there is none
  type: str
  sample: public
signer:
  description: The signer's certificate. V(null) unless RV(verified).
  returned: where a document was verified, or IMDS gave a reason why there is none
  type: dict
  contains:
    subject:
      description: Its name.
      returned: success
      type: str
      sample: CN=metadata.azure.com
    san:
      description: The DNS name that names the cloud.
      returned: success
      type: str
      sample: eastus.metadata.azure.com
    issuer:
      description: Who issued it.
      returned: success
      type: str
      sample: CN=Microsoft TLS G2 RSA CA OCSP 02,O=Microsoft Corporation,C=US
    serial:
      description: Serial number, hexadecimal.
      returned: success
      type: str
      sample: 33000a1b2c
    not_before:
      description: Valid from.
      returned: success
      type: str
      sample: "2026-05-01T00:00:00Z"
    not_after:
      description: Valid until.
      returned: success
      type: str
      sample: "2026-10-28T00:00:00Z"
    sha256:
      description: Fingerprint.
      returned: success
      type: str
      sample: 0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9
chain:
  description: The certificates from the signer's to the trust anchor, each like RV(signer) without C(san). Empty unless RV(verified).
  returned: where a document was verified, or IMDS gave a reason why there is none
  type: list
  elements: dict
chain_pem:
  description:
    - The same certificates in PEM. V(null) unless RV(verified).
  returned: where a document was verified, or IMDS gave a reason why there is none
  type: str
  sample: "-----BEGIN CERTIFICATE-----\\nMIIH..."
unverified:
  description:
    - What could be read of a document that is not accepted. None of it can be trusted.
  returned: where a document was verified, or IMDS gave a reason why there is none; V(null) unless a document was refused
  type: dict
  contains:
    document:
      description: Like RV(document), V(null) if it can't be read.
      returned: where a document was refused
      type: dict
    signer:
      description: Like RV(signer), V(null) if it can't be read.
      returned: where a document was refused
      type: dict
    details:
      description: More about what was found, depending on RV(reason), such as C(issuer), C(urls) and C(attempts) of a missing issuer.
      returned: where a document was refused
      type: dict
nonce:
  description: The nonce that was asked for last.
  returned: where a document was verified, or IMDS gave a reason why there is none
  type: str
  sample: 5a0d6f8a7b2e4c1f9d3b6a8c0e2f4a6b
verified_on:
  description: Host name of the controller that verified.
  returned: where a document was verified, or IMDS gave a reason why there is none
  type: str
  sample: controller-1
verified_at:
  description: The time as of which the document was verified.
  returned: where a document was verified
  type: str
  sample: "2026-07-28T13:24:02Z"
verified_at_source:
  description:
    - Where that time comes from. V(clock) is the controller's clock, V(option) is O(verify_at).
    - V(file) is the time recorded in a stored O(document). Nothing signs that record. It is only as good as the place where
      the file was kept, which a warning says too.
  returned: where a document was verified
  type: str
  sample: clock
dest:
  description: The file that was written.
  returned: with O(dest), where RV(verified)
  type: str
  sample: /home/me/play/evidence/web-1.json
evidence:
  description:
    - The answer of IMDS as the host handed it back, to be kept and verified again as O(document).
    - V(null) where the host handed back something else.
  returned: where the host handed back a document
  type: dict
  sample: {"encoding": "pkcs7", "signature": "MIIL..."}
api_version:
  description: The API version that was used.
  returned: where the host handed back a document
  type: str
  sample: "2025-04-07"
attempts:
  description: The attempts to ask IMDS, like those of M(imds.azure.azure_imds_info), at most 32 for each challenge.
  returned: where a host was asked
  type: list
  elements: dict
meta:
  description: About the task itself.
  returned: where a host was asked
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
from ansible_collections.imds.azure.plugins.module_utils._attest import argument_spec
from ansible_collections.imds.azure.plugins.module_utils._imds.run_attest import run
from ansible_collections.imds.azure.plugins.module_utils._module import end, keep_loaded


def main() -> None:
    """The host's part: fetch, and hand back. The action plugin of the same name verifies."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    if module.params["nonce"] is None or module.params["document"] is not None:
        module.fail_json(
            msg="Attestation is verified on the controller, by the action plugin of this module, which was left out. "
            "Call imds.azure.azure_imds_attest in a task of its own, not as a facts module."
        )
    end(module, run(module.params, "module"))


if __name__ == "__main__":
    keep_loaded()
    main()
