/* Mbed TLS 2 and 3. */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/pk.h>
#include <mbedtls/version.h>
#include "lab.h"

int main(int argc, char **argv)
{
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context rng;
    unsigned char out[2048], hash[32] = {1, 2, 3};
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&rng);
    mbedtls_ctr_drbg_seed(&rng, mbedtls_entropy_func, &entropy, NULL, 0);
    for (int i = 3; i < argc; i++) {
        size_t size, length = 0;
        unsigned char *pem = lab_read(argv[1], argv[i], "key", &size);
        mbedtls_pk_context *key = malloc(sizeof *key);
        mbedtls_pk_init(key);
#if MBEDTLS_VERSION_MAJOR >= 3
        int bad = mbedtls_pk_parse_key(key, pem, size + 1, NULL, 0, mbedtls_ctr_drbg_random, &rng);
#else
        int bad = mbedtls_pk_parse_key(key, pem, size + 1, NULL, 0);
#endif
        for (int n = 0; !bad && n < 3; n++)
#if MBEDTLS_VERSION_MAJOR >= 3
            bad = mbedtls_pk_sign(key, MBEDTLS_MD_SHA256, hash, 32, out, sizeof out, &length,
                                  mbedtls_ctr_drbg_random, &rng);
#else
            bad = mbedtls_pk_sign(key, MBEDTLS_MD_SHA256, hash, 32, out, &length,
                                  mbedtls_ctr_drbg_random, &rng);
#endif
        if (bad) lab_bad(argv[i]);
        if (LAB_FREED(argv)) { mbedtls_pk_free(key); free(key); }
        memset(pem, 0, size);
        free(pem);
    }
    lab_wait(LAB_FREED(argv));
}
