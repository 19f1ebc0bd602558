package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// signer returns a key pair that follows from the generator.
func (r *rng) signer(name string) (note.Signer, string) {
	skey, vkey, err := note.GenerateKey(r, name)
	if err != nil {
		panic(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		panic(err)
	}
	return signer, vkey
}

// Read makes the generator a source of key seeds.
func (r *rng) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r.next())
	}
	return len(p), nil
}

var noteTexts = []string{
	"hello\n", "go.sum database tree\n3\n" + base64.StdEncoding.EncodeToString(make([]byte, 32)) + "\n", "a\n\nb\n", "\n",
	"漢字\n", "go.sum database tree\n3\n\n", "two\nlines\n", "x\n", "— x AAAAAAA=\n", "text\n\n— fake AAAAAAAA\n", "a\rb\n", "tab\t\n", "no newline", "\u007f\u0085\n", "",
}

var noteSnippets = []string{
	"\n", "\n\n", "— ", "—", " ", "+", "=", "A", "— x AAAAAAA=\n", "—  AAAAAAAA\n", "— a+b AAAAAAAA\n", "\u00a0", "\t", "\r\n", "\u2003",
	"— x AAAA\n", "— x AAAAAAAAA\n", "— x AAAAAAB=\n", "- x AAAAAAAA\n", "— x AAAA\rAAAA\n", "— x AAAAAAAA AAAA\n", "\x00", "é", "-_",
}

func (o *oracle) notes() {
	r := o.rand("note")
	var signers []note.Signer
	var keys []string
	for _, name := range []string{"example.com/log", "x", "漢字.example", "example.com/log"} {
		signer, key := r.signer(name)
		signers, keys = append(signers, signer), append(keys, key)
	}
	for range o.count(6_000, 250) {
		msg := r.note(signers)
		known := pick(r, [][]string{keys[:1], keys[:2], keys, keys[1:3], {}, {keys[0], keys[0]}})
		var verifiers []note.Verifier
		for _, key := range known {
			v, err := note.NewVerifier(key)
			if err != nil {
				panic(err)
			}
			verifiers = append(verifiers, v)
		}
		o.print("note", map[string]any{"msg": raw(msg), "keys": known}, noteAnswer(note.Open(msg, note.VerifierList(verifiers...))))
	}

	r = o.rand("verifier")
	seeds := append([]string{
		"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"localhost.localdev/sumdb+00000c67+AcTrnkbUA+TU4heY3hkjiSES/DSQniBqIeQ/YppAUtK6",
		"x+00000000+AA==", "x+y+z", "x", "",
	}, keys...)
	// A key of another algorithm and one of another length, each with its true hash.
	for _, key := range [][]byte{append([]byte{2}, make([]byte, 32)...), append([]byte{1}, make([]byte, 31)...), {1}} {
		name := "example.com/odd"
		seeds = append(seeds, fmt.Sprintf("%s+%08x+%s", name, keyHash(name, key), base64.StdEncoding.EncodeToString(key)))
	}
	for range o.count(6_000, 250) {
		key := r.mutated(seeds, append(noteSnippets, "0", "f", "F", "g", "++", "0x", "_"))
		var answer any
		if v, err := note.NewVerifier(key); err == nil {
			answer = map[string]any{"name": v.Name(), "hash": v.KeyHash()}
		}
		o.print("verifier", key, answer)
	}
}

func (r *rng) note(signers []note.Signer) []byte {
	text := pick(r, noteTexts)
	var by []note.Signer
	for n := r.intn(3); n >= 0; n-- {
		by = append(by, pick(r, signers))
	}
	msg, err := note.Sign(&note.Note{Text: text}, by...)
	if err != nil {
		msg = []byte(text + "\n— x AAAAAAA=\n")
	}
	if r.chance(20) {
		msg = append(msg, msg[bytes.LastIndex(msg, []byte("—")):]...)
	}
	if r.chance(2) {
		msg = append(msg, strings.Repeat("— x AAAAAAA=\n", 97+r.intn(6))...)
	}
	for n := pick(r, []int{0, 0, 1, 2}); n > 0; n-- {
		switch at := r.intn(len(msg) + 1); r.intn(4) {
		case 0:
			msg = r.mutateBytes(msg, 1)
		case 1:
			msg = []byte(string(msg[:at]) + pick(r, noteSnippets) + string(msg[at:]))
		case 2:
			msg = append(msg, pick(r, noteSnippets)...)
		case 3:
			msg = msg[:at]
		}
	}
	return msg
}

// noteAnswer tells notes that are malformed (null) from those that nobody known signed rightly.
func noteAnswer(n *note.Note, err error) any {
	if err != nil && err.Error() == "malformed note" {
		return nil
	}
	if err != nil {
		return "unproven"
	}
	list := func(sigs []note.Signature) [][]any {
		all := [][]any{}
		for _, s := range sigs {
			all = append(all, []any{s.Name, s.Hash, s.Base64})
		}
		return all
	}
	return map[string]any{"text": n.Text, "signatures": list(n.Sigs), "unverified": list(n.UnverifiedSigs)}
}
