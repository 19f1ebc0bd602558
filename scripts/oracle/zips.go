package main

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"log"
	"os"
	"path/filepath"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	modzip "golang.org/x/mod/zip"
)

var zipID = module.Version{Path: "example.com/m", Version: "v1.0.0"}

const zipPrefix = "example.com/m@v1.0.0/"

var zipNames = []string{
	"go.mod", "a.go", "b/c.go", "b/d/e.go", "LICENSE", "README.md", "testdata/x.txt", "b/", "B/c.go", "A.go", "sub/go.mod", "GO.MOD", "sub/GO.mod",
	"go.mod/x", "héllo.txt", "漢字/x", "\u212a.go", "k.go", "K.go", "\u017f.go", "s.go", "straße", "STRASSE", "strasse", "\u1e9e", "ß", "ı", "i", "İ",
	"../x", "/x", "a//b", "./x", "a/../b", "a/./b", "x\\y", "c:x", "NUL", "aux.go", "com1/x", "a.", ".x", "...", "-x", "~1", "x~1", "a b", "e\u0301",
	"\x00", "a\nb", "\u007f", "\xff", "a\xed\xa0\x80", "vendor/x/y.go", "vendor/modules.txt", "dir", "dir/x", "a.go/x", "*", "?", "\u2028", "",
}

func (o *oracle) zips() {
	dir, err := os.MkdirTemp("", "oracle-zips-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	r := o.rand("zip")
	for range o.count(2_000, 60) {
		data := r.zip()
		if r.chance(35) {
			data = r.spoil(data)
		}
		o.print("zip", base64.StdEncoding.EncodeToString(data), zipAnswer(dir, data))
	}
}

// zipAnswer is dirhash.HashZip of a zip that CheckZip and Unzip take, the error's first place else.
func zipAnswer(dir string, data []byte) any {
	file, out := filepath.Join(dir, "m.zip"), filepath.Join(dir, "out")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(out)
	checked, err := modzip.CheckZip(zipID, file)
	if err != nil || checked.Err() != nil {
		return map[string]any{"error": "check"}
	}
	if err := modzip.Unzip(out, zipID, file); err != nil {
		return map[string]any{"error": "unzip"}
	}
	h1, err := dirhash.HashZip(file, dirhash.DefaultHash)
	if err != nil {
		return map[string]any{"error": "hash"}
	}
	return map[string]any{"h1": h1}
}

// zip writes a zip of a few files, some of them odd.
func (r *rng) zip() []byte {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for n := r.intn(6); n >= 0; n-- {
		name := zipPrefix + zipNames[r.intn(8)]
		if r.chance(35) {
			name = zipPrefix + pick(r, zipNames)
		}
		if r.chance(2) {
			name = pick(r, zipNames)
		}
		r.add(w, name)
	}
	if r.chance(5) {
		if err := w.SetComment(pick(r, zipNames)); err != nil {
			log.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	return buf.Bytes()
}

func (r *rng) add(w *zip.Writer, name string) {
	content := bytes.Repeat([]byte("package a\n"), r.intn(20))
	h := &zip.FileHeader{Name: name, Method: pick(r, []uint16{zip.Store, zip.Deflate, zip.Deflate})}
	if r.chance(3) {
		h.SetMode(pick(r, []os.FileMode{os.ModeSymlink | 0o777, os.ModeDir | 0o755, 0o755, os.ModeNamedPipe}))
	}
	if len(name) > 0 && name[len(name)-1] == '/' {
		content = nil
	}
	if r.chance(50) {
		f, err := w.CreateHeader(h)
		if err == nil {
			f.Write(content)
		}
		return
	}
	// Stored, sizes in the local header, and some of them wrong.
	h.Method, h.CRC32 = zip.Store, crc32.ChecksumIEEE(content)
	h.CompressedSize64, h.UncompressedSize64 = uint64(len(content)), uint64(len(content))
	if r.chance(10) {
		h.CRC32 = pick(r, []uint32{0, 1, h.CRC32 ^ 1})
	}
	if r.chance(5) {
		h.UncompressedSize64 += uint64(r.intn(3))
	}
	if f, err := w.CreateRaw(h); err == nil {
		f.Write(content)
	}
}

// spoil changes bytes where a zip's headers are, or what surrounds it.
func (r *rng) spoil(data []byte) []byte {
	switch r.intn(6) {
	case 0:
		return append(bytes.Repeat([]byte("#"), 1+r.intn(40)), data...)
	case 1:
		return append(data, bytes.Repeat([]byte("#"), 1+r.intn(40))...)
	case 2:
		return data[:r.intn(len(data))]
	case 3:
		return r.mutateBytes(data, 1+r.intn(3))
	}
	// A field of some header becomes a small number, or loses a bit.
	var headers []int
	for i := 0; i+30 < len(data); i++ {
		if data[i] == 'P' && data[i+1] == 'K' && data[i+2] < 9 {
			headers = append(headers, i)
		}
	}
	if len(headers) == 0 {
		return data
	}
	at := pick(r, headers) + 4 + r.intn(26)
	if r.chance(50) {
		data[at] ^= 1 << r.intn(8)
	} else {
		binary.LittleEndian.PutUint16(data[at:], uint16(r.intn(20)))
	}
	return data
}
