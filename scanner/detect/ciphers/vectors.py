"""Keys without a public half that are public knowledge: those of test vectors and of self-tests.

Libraries expand them when they test themselves, and nothing is lost with them. A symmetric key that
counts (00 01 02...) or repeats itself is a vector as well: nobody draws one at random.
"""

import itertools

_GCM = "feffe9928665731c6d6a8f9467308308"
_TDEA = ("0123456789abcdef", "23456789abcdef01", "456789abcdef0123")
_SOURCES: dict[str, tuple[str, ...]] = {
    "FIPS 197 appendix A": (
        "2b7e151628aed2a6abf7158809cf4f3c",
        "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
        "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
    ),
    "RFC 3686 section 6": (
        "ae6852f8121067cc4bf7a5765577f39e",
        "7e24067817fae0d743d6ce1f32539163",
        "7691be035e5020a8ac6e618529f9a0dc",
    ),
    "McGrew and Viega, GCM, appendix B": (_GCM, _GCM + _GCM[:16], _GCM + _GCM),
    "GB/T 32907-2016 appendix A": ("0123456789abcdeffedcba9876543210",),
    "Grabbe, The DES Algorithm Illustrated": ("133457799bbcdff1",),
    "SP 800-67 appendix B": (*_TDEA, "".join(_TDEA)),
    # Scalars, and GOST R 34.10 in PKCS#8 as it stands there: without their public halves.
    "the self-test keys of Crypto++ (fipstest.cpp), in every process that loads it": (
        "0070337065e1e196980a9d00e37211",
        "2bb8a13c8b867010bd9471d9e81fdb01abd0538c64d6249a",
    ),
    "the self-test keys of GnuTLS (lib/crypto-selftests-pk.c), in every copy of the library": (
        "042074d7ee1c69a64dd3e6a797406b779af54631a5d6103cff656c3c334301b66c93",
        "042028e17deada260fad6b8529f32a3cab98eddfbf481d9477a2fbaa2fadcf129c19",
        (
            "0440a3169be9074bdd73bbb9f5bf7d4c2357847881ebd249b548ef89e364198269a1a688be82994cd0a3a526404ac65c"
            "419087393a1f86c4372420b2e319dde63593"
        ),
    ),
    "the benchmark keys of GnuTLS (src/benchmark-tls.c), in every copy of gnutls-cli": (
        "0420d3e26db4911551df970735fdab5dc1c8a2be8f66fe98498d228d72074c0695ea",
    ),
    # JSON Web Keys, in the documentation and the tests of most libraries that read them.
    "RFC 7515 appendix A.1": (
        (
            "0323354b2b0fa5bc837e0665777ba68f5ab328e6f054c928a90f84b2d2502ebfd3fb5a92d20647ef"
            "968ab4c377623d223d2e2172052e4f08c0cd9af567d080a3"
        ),
    ),
    "RFC 7517 appendix A.3": ("19ac2082e1721ab58a6afec05f854a52",),
    "RFC 7520 sections 3.5 and 3.6": (
        "849b57219dae48de646d07dbb533566e976686457c1491be3a76dcea6c427188",
        "0003daa40bf82db15b8956b01236a050196e62a379ae19dafbc9ee95d0ef3b1f",
    ),
    "RFC 7520 sections 5.6 to 5.8": (
        "5dcb4e84902403ea43f4b87b6605bfd8",
        "a82e7b97fbb1726ecd9b72be72de06163c7cb4cd54f0267434b06f750b2d892f",
        "199cbab0867ac25f4d24e281fa39e655",
    ),
    "the readme of cwt for Python, in the metadata of every copy": (
        "849b57219dae48de646d07dbb533566e",
    ),
    "RFC 8439 appendix A": ("1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0",),
}
_PUBLISHED = {bytes.fromhex(key): source for source, keys in _SOURCES.items() for key in keys}


def source_of(key: bytes) -> str:
    """Return where a key stands for everybody to read; nothing for one that may be a secret."""
    if key in _PUBLISHED:
        return _PUBLISHED[key]
    steps = {(after - before) & 0xFF for before, after in itertools.pairwise(key)}
    return "a test vector that counts or repeats itself" if len(steps) == 1 else ""
