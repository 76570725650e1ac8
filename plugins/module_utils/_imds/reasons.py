# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every way a request to IMDS can end: code, meaning, remedy."""

from __future__ import annotations


class ImdsReason:
    def __init__(self, code: str, meaning: str, remedy: str) -> None:
        self.code = code
        self.meaning = meaning
        self.remedy = remedy


_TABLE = (
    ImdsReason("ok", "IMDS answered.", "Nothing to do."),
    ImdsReason(
        "not_azure",
        "This machine does not have the chassis asset tag of an Azure VM, so nothing was sent.",
        "For an emulator or Azure Stack, set detect to force; otherwise there is nothing to do.",
    ),
    ImdsReason(
        "unknown_platform",
        "The chassis asset tag cannot be read, so whether this is an Azure VM is unknown, and nothing was sent.",
        "Let the module read the firmware's tag, give it in chassis_asset_tag, or set detect to force on an Azure VM.",
    ),
    ImdsReason(
        "no_interpreter",
        "The interpreter of the local fact script is gone, or cannot run it.",
        "Run azure_imds_local_facts again, with its option python where the default interpreter will not do.",
    ),
    ImdsReason(
        "no_route",
        "The system has no usable route to the metadata address.",
        "Check the default route and the host route to 169.254.169.254 on the primary network interface.",
    ),
    ImdsReason(
        "route_prohibited",
        "A prohibit or blackhole route, or a local firewall, forbids traffic to the metadata address.",
        "Remove that route or firewall rule, or reconfigure the service that set it, such as systemd-imdsd.",
    ),
    ImdsReason(
        "locked_by_systemd",
        "systemd-imdsd locks IMDS on purpose: only processes that may set its firewall mark get through.",
        "Use become, so that the mark can be set, boot with systemd.imds.network=unlocked, or use systemd-imds.",
    ),
    ImdsReason(
        "wrong_source_address",
        "IMDS answers another address of this host, but not the one that the system chose as the source.",
        "Make the primary address of the primary network interface the source of the route to 169.254.169.254.",
    ),
    ImdsReason(
        "connect_timeout",
        "Nothing accepted the connection in time.",
        "Check that the route to 169.254.169.254 leaves through the primary network interface.",
    ),
    ImdsReason(
        "read_timeout",
        "The connection was accepted, but no complete answer arrived in time.",
        "Try again, or raise read_timeout and timeout; if it stays silent, check the route's source address.",
    ),
    ImdsReason(
        "refused",
        "The connection was refused, reset, or closed before an answer.",
        "Check that the endpoint is right and that no local firewall rejects the connection.",
    ),
    ImdsReason(
        "throttled",
        "IMDS answered 429: it allows a VM 5 requests per second (20 for tokens), all programs together.",
        "Find out which program on the VM sends so many requests, and try again later.",
    ),
    ImdsReason(
        "updating",
        "IMDS answered 410: it is being updated, which takes up to 70 seconds.",
        "Try again in a minute.",
    ),
    ImdsReason(
        "forbidden",
        "IMDS answered 401, 403 or 421: the Metadata Security Protocol or a firewall refuses this user or process.",
        "Allow the user or process that Ansible runs as in the VM's access control profile, or use become.",
    ),
    ImdsReason(
        "bad_version",
        "IMDS does not support this API version here.",
        "Leave out api_version, or pin one of the versions that the message lists.",
    ),
    ImdsReason(
        "not_found",
        "IMDS has nothing at this path.",
        "Check the path; a classic VM has no compute section, and only a VM behind a load balancer has loadbalancer.",
    ),
    ImdsReason(
        "rejected",
        "IMDS rejected the request as invalid (400 or 405).",
        "Read its answer in the message; the path must exist in the API version.",
    ),
    ImdsReason(
        "intercepted",
        "Something other than this VM's IMDS answered: a proxy's page, a redirect, or another machine's metadata.",
        "Find out what answers in its place: a transparent proxy, a NAT rule, a container platform's metadata proxy.",
    ),
    ImdsReason(
        "malformed",
        "The answer is not what IMDS sends: it is incomplete, not UTF-8, not JSON, or lacks required sections.",
        "Try again; if it persists, find out what listens on the metadata address.",
    ),
    ImdsReason(
        "too_large",
        "The answer is larger than any that IMDS sends.",
        "Find out what listens on the metadata address: IMDS documents are a few KiB.",
    ),
    ImdsReason(
        "server_error",
        "IMDS answered with a server error (408 or 5xx).",
        "Try again later; if it persists, restart the VM or contact Azure support.",
    ),
    ImdsReason(
        "no_identity",
        "No managed identity is assigned to this machine.",
        "Assign one to it, such as with az vm identity assign; identity_wait waits until IMDS knows it.",
    ),
    ImdsReason(
        "identity_unknown",
        "The managed identity that was named is not assigned to this machine.",
        "Check client_id, object_id or msi_res_id, and assign that identity to the VM; identity_wait waits for it.",
    ),
    ImdsReason(
        "identity_ambiguous",
        "Several user-assigned identities are assigned to this machine, and none was named.",
        "Name the identity with client_id, object_id or msi_res_id.",
    ),
    ImdsReason(
        "identity_refused",
        "Microsoft Entra ID gives this identity no token: it is disabled or deleted, or a policy forbids it.",
        "Look for the error code in the message in the identity's sign-in logs in Microsoft Entra ID.",
    ),
    ImdsReason(
        "resource_unknown",
        "Microsoft Entra ID does not know the resource in the identity's tenant.",
        "Check resource: it has to be the App ID URI of an application in that tenant and in the VM's cloud.",
    ),
)

REASONS = {reason.code: reason for reason in _TABLE}


def printable(text: str) -> str:
    """The text with escapes for what does not print, such as \\x1b: what answers must not control a terminal."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text)


class ImdsError(Exception):
    """IMDS could not be asked, or gave no usable answer.

    :param code: a key of REASONS
    :param detail: what exactly was seen, one sentence or less; kept printable
    """

    def __init__(self, code: str, detail: str) -> None:
        self.detail = printable(detail)
        super().__init__(self.detail)
        self.reason = REASONS[code]

    @property
    def message(self) -> str:
        """Meaning and detail, fit for fail_json."""
        return f"{self.reason.meaning} ({self.detail})"
