-- Keys of luaossl: lua lua_keys.lua FOLDER live|freed KIND...
local pkey, digest = require "openssl.pkey", require "openssl.digest"
local folder, state, held = arg[1], arg[2], {}
for i = 3, #arg do
  local file = io.open(folder .. "/" .. arg[i] .. ".key")
  local key = pkey.new(file:read "a")
  file:close()
  key:sign(digest.new("sha256"):update("lab"))
  held[#held + 1] = key
end
if state == "freed" then held = {}; collectgarbage(); collectgarbage(); held[1] = ("x"):rep(64) end
print "ready"
io.stdout:flush()
os.execute("sleep 3600")
