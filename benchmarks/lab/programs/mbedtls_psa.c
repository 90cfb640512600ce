/* Mbed TLS's PSA key store: keys by number, as they were imported. */
#include <psa/crypto.h>
#include "lab.h"
int main(int argc, char **argv)
{
    psa_crypto_init();
    for (int i = 3; i < argc; i++) {
        size_t size, n; psa_key_id_t id = 0; uint8_t sig[1024], hash[32] = {1};
        psa_key_attributes_t a = PSA_KEY_ATTRIBUTES_INIT;
        int rsa = lab_is(argv[i], "rsa"), x = lab_is(argv[i], "x25519");
        uint8_t *raw = (uint8_t *) lab_read(argv[1], argv[i], rsa ? "trad.der" : "raw", &size);
        psa_algorithm_t alg = rsa ? PSA_ALG_RSA_PSS(PSA_ALG_SHA_256) : x ? PSA_ALG_ECDH : PSA_ALG_ECDSA(PSA_ALG_SHA_256);
        psa_set_key_usage_flags(&a, x ? PSA_KEY_USAGE_DERIVE : PSA_KEY_USAGE_SIGN_HASH);
        psa_set_key_algorithm(&a, alg);
        psa_set_key_type(&a, rsa ? PSA_KEY_TYPE_RSA_KEY_PAIR : x ? PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_MONTGOMERY) : lab_is(argv[i], "ec-secp256k1") ? PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_K1) : PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
        int bad = psa_import_key(&a, raw, size, &id);
        uint8_t *pub = malloc(600);
        bad |= psa_export_public_key(id, pub, 600, &n);
        for (int k = 0; k < (x ? 0 : 100) && !bad; k++) bad |= psa_sign_hash(id, alg, hash, 32, sig, sizeof sig, &n);
        if (LAB_FREED(argv)) psa_destroy_key(id);
        memset(raw, 0, size); free(raw);
        if (bad) lab_bad(argv[i]);
    }
    lab_wait(LAB_FREED(argv));
}
