/* LibTomCrypt with libtommath. */
#define LTM_DESC
#include <tomcrypt.h>
#include "lab.h"

int main(int argc, char **argv)
{
    unsigned char out[2048], hash[32] = {1, 2, 3};
    ltc_mp = ltm_desc;
    register_prng(&sprng_desc);
    register_hash(&sha256_desc);
    int prng = find_prng("sprng"), sha = find_hash("sha256");
    for (int i = 3; i < argc; i++) {
        size_t size;
        unsigned char *der = lab_read(argv[1], argv[i], "trad.der", &size);
        unsigned long length = sizeof out;
        int bad = 1;
        if (lab_is(argv[i], "rsa")) {
            rsa_key *key = malloc(sizeof *key);
            bad = rsa_import(der, size, key)
                || rsa_sign_hash_ex(hash, 32, out, &length, LTC_PKCS_1_V1_5, NULL, prng, sha, 0, key);
            if (LAB_FREED(argv)) { rsa_free(key); free(key); }
        } else if (lab_is(argv[i], "dsa")) {
            dsa_key *key = malloc(sizeof *key);
            bad = dsa_import(der, size, key) || dsa_sign_hash(hash, 32, out, &length, NULL, prng, key);
            if (LAB_FREED(argv)) { dsa_free(key); free(key); }
        }
        if (bad) lab_bad(argv[i]);
        free(der);
    }
    lab_wait(LAB_FREED(argv));
}
