// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Reads a secret from a Key Vault with a token, under the deadline of the whole operation. Twin of
// _identity/vault_client.py.

using System;
using System.Collections.Generic;
using ansible_collections.imds.azure.plugins.module_utils._ImdsClient;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTokens;
using ansible_collections.imds.azure.plugins.module_utils._ImdsVault;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsVaultClient
{
    // A GET: location, what is asked for below it, headers, seconds for everything. Throws VaultException.
    public delegate Answer Getter(Location place, string target, Dictionary<string, string> headers, double timeout);

    // Attempts: the log, with path, api_version, outcome, status, detail and wait of each.
    public sealed class VaultClient
    {
        // Seconds for one try: a connection that hangs leaves time for another.
        private const double LongestTry = 30;

        private readonly Location place;
        private readonly Getter get;
        private readonly Func<double> remaining;
        private readonly Action<double> sleep;

        public readonly List<object> Attempts = new List<object>();

        // remaining: seconds until the deadline.
        public VaultClient(Location place, Getter get, Func<double> remaining, Action<double> sleep)
        {
            this.place = place;
            this.get = get;
            this.remaining = remaining;
            this.sleep = sleep;
        }

        // The secret at a path (Vault.PathOf). Throws VaultException.
        public Secret Read(string path, Token token)
        {
            Dictionary<string, int> tries = new Dictionary<string, int>();
            while (true)
            {
                Dictionary<string, object> log = new Dictionary<string, object>
                {
                    { "path", path },
                    { "api_version", Vault.ApiVersion },
                    { "outcome", "ok" },
                    { "status", null },
                    { "detail", "HTTP 200" },
                    { "wait", null },
                };
                Attempts.Add(log);
                Answer answer = null;
                double? wait;
                try
                {
                    answer = Ask(path, token);
                    log["status"] = (long)answer.Status;
                    return Vault.Read(answer, token.TenantId);
                }
                catch (VaultException error)
                {
                    string code = error.Reason.Code;
                    log["outcome"] = code;
                    log["detail"] = error.Detail;
                    int before;
                    tries.TryGetValue(code, out before);
                    tries[code] = before + 1;
                    wait = Vault.Wait(code, tries[code], answer == null ? "" : answer.Header("retry-after"));
                    if (wait == null || wait >= remaining())
                    {
                        throw;
                    }
                    log["wait"] = wait;
                }
                sleep(wait.Value);
            }
        }

        private Answer Ask(string path, Token token)
        {
            double left = remaining();
            if (left <= 0)
            {
                throw new VaultException("vault_unreachable", "the deadline leaves no time for a request");
            }
            Dictionary<string, string> headers = new Dictionary<string, string>
            {
                { "Authorization", Token.Kind + " " + token.Value },
                { "Accept", "application/json" },
                { "User-Agent", "imds.azure/" + Client.Version },
            };
            string target = "/" + path + "?api-version=" + Vault.ApiVersion;
            return get(place, target, headers, Math.Min(left, LongestTry));
        }
    }
}
