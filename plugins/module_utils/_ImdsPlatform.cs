// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Is this an Azure VM? The firmware tells, without a packet and without CIM. Twin of _imds/platform.py.

using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Runtime.InteropServices;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsReasons;
using ansible_collections.imds.azure.plugins.module_utils._ImdsSmbios;

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
            IEnumerable<byte> swapped = own.Take(4).Reverse().Concat(own.Skip(4).Take(2).Reverse())
                .Concat(own.Skip(6).Take(2).Reverse()).Concat(own.Skip(8));
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
}
