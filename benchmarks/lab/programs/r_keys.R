# Keys of R packages: Rscript r_keys.R FOLDER live|freed PACKAGE KIND...
args <- commandArgs(TRUE)
folder <- args[1]; state <- args[2]; package <- args[3]
path <- function(kind, end) file.path(folder, paste0(kind, ".", end))
raw_of <- function(kind, end = "raw") readBin(path(kind, end), "raw", 1e4)
load_key <- function(kind) {
  if (package == "openssl") {
    key <- openssl::read_key(path(kind, "key"))
    if (kind == "ed25519") return(list(key, openssl::ed25519_sign(charToRaw("lab"), key)))
    if (kind == "x25519") return(list(key))
    return(list(key, openssl::signature_create(charToRaw("lab"), openssl::sha256, key), as.list(key)$data))
  }
  if (package == "sodium") {
    if (kind == "x25519") { key <- raw_of(kind); return(list(key, sodium::pubkey(key))) }
    key <- sodium::sig_keygen(raw_of(kind))
    return(list(key, sodium::sig_pubkey(key), sodium::sig_sign(charToRaw("lab"), key)))
  }
  names <- if (startsWith(kind, "rsa")) c("n", "d", "p", "q") else c("d", "x", "y")
  key <- lapply(names, function(end) gmp::as.bigz(paste0("0x", paste(raw_of(kind, paste0(end, ".num")), collapse = ""))))
  if (length(key) == 4) key <- c(key, list(gmp::powm(12345, key[[2]], key[[1]])))
  key
}
held <- lapply(args[-(1:3)], function(kind) tryCatch(load_key(kind), error = function(e) message("failed: ", kind, " ", conditionMessage(e))))
if (state == "freed") { rm(held); invisible(gc()); invisible(gc()) }
cat("ready\n"); flush(stdout())
Sys.sleep(3600)
