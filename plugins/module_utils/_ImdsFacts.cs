// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Instance document -> facts: typed, redacted, of the same shape for every VM, version and failure. Pure. Twin of
// _imds/facts.py and _imds/tags.py.

using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsFields;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsFacts
{
    // A JSON object, and the facts.
    using Map = Dictionary<string, object>;

    // What the facts need besides the document.
    // Nics: MAC (lower case, colons) -> the guest's interface, the keys of Fields.Nic. DefaultDevice: the interface of
    // the default route. LocalAddress: the address that IMDS answered, which is the primary one, because it answers no
    // other.
    public sealed class Context
    {
        public Dictionary<string, Map> Nics = new Dictionary<string, Map>();
        public string DefaultDevice;
        public string LocalAddress;
        public bool IncludeUserData;
        public bool IncludePublicKeys;
    }

    public static class Facts
    {
        // Names that the module itself uses beside the facts.
        public static readonly string[] Reserved = { "api_version", "available", "meta", "reason", "remedy" };

        public static readonly Dictionary<string, Func<object, Context, object>> Converters =
            new Dictionary<string, Func<object, Context, object>>
            {
                { "string", (value, context) => String(Tags.Text(value)) },
                { "integer", (value, context) => Integer(value) as long? },
                { "boolean", (value, context) => Boolean(value) as bool? },
                { "object", (value, context) => Plain(Object(value)) },
                { "list", (value, context) => Plain(Objects(value).ToList<object>()) },
                { "disk", (value, context) => Disk(value) },
                { "disks", (value, context) => Disks(value) },
                { "location", (value, context) => Location(value) },
                { "environment", (value, context) => Environment(value) },
                { "endpoints", (value, context) => Endpoints(value) },
                { "tags", (value, context) => Tags.FromList(value) },
                { "public_keys", PublicKeys },
                { "blob", Blob },
                { "interfaces", (network, context) => ((Network)network).Interfaces },
                { "primary", (network, context) => ((Network)network).Primary },
                { "private_ip", (network, context) => ((Network)network).PrivateIp },
                { "public_ip", (network, context) => ((Network)network).PublicIp },
                {
                    "public_ip_source",
                    (network, context) => ((Network)network).PublicIp == null ? null : "instance"
                },
            };

        private static readonly HashSet<string> Handled = new HashSet<string>(
            Fields.Table.Select(field => field.Source).Concat(new[] { "compute.tags" }));

        // Objects of which the facts use only these keys. If one has other keys, the whole object is passed on as well.
        private static readonly Dictionary<string, string[]> ShownInPart = new Dictionary<string, string[]>
        {
            { "compute.virtualMachineScaleSet", new[] { "id" } },
        };
        private static readonly string[] AddressKeys = { "privateIpAddress", "publicIpAddress" };

        private static readonly Regex WordBorder = new Regex("(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])");
        private static readonly Regex NoWord = new Regex("[^0-9a-z]+");
        private static readonly Regex Digits = new Regex(@"\A-?[0-9]{1,18}\z");
        // A key's type and its Base64 text, which may go on behind a line break.
        private static readonly Regex KeyPattern = new Regex(
            @"\A\s*\S+[ \t]+((?:[A-Za-z0-9+/][\r\n]*)+(?:=[\r\n]*){0,2})");
        private static readonly Regex Base64 = new Regex(
            @"\A(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\z");

        // An empty document gives every documented fact as null, {} or [].
        public static Map Build(Map document, Context context, List<string> warnings)
        {
            Map facts = new Map();
            Network network = new Network(Lookup(document, Network.Source), context);
            foreach (Field field in Fields.Table)
            {
                object value = field.Source == Network.Source ? network : Lookup(document, field.Source);
                Put(facts, field.Fact, Converters[field.Kind](value, context));
            }
            foreach (string fact in Fields.GuestFacts)
            {
                Put(facts, fact, new List<object>());
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

        public static object Lookup(object document, string path)
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

        // Keys that the table does not name, by the mechanical rule.
        private static void PassOnUnknown(Map facts, Map node, string source)
        {
            string parent;
            bool top = !Fields.Containers.TryGetValue(source, out parent) || parent.Length == 0;
            Map target = top ? facts : (Map)Lookup(facts, parent);
            List<KeyValuePair<string, object>> unknown = new List<KeyValuePair<string, object>>();
            foreach (KeyValuePair<string, object> entry in node)
            {
                string path = source.Length > 0 ? source + "." + entry.Key : entry.Key;
                if (entry.Key.Length == 0 || entry.Key.IndexOf('.') >= 0)
                {
                    path = "?";  // only looks like a path of the table
                }
                bool empty = IsEmpty(entry.Value);
                if (Fields.Containers.ContainsKey(path) && (entry.Value is Map || empty))
                {
                    PassOnUnknown(facts, Object(entry.Value), path);
                }
                else if (ShownInPart.ContainsKey(path)
                    && (empty || IsShown(new List<object> { entry.Value }, ShownInPart[path])))
                {
                    continue;
                }
                else if (!Handled.Contains(path))
                {
                    unknown.Add(Named(Snake(entry.Key), entry.Value, ""));
                }
            }
            Add(target, unknown, top ? Reserved : new string[0]);
        }

        private static KeyValuePair<string, object> Named(string name, object value, string key)
        {
            return new KeyValuePair<string, object>(name, Plain(value, key));
        }

        // Null, false, 0, "", {} or [].
        private static bool IsEmpty(object value)
        {
            return value == null || value.Equals(false) || value.Equals(0L) || value.Equals(0.0) || value.Equals("")
                || (value is Map && ((Map)value).Count == 0)
                || (value is List<object> && ((List<object>)value).Count == 0);
        }

        // Whether a list holds nothing but objects with known keys, so that facts made of these show all of it.
        private static bool IsShown(object entries, string[] known)
        {
            List<object> list = entries as List<object>;
            return IsEmpty(entries)
                || (list != null && list.All(entry => entry is Map && ((Map)entry).Keys.All(known.Contains)));
        }

        // Set facts under names that nothing else has, so that nothing is lost: imds_ goes before a name that is taken,
        // and a number behind it where it is taken more often.
        private static void Add(
            Map target, IEnumerable<KeyValuePair<string, object>> named, params string[] reserved)
        {
            Dictionary<string, int> taken = new Dictionary<string, int>();
            foreach (KeyValuePair<string, object> entry in named)
            {
                string unique = entry.Key;
                while (target.ContainsKey(unique) || reserved.Contains(unique))
                {
                    int times;
                    taken.TryGetValue(entry.Key, out times);
                    taken[entry.Key] = times + 1;
                    unique = "imds_" + entry.Key + (times == 0 ? "" : "_" + (times + 1));
                }
                target[unique] = entry.Value;
            }
        }

        // --- values --------------------------------------------------------------------------------------------------

        private static string String(object value)
        {
            string text = value as string;
            return string.IsNullOrEmpty(text) ? null : text;
        }

        // Digits become a number; anything else is kept as it is rather than lost.
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
                Add(plain, ((Map)value).Select(entry => Named(Snake(entry.Key), entry.Value, entry.Key)));
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

        // A region's name in lower case without spaces, which is how Azure compares them.
        private static string Location(object value)
        {
            string name = String(value);
            return name == null ? null : name.Replace(" ", "").ToLowerInvariant();
        }

        // A disk, with room for the guest's device.
        private static Map Disk(object value)
        {
            Map facts = new Map { { "device", null } };
            Add(facts, (Map)Plain(Object(value)));
            return facts;
        }

        private static List<object> Disks(object value)
        {
            return Objects(value).Select(disk => (object)Disk(disk))
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
            Map facts = new Map
            {
                { "type", Words(data ?? "").FirstOrDefault() },
                { "path", String(Get(key, "path")) },
                { "fingerprint", Fingerprint(data ?? "") },
                { "key_data", context.IncludePublicKeys ? data : null },
            };
            IEnumerable<KeyValuePair<string, object>> others =
                key.Where(pair => pair.Key != "keyData" && pair.Key != "path");
            Add(facts, others.Select(entry => Named(Snake(entry.Key), entry.Value, "")));
            return facts;
        }

        private static string[] Words(string text)
        {
            return text.Split((char[])null, StringSplitOptions.RemoveEmptyEntries);
        }

        // As ssh-keygen -lf prints it. Azure wraps the keys that it generates at 64 columns, with CRLF.
        private static string Fingerprint(string key)
        {
            Match found = KeyPattern.Match(key);
            if (!found.Success)
            {
                return null;
            }
            string text = found.Groups[1].Value;
            // The second for two keys, perhaps, one behind the other.
            byte[] content = FromBase64(text.Replace("\r", "").Replace("\n", "")) ?? FromBase64(Words(text)[0]);
            return content == null ? null : "SHA256:" + Convert.ToBase64String(Sha256(content)).TrimEnd('=');
        }

        // --- network -------------------------------------------------------------------------------------------------

        // The interfaces, built once, and which of them is the primary one. Primary: {} where there is no interface.
        // PrivateIp: the primary address of that interface, or null.
        private sealed class Network
        {
            public const string Source = "network.interface";
            public readonly List<object> Interfaces;
            public readonly Map Primary;
            public readonly object PrivateIp;
            public readonly object PublicIp;

            public Network(object value, Context context)
            {
                Interfaces = Objects(value).Select(entry => (object)Interface(entry, context)).ToList();
                Primary = PrimaryOf(Interfaces.Cast<Map>().ToList(), context);
                List<object> addresses = List(Primary, "private_ip_addresses");
                bool answered = addresses.Contains(context.LocalAddress);
                PrivateIp = answered ? context.LocalAddress : addresses.FirstOrDefault();
                PublicIp = List(Primary, "public_ip_addresses").FirstOrDefault();
            }
        }

        private static Map Interface(Map entry, Context context)
        {
            Map four = Object(Get(entry, "ipv4"));
            Map six = Object(Get(entry, "ipv6"));
            string mac = Text.Mac(String(Get(entry, "macAddress")));
            Map facts = new Map
            {
                { "mac_address", mac },
                { "private_ip_addresses", Addresses(four, "privateIpAddress") },
                { "public_ip_addresses", Addresses(four, "publicIpAddress") },
                { "ipv6_addresses", Addresses(six, "privateIpAddress") },
                { "public_ipv6_addresses", Addresses(six, "publicIpAddress") },
                { "subnets", Plain(Objects(Get(four, "subnet")).ToList<object>()) },
            };
            Map nic;
            context.Nics.TryGetValue(mac ?? "", out nic);
            foreach (string key in Fields.Nic)
            {
                facts[key] = nic == null ? null : Get(nic, key);
            }
            AddOthers(facts, "", entry, "ipv4", "ipv6", "macAddress");
            AddOthers(facts, "ipv4_", four, "subnet");
            AddOthers(facts, "ipv6_", six);
            return facts;
        }

        private static void AddOthers(Map facts, string prefix, Map node, params string[] known)
        {
            IEnumerable<KeyValuePair<string, object>> unknown = node.Where(
                entry => !known.Contains(entry.Key)
                    && (entry.Key != "ipAddress" || prefix.Length == 0 || !IsShown(entry.Value, AddressKeys)));
            Add(facts, unknown.Select(entry => Named(prefix + Snake(entry.Key), entry.Value, "")));
        }

        private static List<object> Addresses(Map family, string key)
        {
            return Objects(Get(family, "ipAddress")).Select(entry => (object)String(Get(entry, key)))
                .Where(address => address != null).ToList();
        }

        // The interface that IMDS answered on, else the one of the default route, else the first; {} where there is
        // none. IMDS lists interfaces in no particular order, so the first says nothing.
        private static Map PrimaryOf(List<Map> interfaces, Context context)
        {
            int answered = Guest.AnsweredInterface(
                interfaces.Select(entry => List(entry, "private_ip_addresses").Cast<string>()), context.LocalAddress);
            return answered >= 0
                ? interfaces[answered]
                : interfaces.FirstOrDefault(
                    entry => context.DefaultDevice != null && (string)entry["device"] == context.DefaultDevice)
                ?? interfaces.FirstOrDefault()
                ?? new Map();
        }

        private static List<object> List(Map entry, string name)
        {
            return Get(entry, name) as List<object> ?? new List<object>();
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
                    "This API version sends the tags as one string, which can be split in several ways; "
                    + "use 2019-06-04 or newer.");
            }
        }
    }

    // Tags as IMDS sends them -> one dictionary.
    public static class Tags
    {
        // A string as it is; a whole number or a switch, which IMDS sends as strings, as it spells them; "" else.
        public static string Text(object value)
        {
            if (value is bool)
            {
                return (bool)value ? "true" : "false";
            }
            return value is long ? ((long)value).ToString(CultureInfo.InvariantCulture) : value as string ?? "";
        }

        // [{"name": ..., "value": ...}] -> {name: value}; entries of another shape are left out.
        public static Dictionary<string, object> FromList(object tagsList)
        {
            Dictionary<string, object> found = new Dictionary<string, object>();
            List<object> entries = tagsList as List<object> ?? new List<object>();
            foreach (Dictionary<string, object> entry in entries.OfType<Dictionary<string, object>>())
            {
                object name, value;
                if (entry.TryGetValue("name", out name) && name is string)
                {
                    entry.TryGetValue("value", out value);
                    found[(string)name] = Text(value);
                }
            }
            return found;
        }

        // "Name:Value;Name:Value" -> {name: value}.
        // Semicolons and colons are legal in values. A part without a colon can only be the rest of the value before
        // it, so that is what it is taken for; where that happens, or a value holds a colon, the split may be wrong:
        // ambiguous.
        public static Dictionary<string, object> FromString(string tags, out bool ambiguous)
        {
            Dictionary<string, List<string>> found = new Dictionary<string, List<string>>();
            List<string> last = null;
            ambiguous = false;
            foreach (string part in tags.Length > 0 ? tags.Split(';') : new string[0])
            {
                int colon = part.IndexOf(':');
                if (colon > 0)
                {
                    string name = part.Substring(0, colon);
                    string value = part.Substring(colon + 1);
                    ambiguous = ambiguous || value.Contains(":") || found.ContainsKey(name);
                    found[name] = last = new List<string> { value };
                }
                else
                {
                    if (last != null)
                    {
                        last.Add(part);
                    }
                    ambiguous = true;
                }
            }
            return found.ToDictionary(entry => entry.Key, entry => (object)string.Join(";", entry.Value));
        }
    }
}
