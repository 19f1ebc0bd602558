// Oracle prints what golang.org/x/mod and x/net/http/httpproxy answer to generated questions, one JSON line each:
//
//	{"k": kind, "i": input, "o": answer}
//
// The answer null is an error. Everything follows from the seed, so the same seed prints the same lines.
// scripts/oracle.ts asks our own functions the same questions.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"flag"
	"log"
	"os"
	"unicode/utf8"
)

func main() {
	seed := flag.Uint64("seed", 1, "decides every generated case")
	sample := flag.Bool("sample", false, "few cases of each kind, small enough to commit")
	flag.Parse()

	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	o := &oracle{seed: *seed, sample: *sample, json: json.NewEncoder(out)}
	o.json.SetEscapeHTML(false)
	o.paths()
	o.versions()
	o.gomods()
	o.notes()
	o.records()
	o.trees()
	o.tiles()
	o.zips()
	o.proxies()
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
}

type oracle struct {
	seed   uint64
	sample bool
	json   *json.Encoder
}

// count picks how many cases to generate.
func (o *oracle) count(full, sample int) int {
	if o.sample {
		return sample
	}
	return full
}

// rand returns a generator of its own for each kind, so that changing one kind leaves the others as they are.
func (o *oracle) rand(kind string) *rng {
	r := &rng{state: o.seed}
	for _, b := range []byte(kind) {
		r.state = r.state*1099511628211 ^ uint64(b)
	}
	return r
}

type line struct {
	Kind   string `json:"k"`
	Input  any    `json:"i"`
	Output any    `json:"o"`
}

func (o *oracle) print(kind string, input, output any) {
	if err := o.json.Encode(line{kind, input, output}); err != nil {
		log.Fatal(err)
	}
}

// text is an answer that failed when err is set.
func text(s string, err error) any {
	if err != nil {
		return nil
	}
	return s
}

// raw bytes go as text where they are UTF-8, else as {"b64": …}.
func raw(b []byte) any {
	if utf8.Valid(b) {
		return string(b)
	}
	return map[string]string{"b64": base64.StdEncoding.EncodeToString(b)}
}
