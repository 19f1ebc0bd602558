package main

import (
	"strings"

	"golang.org/x/mod/module"
)

var pathSeeds = []string{
	"example.com/m", "example.com/m/v2", "example.com/m/v10", "github.com/Azure/azure-sdk-for-go/sdk/azcore",
	"github.com/BurntSushi/toml", "gopkg.in/yaml.v3", "gopkg.in/check.v1", "gopkg.in/src-d/go-git.v4",
	"gopkg.in/inf.v0", "gopkg.in/tomb.v2-unstable", "gopkg.in/tomb.v0-unstable", "gopkg.in/x.v-unstable",
	"golang.org/x/mod", "k8s.io/api", "rsc.io/quote/v3", "a.b/c~1/d", "x.y", "my-host.example/a_b/c.d-e",
	"example.com/con/x", "example.com/com1.txt", "example.com/aux.go/y", "example.com/v2", "example.com/m/v0",
	"example.com/m/v1", "example.com/m/v02", "example.com/m/v2.3", "example.com", "localhost/m", "Example.com/m",
	"example.com//m", "/example.com/m", "example.com/m/", "-x.com/m", "example.com/.git", "example.com/m.",
	"example.com/..", "example.com/m/...", "example.com/é", "example.com/漢字", "example.com/a b", "", "go", "std",
	"toolchain", "cmd/go", "example.com/m/v9999999999999999999999",
	"dir/file.go", "LICENSE", "a b/c!d.txt", "testdata/héllo.txt", ".github/workflows/x.yml", "NUL", "nul.txt",
	"a/b\\c", "a:b", "semi;colon", "quote\"", "tick`", "what?", "star*", "a|b", "a<b>", "@!#$%&()+,-.=[]^_{}~",
	"lpt9/x", "COM0", "x~12/y", "x~1.txt", "e\u0301", "\u2163", "\u0661", "\U0001d400", "ａ.b/c",
}

var pathSnippets = []string{
	"/", "//", ".", "..", "-", "~", "~1", "!", "!a", "!!", "@", "+", "A", "Z", "é", "İ", "ſ", "K", "\u00a0", "\u2028", "漢",
	"\x00", "\n", "\x7f", "\\", ":", "*", "?", "<", ">", "|", "\"", "'", "`", ";", " ", "_", "=", "(", ")", "[", "]",
	"/v1", "/v2", "/v02", ".v1", ".v0", ".v01", ".v2-unstable", "-unstable", "gopkg.in/", "con", "NUL", "com9", "0", "9",
	"\ufffd", "\U0001f600", "\u0300", "\ufeff", "\u0085", "/con.", "#", "$", "%", "&", ",", "^", "{", "}",
}

func (o *oracle) paths() {
	r := o.rand("path")
	for range o.count(60_000, 1200) {
		s := r.path()
		prefix, major, ok := module.SplitPathVersion(s)
		var split any
		if ok {
			split = []string{prefix, major}
		}
		o.print("path", s, map[string]any{
			"check":  module.CheckPath(s) == nil,
			"file":   module.CheckFilePath(s) == nil,
			"escape": text(module.EscapePath(s)),
			"split":  split,
		})
	}

	r = o.rand("unescape-path")
	var escaped []string
	for _, s := range pathSeeds {
		if e, err := module.EscapePath(s); err == nil {
			escaped = append(escaped, e)
		}
		escaped = append(escaped, s)
	}
	for range o.count(30_000, 800) {
		s := r.mutated(escaped, pathSnippets)
		if e, err := module.EscapePath(r.path()); err == nil && r.chance(50) {
			s = e
		}
		o.print("unescape-path", s, text(module.UnescapePath(s)))
	}

	r = o.rand("match")
	for range o.count(30_000, 1000) {
		globs, target := r.globs(), r.mutated(matchSeeds, globSnippets)
		o.print("match", []string{globs, target}, module.MatchPrefixPatterns(globs, target))
	}
}

var matchSeeds = []string{
	"git.corp.example/team/repo", "git.corp.example", "github.com/org/repo/v2", "rsc.io/quote", "a.b/c/d/e", "", "a/b",
	"*.corp.example", "*.corp.example/team/*", "git.corp.example/team/*", "github.com/org", "rsc.io/q[a-z]ote", "a?b/c",
	"[^g]it.corp.example", "*", "*/*", "**", "a*b*c", "[a-", "[]a]", "a\\*b", "\\", "[\\]]", "x.y/", "/", "[a-z]*/[^/]*",
	"github.com/*/repo*", "[漢-龥]/x", "漢/x", "*a*a*a*b", "aaaaaaaa", "[--0]", "[z-a]", "[", "[^]", "]", "-",
}

var globSnippets = []string{
	"*", "?", "[", "]", "^", "-", "\\", "/", ",", "a", "z", ".", "[a-z]", "[^a]", "**", "*/", "/*", " ", "漢", "é", "\\*", "[!a]",
}

func (r *rng) globs() string {
	var globs []string
	for n := 1 + r.intn(3); n > 0; n-- {
		globs = append(globs, r.mutated(matchSeeds, globSnippets))
	}
	return strings.Join(globs, ",")
}

var (
	hosts    = []string{"example.com", "github.com", "gopkg.in", "git.corp.example", "x.y", "a-b.c1"}
	elements = []string{"Azure", "go-autorest", "m", "x_y", "a.b", "UPPER", "v2x", "~tilde", "yaml.v3", "1", "com", "conx", "a~b", "v2"}
	suffixes = []string{"", "", "", "/v2", "/v3", "/v10", ".v1", ".v2", ".v0", "/v1"}
)

// path is a mutated seed or, as often, one put together from good parts.
func (r *rng) path() string {
	if r.chance(50) {
		return r.mutated(pathSeeds, pathSnippets)
	}
	s := pick(r, hosts)
	for n := r.intn(4); n > 0; n-- {
		s += "/" + pick(r, elements)
	}
	return s + pick(r, suffixes)
}
