// Keys of packages for Go: go_packages FOLDER live|freed PACKAGE KIND...
package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	stded25519 "crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha512"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"os"
	"runtime"
	"strings"
	"time"

	"filippo.io/age"
	"filippo.io/edwards25519"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/btcsuite/btcd/btcec"
	"github.com/cloudflare/circl/dh/x25519"
	"github.com/cloudflare/circl/dh/x448"
	"github.com/cloudflare/circl/ecc/p384"
	"github.com/cloudflare/circl/group"
	"github.com/cloudflare/circl/sign/ed25519"
	"github.com/cloudflare/circl/sign/ed448"
	"github.com/flynn/noise"
	"golang.org/x/crypto/curve25519"
	"golang.org/x/crypto/nacl/box"
	"golang.org/x/crypto/nacl/sign"
	"golang.org/x/crypto/ssh"
)

var digest = sha512.Sum384([]byte("lab"))

func read(folder, kind, end string) []byte {
	data, err := os.ReadFile(folder + "/" + kind + "." + end)
	if err != nil {
		panic(err)
	}
	return data
}

func parsed(folder, kind string) any {
	block, _ := pem.Decode(read(folder, kind, "key"))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		panic(err)
	}
	return key
}

func circl(folder, kind string) any {
	raw := read(folder, kind, "raw")
	switch kind {
	case "ed25519":
		key := ed25519.NewKeyFromSeed(raw)
		return []any{key, ed25519.Sign(key, []byte("lab"))}
	case "ed448":
		key := ed448.NewKeyFromSeed(raw)
		return []any{key, ed448.Sign(key, []byte("lab"), "")}
	case "x25519":
		var key, public x25519.Key
		copy(key[:], raw)
		x25519.KeyGen(&public, &key)
		return []any{&key, &public}
	case "x448":
		var key, public x448.Key
		copy(key[:], raw)
		x448.KeyGen(&public, &key)
		return []any{&key, &public}
	}
	if kind == "ec-p384-curve" {
		x, y := p384.P384().ScalarBaseMult(raw)
		return []any{x, y}
	}
	groups := map[string]group.Group{"ec-p256": group.P256, "ec-p384": group.P384, "ec-p521": group.P521}
	scalar := groups[kind].NewScalar()
	if err := scalar.UnmarshalBinary(raw); err != nil {
		panic(err)
	}
	point := groups[kind].NewElement().MulGen(scalar)
	text, _ := point.MarshalBinary()
	for i := range raw {
		raw[i] = 0
	}
	return []any{scalar, point, text}
}

func edwards(folder, kind string) any {
	hash := sha512.Sum512(read(folder, kind, "raw"))
	scalar, _ := edwards25519.NewScalar().SetBytesWithClamping(hash[:32])
	point := new(edwards25519.Point).ScalarBaseMult(scalar)
	for i := range hash {
		hash[i] = 0
	}
	return []any{scalar, point, point.Bytes()}
}

func btc(folder, kind string) any {
	key, public := btcec.PrivKeyFromBytes(btcec.S256(), read(folder, kind, "raw"))
	signature, err := key.Sign(digest[:32])
	if err != nil {
		panic(err)
	}
	return []any{key, public, public.SerializeCompressed(), signature}
}

func bech32(data []byte) string {
	const letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	const prefix = "age-secret-key-"
	var values []byte
	bits, have := uint(0), uint(0)
	for _, b := range data {
		bits = bits<<8 | uint(b)
		for have += 8; have >= 5; have -= 5 {
			values = append(values, byte(bits>>(have-5)&31))
		}
	}
	if have > 0 {
		values = append(values, byte(bits<<(5-have)&31))
	}
	check := func(list []byte) uint32 {
		sum := uint32(1)
		for _, v := range list {
			top := sum >> 25
			sum = (sum&0x1ffffff)<<5 ^ uint32(v)
			for i, g := range []uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
				if top>>uint(i)&1 == 1 {
					sum ^= g
				}
			}
		}
		return sum
	}
	var all []byte
	for _, c := range []byte(prefix) {
		all = append(all, c>>5)
	}
	all = append(all, 0)
	for _, c := range []byte(prefix) {
		all = append(all, c&31)
	}
	sum := check(append(append(all, values...), 0, 0, 0, 0, 0, 0)) ^ 1
	for i := 5; i >= 0; i-- {
		values = append(values, byte(sum>>(5*uint(i))&31))
	}
	text := prefix + "1"
	for _, v := range values {
		text += string(letters[v])
	}
	return strings.ToUpper(text)
}

