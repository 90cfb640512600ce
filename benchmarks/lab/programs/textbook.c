/* n and d in GMP's integers, and no prime: textbook FOLDER live KIND... */
#include <gmp.h>
#include "lab.h"

static void number(mpz_t out, const char *folder, const char *kind, const char *end)
{
    size_t size;
    unsigned char *raw = lab_read(folder, kind, end, &size);
    mpz_import(out, size, 1, 1, 1, 0, raw);
    memset(raw, 0, 1 << 16);
}

int main(int argc, char **argv)
{
    static mpz_t n[8], d[8], m;
    mpz_init_set_ui(m, 12345);
    for (int i = 3; i < argc && i < 11; i++) {
        mpz_inits(n[i - 3], d[i - 3], NULL);
        number(n[i - 3], argv[1], argv[i], "n.num");
        number(d[i - 3], argv[1], argv[i], "d.num");
        mpz_powm_sec(m, m, d[i - 3], n[i - 3]);
    }
    lab_wait(LAB_FREED(argv));
}
