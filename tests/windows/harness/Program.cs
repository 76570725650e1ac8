// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Runs the C# core for the tests. Reads requests, one line of JSON each, {"call": NAME, ...}, and answers each with one
// line. Documents and bodies come as Base64, so that any bytes may be in them.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Web.Script.Serialization;
using ansible_collections.imds.azure.plugins.module_utils._ImdsDisk;
using ansible_collections.imds.azure.plugins.module_utils._ImdsFacts;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsJson;
using ansible_collections.imds.azure.plugins.module_utils._ImdsPlatform;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRetry;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTransport;

namespace ImdsTests
{
    using Map = Dictionary<string, object>;

    public static partial class Harness
    {
        private static readonly Dictionary<string, Func<Map, object>> Calls = new Dictionary<string, Func<Map, object>>
        {
            { "ask_around", AskAround },
            { "build", Build },
            { "classify", Classify },
            { "classify_token", ClassifyToken },
            { "client", RunClient },
            { "default_address", arguments => Guest.DefaultAddress() },
            { "devices", FindDevices },
            { "event_date", ParseEventDate },
            { "event_document", ReadEventDocument },
            { "events", RunEvents },
            { "firmware", arguments => Platform.ReadFirmware() },
            { "get", Get },
            { "guest", RunGuest },
            { "hold_file", HoldFile },
            { "hold_journal", HoldJournal },
            { "interfaces", arguments => Guest.Interfaces().Select(Shown).ToList() },
            { "json", ReadJson },
            { "module", RunModule },
            { "name_resource", NameResource },
            { "newest_versions", arguments => Retry.NewestVersions(Bytes(arguments, "body")) },
            { "nonce", ParseNonce },
            { "number", arguments => Text.Number(Text.ToDouble(arguments["value"]), (int)(long)arguments["digits"]) },
            { "path", ParsePath },
            { "private_file", StorePrivateFile },
            { "probe", RunProbe },
            { "printable", arguments => Text.Printable((string)arguments["text"]) },
            { "quote", arguments => Text.Quote(arguments["value"]) },
            { "release_journal", ReleaseJournal },
            { "route_answer", AnswerRouteCall },
            { "route_drop", DropRouteTask },
            { "route_start", StartRouteTask },
            { "same_machine", SameMachine },
            { "settings", ParseSettings },
            { "single", arguments => Text.ToDouble((float)(double)arguments["value"]) },
            { "smbios", ReadSmbios },
            { "snake", arguments => Facts.Snake((string)arguments["name"]) },
            { "step_down", StepDown },
            { "tables", Tables },
            { "token_client", RunTokenClient },
            { "token_file", ReadTokenFile },
            { "token_read", ReadToken },
            { "token_request", ParseTokenRequest },
            { "vault_client", RunVaultClient },
            { "vault_get", GetFromVault },
            { "vault_path", PathOfSecret },
            { "vault_place", PlaceVault },
            { "vault_proxy", ChooseProxy },
            { "vault_read", ReadSecret },
            { "vault_secret", AskForSecret },
            { "wait", Wait },
            { "windows_path", arguments => Disk.WindowsPath.IsMatch((string)arguments["path"]) },
            { "written", arguments => Encoding.ASCII.GetString(Transport.Written(ToRequest(arguments))) },
        };

        private static readonly Encoding Utf8 = new UTF8Encoding(false);
        private static readonly TextReader Input = new StreamReader(Console.OpenStandardInput(), Utf8);
        private static readonly TextWriter Output = new StreamWriter(Console.OpenStandardOutput(), Utf8)
        {
            AutoFlush = true,
        };
        private static readonly JavaScriptSerializer Serializer = new JavaScriptSerializer
        {
            MaxJsonLength = int.MaxValue, RecursionLimit = 200,
        };

        public static void Main()
        {
            for (string line = Input.ReadLine(); line != null; line = Input.ReadLine())
            {
                Map answer = new Map();
                try
                {
                    Map request = (Map)Json.Parse(line);
                    answer["result"] = Calls[(string)request["call"]](request);
                }
                catch (Exception error)
                {
                    answer["exception"] = error.ToString();
                }
                Output.WriteLine(Serializer.Serialize(answer));
            }
        }
    }
}
