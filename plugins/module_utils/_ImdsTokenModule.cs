// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// azure_imds_token_windows between its parameters and its result. Twin of azure_imds_token.py.

using System;
using System.Collections;
using System.Collections.Generic;
using ansible_collections.imds.azure.plugins.module_utils._ImdsDisk;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsHidden;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsPrivateFile;
using ansible_collections.imds.azure.plugins.module_utils._ImdsReasons;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTokenClient;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTokenRequest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTokens;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsTokenModule
{
    using Map = Dictionary<string, object>;

    public sealed class TokenModule
    {
        private readonly IDictionary parameters;
        private readonly World world;
        private readonly Disk disk;
        private readonly Hidden hidden = new Hidden();
        private readonly Outcome outcome = new Outcome();
        private TokenClient client;

        private TokenModule(IDictionary parameters, World world, Disk disk)
        {
            this.parameters = parameters;
            this.world = world;
            this.disk = disk;
        }

        public static Outcome Run(IDictionary parameters, bool checkMode, bool diffMode)
        {
            return Run(parameters, checkMode, diffMode, new World(), new Disk());
        }

        public static Outcome Run(IDictionary parameters, bool checkMode, bool diffMode, World world, Disk disk)
        {
            TokenModule module = new TokenModule(parameters, world, disk);
            try
            {
                module.Run(checkMode, diffMode);
            }
            catch (OptionException error)
            {
                module.outcome.Failure = error.Message;
            }
            catch (ImdsException error)
            {
                module.Fail(error);
            }
            catch (Exception error)
            {
                throw module.hidden.In(error);
            }
            module.hidden.In(module.outcome);
            return module.outcome;
        }

        private void Fail(ImdsException error)
        {
            outcome.Failure = "No token for " + parameters["resource"] + ": " + error.Explanation + " "
                + error.Reason.Remedy;
            outcome.Result["reason"] = error.Reason.Code;
            outcome.Result["remedy"] = error.Reason.Remedy;
            outcome.Result["attempts"] = client == null ? new List<object>() : client.Attempts;
        }

        private void Run(bool checkMode, bool diffMode)
        {
            Settings settings = TokenRequest.ReadSettings(parameters);
            TokenRequest request = TokenRequest.Parse(parameters, (string)parameters["resource"]);
            long? minimum = Wanted.MinimumValidity((string)parameters["minimum_validity"]);
            string form = (string)parameters["content"];
            FileAccessList access = new FileAccessList(parameters, disk);
            PrivateFile file = PrivateFile.Parse(parameters, access, disk, world.Sleep);
            client = new TokenClient(request, settings, world);
            Wanted wanted = new Wanted(request, client.Resource(), minimum);
            Found found = file == null ? null : file.Read();
            Token stored = found == null || found.Content == null ? null : Tokens.Parse(found.Content, form);
            List<object> notes = new List<object>();
            Token token = wanted.Obtain(client, stored, hidden.Add, world.Now, notes);
            bool changed = file != null && file.Store(Tokens.Render(token, form), checkMode);
            outcome.Warnings.AddRange(client.LongWaits());
            Describe(token);
            outcome.Result["changed"] = changed;
            outcome.Result["notes"] = notes;
            outcome.Result["attempts"] = client.Attempts;
            if (true.Equals(parameters["return_claims"]))
            {
                outcome.Result["claims"] = token.Claims;
            }
            if (file != null)
            {
                outcome.Result["dest"] = file.Name;
                if (diffMode)
                {
                    outcome.Result["diff"] = new Map { { "before", Summary(stored) }, { "after", Summary(token) } };
                }
            }
            if (true.Equals(parameters["return_token"]))
            {
                hidden.Reveal(token.Value);
                outcome.Result["token"] = token.Value;
            }
        }

        // What the result says about the token.
        private void Describe(Token token)
        {
            outcome.Result["reason"] = "ok";
            outcome.Result["remedy"] = null;
            outcome.Result["resource"] = token.Resource;
            outcome.Result["expires_at"] = token.ExpiresAt;
            outcome.Result["expires_in"] = token.Lives(world.Now());
            outcome.Result["token_type"] = Token.Kind;
            outcome.Result["client_id"] = token.ClientId;
            outcome.Result["object_id"] = token.ObjectId;
            outcome.Result["tenant_id"] = token.TenantId;
            outcome.Result["identity"] = token.Identity;
        }

        // A token for a diff, without the token.
        private static string Summary(Token token)
        {
            return token == null ? "" : "resource: " + token.Resource + "\nidentity: "
                + (token.Identity ?? token.ClientId ?? "None") + "\nexpires: " + token.ExpiresAt + "\n";
        }
    }
}
