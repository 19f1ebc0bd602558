package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strconv"

	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/sumdb/tlog"

	"bytes"
	"io"
)

func keyHash(name string, key []byte) uint32 {
	sum := sha256.Sum256(append([]byte(name+"\n"), key...))
	return binary.BigEndian.Uint32(sum[:])
}

const zeroHash = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

var recordSeeds = []string{
	"1234\nexample.com/m v1.0.0 h1:" + zeroHash + "\nexample.com/m v1.0.0/go.mod h1:" + zeroHash + "\n\ngo.sum database tree\n",
	"0\nx\n\n", "7\n漢字\n\nrest\n\nmore", "-1\nx\n\n", "+1\nx\n\n", "01\nx\n\n", "\nx\n\n", "1\n\n", "1\n\n\n", "1\n\nx\n\n", "1\nx\n", "1\nx", "1", "",
	"9223372036854775807\nx\n\n", "9223372036854775808\nx\n\n", "9007199254740992\nx\n\n", "1\nx\ty\n\n", "1\r\nx\n\n", " 1\nx\n\n", "1_0\nx\n\n",
}

var recordSnippets = []string{"\n", "\n\n", "0", "1", "-", "+", " ", "\r", "\t", "\x00", "é", "x", "9"}

var treeSeeds = []string{
	"go.sum database tree\n3\n" + zeroHash + "\n", "go.sum database tree\n0\n" + zeroHash + "\n", "go.sum database tree\n12345678\n" + zeroHash + "\nmore\n",
	"go.sum database tree\n03\n" + zeroHash + "\n", "go.sum database tree\n-3\n" + zeroHash + "\n", "go.sum database tree\n+3\n" + zeroHash + "\n",
	"go.sum database tree\n3\nAAAA\n", "go.sum database tree v2\n3\n" + zeroHash + "\n", "go.sum database tree\n3\n" + zeroHash,
	"go.sum database tree\n9223372036854775807\n" + zeroHash + "\n", "go.sum database tree\n4503599627370496\n" + zeroHash + "\n", "",
}

var treeSnippets = []string{"\n", "0", "1", "9", "-", " ", "A", "B", "=", "+", "_", "\r", "\x00", "é"}

func (o *oracle) records() {
	r := o.rand("record")
	for range o.count(6_000, 250) {
		msg := []byte(r.mutated(recordSeeds, recordSnippets))
		if r.chance(10) {
			msg = r.mutateBytes(msg, 1)
		}
		var answer any
		if id, text, rest, err := tlog.ParseRecord(msg); err == nil {
			answer = map[string]any{"id": strconv.FormatInt(id, 10), "text": string(text), "rest": raw(rest)}
		}
		o.print("record", raw(msg), answer)
	}

	r = o.rand("format-record")
	texts := []string{"a\n", "a\nb\n", "a\n\nb\n", "\n", "", "a", "漢\n", "a\tb\n", "\na\n", "a\n\n"}
	for range o.count(2_000, 100) {
		text := r.mutated(texts, recordSnippets)
		id := r.int63n(1 << 40)
		msg, err := tlog.FormatRecord(id, []byte(text))
		if err != nil {
			o.print("format-record", []any{id, text}, nil)
			continue
		}
		o.print("format-record", []any{id, text}, string(msg))
	}

	r = o.rand("tree-text")
	for range o.count(6_000, 250) {
		msg := []byte(r.mutated(treeSeeds, treeSnippets))
		if r.chance(10) {
			msg = r.mutateBytes(msg, 1)
		}
		var answer any
		if tree, err := tlog.ParseTree(msg); err == nil {
			answer = []string{strconv.FormatInt(tree.N, 10), base64.StdEncoding.EncodeToString(tree.Hash[:])}
		}
		o.print("tree-text", raw(msg), answer)
	}

	r = o.rand("gomod-hash")
	for range o.count(1_000, 50) {
		data := r.gomod()
		h1, err := dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(data)), nil
		})
		o.print("gomod-hash", raw(data), text(h1, err))
	}
}
