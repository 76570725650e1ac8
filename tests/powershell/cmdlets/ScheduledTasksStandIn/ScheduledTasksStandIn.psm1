# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Stand-ins for the cmdlets of scheduled tasks. One task, in the file that the variable STAND_IN_TASK names; a task that
# is started is not run.

function Read-Task {
    if (Test-Path -LiteralPath $env:STAND_IN_TASK) {
        Get-Content -LiteralPath $env:STAND_IN_TASK -Raw | ConvertFrom-Json
    }
}

function Save-Task($Task) {
    ConvertTo-Json -InputObject $Task -Depth 5 | Set-Content -LiteralPath $env:STAND_IN_TASK
}

function Set-TaskState([string]$State) {
    $task = Read-Task
    $task.State = $State
    Save-Task -Task $task
}

function Get-ScheduledTask {
    [CmdletBinding()]
    param([string]$TaskName, [string]$TaskPath)
    $task = Read-Task
    if ($task -and $task.TaskName -eq $TaskName) { $task } else { Write-Error -Message "No task $TaskPath$TaskName" }
}

function New-ScheduledTaskAction([string]$Execute, [string]$Argument) {
    @{ Execute = $Execute; Argument = $Argument }
}

function New-ScheduledTaskTrigger([switch]$AtStartup) {
    @{ AtStartup = [bool]$AtStartup }
}

function New-ScheduledTaskPrincipal([string]$UserId, [string]$LogonType, [string]$RunLevel) {
    @{ UserId = $UserId; LogonType = $LogonType; RunLevel = $RunLevel }
}

function New-ScheduledTaskSettingsSet {
    param(
        [switch]$AllowStartIfOnBatteries, [switch]$DontStopIfGoingOnBatteries, [string]$MultipleInstances,
        [timespan]$ExecutionTimeLimit, [int]$RestartCount, [timespan]$RestartInterval, [int]$Priority
    )
    @{ RestartCount = $RestartCount; ExecutionTimeLimit = $ExecutionTimeLimit.TotalSeconds }
}

function New-ScheduledTask($Action, $Trigger, $Principal, $Settings, [string]$Description) {
    @{ Action = $Action; Trigger = $Trigger; Principal = $Principal; Settings = $Settings; Description = $Description }
}

function Register-ScheduledTask([string]$TaskName, [string]$TaskPath, $InputObject, [switch]$Force) {
    Save-Task -Task ($InputObject + @{ TaskName = $TaskName; State = 'Ready' })
}

function Unregister-ScheduledTask {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([string]$TaskName, [string]$TaskPath)
    Remove-Item -LiteralPath $env:STAND_IN_TASK
}

function Start-ScheduledTask([string]$TaskName, [string]$TaskPath) {
    Set-TaskState -State 'Running'
}

function Stop-ScheduledTask([string]$TaskName, [string]$TaskPath) {
    Set-TaskState -State 'Ready'
}

Export-ModuleMember -Function '*-ScheduledTask*'
