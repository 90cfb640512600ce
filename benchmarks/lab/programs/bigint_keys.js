// Keys as integers and as BN.js keeps them, in any engine: qjs|gjs|bun FILE FOLDER live|freed HOW KIND...
const gjs = typeof imports !== "undefined" && imports.gi;
const node = typeof process !== "undefined" && typeof require !== "undefined";
const args = gjs ? ARGV : typeof scriptArgs !== "undefined" ? scriptArgs.slice(1) : process.argv.slice(2);
const say = gjs || !node ? print : console.log;

function bytes(path) {
  if (gjs) return imports.gi.GLib.file_get_contents(path)[1];
  if (node) return new Uint8Array(require("fs").readFileSync(path));
  const file = std.open(path, "rb"), room = new Uint8Array(8192);
  const size = file.read(room.buffer, 0, 8192);
  file.close();
  return room.subarray(0, size);
}

function number(path) {
  const raw = bytes(path);
  let value = 0n;
  for (const byte of raw) value = (value << 8n) | BigInt(byte);
  raw.fill(0);
  return value;
}

function words(value) {
  const found = [];
  for (; value; value >>= 26n) found.push(Number(value & 0x3ffffffn));
  return { negative: 0, words: found, length: found.length };
}

const [folder, state, how, ...kinds] = args;
let held = [];
for (const kind of kinds) {
  const names = kind.startsWith("rsa") ? ["n", "d", "p", "q"] : ["d", "x", "y"];
  const key = {};
  for (const name of names) {
    const value = number(`${folder}/${kind}.${name}.num`);
    key[name] = how === "words" ? words(value) : value;
  }
  if (how !== "words" && key.n) {
    let [base, power, result] = [12345n, key.d, 1n];
    for (; power; power >>= 1n, base = (base * base) % key.n) if (power & 1n) result = (result * base) % key.n;
    key.result = result;
  }
  held.push(key);
}
if (state === "freed") {
  held = ["x".repeat(64)];
  if (gjs) imports.system.gc();
  else if (typeof Bun !== "undefined") Bun.gc(true);
  else if (typeof std !== "undefined") std.gc();
}
globalThis.held = held;
say("ready");
if (gjs) imports.gi.GLib.usleep(3600e6);
else if (node) setInterval(() => globalThis.held, 1 << 30);
else {
  std.out.flush();
  os.sleep(3600e3);
}
