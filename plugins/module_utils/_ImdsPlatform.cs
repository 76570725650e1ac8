// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Is this an Azure VM? The firmware tells, without a packet and without CIM. Twin of _imds/platform.py, and of the
// controller's _smbios.py: the raw SMBIOS table is as DMTF DSP0134 has it.

using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsReasons;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsPlatform
{
    // Azure: the verdict, null where the tag can't be read. ChassisAssetTag: the tag, if any. Source: where it is read.
    public sealed class Detection
    {
        public readonly bool? Azure;
        public readonly string ChassisAssetTag;
        public readonly string Source;

        public Detection(string tag, string source)
        {
            Azure = tag == null ? (bool?)null : tag == Platform.AzureChassisAssetTag;
            ChassisAssetTag = tag == "" ? null : tag;
            Source = source;
        }
    }

    public static class Platform
    {
        public const string AzureChassisAssetTag = "7783-7084-3265-9085-8269-3286-77";

        private const uint RawSmbios = 0x52534D42;  // "RSMB"

        // Compare the chassis asset tag with the one that all Azure VMs carry.
        // knownTag: the tag, if it was read already. firmware: returns RawSMBIOSData or null.
        public static Detection Detect(string knownTag, Func<byte[]> firmware)
        {
            // NA is what setup says where it can't read the tag.
            if (!string.IsNullOrEmpty(knownTag) && knownTag != "NA")
            {
                return new Detection(knownTag, "option chassis_asset_tag");
            }
            byte[] raw = firmware();
            string tag = Smbios.HasEnclosure(raw) ? Smbios.ChassisAssetTag(raw) ?? "" : null;
            return new Detection(tag, "SMBIOS enclosure");
        }

        // Detect, and require Azure unless told to go on anyway. Throws ImdsException: not_azure or unknown_platform.
        public static Detection RequireAzure(Settings settings, Func<byte[]> firmware)
        {
            Detection detection = Detect(settings.ChassisAssetTag, firmware);
            if (detection.Azure != true && !settings.Forced)
            {
                throw Miss(detection);
            }
            return detection;
        }

        // The error for a detection that does not find an Azure VM.
        public static ImdsException Miss(Detection detection)
        {
            return detection.Azure == null
                ? new ImdsException("unknown_platform", detection.Source + " cannot be read")
                : new ImdsException("not_azure", "chassis asset tag: " + (detection.ChassisAssetTag ?? "none"));
        }

        // Does the firmware's UUID match the vmId from IMDS? Null if there is none to compare.
        // SMBIOS stores the first three groups in the other byte order, and generation 1 VMs swap them once more.
        public static bool? SameMachine(string vmId, byte[] firmware)
        {
            byte[] own = Smbios.SystemUuid(firmware);
            byte[] told = FromHex(vmId.Replace("-", ""));
            if (own == null || told == null)
            {
                return null;
            }
            byte[] swapped = FromHex(new Guid(own).ToString("N"));
            return told.SequenceEqual(own) || told.SequenceEqual(swapped);
        }

        // The 16 bytes of a UUID, or null.
        private static byte[] FromHex(string digits)
        {
            byte[] bytes = new byte[16];
            bool valid = digits.Length == 2 * bytes.Length;
            for (int at = 0; valid && at < bytes.Length; at++)
            {
                string pair = digits.Substring(2 * at, 2);
                valid = byte.TryParse(
                    pair, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out bytes[at]);
            }
            return valid ? bytes : null;
        }

        // RawSMBIOSData, or null where this is not Windows. Asked beforehand: what a missing library throws differs
        // between runtimes, and in an assembly that was loaded from memory it is an ArgumentNullException.
        public static byte[] ReadFirmware()
        {
            if (Environment.OSVersion.Platform != PlatformID.Win32NT)
            {
                return null;
            }
            byte[] raw = new byte[GetSystemFirmwareTable(RawSmbios, 0, null, 0)];
            uint size = GetSystemFirmwareTable(RawSmbios, 0, raw, (uint)raw.Length);
            return size > 0 && size <= raw.Length ? raw : null;
        }

        [DllImport("kernel32.dll")]
        private static extern uint GetSystemFirmwareTable(uint provider, uint table, byte[] buffer, uint size);
    }

    // One structure of the SMBIOS table. Formatted: the fixed part, its header of 4 bytes included. Strings: those that
    // follow it.
    public sealed class Structure
    {
        public readonly byte[] Formatted;
        public readonly List<string> Strings;

        public Structure(byte[] formatted, List<string> strings)
        {
            Formatted = formatted;
            Strings = strings;
        }

        public byte Type
        {
            get { return Formatted[0]; }
        }

        // The string whose number stands at an offset, or null: 0 stands for none, and old structures end before it.
        public string Text(int offset)
        {
            int number = offset < Formatted.Length ? Formatted[offset] : 0;
            string text = number > 0 && number <= Strings.Count ? Strings[number - 1].Trim() : "";
            return text.Length > 0 ? text : null;
        }
    }

    public static class Smbios
    {
        private const int HeadLength = 8;  // of RawSMBIOSData: calling method, version (3 bytes), length (4 bytes)
        private const int StructureHeadLength = 4;  // type, length, handle (2 bytes)

        private const byte SystemInformation = 1;
        private const byte Enclosure = 3;
        private const byte EndOfTable = 127;

        private const int UuidOffset = 8;
        private const int UuidLength = 16;
        private const int AssetTagOffset = 8;
        private const int LongestTag = 256;

        // Whether there is anything to read the tag from.
        public static bool HasEnclosure(byte[] raw)
        {
            return Structures(raw).Any(entry => entry.Type == Enclosure);
        }

        // Of several enclosures, as a docking station makes them, the first that has a tag.
        public static string ChassisAssetTag(byte[] raw)
        {
            string tag = Structures(raw).Where(entry => entry.Type == Enclosure)
                .Select(entry => entry.Text(AssetTagOffset)).FirstOrDefault(text => text != null);
            return tag != null && tag.Length > LongestTag ? tag.Substring(0, LongestTag) : tag;
        }

        // The 16 bytes as they stand, or null: all zeros and all ones stand for none.
        public static byte[] SystemUuid(byte[] raw)
        {
            Structure system = Structures(raw).FirstOrDefault(entry => entry.Type == SystemInformation);
            if (system == null || system.Formatted.Length < UuidOffset + UuidLength)
            {
                return null;
            }
            byte[] uuid = system.Formatted.Skip(UuidOffset).Take(UuidLength).ToArray();
            return uuid.All(part => part == 0) || uuid.All(part => part == 255) ? null : uuid;
        }

        // All structures up to the end of the table, or to the first that is cut off.
        // raw: RawSMBIOSData as GetSystemFirmwareTable gives it; null or anything else gives none.
        public static List<Structure> Structures(byte[] raw)
        {
            List<Structure> found = new List<Structure>();
            int end = End(raw);
            int at = HeadLength;
            while (at + StructureHeadLength <= end && raw[at + 1] >= StructureHeadLength && at + raw[at + 1] <= end)
            {
                byte[] formatted = raw.Skip(at).Take(raw[at + 1]).ToArray();
                at += formatted.Length;
                found.Add(new Structure(formatted, Strings(raw, ref at, end)));
                if (formatted[0] == EndOfTable)
                {
                    break;
                }
            }
            return found;
        }

        private static int End(byte[] raw)
        {
            if (raw == null || raw.Length < HeadLength)
            {
                return 0;
            }
            long stated = raw[4] | (long)raw[5] << 8 | (long)raw[6] << 16 | (long)raw[7] << 24;
            return (int)Math.Min(HeadLength + stated, raw.Length);
        }

        // The strings from a position on, which is moved behind them. Each ends with a NUL, and all of them with one
        // more; a structure without strings has two.
        private static List<string> Strings(byte[] raw, ref int at, int end)
        {
            List<string> found = new List<string>();
            while (at < end && raw[at] != 0)
            {
                int stop = Array.IndexOf(raw, (byte)0, at, end - at);
                if (stop < 0)
                {
                    at = end;
                    return found;
                }
                found.Add(Encoding.UTF8.GetString(raw, at, stop - at));
                at = stop + 1;
            }
            at += found.Count > 0 ? 1 : 2;
            return found;
        }
    }
}
