(* Keys of mirage-crypto: ocaml_keys FOLDER live|freed KIND... *)
let read folder kind ending =
  In_channel.with_open_bin (Printf.sprintf "%s/%s.%s" folder kind ending) In_channel.input_all
let held : Obj.t list ref = ref []
let number folder kind name =
  Mirage_crypto_pk.Z_extra.of_octets_be (read folder kind (name ^ ".num"))
let keep value = held := Obj.repr value :: !held
let load folder kind =
  if String.starts_with ~prefix:"rsa" kind then begin
    let get = number folder kind in
    match Mirage_crypto_pk.Rsa.priv_of_primes ~e:(get "e") ~p:(get "p") ~q:(get "q") with
    | Error _ -> prerr_endline ("failed: " ^ kind)
    | Ok key ->
      ignore (Mirage_crypto_pk.Rsa.PKCS1.sign ~hash:`SHA256 ~key (`Message "lab"));
      keep key
  end else if kind = "ed25519" then begin
    match Mirage_crypto_ec.Ed25519.priv_of_octets (read folder kind "raw") with
    | Error _ -> prerr_endline ("failed: " ^ kind)
    | Ok key ->
      ignore (Mirage_crypto_ec.Ed25519.sign ~key "lab");
      keep (key, Mirage_crypto_ec.Ed25519.pub_of_priv key)
  end else
    let module C = Mirage_crypto_ec in
    let digest = String.make 32 'd' in
    match kind with
    | "ec-p256" -> (match C.P256.Dsa.priv_of_octets (read folder kind "raw") with
      | Ok key -> ignore (C.P256.Dsa.sign ~key digest); keep (key, C.P256.Dsa.pub_of_priv key)
      | Error _ -> prerr_endline ("failed: " ^ kind))
    | _ -> (match C.P384.Dsa.priv_of_octets (read folder kind "raw") with
      | Ok key -> ignore (C.P384.Dsa.sign ~key digest); keep (key, C.P384.Dsa.pub_of_priv key)
      | Error _ -> prerr_endline ("failed: " ^ kind))
let () =
  Mirage_crypto_rng_unix.use_default ();
  Array.iteri (fun i kind -> if i > 2 then load Sys.argv.(1) kind) Sys.argv;
  if Sys.argv.(2) = "freed" then begin held := []; Gc.full_major (); keep (Bytes.create 64) end;
  print_endline "ready";
  flush stdout;
  Unix.sleep 3600;
  ignore (Sys.opaque_identity !held)
