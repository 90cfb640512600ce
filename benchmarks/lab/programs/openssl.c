/* OpenSSL, LibreSSL, BoringSSL and AWS-LC by their common API. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include "lab.h"

static void use(EVP_PKEY *key, const char *kind)
{
    unsigned char out[8192];
    size_t size = sizeof out;
    if (lab_is(kind, "x") || lab_is(kind, "dh")) {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
        if (EVP_PKEY_derive_init(ctx) != 1 || EVP_PKEY_derive_set_peer(ctx, key) != 1
            || EVP_PKEY_derive(ctx, out, &size) != 1) lab_bad(kind);
        EVP_PKEY_CTX_free(ctx);
        return;
    }
    int pure = lab_is(kind, "ed") || lab_is(kind, "ml");
    for (int i = 0; i < 3; i++, size = sizeof out) {
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        if (EVP_DigestSignInit(ctx, NULL, pure ? NULL : EVP_sha256(), NULL, key) != 1
            || EVP_DigestSign(ctx, out, &size, (const unsigned char *)"lab", 3) != 1) lab_bad(kind);
        EVP_MD_CTX_free(ctx);
    }
}

int main(int argc, char **argv)
{
    EVP_PKEY *keys[32];
    for (int i = 3; i < argc; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s.key", argv[1], argv[i]);
        FILE *file = fopen(path, "rb");
        keys[i] = PEM_read_PrivateKey(file, NULL, NULL, NULL);
        fclose(file);
        if (!keys[i]) { lab_bad(argv[i]); continue; }
        use(keys[i], argv[i]);
        if (LAB_FREED(argv)) EVP_PKEY_free(keys[i]);
    }
    lab_wait(LAB_FREED(argv));
}
