// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Which of the guest's disks and adapters is which of IMDS, from the rows that _ImdsDevices.psm1 reads. Pure. Twin of
// _imds/disks.py and of the controller's _windows_disks.py and _windows_guest.py.

using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text.RegularExpressions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsFields;
using ansible_collections.imds.azure.plugins.module_utils._ImdsJson;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsDevices
{
    using Map = Dictionary<string, object>;

    // The properties of one row, whatever type they have.
    public static class Row
    {
        public static object Get(Map row, string name)
        {
            object value;
            return row != null && row.TryGetValue(name, out value) ? value : null;
        }

        // Without blanks around it; null for an empty one.
        public static string Text(Map row, string name)
        {
            string text = Get(row, name) as string;
            text = text == null ? "" : text.Trim(' ');
            return text.Length > 0 ? text : null;
        }

        public static long Whole(Map row, string name, long otherwise)
        {
            object value = Get(row, name);
            return value is long && (long)value >= 0 ? (long)value : otherwise;
        }

        // A number or a word of an enumeration, in lower case.
        public static string Word(Map row, string name)
        {
            object value = Get(row, name);
            return value is string || value is long
                ? Convert.ToString(value, CultureInfo.InvariantCulture).ToLowerInvariant()
                : "";
        }

        // Null where there is a message instead.
        public static List<Map> List(Map rows, string name)
        {
            List<object> list = Get(rows, name) as List<object>;
            return list == null ? null : list.OfType<Map>().ToList();
        }
    }

    public static class Nics
    {
        // <generated adapters: make generate>
        private const string Mana = "microsoft azure network adapter";
        private static readonly string[] Vf =
        {
            "mellanox ",
            "microsoft azure network adapter",
        };
        // </generated>

        // MAC -> the keys of Fields.Nic. devices: MAC -> alias; rows: of MSFT_NetAdapter.
        public static Dictionary<string, Map> Find(Dictionary<string, string> devices, Map rows)
        {
            // Hidden: the filters on top of an adapter, which share its address and the beginning of its description.
            List<Map> adapters = (Row.List(rows, "adapters") ?? new List<Map>())
                .Where(row => !true.Equals(Row.Get(row, "Hidden"))).ToList();
            return devices.ToDictionary(entry => entry.Key, entry => Nic(entry.Key, entry.Value, adapters));
        }

        private static Map Nic(string mac, string device, List<Map> rows)
        {
            Map own = rows.FirstOrDefault(row => device.Equals(Row.Get(row, "Name")));
            Map vf = rows
                .Where(row => !device.Equals(Row.Get(row, "Name")))
                .Where(row => Text.Mac(Row.Text(row, "PermanentAddress")) == mac && IsDescribed(row, Vf))
                .OrderBy(row => !IsUp(row))
                .ThenBy(row => Row.Text(row, "Name"), StringComparer.Ordinal).FirstOrDefault();
            Map nic = new Map { { "device", device } };
            if (own != null)
            {
                nic["driver"] = Driver(own);
                nic["accelerated"] = IsDescribed(own, Mana) || (vf != null && IsUp(vf));
                nic["vf_device"] = Row.Text(vf, "Name");
                nic["vf_driver"] = Driver(vf);
            }
            return nic;
        }

        private static bool IsDescribed(Map row, params string[] starts)
        {
            string text = (Row.Text(row, "InterfaceDescription") ?? "").ToLowerInvariant();
            return starts.Any(start => text.StartsWith(start, StringComparison.Ordinal));
        }

        private static bool IsUp(Map row)
        {
            string state = Row.Word(row, "InterfaceOperationalStatus");
            return state == "1" || state == "up";
        }

        // \SystemRoot\System32\drivers\netvsc.sys -> netvsc.
        private static string Driver(Map row)
        {
            string file = (Row.Text(row, "DriverName") ?? "").ToLowerInvariant().Split('\\').Last();
            file = file.EndsWith(".sys", StringComparison.Ordinal) ? file.Substring(0, file.Length - 4) : file;
            return file.Length > 0 ? file : null;
        }
    }

    public enum Kind
    {
        None,
        Virtual,
        Remote,
        Local,
    }

    // A disk that Azure may have provided. Digits: the last two of the path's six. Ide: not on a SCSI controller.
    // Role: os, data, resource, local or unplaced. Certain: whether the rule for it is.
    public sealed class Disk
    {
        // <generated disk_names: make generate>
        private static readonly string[] Virtual =
        {
            "msft virtual disk",
            "microsoft virtual disk",
            "virtual hd",
        };
        private static readonly string[] RemoteNvme =
        {
            "virtual_disk nvme premium",
            "msft nvme accelerator v1.0",
        };
        private static readonly string[] LocalNvme =
        {
            "microsoft nvme direct disk",
            "microsoft nvme direct disk v2",
        };
        private static readonly string[] Ata =
        {
            "3",
            "11",
            "ata",
            "sata",
        };
        private static readonly string[] Scsi =
        {
            "1",
            "10",
            "scsi",
            "sas",
        };
        private static readonly string[] Nvme =
        {
            "17",
            "nvme",
        };
        private const string RemoteNvmePath = "prod_msft_nvme_accele";
        private const string LocalNvmePath = "prod_microsoft_nvme_d";
        private static readonly Dictionary<string, string> Styles = new Dictionary<string, string>
        {
            { "0", "RAW" },
            { "1", "MBR" },
            { "2", "GPT" },
            { "raw", "RAW" },
            { "mbr", "MBR" },
            { "gpt", "GPT" },
            { "unknown", "RAW" },
        };
        // </generated>

        private static readonly Regex Pair = new Regex(@"\A([a-z]+) +([0-9]{1,9})\z");
        private static readonly Regex Unit = new Regex(@"[#&]([0-9a-f]{4})([0-9a-f]{2})(?:#|\z)");

        public readonly long Number;
        public readonly long Size;
        public readonly string Path;
        public readonly string Model;
        public readonly string Serial;
        public readonly bool Boot;
        public readonly Kind Kind;
        public readonly string Digits;
        public string Role = "unplaced";
        public long? Lun;
        public bool Certain;

        private readonly Map row;
        private readonly List<object> letters;
        private readonly bool ide;
        private readonly long? adapter;
        private readonly long? unit;
        private readonly long target;

        public Disk(Map row, List<object> letters)
        {
            this.row = row;
            this.letters = letters;
            Number = Row.Whole(row, "Number", -1);
            Size = Row.Whole(row, "Size", 0);
            Path = Row.Text(row, "Path");
            Model = Row.Text(row, "FriendlyName") ?? "";
            Serial = Row.Text(row, "SerialNumber");
            Boot = true.Equals(Row.Get(row, "IsBoot"));

            string path = (Path ?? "").ToLowerInvariant();
            string bus = Row.Word(row, "BusType");
            Digits = Unit.Match(path).Groups[2].Value;
            Dictionary<string, long> location = new Dictionary<string, long>();
            foreach (string part in (Row.Text(row, "Location") ?? "").Split(':'))
            {
                Match pair = Pair.Match(part.Trim(' ').ToLowerInvariant());
                if (pair.Success)
                {
                    location[pair.Groups[1].Value] = long.Parse(pair.Groups[2].Value, CultureInfo.InvariantCulture);
                }
            }
            adapter = location.ContainsKey("adapter") ? (long?)location["adapter"] : null;
            unit = location.ContainsKey("lun") ? (long?)location["lun"] : null;
            target = location.ContainsKey("target") ? location["target"] : 0;
            ide = Ata.Contains(bus) || unit == null;
            Kind = KindOf(Model.ToLowerInvariant(), path, bus);
        }

        public string Label
        {
            get { return "Disk " + Number; }
        }

        public void FindPlace(Disk boot, int numberBase, bool proven)
        {
            if (Kind == Kind.Local)
            {
                Place("local", null, true);
            }
            else if (boot != null && Kind == Kind.Remote)
            {
                BesideNvme(boot, numberBase, proven);
            }
            else if (boot != null)
            {
                BesideScsi(boot);
            }
        }

        public Map Shown(string confidence)
        {
            string style;
            Styles.TryGetValue(Row.Word(row, "PartitionStyle"), out style);
            object[] values =
            {
                Number, Path, Row.Text(row, "UniqueId"), style, true.Equals(Row.Get(row, "IsOffline")), letters,
                confidence,
            };
            Map shown = new Map();
            for (int at = 0; at < values.Length; at++)
            {
                shown[Fields.Device[at]] = values[at];
            }
            return shown;
        }

        private void Place(string role, long? lun, bool certain)
        {
            Role = role;
            Lun = lun;
            Certain = certain;
        }

        // Namespaces count from 0, the OS disk.
        private void BesideNvme(Disk boot, int numberBase, bool proven)
        {
            long space = Digits.Length > 0 ? Convert.ToInt64(Digits, 16) : 0;
            space = numberBase == 10 && Digits.Length > 0 ? long.Parse(Digits, CultureInfo.InvariantCulture) : space;
            if (boot.Kind != Kind.Remote || boot.Digits != "00" || (this != boot && space == 0))
            {
                return;
            }
            bool os = this == boot;
            Place(os ? "os" : "data", os ? (long?)null : space - 1, os || proven || Digits[0] == '0');
        }

        private void BesideScsi(Disk boot)
        {
            bool scsi = boot.Kind == Kind.Virtual;
            bool started = boot.target == 0 && boot.unit == 0;
            if (boot.Kind == Kind.Remote && target == 0 && unit == 1)  // then the data disks are NVMe too
            {
                Place("resource", null, false);
            }
            else if (scsi && boot.ide && ide)
            {
                Place(this == boot ? "os" : "resource", null, true);
            }
            else if (scsi && (boot.ide || (adapter != null && boot.adapter != null && adapter != boot.adapter)))
            {
                if (unit != null && (boot.ide || started))
                {
                    string format = "{0:d2} {0:x2} ";
                    string agreed = string.Format(CultureInfo.InvariantCulture, format, unit);
                    // Azure has its data disks at target 0, and the path ends like the location.
                    Place("data", unit, target == 0 && (Digits.Length == 0 || agreed.Split(' ').Contains(Digits)));
                }
            }
            else if (scsi && started && adapter != null)
            {
                bool second = target + unit == 1;
                if (this == boot || second)
                {
                    Place(this == boot ? "os" : "resource", null, true);
                }
            }
        }

        private static Kind KindOf(string name, string path, string bus)
        {
            bool nvme = Nvme.Contains(bus);
            return nvme && (LocalNvme.Contains(name) || path.Contains(LocalNvmePath)) ? Kind.Local
                : nvme && (RemoteNvme.Contains(name) || path.Contains(RemoteNvmePath)) ? Kind.Remote
                : Virtual.Contains(name) && (Ata.Contains(bus) || Scsi.Contains(bus)) ? Kind.Virtual
                : Kind.None;
        }
    }

    public sealed class Disks
    {
        // <generated disk_messages: make generate>
        private static readonly Dictionary<string, string> Unreadable = new Dictionary<string, string>
        {
            {
                "no_azure_disks",
                "None of the guest's devices is a disk of Azure."
            },
            {
                "unreadable",
                "The guest's devices can't be listed."
            },
        };
        private static readonly Dictionary<string, string> Contradictions = new Dictionary<string, string>
        {
            {
                "missing_device",
                "IMDS lists a data disk at LUN {lun}, and the guest has no such device. It may need a rescan."
            },
            {
                "unknown_to_imds",
                "{disk} is an Azure disk that IMDS doesn't list. IMDS may be minutes behind."
            },
            {
                "unplaced_device",
                "{disk} is an Azure disk, but nothing tells reliably at which LUN."
            },
            {
                "size_mismatch",
                "IMDS says that the disk has {expected} GiB, and {disk} has {found} bytes."
            },
            {
                "ambiguous_device",
                "More than one device may be the disk, so none is chosen: {disk}."
            },
        };
        // </generated>

        private static readonly Regex Letter = new Regex(@"\A[a-z]\z");

        private readonly List<object> contradictions = new List<object>();
        private readonly List<Disk> disks;

        private Disks(List<Disk> disks)
        {
            this.disks = disks;
        }

        // Adds the guest's devices, and what contradicts, to the facts below storage; returns meta.disks. listed:
        // whether IMDS has listed the data disks, which older API versions don't.
        public static Map Add(Map storage, Map rows, bool listed, List<string> warnings)
        {
            List<Map> given = Row.List(rows, "disks");
            if (given == null)
            {
                return Unread("unreadable", (Row.Get(rows, "disks") as string) ?? "MSFT_Disk was not read");
            }
            List<Disk> found = Read(given, rows, storage);
            if (found.Count == 0)
            {
                return Unread("no_azure_disks", "MSFT_Disk");
            }
            Disks pairing = new Disks(found);
            pairing.Pair(storage, listed);
            if (pairing.contradictions.Count > 0)
            {
                warnings.Add("Disks: " + string.Join(
                    " ", pairing.contradictions.Select(one => (string)((Map)one)["message"])));
            }
            return new Map { { "reason", null }, { "message", null } };
        }

        private static Map Unread(string reason, string detail)
        {
            string message = Unreadable[reason] + " (" + Text.Printable(detail) + ")";
            return new Map { { "reason", reason }, { "message", message } };
        }

        private static List<Disk> Read(List<Map> given, Map rows, Map storage)
        {
            List<Map> partitions = Row.List(rows, "partitions") ?? new List<Map>();
            List<Disk> all = new List<Disk>();
            foreach (Map row in given)
            {
                long number = Row.Whole(row, "Number", -1);
                if (number >= 0 && all.All(disk => disk.Number != number))
                {
                    all.Add(new Disk(row, Letters(partitions, number)));
                }
            }
            List<Disk> found = all.Where(disk => disk.Kind != Kind.None).OrderBy(disk => disk.Number).ToList();
            Disk boot = found.Count(disk => disk.Boot) == 1 ? found.First(disk => disk.Boot) : null;
            List<Disk> counted = found
                .Where(disk => disk.Kind == Kind.Remote && disk.Digits != "" && disk.Digits != "00").ToList();
            // Windows builds such IDs in hexadecimal, but nobody has seen one above 9.
            bool proven = counted.Any(disk => disk.Digits.Any(char.IsLetter));
            bool ten = !proven && !Agree(counted, 16, storage) && Agree(counted, 10, storage);
            found.ForEach(disk => disk.FindPlace(boot, ten ? 10 : 16, proven));
            return found;
        }

        // The drive letters on a disk, in order.
        private static List<object> Letters(List<Map> partitions, long number)
        {
            return partitions.Where(row => Row.Whole(row, "DiskNumber", -1) == number)
                .Select(row => Row.Word(row, "DriveLetter"))
                .Where(letter => Letter.IsMatch(letter))
                .OrderBy(letter => letter, StringComparer.Ordinal)
                .Select(letter => (object)letter.ToUpperInvariant()).ToList();
        }

        private static bool Agree(List<Disk> counted, int numberBase, Map storage)
        {
            Dictionary<object, object> sizes = new Dictionary<object, object>();
            foreach (Map fact in (List<object>)storage["data_disks"])
            {
                sizes[Row.Get(fact, "lun") ?? ""] = Row.Get(fact, "disk_size_gb");
            }
            return counted.All(disk =>
            {
                object lun = numberBase == 16 ? Convert.ToInt64(disk.Digits, 16) - 1
                    : long.Parse(disk.Digits, CultureInfo.InvariantCulture) - 1;
                return sizes.ContainsKey(lun) && Fits(disk, sizes[lun]);
            });
        }

        // Whether the size that IMDS tells, in GiB, doesn't contradict; rounded, as an image need not have whole ones.
        private static bool Fits(Disk disk, object size)
        {
            return disk.Size == 0 || !(size is long) || (long)size <= 0
                || (disk.Size >> 30 <= (long)size && (long)size <= -(-disk.Size >> 30));
        }

        private void Pair(Map storage, bool listed)
        {
            Map os = (Map)storage["os_disk"];
            List<Disk> local = Among("local", null);
            Disk ephemeral = Among("os", null).Count == 0 && IsEphemeral(os)
                ? local.FirstOrDefault(disk => disk.Boot && disks.Count(other => other.Boot) == 1)
                : null;
            // On which of the local disks an ephemeral OS disk was placed, only its use tells.
            local.Remove(ephemeral);
            os["device"] = Device(ephemeral ?? Only(Among("os", null), null), null, Row.Get(os, "disk_size_gb"),
                ephemeral != null);
            if (listed)
            {
                PairData(((List<object>)storage["data_disks"]).Cast<Map>().ToList());
            }
            ((Map)storage["resource_disk"])["device"] = Device(Only(Among("resource", null), null), null, null, false);
            storage["local_disks"] = local.Select(disk => (object)new Map
            {
                { "index", null },
                { "name", null },
                { "model", disk.Model },
                { "serial", disk.Serial },
                { "device", Device(disk, null, null, false) },
            }).ToList();
            storage["contradictions"] = contradictions;
        }

        private void PairData(List<Map> facts)
        {
            HashSet<Disk> candidates = new HashSet<Disk>();
            foreach (Map fact in facts)
            {
                long? lun = Row.Get(fact, "lun") as long?;
                if (lun == null || facts.Count(other => lun.Equals(Row.Get(other, "lun"))) > 1)
                {
                    continue;
                }
                List<Disk> found = Among("data", lun);
                candidates.UnionWith(found);
                if (found.Count == 0 && Among("unplaced", null).Count == 0)
                {
                    Report("missing_device", lun);
                }
                fact["device"] = Device(Only(found, lun), lun, Row.Get(fact, "disk_size_gb"), false);
            }
            foreach (Disk disk in disks)
            {
                if (disk.Role == "data" && !candidates.Contains(disk))
                {
                    Report("unknown_to_imds", disk.Lun, disk);
                }
                else if (disk.Role == "unplaced")
                {
                    Report("unplaced_device", null, disk);
                }
            }
        }

        // The disks with a role; only the certain ones where there are any.
        private List<Disk> Among(string role, long? lun)
        {
            List<Disk> found = disks.Where(disk => disk.Role == role && disk.Lun == lun).ToList();
            return found.Any(disk => disk.Certain) ? found.Where(disk => disk.Certain).ToList() : found;
        }

        // The one candidate; with several there is a contradiction instead of a choice.
        private Disk Only(List<Disk> found, long? lun)
        {
            if (found.Count > 1)
            {
                Report("ambiguous_device", lun, found.ToArray());
            }
            return found.Count == 1 ? found[0] : null;
        }

        private Map Device(Disk disk, long? lun, object size, bool guessed)
        {
            if (disk == null)
            {
                return null;
            }
            bool fits = Fits(disk, size);
            if (!fits)
            {
                Report("size_mismatch", lun, size, disk.Size, disk);
            }
            return disk.Shown(guessed || !fits || !disk.Certain ? "guessed" : "exact");
        }

        private void Report(string code, long? lun, params Disk[] about)
        {
            Report(code, lun, "", "", about);
        }

        private void Report(string code, long? lun, object expected, object found, params Disk[] about)
        {
            string path = string.Join(", ", about.Select(disk => disk.Path ?? ""));
            contradictions.Add(new Map
            {
                { "code", code },
                { "lun", lun },
                { "path", path.Length > 0 ? path : null },
                {
                    "message",
                    Contradictions[code].Replace("{lun}", lun.ToString())
                        .Replace("{disk}", string.Join(", ", about.Select(disk => disk.Label)))
                        .Replace("{expected}", expected.ToString()).Replace("{found}", found.ToString())
                },
            });
        }

        private static bool IsEphemeral(Map os)
        {
            return "Local".Equals(Row.Get(Row.Get(os, "diff_disk_settings") as Map, "option"));
        }
    }
}
