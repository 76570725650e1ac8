// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// How it ends: every way a request to IMDS can end, with its code, meaning and remedy, which is the twin of
// _imds/reasons.py; and what a module ends with.

using System;
using System.Collections.Generic;
using System.Linq;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsReasons
{
    using Map = Dictionary<string, object>;

    public sealed class ImdsReason
    {
        public readonly string Code;
        public readonly string Meaning;
        public readonly string Remedy;

        public ImdsReason(string code, string meaning, string remedy)
        {
            Code = code;
            Meaning = meaning;
            Remedy = remedy;
        }
    }

    public static class Reasons
    {
        // <generated reasons: make generate>
        public static readonly ImdsReason[] Table =
        {
            new ImdsReason("ok", "IMDS answered.", "Nothing to do."),
            new ImdsReason(
                "not_azure",
                "This machine does not have the chassis asset tag of an Azure VM, so nothing was sent.",
                "For an emulator or Azure Stack, set detect to force; otherwise there is nothing to do."),
            new ImdsReason(
                "unknown_platform",
                "The chassis asset tag cannot be read, so whether this is an Azure VM is unknown, and nothing was "
                + "sent.",
                "Let the module read the firmware's tag, give it in chassis_asset_tag, or set detect to force on an"
                + " Azure VM."),
            new ImdsReason(
                "no_interpreter",
                "The interpreter of the local fact script is gone, or cannot run it.",
                "Run azure_imds_local_facts again, with its option python where the default interpreter will not do."),
            new ImdsReason(
                "no_route",
                "The system has no usable route to the metadata address.",
                "Check the default route and the host route to 169.254.169.254 on the primary network interface."),
            new ImdsReason(
                "route_prohibited",
                "A prohibit or blackhole route, or a local firewall, forbids traffic to the metadata address.",
                "Remove that route or firewall rule, or reconfigure the service that set it, such as systemd-imdsd."),
            new ImdsReason(
                "locked_by_systemd",
                "systemd-imdsd locks IMDS on purpose: only processes that may set its firewall mark get through.",
                "Use become, so that the mark can be set, boot with systemd.imds.network=unlocked, or use "
                + "systemd-imds."),
            new ImdsReason(
                "wrong_source_address",
                "IMDS answers another address of this host, but not the one that the system chose as the source.",
                "Make the primary address of the primary network interface the source of the route to "
                + "169.254.169.254."),
            new ImdsReason(
                "connect_timeout",
                "Nothing accepted the connection in time.",
                "Check that the route to 169.254.169.254 leaves through the primary network interface."),
            new ImdsReason(
                "read_timeout",
                "The connection was accepted, but no complete answer arrived in time.",
                "Try again, or raise read_timeout and timeout; if it stays silent, check the route's source address."),
            new ImdsReason(
                "refused",
                "The connection was refused, reset, or closed before an answer.",
                "Check that the endpoint is right and that no local firewall rejects the connection."),
            new ImdsReason(
                "throttled",
                "IMDS answered 429: it allows a VM 5 requests per second (20 for tokens), all programs together.",
                "Find out which program on the VM sends so many requests, and try again later."),
            new ImdsReason(
                "updating",
                "IMDS answered 410: it is being updated, which takes up to 70 seconds.",
                "Try again in a minute."),
            new ImdsReason(
                "forbidden",
                "IMDS answered 401, 403 or 421: the Metadata Security Protocol or a firewall refuses this user or "
                + "process.",
                "Allow the user or process that Ansible runs as in the VM's access control profile, or use become."),
            new ImdsReason(
                "bad_version",
                "IMDS does not support this API version here.",
                "Leave out api_version, or pin one of the versions that the message lists."),
            new ImdsReason(
                "not_found",
                "IMDS has nothing at this path.",
                "Check the path; a classic VM has no compute section, and only a VM behind a load balancer has "
                + "loadbalancer."),
            new ImdsReason(
                "rejected",
                "IMDS rejected the request as invalid (400 or 405).",
                "Read its answer in the message; the path must exist in the API version."),
            new ImdsReason(
                "intercepted",
                "Something other than this VM's IMDS answered: a proxy's page, a redirect, or another machine's "
                + "metadata.",
                "Find out what answers in its place: a transparent proxy, a NAT rule, a container platform's "
                + "metadata proxy."),
            new ImdsReason(
                "malformed",
                "The answer is not what IMDS sends: it is incomplete, not UTF-8, not JSON, or lacks required sections.",
                "Try again; if it persists, find out what listens on the metadata address."),
            new ImdsReason(
                "too_large",
                "The answer is larger than any that IMDS sends.",
                "Find out what listens on the metadata address: IMDS documents are a few KiB."),
            new ImdsReason(
                "server_error",
                "IMDS answered with a server error (408 or 5xx).",
                "Try again later; if it persists, restart the VM or contact Azure support."),
            new ImdsReason(
                "no_identity",
                "No managed identity is assigned to this machine.",
                "Assign one to it, such as with az vm identity assign; identity_wait waits until IMDS knows it."),
            new ImdsReason(
                "identity_unknown",
                "The managed identity that was named is not assigned to this machine.",
                "Check client_id, object_id or msi_res_id, and assign that identity to the VM; identity_wait waits "
                + "for it."),
            new ImdsReason(
                "identity_ambiguous",
                "Several user-assigned identities are assigned to this machine, and none was named.",
                "Name the identity with client_id, object_id or msi_res_id."),
            new ImdsReason(
                "identity_refused",
                "Microsoft Entra ID gives this identity no token: it is disabled or deleted, or a policy forbids it.",
                "Look for the error code in the message in the identity's sign-in logs in Microsoft Entra ID."),
            new ImdsReason(
                "resource_unknown",
                "Microsoft Entra ID does not know the resource in the identity's tenant.",
                "Check resource: it has to be the App ID URI of an application in that tenant and in the VM's cloud."),
        };
        // </generated>

        public static readonly Dictionary<string, ImdsReason> ByCode = Table.ToDictionary(reason => reason.Code);
    }

    // IMDS could not be asked, or gave no usable answer. detail: what exactly was seen, one sentence or less.
    public class ImdsException : Exception
    {
        public readonly ImdsReason Reason;
        public readonly string Detail;

        public ImdsException(string code, string detail) : base(Text.Printable(detail))
        {
            Reason = Reasons.ByCode[code];
            Detail = Message;
        }

        // Meaning and detail, fit for a module's message.
        public string Explanation
        {
            get { return Reason.Meaning + " (" + Detail + ")"; }
        }
    }

    // What a module ends with; _ImdsOutcome.psm1 hands it over to Ansible.
    // Result: the keys to return. Failure: the message to fail with, or null.
    public sealed class Outcome
    {
        public Map Result = new Map();
        public List<string> Warnings = new List<string>();
        public string Failure;

        // How the program that asked came to the host. What the controller sends otherwise is not C#.
        public const string Delivery = "module";

        public static Map Meta()
        {
            return new Map { { "delivery", Delivery } };
        }
    }
}
