/* What every program of the lab does: read a key file, say that it is ready, wait for its core.

   usage: PROGRAM FOLDER live|freed KIND...    FOLDER/KIND.der is PKCS#8, KIND.trad.der PKCS#1 or
   SEC 1, KIND.raw a seed. A freed program goes on and allocates a little. On Windows a program
   writes its own minidump, core.dmp, of the type LAB_TYPE, or with full memory. */
#ifndef LAB_H
#define LAB_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _WIN32
#include <windows.h>
#include <dbghelp.h>
#else
#include <unistd.h>
#endif

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

#ifdef _WIN32
static void lab_dump(void)
{
    const char *type = getenv("LAB_TYPE");
    HANDLE file = CreateFileA("core.dmp", GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    if (!MiniDumpWriteDump(GetCurrentProcess(), GetCurrentProcessId(), file,
                           (MINIDUMP_TYPE)(type ? strtol(type, NULL, 0) : MiniDumpWithFullMemory),
                           NULL, NULL, NULL)) lab_bad("dump");
    CloseHandle(file);
}
#endif

static void lab_wait(int freed)
{
    for (int i = 0; freed && i < 8; i++) {
        char *some = (char *)malloc(40 + 24 * i);
        memset(some, 'A' + i, 40 + 24 * i);
        free(some);
    }
#ifdef _WIN32
    lab_dump();
    puts("ready");
    fflush(stdout);
    exit(0);
#else
    puts("ready");
    fflush(stdout);
    if (getenv("LAB_ABORT")) abort();
    for (;;) pause();
#endif
}
#define LAB_FREED(argv) (!strcmp((argv)[2], "freed"))
#endif
