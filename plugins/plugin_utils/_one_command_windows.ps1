# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# What _one_command_windows.py sends to a Windows host: one request to IMDS, and what the host knows about itself. It
# compiles nothing and calls nothing native, because compiling is most of what a module costs there.
#
# $mark, which stands before and after the answer, is set where it is run; $asked, a hashtable, stands in front of it:
#   host, port              the address of IMDS
#   request                 the HTTP request
#   connect, read, timeout  milliseconds for the connection, for the response after that, and for both together
#   azure                   $true: send it; $false: do not; $null: send it if the firmware is an Azure VM's
#   tag                     the chassis asset tag of all Azure VMs
#   limit                   bytes of a response beyond which nothing more is read
#
# The answer is one line of JSON, in ASCII: elapsed (ms); firmware (RawSMBIOSData in Base64, or null); if the request was
# sent, adapters (name, mac, up, addresses), default_address, local_address, rows (what Get-ImdsDeviceRow returns, which
# stands in front of this) and response (as received, in Base64), or failure (a message) instead of what is missing.

$ErrorActionPreference = 'Stop'
$watch = [Diagnostics.Stopwatch]::StartNew()

# Of several enclosures, as a docking station makes them, the first that has a tag counts.
function Find-ChassisAssetTag([byte[]]$Raw) {
    $end = [int][Math]::Min(8 + [long][BitConverter]::ToUInt32($Raw, 4), $Raw.Length)
    $at = 8
    while ($at + 4 -le $end -and $Raw[$at + 1] -ge 4 -and $at + $Raw[$at + 1] -le $end -and $Raw[$at] -ne 127) {
        $type = $Raw[$at]
        $number = 0
        if ($Raw[$at + 1] -gt 8) { $number = $Raw[$at + 8] }
        $at += $Raw[$at + 1]
        $count = 0
        while ($at -lt $end -and $Raw[$at] -ne 0) {
            $stop = [Array]::IndexOf($Raw, [byte]0, $at, $end - $at)
            if ($stop -lt 0) { return }
            $count++
            if ($type -eq 3 -and $count -eq $number) {
                $text = [Text.Encoding]::UTF8.GetString($Raw, $at, $stop - $at).Trim()
                if ($text) { return $text }
            }
            $at = $stop + 1
        }
        $at += 1 + [int]($count -eq 0)
    }
}

# Until the other end closes the connection, or everything is there that it announced.
function Read-Response([Net.Sockets.Socket]$Socket) {
    $end = [Math]::Min($watch.ElapsedMilliseconds + $asked.read, $asked.timeout)
    $received = [IO.MemoryStream]::new()
    $buffer = [byte[]]::new(65536)
    while ($received.Length -le $asked.limit) {
        $left = $end - $watch.ElapsedMilliseconds
        if ($left -le 0) { throw 'no complete answer in time' }
        if (-not $Socket.Poll(1000 * [Math]::Min($left, 1000), 'SelectRead')) { continue }
        $count = $Socket.Receive($buffer)
        $received.Write($buffer, 0, $count)
        $text = [Text.Encoding]::GetEncoding(28591).GetString($received.ToArray())
        $head = $text.IndexOf("`r`n`r`n")
        $whole = $head -ge 0 -and $text.Substring(0, $head) -match '\r\nContent-Length: *([0-9]{1,9})(\r|$)' -and
            $text.Length -ge $head + 4 + $Matches[1]
        if ($whole -or $count -eq 0) { break }
    }
    [Convert]::ToBase64String($received.ToArray())
}

$found = @{ firmware = $null }
$socket = $null
try {
    $raw = $null
    try {
        $key = 'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\mssmbios\Data'
        $raw = [byte[]][Microsoft.Win32.Registry]::GetValue($key, 'SMBiosData', $null)
        $found.firmware = [Convert]::ToBase64String($raw)
    }
    catch { $raw = $null }
    $send = $asked.azure
    if ($null -eq $send) { $send = $raw -and $raw.Length -ge 8 -and (Find-ChassisAssetTag $raw) -ceq $asked.tag }
    if ($send) {
        $address = [Net.IPAddress]::Parse($asked.host)
        $socket = [Net.Sockets.Socket]::new($address.AddressFamily, 'Stream', 'Tcp')
        $pending = $socket.BeginConnect($address, $asked.port, $null, $null)
        if (-not $pending.AsyncWaitHandle.WaitOne([Math]::Min($asked.connect, $asked.timeout))) { throw 'no connection in time' }
        $socket.EndConnect($pending)
        $found.local_address = $socket.LocalEndPoint.Address.ToString()
        $null = $socket.Send([Text.Encoding]::ASCII.GetBytes($asked.request))
        $found.response = Read-Response $socket

        $found.adapters = @(
            foreach ($adapter in [Net.NetworkInformation.NetworkInterface]::GetAllNetworkInterfaces()) {
                @{
                    name = $adapter.Name
                    mac = $adapter.GetPhysicalAddress().ToString()
                    up = "$($adapter.OperationalStatus)" -eq 'Up'
                    addresses = [string[]]@(
                        foreach ($one in $adapter.GetIPProperties().UnicastAddresses) { $one.Address.ToString() }
                    )
                }
            }
        )
        # A datagram socket that is connected has chosen its source, and sends nothing. The address is one reserved for
        # documentation.
        $datagrams = [Net.Sockets.Socket]::new('InterNetwork', 'Dgram', 'Udp')
        try {
            $datagrams.Connect('192.0.2.1', 9)
            $found.default_address = $datagrams.LocalEndPoint.Address.ToString()
        }
        catch { $found.default_address = $null }
        finally { $datagrams.Close() }
        if ($found.response) { $found.rows = Get-ImdsDeviceRow }
    }
}
catch { $found.failure = "$($_.Exception.GetBaseException().Message)" }
finally { if ($socket) { $socket.Close() } }
$found.elapsed = $watch.ElapsedMilliseconds

# Windows PowerShell writes in the console's code page.
$json = ConvertTo-Json -Compress -Depth 4 -InputObject $found
$json = [regex]::Replace($json, '[^ -~]', { '\u{0:x4}' -f [int][char]$args[0].Value })
$mark + $json + $mark
