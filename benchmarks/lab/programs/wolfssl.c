/* wolfSSL's wolfCrypt. */
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/asn.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/rsa.h>
#include "lab.h"

int main(int argc, char **argv)
{
    WC_RNG rng;
    byte out[2048], hash[32] = {1, 2, 3};
    wc_InitRng(&rng);
    for (int i = 3; i < argc; i++) {
        size_t size;
        byte *der = lab_read(argv[1], argv[i], "der", &size);
        word32 at = 0, length = sizeof out;
        int bad = 1;
        if (lab_is(argv[i], "rsa")) {
            RsaKey *key = malloc(sizeof *key);
            wc_InitRsaKey(key, NULL);
#ifdef WC_RSA_BLINDING
            wc_RsaSetRNG(key, &rng);
#endif
            bad = wc_RsaPrivateKeyDecode(der, &at, key, size)
                || wc_RsaSSL_Sign(hash, 32, out, length, key, &rng) < 0;
            if (LAB_FREED(argv)) { wc_FreeRsaKey(key); free(key); }
        } else if (lab_is(argv[i], "ec")) {
            ecc_key *key = malloc(sizeof *key);
            wc_ecc_init(key);
            bad = wc_EccPrivateKeyDecode(der, &at, key, size)
                || wc_ecc_sign_hash(hash, 32, out, &length, &rng, key);
            if (LAB_FREED(argv)) { wc_ecc_free(key); free(key); }
        } else if (lab_is(argv[i], "ed25519")) {
            ed25519_key *key = malloc(sizeof *key);
            byte pub[32];
            wc_ed25519_init(key);
            bad = wc_Ed25519PrivateKeyDecode(der, &at, key, size)
                || wc_ed25519_make_public(key, pub, 32)
                || wc_ed25519_import_public(pub, 32, key)
                || wc_ed25519_sign_msg(hash, 32, out, &length, key);
            if (LAB_FREED(argv)) { wc_ed25519_free(key); free(key); }
        }
        if (bad) lab_bad(argv[i]);
        free(der);
    }
    lab_wait(LAB_FREED(argv));
}
