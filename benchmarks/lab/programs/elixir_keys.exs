# Keys of public_key: elixir elixir_keys.exs FOLDER live|freed KIND...
[folder, state | kinds] = System.argv()
held = for kind <- kinds do
  [entry] = :public_key.pem_decode(File.read!("#{folder}/#{kind}.key"))
  key = :public_key.pem_entry_decode(entry)
  :public_key.sign("lab", (if kind == "ed25519", do: :none, else: :sha256), key)
  key
end
:persistent_term.put(:held, (if state == "freed", do: [], else: held))
IO.puts("ready"); Process.sleep(3_600_000)
