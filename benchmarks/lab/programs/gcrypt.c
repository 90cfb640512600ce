/* Libgcrypt, with secure memory or without (LAB_PLAIN). */
#include <gcrypt.h>
#include "lab.h"

static gcry_mpi_t number(const char *folder, const char *kind, const char *name)
{
    char end[32];
    size_t size;
    snprintf(end, sizeof end, "%s.num", name);
    unsigned char *raw = lab_read(folder, kind, end, &size);
    gcry_mpi_t value;
    gcry_mpi_scan(&value, GCRYMPI_FMT_USG, raw, size, NULL);
    memset(raw, 0, size);
    free(raw);
    return value;
}

int main(int argc, char **argv)
{
    gcry_check_version(NULL);
    if (getenv("LAB_PLAIN")) gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
    else gcry_control(GCRYCTL_INIT_SECMEM, 65536, 0);
    gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
    for (int i = 3; i < argc; i++) {
        const char *kind = argv[i], *f = argv[1];
        gcry_sexp_t key = NULL, data = NULL, signature = NULL;
        int bad = 1;
        if (lab_is(kind, "rsa")) {
            gcry_mpi_t p = number(f, kind, "p"), q = number(f, kind, "q"), u = gcry_mpi_new(0);
            gcry_mpi_invm(u, p, q);
            bad = gcry_sexp_build(&key, NULL, "(private-key(rsa(n%m)(e%m)(d%m)(p%m)(q%m)(u%m)))",
                number(f, kind, "n"), number(f, kind, "e"), number(f, kind, "d"), p, q, u);
            gcry_sexp_build(&data, NULL, "(data(flags pkcs1)(hash sha256 %b))", 32,
                            "0123456789abcdef0123456789abcdef");
        } else if (lab_is(kind, "ec")) {
            const char *curve = !strcmp(kind, "ec-p256") ? "NIST P-256" : !strcmp(kind, "ec-p384")
                ? "NIST P-384" : !strcmp(kind, "ec-p521") ? "NIST P-521" : !strcmp(kind, "ec-secp256k1")
                ? "secp256k1" : "brainpoolP256r1";
            size_t size;
            unsigned char *q = lab_read(f, kind, "point", &size);
            bad = gcry_sexp_build(&key, NULL, "(private-key(ecc(curve %s)(q%b)(d%m)))", curve,
                                  (int)size, q, number(f, kind, "d"));
            gcry_sexp_build(&data, NULL, "(data(flags raw)(hash sha256 %b))", 32,
                            "0123456789abcdef0123456789abcdef");
        } else if (lab_is(kind, "ed25519")) {
            size_t size, other;
            unsigned char *seed = lab_read(f, kind, "raw", &size), *pub = lab_read(f, kind, "pub.num", &other);
            bad = gcry_sexp_build(&key, NULL, "(private-key(ecc(curve Ed25519)(flags eddsa)(q%b)(d%b)))",
                                  (int)other, pub, (int)size, seed);
            memset(seed, 0, size);
            gcry_sexp_build(&data, NULL, "(data(flags eddsa)(hash-algo sha512)(value %b))", 3, "lab");
        }
        bad = bad || gcry_pk_sign(&signature, data, key);
        if (bad) lab_bad(kind);
        if (LAB_FREED(argv)) gcry_sexp_release(key);
    }
    lab_wait(LAB_FREED(argv));
}
