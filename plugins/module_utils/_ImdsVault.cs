// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Azure Key Vault: where a vault is, what its answers mean, and what a secret is. Pure. Twin of _identity/vault.py.

using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text.RegularExpressions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsJson;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsResources;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRetry;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTokens;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsVault
{
    using Map = Dictionary<string, object>;

    public sealed class VaultReason
    {
        public readonly string Code;
        public readonly string Meaning;
        public readonly string Remedy;

        public VaultReason(string code, string meaning, string remedy)
        {
            Code = code;
            Meaning = meaning;
            Remedy = remedy;
        }
    }

    // There is no secret. detail: what exactly was seen; kept printable, and free of what looks like a token.
    public sealed class VaultException : Exception
    {
        private const int Told = 300;

        private static readonly Regex TokenLike = new Regex(
            @"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]*");

        public readonly VaultReason Reason;
        public readonly string Detail;

        public VaultException(string code, string detail) : base(Shown(detail))
        {
            Reason = Vault.Reasons.First(reason => reason.Code == code);
            Detail = Message;
        }

        // Meaning and detail, fit for a module's message.
        public string Explanation
        {
            get { return Reason.Meaning + " (" + Detail + ")"; }
        }

        private static string Shown(string detail)
        {
            string line = string.Join(" ", detail.Split((char[])null, StringSplitOptions.RemoveEmptyEntries));
            return Text.Beginning(Text.Printable(TokenLike.Replace(line, "[redacted]")), Told);
        }
    }

    // Where a vault listens.
    public sealed class Location
    {
        public readonly string Host;
        public readonly int Port;

        public Location(string host, int port = 443)
        {
            Host = host;
            Port = port;
        }

        public string Url
        {
            get { return "https://" + Host + (Port == 443 ? "" : ":" + Port); }
        }
    }

    // Headers: names in lower case.
    public sealed class Answer
    {
        public readonly int Status;
        public readonly Dictionary<string, string> Headers;
        public readonly byte[] Body;

        public Answer(int status, Dictionary<string, string> headers, byte[] body)
        {
            Status = status;
            Headers = headers;
            Body = body;
        }

        // The header, or "".
        public string Header(string name)
        {
            string value;
            return Headers.TryGetValue(name, out value) ? value : "";
        }
    }

    // A secret. ToString() does not have its value. What the vault does not tell is null.
    public sealed class Secret
    {
        public readonly string Value;
        public readonly string Version;
        public readonly string ContentType;

        private readonly Map attributes;

        public Secret(string value, Map content)
        {
            Value = value;
            string id = (Vault.At(content, "id") as string ?? "").TrimEnd('/');
            Version = Filled(id.Substring(id.LastIndexOf('/') + 1));
            ContentType = Filled(Vault.At(content, "contentType") as string);
            attributes = Vault.At(content, "attributes") as Map ?? new Map();
        }

        public override string ToString()
        {
            return "<Secret, version " + Version + ">";
        }

        // A time among its attributes, in ISO 8601; created, updated, nbf or exp.
        public string Date(string attribute)
        {
            long? seconds = Tokens.Moment(Vault.At(attributes, attribute));
            return seconds == null ? null : Tokens.Iso(seconds.Value);
        }

        // Whether its expiry date has passed; the vault hands it out all the same.
        public bool IsPast(double now)
        {
            long? expires = Tokens.Moment(Vault.At(attributes, "exp"));
            return expires != null && expires <= now;
        }

        private static string Filled(string text)
        {
            return string.IsNullOrEmpty(text) ? null : text;
        }
    }

    public static class Vault
    {
        public const string ApiVersion = "7.4";

        private const string WrongIssuer = "AKV10032";

        // <generated vault: make generate>
        public static readonly VaultReason[] Reasons =
        {
            new VaultReason(
                "vault_forbidden",
                "The identity has no role that lets it read this secret.",
                "Assign it the role Key Vault Secrets User on the vault or on the secret, and wait some minutes."),
            new VaultReason(
                "vault_forbidden_by_policy",
                "No access policy of the vault lets the identity read secrets.",
                "Add an access policy with the secret permission Get for the identity's object ID."),
            new VaultReason(
                "vault_firewall",
                "The vault's firewall does not let this host in.",
                "Allow the host's subnet or public address in the vault's networking settings, or use a private "
                + "endpoint."),
            new VaultReason(
                "vault_wrong_tenant",
                "The vault belongs to another tenant than the identity.",
                "Use a vault in the identity's tenant; a managed identity gets tokens of its own tenant only."),
            new VaultReason(
                "vault_unauthorized",
                "The vault does not accept the token.",
                "Check resource, which has to be what this vault expects, such as https://vault.azure.net."),
            new VaultReason(
                "secret_not_found",
                "The vault has no secret of this name, or not this version of it.",
                "Check name and version; a deleted secret has to be recovered first."),
            new VaultReason(
                "secret_disabled",
                "The secret, or this version of it, is disabled.",
                "Enable it, or give the version that is to be used."),
            new VaultReason(
                "vault_not_found",
                "The name of the vault can't be resolved.",
                "Check vault and the host's DNS; a vault's name disappears with it."),
            new VaultReason(
                "vault_unreachable",
                "The vault could not be reached, or did not answer in time.",
                "Check that the host, or the proxy in its environment, can open HTTPS connections to the vault."),
            new VaultReason(
                "vault_untrusted",
                "The certificate of the vault, or of what answers in its place, is not trusted.",
                "Install the CA certificate on the host or name it in ca_path, if what answers is meant to."),
            new VaultReason(
                "vault_intercepted",
                "Something other than a vault answered: a redirect, a page, or something that is not the JSON of a "
                + "secret.",
                "Check vault, and find out which proxy or host answers in its place."),
            new VaultReason(
                "vault_throttled",
                "The vault answered 429: it gets too many requests.",
                "Try again later, and find out what asks so often."),
            new VaultReason("vault_error", "The vault answered with a server error.", "Try again later."),
            new VaultReason("vault_rejected", "The vault rejected the request.", "Read its answer in the message."),
        };

        // Seconds before each further try, of an answer or a failure that may be another one next time.
        public static readonly Dictionary<string, double[]> Waits = new Dictionary<string, double[]>
        {
            { "vault_throttled", new double[] { 1, 2, 4, 8 } },
            { "vault_error", new double[] { 1, 2, 4 } },
            { "vault_unreachable", new double[] { 1, 2 } },
        };

        // What the vault calls its refusals, in innererror.
        public static readonly Dictionary<string, string> Refusals = new Dictionary<string, string>
        {
            { "ForbiddenByRbac", "vault_forbidden" },
            { "AccessDenied", "vault_forbidden_by_policy" },
            { "ForbiddenByPolicy", "vault_forbidden_by_policy" },
            { "ForbiddenByFirewall", "vault_firewall" },
            { "ForbiddenByConnection", "vault_firewall" },
            { "SecretDisabled", "secret_disabled" },
        };
        // </generated>

        private static readonly Regex Name = new Regex(@"\A[A-Za-z](?:-?[A-Za-z0-9]){2,23}\z");
        private static readonly Regex Url = new Regex(
            @"\Ahttps://([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::([0-9]{1,5}))?/?\z");
        private static readonly Regex SecretName = new Regex(@"\A[0-9A-Za-z-]{1,127}\z");
        private static readonly Regex SecretVersion = new Regex(@"\A[0-9A-Za-z]{1,127}\z");
        private static readonly Regex Trusted = new Regex(
            @"authorization(?:_uri)?=""https://[^/""]+/([0-9A-Fa-f-]{36})");
        private static readonly Regex Audience = new Regex(@"resource=""([^""]+)""");

        // Where a vault is, from its URL; null for the name of a vault, whose domain depends on the cloud. Throws
        // OptionException: any other text.
        public static Location Parse(string text)
        {
            if (Name.IsMatch(text) && text.Length <= 24)
            {
                return null;
            }
            Match url = Url.Match(text);
            string port = url.Groups[2].Success ? url.Groups[2].Value : "443";
            int number = url.Success ? int.Parse(port, CultureInfo.InvariantCulture) : 0;
            if (number < 1 || number > 65535)
            {
                throw new OptionException(
                    "vault",
                    Text.Quote(text) + " is neither the name of a vault nor a URL of the form "
                    + "https://NAME.vault.azure.net");
            }
            return new Location(url.Groups[1].Value.ToLowerInvariant(), number);
        }

        // Where the vault of that name is in a cloud. Throws OptionException: the cloud is not known.
        public static Location Named(string name, string cloud)
        {
            string domain;
            try
            {
                domain = new Uri(Resources.Uri("vault", cloud)).Host;
            }
            catch (OptionException)
            {
                throw new OptionException(
                    "vault",
                    "the domain of vaults in the cloud " + Text.Quote(cloud) + " is not known; give the URL");
            }
            return new Location(name.ToLowerInvariant() + "." + domain);
        }

        // What a token for the vault is for. A token goes to nobody else than a vault of Azure without being asked to.
        // Throws OptionException: the host is not one of Key Vault.
        public static string ResourceOf(Location place)
        {
            foreach (string uri in Resources.Names["vault"])
            {
                if (place.Host.EndsWith("." + new Uri(uri).Host, StringComparison.Ordinal))
                {
                    return uri;
                }
            }
            throw new OptionException(
                "vault",
                place.Host + " is not in a domain of Azure Key Vault; check it, or say in resource what a token for it "
                + "is for");
        }

        // The path of a secret below the vault. Throws OptionException: a name or version that no secret has.
        public static string PathOf(string name, string version)
        {
            if (!SecretName.IsMatch(name))
            {
                throw new OptionException("name", Text.Quote(name) + " is not 1 to 127 letters, digits and hyphens");
            }
            if (version != null && !SecretVersion.IsMatch(version))
            {
                throw new OptionException(
                    "version",
                    Text.Quote(version) + " is not the version of a secret; omit it for the current one");
            }
            return "secrets/" + name + (version == null ? "" : "/" + version);
        }

        // The secret in an answer. tenant: of the identity that asked, as its token says. Throws VaultException.
        public static Secret Read(Answer answer, string tenant)
        {
            Map content = Json.ReadObject(answer.Body) ?? new Map();
            if (answer.Status != 200)
            {
                throw Refusal(answer, content, tenant);
            }
            string value = At(content, "value") as string;
            if (value == null)
            {
                throw new VaultException(
                    "vault_intercepted", "HTTP 200, " + answer.Body.Length + " bytes without the value of a secret");
            }
            return new Secret(value, content);
        }

        // Seconds to wait before the next try, or null to stop. code: of Reasons. tries: how many times it was seen,
        // this one included. retryAfter: the header of that name, obeyed if it is a number of seconds.
        public static double? Wait(string code, int tries, string retryAfter)
        {
            double[] waits;
            if (!Waits.TryGetValue(code, out waits) || tries > waits.Length)
            {
                return null;
            }
            return Retry.Seconds(retryAfter) ?? waits[tries - 1];
        }

        internal static object At(Map content, string name)
        {
            object value;
            content.TryGetValue(name, out value);
            return value;
        }

        private static VaultException Refusal(Answer answer, Map content, string tenant)
        {
            Map error = At(content, "error") as Map ?? new Map();
            Map inner = At(error, "innererror") as Map ?? new Map();
            string code = At(inner, "code") as string ?? "";
            List<string> said = new List<string> { "HTTP " + answer.Status };
            said.AddRange(code.Length > 0 ? new[] { code } : new string[0]);
            said.AddRange(new[] { "code", "message" }.Select(key => At(error, key)).OfType<string>());
            string words = string.Join(": ", said);
            if (answer.Status == 401)
            {
                return Unauthorized(answer, words, tenant);
            }
            string byStatus = ByStatus(answer.Status);
            if (error.Count == 0 || answer.Headers.ContainsKey("location"))
            {
                return new VaultException(
                    byStatus == "vault_rejected" ? "vault_intercepted" : byStatus,
                    "HTTP " + answer.Status + ", " + answer.Body.Length + " bytes that no vault sends");
            }
            if (answer.Status == 403)
            {
                string refusal;
                bool known = Refusals.TryGetValue(code, out refusal);
                return new VaultException(known ? refusal : "vault_forbidden", words);
            }
            bool unknown = answer.Status == 404 && "SecretNotFound".Equals(At(error, "code"));
            return new VaultException(unknown ? "secret_not_found" : byStatus, words);
        }

        // For what has no words that only a vault uses.
        private static string ByStatus(int status)
        {
            return status == 429 ? "vault_throttled"
                : status == 408 || status >= 500 ? "vault_error"
                : status >= 400 ? "vault_rejected"
                : "vault_intercepted";
        }

        // A 401 tells in a header which tenant the vault trusts, and what a token for it is for.
        private static VaultException Unauthorized(Answer answer, string words, string tenant)
        {
            string challenge = answer.Header("www-authenticate");
            Match trusted = Trusted.Match(challenge);
            Match audience = Audience.Match(challenge);
            string theirs = trusted.Groups[1].Value;
            bool told = trusted.Success && !string.IsNullOrEmpty(tenant);
            if (told && theirs.ToLowerInvariant() != tenant.ToLowerInvariant())
            {
                return new VaultException(
                    "vault_wrong_tenant", "the vault is in tenant " + theirs + ", the identity in " + tenant);
            }
            if (words.Contains(": " + WrongIssuer + ":"))
            {
                return new VaultException("vault_wrong_tenant", words);
            }
            if (challenge.Length == 0)
            {
                return new VaultException("vault_intercepted", "HTTP 401 without the challenge that a vault sends");
            }
            string hint = audience.Success ? "; a token for it is for " + audience.Groups[1].Value : "";
            return new VaultException("vault_unauthorized", words + hint);
        }
    }
}
