/* What every program of the lab does: read a key file, say that it is ready, wait for its core.

   usage: PROGRAM FOLDER live|freed KIND...    FOLDER/KIND.der is PKCS#8, KIND.trad.der PKCS#1 or
   SEC 1, KIND.raw a seed. A freed program goes on and allocates a little. */
#ifndef LAB_H
#define LAB_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned char *lab_read(const char *folder, const char *kind, const char *end, size_t *size)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.%s", folder, kind, end);
    FILE *file = fopen(path, "rb");
    if (!file) { *size = 0; return NULL; }
    unsigned char *data = (unsigned char *)calloc(1, 1 << 16);
    *size = fread(data, 1, (1 << 16) - 1, file);
    fclose(file);
    return data;
}

static int lab_is(const char *kind, const char *family) { return !strncmp(kind, family, strlen(family)); }

static void lab_bad(const char *what) { fprintf(stderr, "failed: %s\n", what); }

static void lab_wait(int freed)
{
    for (int i = 0; freed && i < 8; i++) {
        char *some = (char *)malloc(40 + 24 * i);
        memset(some, 'A' + i, 40 + 24 * i);
        free(some);
    }
    puts("ready");
    fflush(stdout);
    if (getenv("LAB_ABORT")) abort();
    for (;;) pause();
}
#define LAB_FREED(argv) (!strcmp((argv)[2], "freed"))
#endif
