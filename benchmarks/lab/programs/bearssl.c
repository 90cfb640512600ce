/* BearSSL: keys as bytes, numbers in 31-bit words on the stack. */
#include <bearssl.h>
#include "lab.h"

int main(int argc, char **argv)
{
    unsigned char out[2048], hash[32] = {1, 2, 3};
    for (int i = 3; i < argc; i++) {
        size_t size;
        unsigned char *der = lab_read(argv[1], argv[i], "trad.der", &size);
        br_skey_decoder_context *key = malloc(sizeof *key);
        br_skey_decoder_init(key);
        br_skey_decoder_push(key, der, size);
        memset(der, 0, size);
        free(der);
        int good = 0;
        if (br_skey_decoder_key_type(key) == BR_KEYTYPE_RSA) {
            const br_rsa_private_key *rsa = br_skey_decoder_get_rsa(key);
            good = br_rsa_i31_pkcs1_sign(BR_HASH_OID_SHA256, hash, 32, rsa, out);
            good &= br_rsa_i15_pkcs1_sign(BR_HASH_OID_SHA256, hash, 32, rsa, out);
        } else if (br_skey_decoder_key_type(key) == BR_KEYTYPE_EC) {
            const br_ec_private_key *ec = br_skey_decoder_get_ec(key);
            unsigned char *point = malloc(200);
            br_ec_public_key pub;
            br_ec_compute_pub(&br_ec_all_m31, &pub, point, ec);
            good = br_ecdsa_i31_sign_asn1(&br_ec_all_m31, &br_sha256_vtable, hash, ec, out) > 0;
        }
        if (!good) lab_bad(argv[i]);
        if (LAB_FREED(argv)) free(key);
    }
    lab_wait(LAB_FREED(argv));
}
