// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// What the firmware says about the machine, read from its raw SMBIOS table (DMTF DSP0134). Pure.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsSmbios
{
    // Formatted: the fixed part, its header of 4 bytes included. Strings: those that follow it.
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
