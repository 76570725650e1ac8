// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Key Vault: where it is, what it answers, and the client of a scripted one.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsHttps;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTokens;
using ansible_collections.imds.azure.plugins.module_utils._ImdsVault;
using ansible_collections.imds.azure.plugins.module_utils._ImdsVaultClient;

namespace ImdsTests
{
    using Map = Dictionary<string, object>;

    public static partial class Harness
    {
        private static object PlaceVault(Map arguments)
        {
            return OrError(() =>
            {
                string name = (string)arguments["vault"];
                Location place = Vault.Parse(name);
                bool named = place == null;
                place = place ?? Vault.Named(name, (string)arguments["cloud"]);
                return new object[] { named, place.Url, Vault.ResourceOf(place) };
            });
        }

        private static object PathOfSecret(Map arguments)
        {
            return OrError(() => Vault.PathOf((string)arguments["name"], (string)Value(arguments, "version")));
        }

        private static object ReadSecret(Map arguments)
        {
            try
            {
                Secret secret = Vault.Read(ToAnswer(Part(arguments, "answer")), (string)Value(arguments, "tenant"));
                double now = Text.ToDouble(arguments["now"]);
                IEnumerable<string> dates = new[] { "created", "updated", "nbf", "exp" }.Select(secret.Date);
                return new object[]
                {
                    secret.Value, secret.Version, secret.ContentType, dates, secret.IsPast(now), secret.ToString(),
                };
            }
            catch (VaultException error)
            {
                return new[] { error.Reason.Code, error.Explanation };
            }
        }

        private static object RunVaultClient(Map arguments)
        {
            List<Map> answers = Parts(arguments, "answers").ToList();
            double now = 0;
            double limit = Text.ToDouble(arguments["limit"]);
            List<object> asked = new List<object>();
            List<double> sleeps = new List<double>();
            Getter get = (place, target, headers, timeout) =>
            {
                asked.Add(new object[] { place.Url, target, headers, timeout });
                now += Math.Min(1, timeout);
                Map answer = answers[Math.Min(asked.Count, answers.Count) - 1];
                if (answer.ContainsKey("code"))
                {
                    throw new VaultException((string)answer["code"], (string)answer["detail"]);
                }
                return ToAnswer(answer);
            };
            Action<double> sleep = seconds =>
            {
                sleeps.Add(seconds);
                now += seconds;
            };
            VaultClient client = new VaultClient(
                new Location("v.vault.azure.net"), get, () => limit - now, sleep);
            object result;
            try
            {
                result = client.Read("secrets/db", new Token((string)arguments["token"], "", 0, null, null)).Value;
            }
            catch (VaultException error)
            {
                result = error.Reason.Code;
            }
            return new object[] { result, client.Attempts, asked, sleeps };
        }

        // One request to a vault over the network.
        private static object GetFromVault(Map arguments)
        {
            Map environment = Part(arguments, "environment");
            Https https = new Https(new Trust((string)arguments["ca"]), name => (string)Value(environment, name));
            Location place = Vault.Parse((string)arguments["vault"]);
            try
            {
                double timeout = Text.ToDouble(arguments["timeout"]);
                Answer answer = https.Get(
                    place, (string)arguments["target"], Strings(Part(arguments, "headers")), timeout);
                return new Map
                {
                    { "status", answer.Status },
                    { "headers", answer.Headers },
                    { "body", Convert.ToBase64String(answer.Body) },
                };
            }
            catch (VaultException error)
            {
                return new Map { { "code", error.Reason.Code }, { "detail", error.Detail } };
            }
        }

        // How the client of a vault ends; clock, pauses and vault are the test's.
        private static object AskForSecret(Map arguments)
        {
            World world = ToAskingWorld(arguments);
            double end = world.Clock() + Text.ToDouble(arguments["limit"]);
            Getter get = (place, target, headers, timeout) =>
            {
                Map answer = Ask("vault", new Map
                {
                    { "target", target }, { "headers", headers }, { "timeout", timeout },
                });
                if (answer.ContainsKey("code"))
                {
                    throw new VaultException((string)answer["code"], (string)answer["detail"]);
                }
                return ToAnswer(answer);
            };
            VaultClient client = new VaultClient(
                Vault.Parse((string)arguments["vault"]), get, () => end - world.Clock(), world.Sleep);
            try
            {
                client.Read((string)arguments["path"], new Token((string)arguments["token"], "", 0, null, null));
                return "ok";
            }
            catch (VaultException error)
            {
                return error.Reason.Code;
            }
        }

        private static object ChooseProxy(Map arguments)
        {
            Map environment = Part(arguments, "environment");
            try
            {
                Https https = new Https(new Trust(null), name => (string)Value(environment, name));
                string host = (string)arguments["host"];
                NamedProxy proxy = (NamedProxy)https.ProxyFor(host);
                if (proxy == null)
                {
                    return null;
                }
                NetworkCredential pair = (NetworkCredential)proxy.Credentials;
                return new object[]
                {
                    proxy.Address.Host, proxy.Address.Port, pair == null ? null : pair.UserName + ":" + pair.Password,
                };
            }
            catch (VaultException error)
            {
                return error.Explanation;
            }
        }

        private static object OrError(Func<object> work)
        {
            try
            {
                return work();
            }
            catch (OptionException error)
            {
                return new Map { { "error", error.Message } };
            }
        }

        private static Answer ToAnswer(Map given)
        {
            return new Answer((int)(long)given["status"], Strings(Part(given, "headers")), Bytes(given, "body"));
        }
    }
}
