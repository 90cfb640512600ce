// Crypto++.
#include <cryptopp/eccrypto.h>
#include <cryptopp/files.h>
#include <cryptopp/oids.h>
#include <cryptopp/osrng.h>
#include <cryptopp/rsa.h>
#include <cryptopp/dsa.h>
#include <cryptopp/xed25519.h>
#include <string>
#include "lab.h"
using namespace CryptoPP;

template <class Signer> static void run(const std::string &path, bool freed)
{
    AutoSeededRandomPool rng;
    Signer *signer = new Signer;
    FileSource file(path.c_str(), true);
    signer->AccessKey().Load(file);
    SecByteBlock out(signer->MaxSignatureLength());
    for (int n = 0; n < 3; n++) signer->SignMessage(rng, (const byte *)"lab", 3, out);
    if (freed) delete signer;
}

int main(int argc, char **argv)
{
    for (int i = 3; i < argc; i++) try {
        std::string path = std::string(argv[1]) + "/" + argv[i] + ".der";
        if (lab_is(argv[i], "rsa")) run<RSASS<PKCS1v15, SHA256>::Signer>(path, LAB_FREED(argv));
        else if (lab_is(argv[i], "dsa")) run<DSA2<SHA256>::Signer>(path, LAB_FREED(argv));
        else if (lab_is(argv[i], "ec")) run<ECDSA<ECP, SHA256>::Signer>(path, LAB_FREED(argv));
        else {
            AutoSeededRandomPool rng;
            FileSource file(path.c_str(), true);
            ed25519::Signer *signer = new ed25519::Signer;
            dynamic_cast<ed25519PrivateKey &>(signer->AccessPrivateKey()).Load(file);
            byte out[64];
            signer->SignMessage(rng, (const byte *)"lab", 3, out);
            if (LAB_FREED(argv)) delete signer;
        }
    } catch (const std::exception &e) { lab_bad(argv[i]); fprintf(stderr, "%s\n", e.what()); }
    lab_wait(LAB_FREED(argv));
}
