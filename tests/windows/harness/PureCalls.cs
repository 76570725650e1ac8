// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Calls that give the same answer whenever they are made.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using ansible_collections.imds.azure.plugins.module_utils._ImdsDevices;
using ansible_collections.imds.azure.plugins.module_utils._ImdsFacts;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsJson;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsPaths;
using ansible_collections.imds.azure.plugins.module_utils._ImdsPlatform;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRetry;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;
using ansible_collections.imds.azure.plugins.module_utils._ImdsVersions;

namespace ImdsTests
{
    using Map = Dictionary<string, object>;

    public static partial class Harness
    {
        private static object Classify(Map arguments)
        {
            return Retry.Classify(ToResponse(Part(arguments, "response")), (bool)arguments["root"]);
        }

        private static object SameMachine(Map arguments)
        {
            return Platform.SameMachine((string)arguments["vm_id"], Bytes(arguments, "firmware"));
        }

        private static object ParseSettings(Map arguments)
        {
            try
            {
                return new Map { { "settings", Shown(Options.Parse(new Hashtable(Part(arguments, "params")))) } };
            }
            catch (OptionException error)
            {
                return new Map { { "error", error.Message } };
            }
        }

        private static object ParseNonce(Map arguments)
        {
            try
            {
                return new Map { { "nonce", Options.Nonce((string)arguments["text"]) } };
            }
            catch (OptionException error)
            {
                return new Map { { "error", error.Message } };
            }
        }

        private static object ParsePath(Map arguments)
        {
            try
            {
                ImdsPath path = Paths.Parse((string)arguments["text"]);
                return new Map { { "path", new object[] { path.Whole, path.Since, path.Root, path.Leaf } } };
            }
            catch (OptionException error)
            {
                return new Map { { "error", error.Message } };
            }
        }

        private static object ReadJson(Map arguments)
        {
            string text = Json.Decode(Bytes(arguments, "body"));
            try
            {
                return new Map { { "valid", text != null }, { "content", text == null ? null : Json.Parse(text) } };
            }
            catch (JsonException error)
            {
                return new Map { { "valid", false }, { "error", error.Message } };
            }
            catch (DepthException)
            {
                return new Map { { "valid", false }, { "error", "depth" } };
            }
        }

        private static object StepDown(Map arguments)
        {
            IEnumerable<string> offered = ((List<object>)arguments["offered"]).Cast<string>();
            return Versions.StepDown((string)arguments["refused"], offered, (string)arguments["since"]);
        }

        // Infinity is no JSON.
        private static object Wait(Map arguments)
        {
            double? wait = Retry.Wait(
                (string)arguments["outcome"],
                (int)(long)arguments["tries"],
                (string)arguments["retry_after"],
                Text.ToDouble(arguments["chance"]));
            return wait != null && double.IsInfinity(wait.Value) ? (object)"infinity" : wait;
        }

        private static object Build(Map arguments)
        {
            Map given = Part(arguments, "context");
            Context context = new Context
            {
                Nics = Part(given, "nics").ToDictionary(entry => entry.Key, entry => (Map)entry.Value),
                DefaultDevice = (string)Value(given, "default_device"),
                LocalAddress = (string)Value(given, "local_address"),
                IncludeUserData = true.Equals(Value(given, "include_user_data")),
                IncludePublicKeys = true.Equals(Value(given, "include_public_keys")),
            };
            List<string> warnings = new List<string>();
            Map document = (Map)Json.Parse(Json.Decode(Bytes(arguments, "document")));
            return new Map { { "facts", Facts.Build(document, context, warnings) }, { "warnings", warnings } };
        }

        // The facts below storage, what there is about each MAC address, and meta.disks.
        private static object FindDevices(Map arguments)
        {
            List<string> warnings = new List<string>();
            Map storage = (Map)Facts.Build(Part(arguments, "document"), new Context(), warnings)["storage"];
            Map rows = Part(arguments, "rows");
            return new Map
            {
                { "storage", storage },
                { "meta", Disks.Add(storage, rows, (bool)arguments["listed"], warnings) },
                { "nics", Nics.Find(Guest.Devices(ToInterfaces(arguments)), rows) },
                { "warnings", warnings },
            };
        }

        private static object ReadSmbios(Map arguments)
        {
            byte[] raw = Bytes(arguments, "raw");
            byte[] uuid = Smbios.SystemUuid(raw);
            return new Map
            {
                {
                    "structures", Smbios.Structures(raw).Select(
                        entry => new object[] { entry.Type, entry.Formatted.Length, entry.Strings })
                },
                { "tag", Smbios.ChassisAssetTag(raw) },
                { "uuid", uuid == null ? null : Convert.ToBase64String(uuid) },
            };
        }

        private static object RunGuest(Map arguments)
        {
            List<Interface> interfaces = ToInterfaces(arguments);
            return new Map
            {
                { "devices", Guest.Devices(interfaces) },
                { "addresses", Guest.Addresses(interfaces) },
                { "device_of", Guest.DeviceOf(interfaces, (string)Value(arguments, "address")) },
            };
        }
    }
}
