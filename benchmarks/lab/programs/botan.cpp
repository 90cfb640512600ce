// Botan 2 and 3.
#include <botan/auto_rng.h>
#include <botan/data_src.h>
#include <botan/pk_keys.h>
#include <botan/pkcs8.h>
#include <botan/pubkey.h>
#if BOTAN_VERSION_MAJOR < 3
#include <botan/rng.h>
#endif
#include <memory>
#include <string>
#include <vector>
#include "lab.h"

int main(int argc, char **argv)
{
    Botan::AutoSeeded_RNG rng;
    std::vector<std::unique_ptr<Botan::Private_Key>> keys;
    for (int i = 3; i < argc; i++) try {
        std::string kind = argv[i];
        Botan::DataSource_Stream source(std::string(argv[1]) + "/" + kind + ".key");
#if BOTAN_VERSION_MAJOR < 3
        std::unique_ptr<Botan::Private_Key> key(Botan::PKCS8::load_key(source, rng));
#else
        std::unique_ptr<Botan::Private_Key> key = Botan::PKCS8::load_key(source);
#endif
        if (kind[0] != 'x') {
            std::string how = kind.substr(0, 3) == "rsa" ? "EMSA4(SHA-256)"
                : kind.substr(0, 2) == "ed" ? (kind == "ed448" ? "" : "Pure") : "EMSA1(SHA-256)";
#if BOTAN_VERSION_MAJOR >= 3
            if (how == "EMSA1(SHA-256)") how = "SHA-256";
#endif
            Botan::PK_Signer signer(*key, rng, how);
            for (int n = 0; n < 3; n++) signer.sign_message((const uint8_t *)"lab", 3, rng);
        }
        if (!LAB_FREED(argv)) keys.push_back(std::move(key));
    } catch (const std::exception &e) { lab_bad(argv[i]); fprintf(stderr, "%s\n", e.what()); }
    lab_wait(LAB_FREED(argv));
}
