// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// The agent of an Azure Arc machine, which proves with a key file that the one who asks may read it; and where else
// than at IMDS an identity may be served. Twin of _identity/arc.py and _identity/surroundings.py.

using System;
using System.Collections;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsReasons;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTokenErrors;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTransport;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsArc
{
    // What the agent answers first. File: the key file that it names.
    public sealed class Challenge
    {
        private static readonly Regex Form = new Regex(
            @"\ABasic realm=""?([^""]+?)""?\z", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);

        public readonly string File;

        private Challenge(string file)
        {
            File = file;
        }

        // The challenge in an answer; null if it is none.
        public static Challenge In(Response response)
        {
            Match match = Form.Match(response.Header("www-authenticate"));
            return response.Status == 401 && match.Success ? new Challenge(match.Groups[1].Value) : null;
        }
    }

    // The same as for IMDS, but the challenge is an answer.
    public sealed class ArcPolicy : TokenPolicy
    {
        public ArcPolicy(bool named, double identityWait) : base(named, identityWait)
        {
        }

        public override string Classify(Response response)
        {
            return Challenge.In(response) != null ? "ok" : base.Classify(response);
        }
    }

    public static class Arc
    {
        public const string ApiVersion = "2020-06-01";

        private const string Agent = "http://127.0.0.1:40342";
        private const string TokenPath = "/metadata/identity/oauth2/token";
        private const string Directory = "AzureConnectedMachineAgent";
        private const int MaxKey = 4096;

        // Environment variables that are all set -> what sets them. The first that fits counts.
        private static readonly KeyValuePair<string, string[]>[] Hosts =
        {
            Known(
                "Azure Service Fabric", "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IDENTITY_SERVER_THUMBPRINT"),
            Known("Azure App Service, Functions or Container Apps", "IDENTITY_ENDPOINT", "IDENTITY_HEADER"),
            Known("Azure Machine Learning", "MSI_ENDPOINT", "MSI_SECRET"),
            Known("Azure Cloud Shell", "MSI_ENDPOINT"),
            Known(
                "a workload identity of Azure Kubernetes Service", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_ID"),
        };

        // What the environment says this process runs on, where identities have an endpoint of their own; else null.
        public static string HostOf(World world)
        {
            return Hosts.Where(host => host.Value.All(name => !string.IsNullOrEmpty(world.Environment(name))))
                .Select(host => host.Key).FirstOrDefault();
        }

        // Where the agent listens, as settings of which only the address counts; null where there is none.
        public static Settings Address(World world)
        {
            string told = Told(world);
            if (told == null)
            {
                // Those of the system, should this be a process of 32 bits.
                string programs = world.Environment("ProgramW6432");
                programs = string.IsNullOrEmpty(programs)
                    ? world.Folder(System.Environment.SpecialFolder.ProgramFiles)
                    : programs;
                told = File.Exists(Path.Combine(programs, Directory, "himds.exe")) ? Agent : null;
            }
            try
            {
                Settings found = told == null ? null : Options.Parse(new Hashtable { { "endpoint", told } });
                return found != null && found.Loopback ? found : null;
            }
            catch (OptionException)
            {
                return null;
            }
        }

        // The header that answers a challenge. Throws ImdsException: the file is not one of the agent's, or can't be
        // read.
        public static Dictionary<string, string> Authorization(Challenge challenge, World world)
        {
            string path = challenge.File;
            string keys = Path.Combine(
                world.Folder(System.Environment.SpecialFolder.CommonApplicationData), Directory, "Tokens");
            if (!IsIn(path, keys) || !path.EndsWith(".key", StringComparison.Ordinal))
            {
                throw new ImdsException(
                    "intercepted", "the agent names " + path + " as its key file, which is not a .key file in " + keys);
            }
            byte[] key;
            try
            {
                // There is nothing but files of the agent's here, unless somebody has more rights than it.
                bool usable = (File.GetAttributes(path) & (FileAttributes.Directory | FileAttributes.ReparsePoint)) == 0
                    && new FileInfo(path).Length <= MaxKey;
                if (!usable)
                {
                    throw new ImdsException(
                        "intercepted",
                        "the agent's key file " + path + " is not a file of at most " + MaxKey + " bytes");
                }
                key = File.ReadAllBytes(path);
            }
            catch (SystemException error)  // it is not there, or not for this user
            {
                throw new ImdsException(
                    "forbidden",
                    "the agent's key file " + path + ": " + error.Message.TrimEnd('.') + "; run as an administrator or "
                    + "as a member of the group Hybrid agent extension applications");
            }
            string text = Transport.Latin1.GetString(key).Trim(" \t\n\r\v\f".ToCharArray());
            if (text.Length == 0 || !text.All(character => character >= '!' && character <= '~'))
            {
                throw new ImdsException("intercepted", "the agent's key file " + path + " does not hold a key");
            }
            return new Dictionary<string, string> { { "Authorization", "Basic " + text } };
        }

        // Where the agent says that it listens, http://ADDRESS:PORT; null if it says nothing.
        private static string Told(World world)
        {
            string told = world.Environment("IDENTITY_ENDPOINT") ?? "";
            bool agents = !string.IsNullOrEmpty(world.Environment("IMDS_ENDPOINT"))
                && string.IsNullOrEmpty(world.Environment("IDENTITY_HEADER"));
            bool known = told.EndsWith(TokenPath, StringComparison.OrdinalIgnoreCase);
            return agents && known ? told.Substring(0, told.Length - TokenPath.Length) : null;
        }

        private static bool IsIn(string path, string directory)
        {
            try
            {
                string found = Path.GetDirectoryName(Path.GetFullPath(path));
                return string.Equals(found, Path.GetFullPath(directory), StringComparison.OrdinalIgnoreCase);
            }
            catch (SystemException)  // no path at all
            {
                return false;
            }
        }

        private static KeyValuePair<string, string[]> Known(string host, params string[] names)
        {
            return new KeyValuePair<string, string[]>(host, names);
        }
    }
}
