// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Instance document -> facts: typed, redacted, of the same shape for every VM, version and failure. Pure. Twin of
// _imds/facts.py.

using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsFields;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTags;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsFacts
{
    // A JSON object, and the facts.
    using Map = Dictionary<string, object>;

    // What the facts take from elsewhere than the document.
    // Devices: MAC (lower case, colons) -> interface alias. DefaultDevice: the one of the default route. LocalAddress:
    // the address that IMDS answered, which is the primary one, because it answers no other.
    public sealed class Context
    {
        public Dictionary<string, string> Devices = new Dictionary<string, string>();
        public string DefaultDevice;
        public string LocalAddress;
        public bool IncludeUserData;
        public bool IncludePublicKeys;
    }

    public static class Facts
    {
        // What the module itself says under the same roof.
        public static readonly string[] Reserved = { "api_version", "available", "meta", "reason", "remedy" };

        public static readonly Dictionary<string, Func<object, Context, object>> Converters =
            new Dictionary<string, Func<object, Context, object>>
            {
                { "string", (value, context) => String(Tags.Text(value)) },
                { "integer", (value, context) => Integer(value) as long? },
                { "boolean", (value, context) => Boolean(value) as bool? },
                { "object", (value, context) => Plain(Object(value)) },
                { "list", (value, context) => Plain(Objects(value).ToList<object>()) },
                { "disks", (value, context) => Disks(value) },
                { "location", (value, context) => Location(value) },
                { "environment", (value, context) => Environment(value) },
                { "endpoints", (value, context) => Endpoints(value) },
                { "tags", (value, context) => Tags.FromList(value) },
                { "public_keys", PublicKeys },
                { "blob", Blob },
                { "interfaces", Interfaces },
                { "primary", Primary },
                { "private_ip", PrivateIp },
                { "public_ip", PublicIp },
                { "public_ip_source", (value, context) => PublicIp(value, context) == null ? null : "instance" },
            };

        private static readonly HashSet<string> Handled = new HashSet<string>(
            Fields.Table.Select(field => field.Source)
                .Concat(new[] { "compute.tags", "compute.virtualMachineScaleSet" }));

        private static readonly Regex WordBorder = new Regex("(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])");
        private static readonly Regex NoWord = new Regex("[^0-9a-z]+");
        private static readonly Regex Digits = new Regex(@"\A-?[0-9]{1,18}\z");
        private static readonly Regex Base64 = new Regex(
            @"\A(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\z");

        // An empty document gives every documented fact as null, {} or [].
        public static Map Build(Map document, Context context, List<string> warnings)
        {
            Map facts = new Map();
            foreach (Field field in Fields.Table)
            {
                Put(facts, field.Fact, Converters[field.Kind](Lookup(document, field.Source), context));
            }
            if (facts["scale_set"] == null && facts["scale_set_id"] != null)
            {
                facts["scale_set"] = String(((string)facts["scale_set_id"]).TrimEnd('/').Split('/').Last());
            }
            FallBackToTagsString(facts, document, warnings);
            PassOnUnknown(facts, document, "");
            return facts;
        }

        // camelCase -> snake_case: diskSizeGB -> disk_size_gb.
        public static string Snake(string name)
        {
            string words = WordBorder.Replace(name, "_").ToLowerInvariant();
            string snake = NoWord.Replace(words, "_").Trim('_');
            return snake.Length > 0 ? snake : "_";
        }

        // The address under which a load balancer shows this VM, or null.
        public static string LoadBalancerAddress(Map document, string privateIp)
        {
            return Objects(Lookup(document, "loadbalancer.publicIpAddresses"))
                .Where(entry => privateIp != null && (Get(entry, "privateIpAddress") as string) == privateIp)
                .Select(entry => String(Get(entry, "frontendIpAddress")))
                .FirstOrDefault(address => address != null);
        }

        private static object Get(Map map, string key)
        {
            object value;
            return map.TryGetValue(key, out value) ? value : null;
        }

        private static object Lookup(object document, string path)
        {
            return path.Split('.').Aggregate(document, (found, key) => found is Map ? Get((Map)found, key) : null);
        }

        // Set the fact that a dotted path names.
        private static void Put(Map facts, string path, object value)
        {
            string[] names = path.Split('.');
            foreach (string parent in names.Take(names.Length - 1))
            {
                if (!facts.ContainsKey(parent))
                {
                    facts[parent] = new Map();
                }
                facts = (Map)facts[parent];
            }
            facts[names.Last()] = value;
        }

        // Keys that the table does not name, by the mechanical rule. A documented fact is never overwritten.
        private static void PassOnUnknown(Map facts, object node, string source)
        {
            foreach (KeyValuePair<string, object> entry in Object(node))
            {
                string path = source.Length > 0 ? source + "." + entry.Key : entry.Key;
                if (Fields.Containers.ContainsKey(path))
                {
                    PassOnUnknown(facts, entry.Value, path);
                }
                else if (!Handled.Contains(path))
                {
                    string parent;
                    bool top = !Fields.Containers.TryGetValue(source, out parent) || parent.Length == 0;
                    string name = Snake(entry.Key);
                    AddMissing(
                        top ? facts : (Map)Lookup(facts, parent),
                        Reserved.Contains(name) ? "imds_" + name : name,
                        Plain(entry.Value));
                }
            }
        }

        private static void AddMissing(Map map, string name, object value)
        {
            if (!map.ContainsKey(name))
            {
                map[name] = value;
            }
        }

        // --- values --------------------------------------------------------------------------------------------------

        private static string String(object value)
        {
            string text = value as string;
            return string.IsNullOrEmpty(text) ? null : text;
        }

        // Digits become a number; what is none stays as it is, rather than being lost.
        private static object Integer(object value)
        {
            string text = value as string;
            return text != null && Digits.IsMatch(text) ? long.Parse(text, CultureInfo.InvariantCulture) : Plain(value);
        }

        private static object Boolean(object value)
        {
            string text = value as string;
            string lower = text == null ? null : text.ToLowerInvariant();
            return lower == "true" ? true : lower == "false" ? false : Plain(value);
        }

        // The mechanical rule: names to snake_case, "" to null, known numbers and switches typed, all else as sent.
        private static object Plain(object value, string key = "")
        {
            if (value is Map)
            {
                Map plain = new Map();
                foreach (KeyValuePair<string, object> entry in (Map)value)
                {
                    plain[Snake(entry.Key)] = Plain(entry.Value, entry.Key);
                }
                return plain;
            }
            if (value is List<object>)
            {
                return ((List<object>)value).Select(inner => Plain(inner)).ToList();
            }
            if (String(value) != null && Fields.Integers.Contains(key))
            {
                return Integer(value);
            }
            if (String(value) != null && Fields.Booleans.Contains(key))
            {
                return Boolean(value);
            }
            return value is string ? String(value) : value;
        }

        private static IEnumerable<Map> Objects(object value)
        {
            return (value as List<object> ?? new List<object>()).OfType<Map>();
        }

        private static Map Object(object value)
        {
            return value as Map ?? new Map();
        }

        // The cloud's name in its usual spelling: samples show it in upper case too.
        private static string Environment(object value)
        {
            string name = String(value);
            return Fields.Clouds.Keys.FirstOrDefault(
                cloud => name != null && cloud.ToLowerInvariant() == name.ToLowerInvariant()) ?? name;
        }

        private static Map Endpoints(object value)
        {
            Cloud cloud;
            Fields.Clouds.TryGetValue(Environment(value) ?? "", out cloud);
            cloud = cloud ?? new Cloud(null, null, null, null);
            return new Map
            {
                { "resource_manager", cloud.ResourceManager },
                { "active_directory", cloud.ActiveDirectory },
                { "key_vault_suffix", cloud.KeyVaultSuffix },
                { "storage_suffix", cloud.StorageSuffix },
            };
        }

        // Region names are compared without case and blanks, so they come without.
        private static string Location(object value)
        {
            string name = String(value);
            return name == null ? null : name.Replace(" ", "").ToLowerInvariant();
        }

        private static List<object> Disks(object value)
        {
            return Objects(value).Select(disk => Plain(disk))
                .OrderBy(disk => (Get((Map)disk, "lun") as long?) ?? -1).ToList();
        }

        // --- secrets and keys ----------------------------------------------------------------------------------------

        // User data: presence, length in bytes and SHA-256 of what it decodes to; its Base64 text only if asked for.
        private static Map Blob(object value, Context context)
        {
            string text = String(value);
            byte[] content = text == null ? new byte[0] : FromBase64(text) ?? Encoding.UTF8.GetBytes(text);
            string hash = BitConverter.ToString(Sha256(content)).Replace("-", "").ToLowerInvariant();
            return new Map
            {
                { "present", text != null },
                { "length", (long)content.Length },
                { "sha256", text == null ? null : hash },
                { "base64", context.IncludeUserData ? text : null },
            };
        }

        private static byte[] FromBase64(string text)
        {
            return Base64.IsMatch(text) ? Convert.FromBase64String(text) : null;
        }

        private static byte[] Sha256(byte[] content)
        {
            using (SHA256 hash = SHA256.Create())
            {
                return hash.ComputeHash(content);
            }
        }

        private static List<object> PublicKeys(object value, Context context)
        {
            return Objects(value).Select(key => (object)PublicKey(key, context)).ToList();
        }

        private static Map PublicKey(Map key, Context context)
        {
            string data = String(Get(key, "keyData"));
            string[] words = (data ?? "").Split((char[])null, StringSplitOptions.RemoveEmptyEntries);
            byte[] content = words.Length > 1 ? FromBase64(words[1]) : null;
            string fingerprint = content == null ? null : Convert.ToBase64String(Sha256(content)).TrimEnd('=');
            return new Map
            {
                { "type", words.FirstOrDefault() },
                { "path", String(Get(key, "path")) },
                { "fingerprint", fingerprint == null ? null : "SHA256:" + fingerprint },
                { "key_data", context.IncludePublicKeys ? data : null },
            };
        }

        // --- network -------------------------------------------------------------------------------------------------

        private static List<object> Interfaces(object value, Context context)
        {
            return Objects(value).Select(entry => (object)Interface(entry, context)).ToList();
        }

        private static Map Interface(Map entry, Context context)
        {
            Map four = Object(Get(entry, "ipv4"));
            Map six = Object(Get(entry, "ipv6"));
            string mac = Text.Mac(String(Get(entry, "macAddress")));
            string device;
            Map facts = new Map
            {
                { "mac_address", mac },
                { "private_ip_addresses", Addresses(four, "privateIpAddress") },
                { "public_ip_addresses", Addresses(four, "publicIpAddress") },
                { "ipv6_addresses", Addresses(six, "privateIpAddress") },
                { "subnets", Plain(Objects(Get(four, "subnet")).ToList<object>()) },
                { "device", context.Devices.TryGetValue(mac ?? "", out device) ? device : null },
            };
            AddOthers(facts, "", entry, "ipv4", "ipv6", "macAddress");
            AddOthers(facts, "ipv4_", four, "ipAddress", "subnet");
            AddOthers(facts, "ipv6_", six, "ipAddress");
            return facts;
        }

        private static void AddOthers(Map facts, string prefix, Map node, params string[] known)
        {
            foreach (KeyValuePair<string, object> entry in node.Where(pair => !known.Contains(pair.Key)))
            {
                AddMissing(facts, prefix + Snake(entry.Key), Plain(entry.Value));
            }
        }

        private static List<object> Addresses(Map family, string key)
        {
            return Objects(Get(family, "ipAddress")).Select(entry => (object)String(Get(entry, key)))
                .Where(address => address != null).ToList();
        }

        // The interface that IMDS answered on, else the one of the default route, else the first; {} where there is
        // none. IMDS lists interfaces in no particular order, so the first says nothing.
        private static Map Primary(object value, Context context)
        {
            List<Map> interfaces = Interfaces(value, context).Cast<Map>().ToList();
            return interfaces.FirstOrDefault(
                    entry => List(entry, "private_ip_addresses").Contains(context.LocalAddress))
                ?? interfaces.FirstOrDefault(
                    entry => context.DefaultDevice != null && (string)entry["device"] == context.DefaultDevice)
                ?? interfaces.FirstOrDefault()
                ?? new Map();
        }

        private static List<object> List(Map entry, string name)
        {
            return Get(entry, name) as List<object> ?? new List<object>();
        }

        private static object PrivateIp(object value, Context context)
        {
            List<object> addresses = List(Primary(value, context), "private_ip_addresses");
            return addresses.Contains(context.LocalAddress) ? context.LocalAddress : addresses.FirstOrDefault();
        }

        private static object PublicIp(object value, Context context)
        {
            return List(Primary(value, context), "public_ip_addresses").FirstOrDefault();
        }

        // --- tags ----------------------------------------------------------------------------------------------------

        // Below 2019-06-04 there is no tagsList, only one string that can't be split safely.
        private static void FallBackToTagsString(Map facts, Map document, List<string> warnings)
        {
            Map compute = Object(Get(document, "compute"));
            string text = String(Get(compute, "tags"));
            if (Get(compute, "tagsList") is List<object> || text == null)
            {
                return;
            }
            bool ambiguous;
            Map tags = Tags.FromString(text, out ambiguous);
            facts["tags"] = tags;
            facts["tags_list"] = tags.Select(
                tag => (object)new Map { { "name", tag.Key }, { "value", String(tag.Value) } }).ToList();
            if (ambiguous)
            {
                warnings.Add(
                    "The tags of this API version are one string, and it can be split in several ways; "
                    + "use 2019-06-04 or newer.");
            }
        }
    }
}
