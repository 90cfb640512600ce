# Integers of Tcl: tclsh tcl_keys.tcl FOLDER live|freed KIND...
proc num {f} { set h [open $f rb]; set b [read $h]; close $h; binary scan $b H* x; return [expr 0x$x] }
lassign $argv folder state
proc powmod {b e n} { set r 1; while {$e > 0} { if {$e & 1} { set r [expr {$r * $b % $n}] }; set b [expr {$b * $b % $n}]; set e [expr {$e >> 1}] }; return $r }
foreach k [lrange $argv 2 end] { foreach e {n d p q} { set key($k,$e) [num $folder/$k.$e.num] }; powmod 12345 $key($k,d) $key($k,n) }
if {$state eq "freed"} { unset key }
puts ready; flush stdout; after 3600000
