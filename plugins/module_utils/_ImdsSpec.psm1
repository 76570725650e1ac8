# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# What the Windows modules share: the argument specs, and how options are read. Twin of _module.py, _attest.py,
# _scheduled_events.py and _token_module.py.

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

Function Use-ImdsInvariantCulture {
    <#
    .SYNOPSIS
    Read numbers as Python does, whatever the host's language is. Ansible.Basic parses text with the culture of the
    thread: under many of them "1.5" is 15, and under the invariant one "1,5" is, because the comma groups digits.
    #>
    [CmdletBinding()]
    param ()

    $culture = [System.Globalization.CultureInfo]::InvariantCulture.Clone()
    $culture.NumberFormat.NumberGroupSeparator = '_'
    [System.Threading.Thread]::CurrentThread.CurrentCulture = $culture
}

Function Get-ImdsArgumentSpec {
    <#
    .SYNOPSIS
    The options of the doc fragment _imds.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param ()

    @{
        options = @{
            # <generated imds: make generate>
            api_version = @{ type = 'str' }
            detect = @{ type = 'str'; choices = @('auto', 'force'); default = 'auto' }
            chassis_asset_tag = @{ type = 'str' }
            endpoint = @{ type = 'str'; default = 'http://169.254.169.254' }
            connect_timeout = @{ type = 'float'; default = 2.0 }
            read_timeout = @{ type = 'float'; default = 10.0 }
            timeout = @{ type = 'float'; default = 30.0 }
            updating_timeout = @{ type = 'float'; default = 100.0 }
            # </generated>
        }
    }
}

Function Get-ImdsFactsSpec {
    <#
    .SYNOPSIS
    The options of the doc fragment _imds.facts: what goes into the facts.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param ()

    @{
        options = @{
            # <generated facts: make generate>
            include_user_data = @{ type = 'bool'; default = $false }
            include_public_keys = @{ type = 'bool'; default = $false }
            load_balancer = @{ type = 'bool'; default = $false }
            # </generated>
        }
    }
}

Function Get-ImdsAttestSpec {
    <#
    .SYNOPSIS
    The options of azure_imds_attest. Those beside nonce are the controller's.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param ()

    @{
        options = @{
            # <generated attest: make generate>
            nonce = @{ type = 'str' }
            clouds = @{
                type = 'list'
                elements = 'str'
                choices = @('public', 'us_government', 'china', 'germany')
                default = @('public')
            }
            expected_vm_id = @{ type = 'list'; elements = 'str' }
            expected_subscription_id = @{ type = 'list'; elements = 'str' }
            expected_sku = @{ type = 'list'; elements = 'str' }
            expected_license_type = @{ type = 'list'; elements = 'str' }
            expected_plan = @{ type = 'raw' }
            max_age = @{ type = 'int' }
            clock_skew = @{ type = 'int'; default = 120 }
            anchors = @{ type = 'list'; elements = 'path' }
            builtin_anchors = @{ type = 'bool'; default = $true }
            intermediates = @{ type = 'list'; elements = 'path' }
            fetch_intermediates = @{ type = 'str'; choices = @('auto', 'never'); default = 'auto' }
            cache_dir = @{ type = 'path' }
            document = @{ type = 'raw' }
            dest = @{ type = 'path' }
            verify_at = @{ type = 'str' }
            # </generated>
        }
    }
}

Function Get-ImdsEventsSpec {
    <#
    .SYNOPSIS
    The options of the doc fragment _scheduled_events. To be merged ahead of _imds, whose api_version it replaces.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param ()

    @{
        options = @{
            # <generated events: make generate>
            api_version = @{ type = 'str'; default = '2020-07-01' }
            first_timeout = @{ type = 'float'; default = 130.0 }
            event_types = @{
                type = 'list'
                elements = 'str'
                choices = @('Freeze', 'Reboot', 'Redeploy', 'Preempt', 'Terminate', 'SpotRebalanceRecommendation')
            }
            sources = @{ type = 'list'; elements = 'str'; choices = @('Platform', 'User') }
            statuses = @{ type = 'list'; elements = 'str'; choices = @('Scheduled', 'Started') }
            event_ids = @{ type = 'list'; elements = 'str' }
            mine = @{ type = 'bool'; default = $true }
            within = @{ type = 'int' }
            # </generated>
        }
    }
}

Function Get-ImdsIdentitySpec {
    <#
    .SYNOPSIS
    The options of the doc fragment _identity, all of them: those of _imds differ a bit.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param ()

    @{
        options = @{
            # <generated identity: make generate>
            api_version = @{ type = 'str' }
            detect = @{ type = 'str'; choices = @('auto', 'force'); default = 'auto' }
            chassis_asset_tag = @{ type = 'str' }
            endpoint = @{ type = 'str'; default = 'http://169.254.169.254' }
            connect_timeout = @{ type = 'float'; default = 2.0 }
            read_timeout = @{ type = 'float'; default = 10.0 }
            timeout = @{ type = 'float'; default = 90.0 }
            client_id = @{ type = 'str' }
            object_id = @{ type = 'str' }
            msi_res_id = @{ type = 'str' }
            bypass_cache = @{ type = 'bool'; default = $false }
            identity_wait = @{ type = 'float'; default = 0.0 }
            arc = @{ type = 'str'; choices = @('auto', 'never', 'always'); default = 'auto' }
            dest = @{ type = 'path' }
            owner = @{ type = 'str' }
            group = @{ type = 'str' }
            mode = @{ type = 'str'; default = '0600' }
            # </generated>
        }
    }
}

$functions = @(
    'Use-ImdsInvariantCulture'
    'Get-ImdsArgumentSpec'
    'Get-ImdsFactsSpec'
    'Get-ImdsAttestSpec'
    'Get-ImdsEventsSpec'
    'Get-ImdsIdentitySpec'
)
Export-ModuleMember -Function $functions
