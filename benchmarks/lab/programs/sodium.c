/* libsodium in plain memory. */
#include <sodium.h>
#include "lab.h"

int main(int argc, char **argv)
{
    for (int i = 3; i < argc && !sodium_init(); i++) {
        size_t size;
        unsigned char *raw = lab_read(argv[1], argv[i], "raw", &size), out[64];
        unsigned char *pub = malloc(32), *key = malloc(64);
        if (lab_is(argv[i], "ed25519")) {
            crypto_sign_seed_keypair(pub, key, raw);
            crypto_sign_detached(out, NULL, (const unsigned char *)"lab", 3, key);
        } else {
            memcpy(key, raw, 32);
            crypto_scalarmult_base(pub, key);
        }
        memset(raw, 0, size);
        free(raw);
        if (LAB_FREED(argv)) free(key);
    }
    lab_wait(LAB_FREED(argv));
}
