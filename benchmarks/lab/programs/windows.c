/* What Windows itself has: CNG, its key storage (LAB_HOW=ncrypt), CryptoAPI (capi), and a PFX file
   (pfx). Keys are imported as blobs, which are wiped. */
#include <winsock2.h>
#include <windows.h>
#include <bcrypt.h>
#include <ncrypt.h>
#include <wincrypt.h>
#include "lab.h"

static unsigned char hash[32] = {1, 2, 3}, out[2048];

static unsigned char *put(unsigned char *to, const char *folder, const char *kind, const char *name,
                          size_t wide, int reversed)
{
    char end[32];
    size_t size;
    snprintf(end, sizeof end, "%s.num", name);
    unsigned char *raw = lab_read(folder, kind, end, &size);
    for (size_t i = 0; i < wide; i++) {
        size_t at = reversed ? wide - 1 - i : i;
        to[at] = i + size < wide ? 0 : raw[i + size - wide];
    }
    SecureZeroMemory(raw, size);
    free(raw);
    return to + wide;
}

/* BCRYPT_RSAFULLPRIVATE_BLOB or BCRYPT_ECCPRIVATE_BLOB. */
static DWORD cng(unsigned char *blob, const char *folder, const char *kind)
{
    unsigned char *at;
    if (lab_is(kind, "rsa")) {
        ULONG bits = atoi(kind + 4), n = bits / 8;
        BCRYPT_RSAKEY_BLOB head = {BCRYPT_RSAFULLPRIVATE_MAGIC, bits, 3, n, n / 2, n / 2};
        memcpy(blob, &head, sizeof head);
        at = put(blob + sizeof head, folder, kind, "e", 3, 0);
        at = put(at, folder, kind, "n", n, 0);
        at = put(at, folder, kind, "p", n / 2, 0);
        at = put(at, folder, kind, "q", n / 2, 0);
        at = put(at, folder, kind, "dp", n / 2, 0);
        at = put(at, folder, kind, "dq", n / 2, 0);
        at = put(at, folder, kind, "qinv", n / 2, 0);
        return put(at, folder, kind, "d", n, 0) - blob;
    }
    ULONG size = (atoi(kind + 4) + 7) / 8;
    BCRYPT_ECCKEY_BLOB head = {size == 32 ? BCRYPT_ECDSA_PRIVATE_P256_MAGIC
        : size == 48 ? BCRYPT_ECDSA_PRIVATE_P384_MAGIC : BCRYPT_ECDSA_PRIVATE_P521_MAGIC, size};
    memcpy(blob, &head, sizeof head);
    at = put(blob + sizeof head, folder, kind, "x", size, 0);
    at = put(at, folder, kind, "y", size, 0);
    return put(at, folder, kind, "d", size, 0) - blob;
}

static int with_cng(unsigned char *blob, const char *folder, const char *kind, int freed)
{
    int rsa = lab_is(kind, "rsa");
    BCRYPT_ALG_HANDLE algorithm;
    BCRYPT_KEY_HANDLE key;
    BCRYPT_PKCS1_PADDING_INFO padding = {BCRYPT_SHA256_ALGORITHM};
    ULONG size, bad = BCryptOpenAlgorithmProvider(&algorithm, rsa ? BCRYPT_RSA_ALGORITHM
        : strstr(kind, "256") ? BCRYPT_ECDSA_P256_ALGORITHM : strstr(kind, "384")
        ? BCRYPT_ECDSA_P384_ALGORITHM : BCRYPT_ECDSA_P521_ALGORITHM, NULL, 0);
    DWORD length = cng(blob, folder, kind);
    bad = bad || BCryptImportKeyPair(algorithm, NULL, rsa ? BCRYPT_RSAFULLPRIVATE_BLOB
        : BCRYPT_ECCPRIVATE_BLOB, &key, blob, length, 0);
    for (int n = 0; !bad && n < 3; n++)
        bad = BCryptSignHash(key, rsa ? &padding : NULL, hash, 32, out, sizeof out, &size,
                             rsa ? BCRYPT_PAD_PKCS1 : 0);
    if (!bad && freed) BCryptDestroyKey(key);
    return bad;
}

