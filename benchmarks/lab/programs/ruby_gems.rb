# Keys of the gems ed25519 and rbnacl: ruby ruby_gems.rb FOLDER live|freed KIND...
require "ed25519"; require "rbnacl"
folder, state, *kinds = ARGV
held = kinds.map do |kind|
  raw = File.binread("#{folder}/#{kind}.raw")
  if kind == "ed25519"
    a = Ed25519::SigningKey.new(raw.dup); a.sign("lab"); b = RbNaCl::SigningKey.new(raw.dup); b.sign("lab"); [a, b]
  else k = RbNaCl::PrivateKey.new(raw); [k, k.public_key] end
end
if state == "freed" then held = nil; GC.start end
puts "ready"; $stdout.flush; sleep 3600; p held
