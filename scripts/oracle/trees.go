package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

const maxTree = 128

// storage holds the log whose record n is "record n\n".
type storage []tlog.Hash

func newStorage() storage {
	var s storage
	for n := range int64(maxTree) {
		hashes, err := tlog.StoredHashes(n, fmt.Appendf(nil, "record %d\n", n), s)
		if err != nil {
			panic(err)
		}
		s = append(s, hashes...)
	}
	return s
}

func (s storage) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, i := range indexes {
		hashes = append(hashes, s[i])
	}
	return hashes, nil
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// digest names a list of hashes: SHA-256 over them, in hex.
func digest(hashes []tlog.Hash) string {
	h := sha256.New()
	for _, hash := range hashes {
		h.Write(hash[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

func b64(h tlog.Hash) string { return base64.StdEncoding.EncodeToString(h[:]) }

func (o *oracle) trees() {
	s := newStorage()
	for t := range int64(maxTree + 1) {
		records, trees := []string{}, []string{}
		for n := range t {
			records = append(records, digest(must(tlog.ProveRecord(t, n, s)))[:8])
			trees = append(trees, digest(must(tlog.ProveTree(t, n+1, s)))[:8])
		}
		root := must(tlog.TreeHash(t, s))
		o.print("tree", t, map[string]any{"root": b64(root), "records": records, "trees": trees})
	}
	o.proofs(s)

	r := o.rand("stored")
	for range o.count(5_000, 200) {
		level, n := r.intn(8), r.int63n(1<<uint(1+r.intn(40)))
		index := r.int63n(1 << uint(1+r.intn(48)))
		splitLevel, splitN := tlog.SplitStoredHashIndex(index)
		o.print("stored", []int64{int64(level), n, index}, map[string]any{
			"index": tlog.StoredHashIndex(level, n), "count": tlog.StoredHashCount(n), "split": []int64{int64(splitLevel), splitN},
		})
	}
}

// proofs asks for verdicts on proofs, most of them spoilt.
func (o *oracle) proofs(s storage) {
	r := o.rand("proof")
	for range o.count(8_000, 300) {
		t := 1 + r.int63n(maxTree)
		n := r.int63n(t)
		root := must(tlog.TreeHash(t, s))
		isTree := r.chance(50)
		var proof []tlog.Hash
		var hash tlog.Hash
		if isTree {
			n++
			proof, hash = must(tlog.ProveTree(t, n, s)), must(tlog.TreeHash(n, s))
		} else {
			proof, hash = must(tlog.ProveRecord(t, n, s)), s[tlog.StoredHashIndex(0, n)]
		}
		switch r.intn(7) {
		case 0, 1: // honest
		case 2:
			t += r.int63n(3) - 1
		case 3:
			n += r.int63n(5) - 2
		case 4:
			if len(proof) > 0 {
				proof[r.intn(len(proof))][r.intn(32)] ^= 1
			}
		case 5:
			if len(proof) > 0 && r.chance(50) {
				proof = proof[:len(proof)-1]
			} else {
				proof = append(proof, pick(r, s))
			}
		case 6:
			pick(r, []*tlog.Hash{&hash, &root})[r.intn(32)] ^= 1
		}
		texts := []string{}
		for _, h := range proof {
			texts = append(texts, b64(h))
		}
		kind, err := "record-proof", error(nil)
		if isTree {
			kind, err = "tree-proof", tlog.CheckTree(proof, t, root, n, hash)
		} else {
			err = tlog.CheckRecord(proof, t, root, n, hash)
		}
		o.print(kind, map[string]any{"size": t, "root": b64(root), "n": n, "hash": b64(hash), "proof": texts}, err == nil)
	}
}
