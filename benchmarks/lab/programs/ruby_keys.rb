# Keys of Ruby's openssl, or numbers alone: ruby ruby_keys.rb FOLDER live|freed openssl|pure KIND...
require "openssl"
folder, state, package, *kinds = ARGV
number = ->(kind, name) { File.binread("#{folder}/#{kind}.#{name}.num").unpack1("H*").to_i(16) }
held = kinds.map do |kind|
  if package == "openssl"
    key = OpenSSL::PKey.read(File.read("#{folder}/#{kind}.key"))
    key.sign(kind.start_with?("ed") ? nil : "SHA256", "lab") unless kind.start_with?("x")
    key
  else
    key = %w[n d p q].to_h { |name| [name, number.(kind, name)] }
    12_345.pow(key["d"], key["n"])
    key
  end
rescue StandardError => e
  warn "failed: #{kind} #{e}"
end
if state == "freed"
  held = nil
  GC.start
  8.times { "x" * 64 }
end
puts "ready"
$stdout.flush
sleep
p held
