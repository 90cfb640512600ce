<?php // Keys of PHP's openssl, or of phpseclib: php php_keys.php FOLDER live|freed openssl|phpseclib KIND...
[, $folder, $state, $package] = $argv;
if ($package === "phpseclib") require "phpseclib3/autoload.php";
$held = [];
foreach (array_slice($argv, 4) as $kind) {
    try {
        $text = file_get_contents("$folder/$kind.key");
        if ($package === "phpseclib") {
            $key = phpseclib3\Crypt\PublicKeyLoader::load($text);
            if ($kind[0] !== "x") $key->sign("lab");
        } else {
            $key = openssl_pkey_get_private($text);
            openssl_sign("lab", $signature, $key, str_starts_with($kind, "ed") ? 0 : OPENSSL_ALGO_SHA256);
        }
        $held[] = $key;
        unset($key, $text);
    } catch (Throwable $e) { fwrite(STDERR, "failed: $kind $e\n"); }
}
if ($state === "freed") { $held = []; gc_collect_cycles(); $some = str_repeat("x", 64); }
echo "ready\n";
sleep(3600);
