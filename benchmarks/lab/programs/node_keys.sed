# Makes of node_keys.mjs what Node 10 reads too: no modules, and none of the newer operators.
s/^import { createRequire.*/const createRequire = load("module").createRequire || load("module").createRequireFromPath;/
s/^import \(.*\) from "node:\(.*\)"/const \1 = load("\2")/
s/import("node:crypto")/load("crypto")/
s/ ?? / || /g
s/globalThis.gc?.(), globalThis.Bun?.gc(true)/gc()/
s/?\.(/(/g
s/globalThis/global/g
