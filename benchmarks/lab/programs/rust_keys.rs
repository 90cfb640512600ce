// Keys of RustCrypto and dalek crates, or of ring: rust_keys FOLDER live|freed PACKAGE KIND...
use pkcs8::DecodePrivateKey;
use signature::Signer;
use std::{any::Any, env, fs, io::Write, thread, time::Duration};

type Held = Vec<Box<dyn Any>>;

fn load(folder: &str, kind: &str, held: &mut Held) -> Result<(), Box<dyn std::error::Error>> {
    let read = |end: &str| fs::read(format!("{folder}/{kind}.{end}"));
    let der = read("der")?;
    if kind.starts_with("rsa") {
        let key = rsa::RsaPrivateKey::from_pkcs8_der(&der)?;
        key.sign(rsa::Pkcs1v15Sign::new_unprefixed(), &[7; 32])?;
        held.push(Box::new(key));
    } else if kind == "ec-p256" {
        let key = p256::ecdsa::SigningKey::from_pkcs8_der(&der)?;
        let _: p256::ecdsa::Signature = key.sign(b"lab");
        held.push(Box::new(key));
    } else if kind == "ec-p384" {
        let key = p384::ecdsa::SigningKey::from_pkcs8_der(&der)?;
        let _: p384::ecdsa::Signature = key.sign(b"lab");
        held.push(Box::new(key));
    } else if kind == "ed25519" {
        let seed: [u8; 32] = read("raw")?.try_into().map_err(|_| "size")?;
        let key = ed25519_dalek::SigningKey::from_bytes(&seed);
        let _ = key.sign(b"lab");
        held.push(Box::new(key));
    }
    Ok(())
}

fn load_ring(folder: &str, kind: &str, held: &mut Held) -> Result<(), Box<dyn std::error::Error>> {
    use ring::{rand::SystemRandom, signature as sign};
    let random = SystemRandom::new();
    let der = fs::read(format!("{folder}/{kind}.der"))?;
    if kind.starts_with("rsa") {
        let key = sign::RsaKeyPair::from_pkcs8(&der).map_err(|e| e.to_string())?;
        let mut out = vec![0; key.public().modulus_len()];
        key.sign(&sign::RSA_PKCS1_SHA256, &random, b"lab", &mut out).map_err(|e| e.to_string())?;
        held.push(Box::new(key));
    } else if kind.starts_with("ec") {
        let how = match kind {
            "ec-p256" => &sign::ECDSA_P256_SHA256_ASN1_SIGNING,
            _ => &sign::ECDSA_P384_SHA384_ASN1_SIGNING,
        };
        let key = sign::EcdsaKeyPair::from_pkcs8(how, &der, &random).map_err(|e| e.to_string())?;
        key.sign(&random, b"lab").map_err(|e| e.to_string())?;
        held.push(Box::new(key));
    } else {
        let key = sign::Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map_err(|e| e.to_string())?;
        key.sign(b"lab");
        held.push(Box::new(key));
    }
    Ok(())
}

fn main() {
    let args: Vec<String> = env::args().collect();
    let mut held: Held = Vec::new();
    let how = if args[3] == "ring" { load_ring } else { load };
    for kind in &args[4..] {
        if let Err(error) = how(&args[1], kind, &mut held) {
            eprintln!("failed: {kind} {error}");
        }
    }
    if args[2] == "freed" {
        held.clear();
        held.push(Box::new("x".repeat(64)));
    }
    println!("ready");
    std::io::stdout().flush().unwrap();
    thread::sleep(Duration::from_secs(3600));
    println!("{}", held.len());
}
