/* NSS: a key imported into softoken's memory, without a database. */
#include <keyhi.h>
#include <nss.h>
#include <pk11pub.h>
#include <cryptohi.h>
#include <secoid.h>
#include "lab.h"

int main(int argc, char **argv)
{
    NSS_NoDB_Init(NULL);
    PK11SlotInfo *slot = PK11_GetInternalKeySlot();
    for (int i = 3; i < argc; i++) {
        size_t size;
        SECItem item = {siBuffer, NULL, 0}, out = {siBuffer, NULL, 0};
        SECKEYPrivateKey *key = NULL;
        item.data = lab_read(argv[1], argv[i], "der", &size);
        item.len = size;
        int bad = PK11_ImportDERPrivateKeyInfoAndReturnKey(slot, &item, NULL, NULL, PR_FALSE, PR_FALSE,
                                                           KU_ALL, &key, NULL)
            || SEC_SignData(&out, (const unsigned char *)"lab", 3, key, lab_is(argv[i], "rsa")
                ? SEC_OID_PKCS1_SHA256_WITH_RSA_ENCRYPTION : lab_is(argv[i], "dsa")
                ? SEC_OID_NIST_DSA_SIGNATURE_WITH_SHA256_DIGEST : SEC_OID_ANSIX962_ECDSA_SHA256_SIGNATURE);
        if (bad) lab_bad(argv[i]);
        memset(item.data, 0, size);
        free(item.data);
        if (LAB_FREED(argv) && key) SECKEY_DestroyPrivateKey(key);
    }
    lab_wait(LAB_FREED(argv));
}
