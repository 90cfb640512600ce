// Keys of Pike's Nettle, Pike's integers: pike pike_keys.pike FOLDER live|freed KIND...
array held = ({});

object number(string folder, string kind, string end)
{
  return Gmp.mpz(Stdio.read_file(sprintf("%s/%s.%s.num", folder, kind, end)), 256);
}

int main(int argc, array(string) argv)
{
  foreach (argv[3..], string kind) {
    function get = lambda(string end) { return number(argv[1], kind, end); };
    if (has_prefix(kind, "rsa")) {
      object key = Crypto.RSA()->set_public_key(get("n"), 65537);
      key->set_private_key(get("d"), ({ get("p"), get("q") }));
      key->pkcs_sign("lab", Crypto.SHA256);
      held += ({ key });
    } else {
      object key = Crypto.ECC.SECP_256R1.ECDSA();
      key->set_private_key(get("d"));
      key->set_public_key(get("x"), get("y"));
      key->pkcs_sign("lab", Crypto.SHA256);
      held += ({ key });
    }
  }
  if (argv[2] == "freed") {
    held = ({});
    gc();
  }
  write("ready\n");
  sleep(3600);
}
