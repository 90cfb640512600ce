// Keys of Go's own packages: go_keys FOLDER live|freed KIND...
package main

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"
)

var held []any

func load(folder, kind string) error {
	text, err := os.ReadFile(folder + "/" + kind + ".key")
	if err != nil {
		return err
	}
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return err
	}
	digest := sha256.Sum256([]byte("lab"))
	switch key := key.(type) {
	case *rsa.PrivateKey:
		_, err = rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	case *ecdsa.PrivateKey:
		_, err = ecdsa.SignASN1(rand.Reader, key, digest[:])
	case ed25519.PrivateKey:
		ed25519.Sign(key, digest[:])
	case *ecdh.PrivateKey:
		_, err = key.ECDH(key.PublicKey())
	}
	held = append(held, key)
	return err
}

func main() {
	for _, kind := range os.Args[3:] {
		if err := load(os.Args[1], kind); err != nil {
			fmt.Fprintln(os.Stderr, "failed:", kind, err)
		}
	}
	if os.Args[2] == "freed" {
		held = nil
		runtime.GC()
		runtime.GC()
		held = append(held, strings.Repeat("lab", 40))
	}
	fmt.Println("ready")
	if os.Getenv("LAB_ABORT") != "" {
		self, _ := os.FindProcess(os.Getpid())
		self.Signal(syscall.SIGABRT)
	}
	time.Sleep(time.Hour)
	runtime.KeepAlive(held)
}