func aged(folder, kind string) any {
	identity, err := age.ParseX25519Identity(bech32(read(folder, kind, "raw")))
	if err != nil {
		panic(err)
	}
	var sealed bytes.Buffer
	writer, _ := age.Encrypt(&sealed, identity.Recipient())
	writer.Write([]byte("lab"))
	writer.Close()
	reader, err := age.Decrypt(&sealed, identity)
	if err != nil {
		panic(err)
	}
	io.ReadAll(reader)
	return identity
}

func sshed(folder, kind string) any {
	signer, err := ssh.ParsePrivateKey(read(folder, kind, "ssh"))
	if err != nil {
		panic(err)
	}
	signature, err := signer.Sign(rand.Reader, []byte("lab"))
	if err != nil {
		panic(err)
	}
	return []any{signer, signature}
}

func noised(folder, kind string) any {
	raw := read(folder, kind, "raw")
	public, _ := curve25519.X25519(raw, curve25519.Basepoint)
	suite := noise.NewCipherSuite(noise.DH25519, noise.CipherChaChaPoly, noise.HashSHA256)
	peer, _ := suite.GenerateKeypair(rand.Reader)
	state, err := noise.NewHandshakeState(noise.Config{CipherSuite: suite, Pattern: noise.HandshakeIK, Initiator: true,
		StaticKeypair: noise.DHKey{Private: raw, Public: public}, PeerStatic: peer.Public})
	if err != nil {
		panic(err)
	}
	message, _, _, err := state.WriteMessage(nil, []byte("lab"))
	if err != nil {
		panic(err)
	}
	return []any{state, message}
}

func boxed(folder, kind string) any {
	var key, public [32]byte
	copy(key[:], read(folder, kind, "raw"))
	if kind == "ed25519" {
		whole := stded25519.NewKeyFromSeed(key[:])
		var both [64]byte
		copy(both[:], whole)
		return []any{&both, sign.Sign(nil, []byte("lab"), &both)}
	}
	curve25519.ScalarBaseMult(&public, &key)
	var nonce [24]byte
	return []any{&key, &public, box.Seal(nil, []byte("lab"), &nonce, &public, &key)}
}

func pgp(folder, kind string) any {
	var out *packet.PrivateKey
	switch key := parsed(folder, kind).(type) {
	case *rsa.PrivateKey:
		out = packet.NewRSAPrivateKey(time.Unix(1, 0), key)
	default:
		panic("kind")
	}
	var text bytes.Buffer
	out.Serialize(&text)
	signature := &packet.Signature{PubKeyAlgo: out.PubKeyAlgo, Hash: crypto.SHA256, CreationTime: time.Unix(2, 0)}
	hash := crypto.SHA256.New()
	if err := signature.Sign(hash, out, nil); err != nil {
		panic(err)
	}
	return []any{out, signature}
}

func bigs(folder, kind string) any {
	var held []*big.Int
	for _, end := range []string{"n", "d"} {
		raw := read(folder, kind, end+".num")
		held = append(held, new(big.Int).SetBytes(raw))
		clear(raw)
	}
	return append(held, new(big.Int).Exp(big.NewInt(12345), held[1], held[0]))
}

// A key that is parsed, used and dropped again and again while the core is taken.
func busy(folder, kind string) any {
	go func() {
		for {
			switch key := parsed(folder, kind).(type) {
			case *rsa.PrivateKey:
				rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA384, digest[:])
			case *ecdsa.PrivateKey:
				ecdsa.SignASN1(rand.Reader, key, digest[:])
			case stded25519.PrivateKey:
				stded25519.Sign(key, digest[:])
			}
		}
	}()
	time.Sleep(time.Second)
	return nil
}

var packages = map[string]func(string, string) any{"circl": circl, "edwards": edwards, "btcec": btc, "age": aged,
	"ssh": sshed, "noise": noised, "nacl": boxed, "pgp": pgp, "big": bigs, "busy": busy}

func load(args []string) (held []any) {
	for _, kind := range args[4:] {
		func() {
			defer func() {
				if err := recover(); err != nil {
					fmt.Fprintln(os.Stderr, "failed:", kind, err)
				}
			}()
			held = append(held, packages[args[3]](args[1], kind))
		}()
	}
	return held
}

func main() {
	held := load(os.Args)
	if os.Args[2] == "freed" {
		held = nil
		runtime.GC()
		runtime.GC()
		held = append(held, strings.Repeat("lab", 40))
	}
	fmt.Println("ready")
	time.Sleep(time.Hour)
	runtime.KeepAlive(held)
}
