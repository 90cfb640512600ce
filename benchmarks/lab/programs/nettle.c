/* Nettle alone: RSA and DSA from DER, ECDSA from bytes, Ed25519 and Ed448 from seeds. */
#include <nettle/dsa.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecdsa.h>
#include <nettle/eddsa.h>
#include <nettle/rsa.h>
#include <nettle/yarrow.h>
#include "lab.h"

int main(int argc, char **argv)
{
    struct yarrow256_ctx rng;
    uint8_t seed[32] = {7}, hash[32] = {1, 2, 3}, out[114];
    yarrow256_init(&rng, 0, NULL);
    yarrow256_seed(&rng, 32, seed);
    for (int i = 3; i < argc; i++) {
        size_t size;
        const char *kind = argv[i];
        if (lab_is(kind, "rsa")) {
            unsigned char *der = lab_read(argv[1], kind, "trad.der", &size);
            struct rsa_public_key *pub = malloc(sizeof *pub);
            struct rsa_private_key *key = malloc(sizeof *key);
            mpz_t mark;
            mpz_init(mark);
            rsa_public_key_init(pub);
            rsa_private_key_init(key);
            if (!rsa_keypair_from_der(pub, key, 0, size, der)
                || !rsa_sha256_sign_digest_tr(pub, key, &rng, (nettle_random_func *)yarrow256_random,
                                              hash, mark)) lab_bad(kind);
            if (LAB_FREED(argv)) { rsa_private_key_clear(key); rsa_public_key_clear(pub); }
            memset(der, 0, size);
            free(der);
        } else if (lab_is(kind, "ec")) {
            unsigned char *raw = lab_read(argv[1], kind, "raw", &size);
            const struct ecc_curve *curve = !strcmp(kind, "ec-p256") ? nettle_get_secp_256r1()
                : !strcmp(kind, "ec-p384") ? nettle_get_secp_384r1() : nettle_get_secp_521r1();
            struct ecc_scalar *key = malloc(sizeof *key);
            struct ecc_point *point = malloc(sizeof *point);
            struct dsa_signature signature;
            mpz_t d;
            mpz_init(d);
            mpz_import(d, size, 1, 1, 0, 0, raw);
            dsa_signature_init(&signature);
            ecc_scalar_init(key, curve);
            ecc_point_init(point, curve);
            if (!ecc_scalar_set(key, d)) lab_bad(kind);
            ecc_point_mul_g(point, key);
            ecdsa_sign(key, &rng, (nettle_random_func *)yarrow256_random, 32, hash, &signature);
            if (LAB_FREED(argv)) { ecc_scalar_clear(key); mpz_clear(d); }
            memset(raw, 0, size);
            free(raw);
        } else if (lab_is(kind, "ed")) {
            unsigned char *raw = lab_read(argv[1], kind, "raw", &size);
            uint8_t *pub = malloc(57);
            if (!strcmp(kind, "ed448")) {
                ed448_shake256_public_key(pub, raw);
                ed448_shake256_sign(pub, raw, 32, hash, out);
            } else {
                ed25519_sha512_public_key(pub, raw);
                ed25519_sha512_sign(pub, raw, 32, hash, out);
            }
            if (LAB_FREED(argv)) free(raw);
        }
    }
    lab_wait(LAB_FREED(argv));
}
