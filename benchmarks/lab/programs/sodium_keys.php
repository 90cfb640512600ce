<?php
// Keys of the sodium extension: php sodium_keys.php FOLDER live|freed KIND...
[$folder, $state] = [$argv[1], $argv[2]]; $held = [];
foreach (array_slice($argv, 3) as $kind) { $raw = file_get_contents("$folder/$kind.raw");
 if ($kind == "ed25519") { $pair = sodium_crypto_sign_seed_keypair($raw); $sk = sodium_crypto_sign_secretkey($pair); sodium_crypto_sign_detached("lab", $sk); $held[] = [$pair, $sk]; }
 else { $held[] = [$raw, sodium_crypto_scalarmult_base($raw)]; } unset($pair, $sk, $raw); }
if ($state == "freed") { $held = []; gc_collect_cycles(); }
echo "ready\n"; sleep(3600); var_dump(count($held));