static int with_ncrypt(unsigned char *blob, const char *folder, const char *kind, int freed)
{
    NCRYPT_PROV_HANDLE provider;
    NCRYPT_KEY_HANDLE key;
    BCRYPT_PKCS1_PADDING_INFO padding = {BCRYPT_SHA256_ALGORITHM};
    DWORD size, length = cng(blob, folder, kind);
    int bad = NCryptOpenStorageProvider(&provider, MS_KEY_STORAGE_PROVIDER, 0)
        || NCryptImportKey(provider, 0, BCRYPT_RSAFULLPRIVATE_BLOB, NULL, &key, blob, length, 0);
    if (!bad) NCryptSignHash(key, &padding, hash, 32, out, sizeof out, &size, BCRYPT_PAD_PKCS1);
    if (!bad && freed) NCryptFreeObject(key);
    return bad;
}

/* PRIVATEKEYBLOB: little-endian numbers behind BLOBHEADER and RSAPUBKEY. */
static int with_capi(unsigned char *blob, const char *folder, const char *kind, int freed)
{
    ULONG bits = atoi(kind + 4), n = bits / 8;
    BLOBHEADER head = {PRIVATEKEYBLOB, CUR_BLOB_VERSION, 0, CALG_RSA_SIGN};
    RSAPUBKEY rsa = {0x32415352, bits, 65537};
    unsigned char *at = blob + sizeof head + sizeof rsa;
    HCRYPTPROV provider;
    HCRYPTKEY key;
    HCRYPTHASH digest;
    DWORD size = sizeof out;
    memcpy(blob, &head, sizeof head);
    memcpy(blob + sizeof head, &rsa, sizeof rsa);
    at = put(at, folder, kind, "n", n, 1);
    at = put(at, folder, kind, "p", n / 2, 1);
    at = put(at, folder, kind, "q", n / 2, 1);
    at = put(at, folder, kind, "dp", n / 2, 1);
    at = put(at, folder, kind, "dq", n / 2, 1);
    at = put(at, folder, kind, "qinv", n / 2, 1);
    at = put(at, folder, kind, "d", n, 1);
    int bad = !CryptAcquireContextA(&provider, NULL, NULL, PROV_RSA_AES, CRYPT_VERIFYCONTEXT)
        || !CryptImportKey(provider, blob, at - blob, 0, 0, &key)
        || !CryptCreateHash(provider, CALG_SHA_256, 0, 0, &digest)
        || !CryptHashData(digest, hash, 32, 0)
        || !CryptSignHashA(digest, AT_SIGNATURE, NULL, 0, out, &size);
    if (!bad && freed) CryptDestroyKey(key);
    return bad;
}

static int with_pfx(const char *folder, const char *kind, int freed)
{
    size_t size;
    unsigned char *data = lab_read(folder, kind, "p12", &size);
    CRYPT_DATA_BLOB blob = {size, data};
    HCERTSTORE store = PFXImportCertStore(&blob, L"lab", CRYPT_EXPORTABLE | PKCS12_NO_PERSIST_KEY);
    if (store && freed) CertCloseStore(store, CERT_CLOSE_STORE_FORCE_FLAG);
    return !store;
}

int main(int argc, char **argv)
{
    const char *how = getenv("LAB_HOW");
    for (int i = 3; i < argc; i++) {
        unsigned char *blob = malloc(8192);
        int freed = LAB_FREED(argv);
        int bad = !how ? with_cng(blob, argv[1], argv[i], freed)
            : !strcmp(how, "ncrypt") ? with_ncrypt(blob, argv[1], argv[i], freed)
            : !strcmp(how, "capi") ? with_capi(blob, argv[1], argv[i], freed)
            : with_pfx(argv[1], argv[i], freed);
        if (bad) lab_bad(argv[i]);
        SecureZeroMemory(blob, 8192);
        free(blob);
    }
    lab_wait(LAB_FREED(argv));
}
