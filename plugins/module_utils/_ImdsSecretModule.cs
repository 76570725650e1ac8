// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// azure_imds_keyvault_secret_windows between its parameters and its result. Twin of azure_imds_keyvault_secret.py.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using ansible_collections.imds.azure.plugins.module_utils._ImdsDisk;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsHidden;
using ansible_collections.imds.azure.plugins.module_utils._ImdsHttps;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsPrivateFile;
using ansible_collections.imds.azure.plugins.module_utils._ImdsReasons;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTokenClient;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTokenRequest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTokens;
using ansible_collections.imds.azure.plugins.module_utils._ImdsVault;
using ansible_collections.imds.azure.plugins.module_utils._ImdsVaultClient;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsSecretModule
{
    public sealed class SecretModule
    {
        private readonly IDictionary parameters;
        private readonly World world;
        private readonly Disk disk;
        private readonly Hidden hidden = new Hidden();
        private readonly Outcome outcome = new Outcome();
        private TokenClient client;
        private VaultClient reader;

        private SecretModule(IDictionary parameters, World world, Disk disk)
        {
            this.parameters = parameters;
            this.world = world;
            this.disk = disk;
        }

        private List<object> Attempts
        {
            get
            {
                List<object> asked = client == null ? new List<object>() : client.Attempts;
                return reader == null ? asked : asked.Concat(reader.Attempts).ToList();
            }
        }

        public static Outcome Run(IDictionary parameters, bool checkMode)
        {
            return Run(parameters, checkMode, new World(), new Disk());
        }

        public static Outcome Run(IDictionary parameters, bool checkMode, World world, Disk disk)
        {
            SecretModule module = new SecretModule(parameters, world, disk);
            try
            {
                module.Run(checkMode);
            }
            catch (OptionException error)
            {
                module.outcome.Failure = error.Message;
            }
            catch (ImdsException error)
            {
                module.Fail(error.Explanation, error.Reason.Code, error.Reason.Remedy);
            }
            catch (VaultException error)
            {
                module.Fail(error.Explanation, error.Reason.Code, error.Reason.Remedy);
            }
            catch (Exception error)
            {
                throw module.hidden.In(error);
            }
            module.hidden.In(module.outcome);
            return module.outcome;
        }

        private void Fail(string explanation, string code, string remedy)
        {
            outcome.Failure = "No secret " + parameters["name"] + ": " + explanation + " " + remedy;
            outcome.Result["reason"] = code;
            outcome.Result["remedy"] = remedy;
            outcome.Result["attempts"] = Attempts;
        }

        private void Run(bool checkMode)
        {
            bool returned = true.Equals(parameters["return_secret"]);
            if (string.IsNullOrEmpty((string)parameters["dest"]) && !returned)
            {
                throw new OptionException(
                    "dest", "neither dest nor return_secret is given, so the secret would go nowhere; give one");
            }
            string name = (string)parameters["vault"];
            Location place = Vault.Parse(name);
            string path = Vault.PathOf((string)parameters["name"], (string)parameters["version"]);
            string given = (string)parameters["resource"];
            given = string.IsNullOrEmpty(given) ? null : given;
            string resource = given ?? (place == null ? "vault" : Vault.ResourceOf(place));
            Settings settings = TokenRequest.ReadSettings(parameters);
            TokenRequest request = TokenRequest.Parse(parameters, resource);
            FileAccessList access = new FileAccessList(parameters, disk);
            Https https = new Https(new Trust((string)parameters["ca_path"]), world.Environment);
            PrivateFile file = PrivateFile.Parse(parameters, access, disk, world.Sleep);
            client = new TokenClient(request, settings, world);
            place = place ?? Vault.Named(name, client.Cloud());
            Token token = client.Get(given == null ? Vault.ResourceOf(place) : client.Resource());
            hidden.Add(token.Value);
            reader = new VaultClient(place, https.Get, () => client.Remaining, world.Sleep);
            Secret secret = reader.Read(path, token);
            hidden.Add(secret.Value);
            bool changed = file != null && file.Store(Decoded(secret.Value), checkMode);
            outcome.Warnings.AddRange(client.LongWaits());
            Describe(place, secret, token);
            outcome.Result["changed"] = changed;
            if (file != null)
            {
                outcome.Result["dest"] = file.Name;
            }
            if (returned)
            {
                hidden.Reveal(secret.Value);
                outcome.Result["secret"] = secret.Value;
            }
        }

        private void Describe(Location place, Secret secret, Token token)
        {
            List<object> notes = new List<object>();
            if (secret.IsPast(world.Now()))
            {
                notes.Add("The secret has expired.");
            }
            outcome.Result["reason"] = "ok";
            outcome.Result["remedy"] = null;
            outcome.Result["vault"] = place.Url;
            outcome.Result["name"] = parameters["name"];
            outcome.Result["version"] = secret.Version;
            outcome.Result["content_type"] = secret.ContentType;
            outcome.Result["created_at"] = secret.Date("created");
            outcome.Result["updated_at"] = secret.Date("updated");
            outcome.Result["expires_at"] = secret.Date("exp");
            outcome.Result["client_id"] = token.ClientId;
            outcome.Result["identity"] = token.Identity;
            outcome.Result["notes"] = notes;
            outcome.Result["attempts"] = Attempts;
        }

        // The content of the file. Throws OptionException: the secret is not in that encoding.
        private byte[] Decoded(string value)
        {
            if ((string)parameters["encoding"] != "base64")
            {
                return new UTF8Encoding(false).GetBytes(value);
            }
            try
            {
                return Convert.FromBase64String(string.Concat(value.Where(each => !char.IsWhiteSpace(each))));
            }
            catch (FormatException)
            {
                throw new OptionException(
                    "encoding", "the secret is not base64; use utf-8, which writes it as it is");
            }
        }
    }
}
