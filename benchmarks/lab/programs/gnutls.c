/* GnuTLS with Nettle and GMP. */
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include "lab.h"

int main(int argc, char **argv)
{
    for (int i = 3; i < argc; i++) {
        size_t size;
        unsigned char *pem = lab_read(argv[1], argv[i], "key", &size);
        gnutls_datum_t text = {pem, size}, data = {(unsigned char *)"lab", 3}, out = {0};
        gnutls_privkey_t key;
        gnutls_privkey_init(&key);
        int bad = gnutls_privkey_import_x509_raw(key, &text, GNUTLS_X509_FMT_PEM, NULL, 0);
        gnutls_digest_algorithm_t hash = lab_is(argv[i], "ed25519") ? GNUTLS_DIG_SHA512
            : lab_is(argv[i], "ed448") ? GNUTLS_DIG_SHAKE_256 : GNUTLS_DIG_SHA256;
        for (int n = 0; !bad && n < 3 && argv[i][0] != 'x'; n++)
            bad = gnutls_privkey_sign_data(key, hash, 0, &data, &out), gnutls_free(out.data);
        if (bad) { lab_bad(argv[i]); fprintf(stderr, "%s\n", gnutls_strerror(bad)); }
        if (LAB_FREED(argv)) gnutls_privkey_deinit(key);
        memset(pem, 0, size);
        free(pem);
    }
    lab_wait(LAB_FREED(argv));
}
