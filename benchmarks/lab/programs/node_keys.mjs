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
  sjcl(kind) {
    const sjcl = require("sjcl");
    const curve = { "ec-p256": "c256", "ec-p384": "c384" }[kind];
    const d = sjcl.bn.fromBits(sjcl.codec.hex.toBits(raw(kind).toString("hex")));
    const pair = sjcl.ecc.ecdsa.generateKeys(sjcl.ecc.curves[curve], 6, d);
    pair.sec.sign(sjcl.hash.sha256.hash("lab"), 6);
    return pair;
  },
  nodersa(kind) {
    const RSA = require("node-rsa");
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
console.log("ready");
setInterval(() => globalThis.held, 1 << 30);
