// Keys of JavaScript packages: node node_keys.mjs FOLDER live|freed PACKAGE KIND...
import { createRequire } from "node:module";
import { createHash } from "node:crypto";
import fs from "node:fs";

const require = createRequire(process.env.LAB_MODULES + "/");
const [folder, state, name, ...kinds] = process.argv.slice(2);
const text = (kind, end) => fs.readFileSync(`${folder}/${kind}.${end}`, "utf8");
const raw = (kind, end = "raw") => fs.readFileSync(`${folder}/${kind}.${end}`);
const number = (kind, end) => BigInt("0x" + raw(kind, end + ".num").toString("hex"));
const digest = createHash("sha256").update("lab").digest();

const packages = {
  async crypto(kind) {
    const crypto = await import("node:crypto");
    const key = crypto.createPrivateKey(text(kind, "key"));
    if (!kind.startsWith("x")) crypto.sign(kind.startsWith("ed") ? null : "sha256", Buffer.from("lab"), key);
    return key;
  },
  async webcrypto(kind) {
    const how = kind.startsWith("rsa") ? { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }
      : kind.startsWith("ec") ? { name: "ECDSA", namedCurve: "P-" + kind.slice(4), hash: "SHA-256" } : { name: "Ed25519" };
    const key = await crypto.subtle.importKey("pkcs8", raw(kind, "der"), how, true, ["sign"]);
    await crypto.subtle.sign(how, key, digest);
    return [key, await crypto.subtle.exportKey("jwk", key)];
  },
  forge(kind) {
    const forge = require("node-forge");
    if (kind === "ed25519") {
      const pair = forge.pki.ed25519.generateKeyPair({ seed: raw(kind) });
      forge.pki.ed25519.sign({ message: "lab", encoding: "utf8", privateKey: pair.privateKey });
      return pair;
    }
    const key = forge.pki.privateKeyFromPem(text(kind, "key"));
    key.sign(forge.md.sha256.create().update("lab"));
    return key;
  },
  elliptic(kind) {
    const { ec: EC, eddsa: EdDSA } = require("elliptic");
    if (kind === "ed25519") {
      const key = new EdDSA("ed25519").keyFromSecret(raw(kind).toString("hex"));
      key.sign("6c6162");
      return key;
    }
    const key = new EC(kind.slice(3)).keyFromPrivate(raw(kind));
    key.getPublic();
    key.sign(digest);
    return key;
  },
  jsrsasign(kind) {
    const { KEYUTIL, KJUR } = require("jsrsasign");
    const key = KEYUTIL.getKey(text(kind, "key"));
    const alg = kind.startsWith("rsa") ? "SHA256withRSA" : kind.startsWith("dsa") ? "SHA256withDSA" : "SHA256withECDSA";
    const signature = new KJUR.crypto.Signature({ alg });
    signature.init(key);
    signature.updateString("lab");
    signature.sign();
    return key;
  },
  noble(kind) {
    const file = { "ec-p256": "p256", "ec-p384": "p384", "ec-p521": "p521", "ec-secp256k1": "secp256k1" }[kind];
    if (file) {
      const curve = require("@noble/curves/" + file)[file];
      const key = new Uint8Array(raw(kind));
      return [key, curve.getPublicKey(key), curve.sign(digest, key)];
    }
    const curve = require(kind.endsWith("448") ? "@noble/curves/ed448" : "@noble/curves/ed25519")[kind];
    const key = new Uint8Array(raw(kind));
    return [key, curve.getPublicKey(key), kind.startsWith("ed") && curve.sign(digest, key)];
  },
  tweetnacl(kind) {
    const nacl = require("tweetnacl");
    if (kind === "x25519") return nacl.box.keyPair.fromSecretKey(new Uint8Array(raw(kind)));
    const pair = nacl.sign.keyPair.fromSeed(new Uint8Array(raw(kind)));
    nacl.sign.detached(digest, pair.secretKey);
    return pair;
  },
  bn(kind) {
    const BN = require("bn.js");
    const key = Object.fromEntries(["n", "d", "p", "q"].map((end) => [end, new BN(raw(kind, end + ".num"))]));
    new BN(12345).toRed(BN.red(key.n)).redPow(key.d);
    return key;
  },
  bigint(kind) {
    const key = Object.fromEntries(["n", "d", "p", "q"].map((end) => [end, number(kind, end)]));
    let [base, power, result] = [12345n, key.d, 1n];
    for (; power; power >>= 1n, base = (base * base) % key.n) if (power & 1n) result = (result * base) % key.n;
    return [key, result];
  },
  biginteger(kind) {
    const big = require("big-integer");
    const use = (value) => big(value.toString());
    const original = globalThis.BigInt;
    const key = Object.fromEntries(["n", "d", "p", "q"].map((end) => [end, use(number(kind, end))]));
    return [key, original];
  },
  async sodium(kind) {
    const sodium = require(process.env.LAB_SODIUM ?? "libsodium-wrappers");
    await sodium.ready;
    if (kind === "x25519") return [new Uint8Array(raw(kind)), sodium.crypto_scalarmult_base(raw(kind))];
    const pair = sodium.crypto_sign_seed_keypair(new Uint8Array(raw(kind)));
    return [pair, sodium.crypto_sign_detached("lab", pair.privateKey)];
  },
  sodiumnative(kind) {
    const sodium = require("sodium-native");
    const [secret, pub, signature] = [sodium.sodium_malloc(64), Buffer.alloc(32), Buffer.alloc(64)];
    sodium.crypto_sign_seed_keypair(pub, secret, raw(kind));
    sodium.crypto_sign_detached(signature, Buffer.from("lab"), secret);
    return [secret, pub];
  },
  ssh2(kind) {
    const key = require("ssh2").utils.parseKey(text(kind, "ssh"));
    key.sign(Buffer.from("lab"));
    return key;
  },
  sshpk(kind) {
    const key = require("sshpk").parsePrivateKey(text(kind, "ssh"), "openssh");
    if (!kind.startsWith("ed")) key.createSign("sha512").update("lab").sign();
    return key;
  },
  secp256k1(kind) {
    const package_ = require(process.env.LAB_SECP ?? "secp256k1");
    const key = new Uint8Array(raw(kind));
    return [key, package_.publicKeyCreate(key), package_.ecdsaSign(new Uint8Array(digest), key)];
  },
  async ethers(kind) {
    const wallet = new (require("ethers").Wallet)("0x" + raw(kind).toString("hex"));
    return [wallet, await wallet.signMessage("lab")];
  },
  bitcoinjs(kind) {
    const { ECPairFactory } = require("ecpair");
    const pair = ECPairFactory(require("tiny-secp256k1")).fromPrivateKey(raw(kind));
    return [pair, pair.publicKey, pair.sign(digest)];
  },
  async nodejose(kind) {
    const jose = require("node-jose");
    const key = await jose.JWK.asKey(text(kind, "key"), "pem");
    return [key, await jose.JWS.createSign(key).update("lab").final()];
  },
  jose2(kind) {
    const { JWK, JWT } = require("jose2");
    const key = JWK.asKey(text(kind, "key"));
    return [key, JWT.sign({ lab: 1 }, key), key.toJWK(true)];
  },
  asmcrypto(kind) {
    const asm = require("asmcrypto.js");
    const parts = ["n", "e", "d", "p", "q", "dp", "dq", "qinv"].map((end) => new Uint8Array(raw(kind, end + ".num")));
    return [parts, new asm.RSA_PKCS1_v1_5(parts, new asm.Sha256()).sign(new Uint8Array(digest))];
  },
  jsbn(kind) {
    const { BigInteger } = require("jsbn");
    const key = Object.fromEntries(["n", "d", "p", "q"].map((end) => [end, new BigInteger(raw(kind, end + ".num").toString("hex"), 16)]));
    return [key, new BigInteger("12345").modPow(key.d, key.n)];
  },
  noble25519(kind) {
    const ed = require("@noble/ed25519");
    const key = new Uint8Array(raw(kind));
    ed.hashes.sha512 = (message) => new Uint8Array(createHash("sha512").update(message).digest());
    return [key, ed.getPublicKey(key), ed.sign(new Uint8Array(digest), key)];
  },
  stablelib(kind) {
    const key = new Uint8Array(raw(kind));
    if (kind === "x25519") return [key, require("@stablelib/x25519").generateKeyPairFromSeed(key)];
    const { generateKeyPairFromSeed, sign } = require("@stablelib/ed25519");
    const pair = generateKeyPairFromSeed(key);
    return [pair, sign(pair.secretKey, digest)];
  },
  bcrypto(kind) {
    const folder = "bcrypto/lib/js/";
    if (kind.startsWith("rsa")) {
      const rsa = require(folder + "rsa");
      const key = rsa.privateKeyImport(require("bcrypto/lib/encoding/util") && raw(kind, "trad.der"));
      return [key, rsa.sign("SHA256", digest, key)];
    }
    const names = { "ec-p256": "p256", "ec-p384": "p384", "ec-p521": "p521", "ec-secp256k1": "secp256k1", ed25519: "ed25519", ed448: "ed448", x25519: "x25519", x448: "x448" };
    const curve = require(folder + names[kind]);
    const key = raw(kind);
    return [key, curve.publicKeyCreate(key), curve.sign?.(digest, key)];
  },
  async olm(kind) {
    const olm = require("@matrix-org/olm");
    await olm.init();
    const key = kind === "ed25519" ? new olm.PkSigning() : new olm.PkDecryption();
    const pub = kind === "ed25519" ? key.init_with_seed(new Uint8Array(raw(kind))) : key.init_with_private_key(new Uint8Array(raw(kind)));
    return [key, pub, kind === "ed25519" && key.sign("lab")];
  },
  async libsignal(kind) {
    const { PrivateKey } = await import(require.resolve("@signalapp/libsignal-client"));
    const key = PrivateKey.deserialize(raw(kind));
    return [key, key.getPublicKey(), key.sign(Buffer.from("lab"))];
  },
  bip32(kind) {
    const node = require("bip32").BIP32Factory(require("tiny-secp256k1")).fromPrivateKey(raw(kind), Buffer.alloc(32, 7));
    return [node, node.publicKey, node.sign(digest), node.toBase58()];
  },
  async polkadot(kind) {
    const wasm = require("@polkadot/wasm-crypto");
    await wasm.waitReady();
    const pair = wasm.ed25519KeypairFromSeed(new Uint8Array(raw(kind)));
    return [pair, wasm.ed25519Sign(pair.slice(32), pair.slice(0, 32), digest)];
  },
  async peculiar(kind) {
    const { Crypto } = require("@peculiar/webcrypto");
    const own = new Crypto();
    const how = kind.startsWith("rsa") ? { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" } : { name: "ECDSA", namedCurve: "P-" + kind.slice(4), hash: "SHA-256" };
    const key = await own.subtle.importKey("pkcs8", raw(kind, "der"), how, false, ["sign"]);
    return [key, await own.subtle.sign(how, key, digest)];
  },
  paseto(kind) {
    const crypto = require("node:crypto");
    const key = crypto.createPrivateKey(text(kind, "key"));
    return (require("paseto").default ?? require("paseto")).V4.sign({ lab: 1 }, key).then((token) => [key, token]);
  },
  sjcl(kind) {
    const sjcl = require("sjcl");
    const curve = { "ec-p256": "c256", "ec-p384": "c384" }[kind];
    const d = sjcl.bn.fromBits(sjcl.codec.hex.toBits(raw(kind).toString("hex")));
    const pair = sjcl.ecc.ecdsa.generateKeys(sjcl.ecc.curves[curve], 6, d);
    pair.sec.sign(sjcl.hash.sha256.hash("lab"), 6);
    return pair;
  },
  nodersa(kind) {
    const RSA = require("node-rsa").default ?? require("node-rsa");
    const key = new RSA(text(kind, "key"), { environment: "browser" });
    key.sign(Buffer.from("lab"));
    return key;
  },
  async jose(kind) {
    const jose = await import(require.resolve("jose"));
    const alg = kind.startsWith("rsa") ? "RS256" : kind === "ec-p256" ? "ES256" : "EdDSA";
    const key = await jose.importPKCS8(text(kind, "key"), alg, { extractable: true });
    await new jose.SignJWT({ lab: 1 }).setProtectedHeader({ alg }).sign(key);
    return [key, await jose.exportJWK(key)];
  },
};

let held = [];
for (const kind of kinds) {
  try {
    held.push(await packages[name](kind));
  } catch (error) {
    console.error("failed:", kind, String(error).slice(0, 200));
  }
}
if (state === "freed") {
  held = [];
  for (let i = 0; i < 3; i++) globalThis.gc?.(), globalThis.Bun?.gc(true), (held = [Buffer.alloc(64)]);
}
globalThis.held = held;
fs.writeSync(1, "ready\n"); // under Wine a pipe is no console
setInterval(() => globalThis.held, 1 << 30);
