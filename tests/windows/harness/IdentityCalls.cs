// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Managed identities: requests, tokens, and the client in a scripted world.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsPrivateFile;
using ansible_collections.imds.azure.plugins.module_utils._ImdsReasons;
using ansible_collections.imds.azure.plugins.module_utils._ImdsResources;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTokenClient;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTokenErrors;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTokenRequest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTokens;

namespace ImdsTests
{
    using Map = Dictionary<string, object>;

    public static partial class Harness
    {
        private static readonly string[] TokenForms = { "token", "json", "header" };

        private static object StorePrivateFile(Map arguments)
        {
            ToldDisk disk = (ToldDisk)ToDisk(arguments);
            Map result = new Map();
            try
            {
                Hashtable parameters = new Hashtable(Part(arguments, "params"));
                FileAccessList access = new FileAccessList(parameters, disk);
                PrivateFile file = PrivateFile.Parse(parameters, access, disk, seconds => CountSleep());
                Found found = file.Read();
                result["trusted"] = found == null ? null : (object)(found.Content != null);
                result["changed"] = file.Store(Bytes(arguments, "content"), (bool)arguments["check"]);
            }
            catch (OptionException error)
            {
                result["error"] = error.Message;
            }
            result["guards"] = disk.Shown();
            result["log"] = disk.Log;
            return result;
        }

        private static object ParseTokenRequest(Map arguments)
        {
            Hashtable parameters = new Hashtable(Part(arguments, "params"));
            try
            {
                Settings settings = TokenRequest.ReadSettings(parameters);
                TokenRequest request = TokenRequest.Parse(parameters, (string)parameters["resource"]);
                return new Map
                {
                    { "resource", request.Resource },
                    { "query", TokenRequest.Query(request.Resource, request.Selector, request.BypassCache) },
                    { "identity_wait", request.IdentityWait },
                    { "arc", request.Arc },
                    { "settings", Shown(settings) },
                };
            }
            catch (OptionException error)
            {
                return new Map { { "error", error.Message } };
            }
        }

        private static object NameResource(Map arguments)
        {
            try
            {
                return Resources.Uri((string)arguments["name"], (string)arguments["cloud"]);
            }
            catch (OptionException error)
            {
                return error.Message;
            }
        }

        private static object ReadToken(Map arguments)
        {
            try
            {
                double now = Text.ToDouble(arguments["now"]);
                Token token = Tokens.Read(Part(arguments, "answer"), (string)arguments["resource"], now);
                Map shown = Shown(token, now);
                shown["files"] = TokenForms.Select(form => Convert.ToBase64String(Tokens.Render(token, form)));
                return shown;
            }
            catch (TokenException error)
            {
                return new Map { { "error", error.Message } };
            }
        }

        private static object ReadTokenFile(Map arguments)
        {
            Token token = Tokens.Parse(Bytes(arguments, "content"), (string)arguments["form"]);
            return token == null ? null : Shown(token, Text.ToDouble(arguments["now"]));
        }

        private static object ClassifyToken(Map arguments)
        {
            TokenPolicy policy = new TokenPolicy((bool)arguments["named"], 0);
            return new[]
            {
                policy.Classify(ToResponse(Part(arguments, "response"))),
                policy.Describe(ToResponse(Part(arguments, "response"))),
            };
        }

        private static object RunTokenClient(Map arguments)
        {
            ScriptedWorld scripted = new ScriptedWorld(Parts(arguments, "answers").ToList());
            World world = ToWorld(arguments);
            world.Exchange = scripted.Get;
            world.Clock = () => scripted.Now;
            world.Sleep = scripted.Sleep;
            Hashtable parameters = new Hashtable(Part(arguments, "params"));
            Map result = new Map();
            TokenClient client = null;
            try
            {
                Settings settings = TokenRequest.ReadSettings(parameters);
                TokenRequest request = TokenRequest.Parse(parameters, (string)parameters["resource"]);
                client = new TokenClient(request, settings, world);
                result["token"] = Shown(client.Get(client.Resource()), world.Now());
            }
            catch (OptionException error)
            {
                result["option"] = error.Message;
            }
            catch (ImdsException error)
            {
                result["error"] = new[] { error.Reason.Code, error.Explanation };
            }
            result["attempts"] = client == null ? null : client.Attempts;
            result["on_arc"] = client == null ? null : (object)client.OnArc;
            result["requests"] = scripted.Requests;
            result["sleeps"] = scripted.Sleeps;
            return result;
        }

        private static Map Shown(Token token, double now)
        {
            return new Map
            {
                { "value", token.Value },
                { "resource", token.Resource },
                { "expires_on", token.ExpiresOn },
                { "expires_at", token.ExpiresAt },
                { "starts_on", token.StartsOn },
                { "client_id", token.ClientId },
                { "object_id", token.ObjectId },
                { "tenant_id", token.TenantId },
                { "identity", token.Identity },
                { "claims", token.Claims },
                { "lives", token.Lives(now) },
                { "long_enough", new[] { token.LivesLongEnough(null, now), token.LivesLongEnough(3600, now) } },
                { "text", token.ToString() },
            };
        }
    }
}
