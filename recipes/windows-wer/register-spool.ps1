# Runs a spool at C:\keysift at every start, as a service account that has no other right.
# The folder: owner that account; programs that crash need "create files" in C:\keysift\incoming.
$keysift = 'C:\Program Files\keysift\Scripts\keysift.exe'
$words = 'spool C:\keysift --settle 30 --audit-log C:\ProgramData\keysift\audit.jsonl'
$action = New-ScheduledTaskAction -Execute $keysift -Argument $words
$trigger = New-ScheduledTaskTrigger -AtStartup
$account = New-ScheduledTaskPrincipal -UserId 'NT AUTHORITY\LOCAL SERVICE' -LogonType ServiceAccount
$settings = New-ScheduledTaskSettingsSet -RestartCount 999 -RestartInterval (New-TimeSpan -Minutes 1) -ExecutionTimeLimit 0
Register-ScheduledTask -TaskName 'keysift spool' -Action $action -Trigger $trigger -Principal $account -Settings $settings
