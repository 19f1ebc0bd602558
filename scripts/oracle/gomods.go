package main

import (
	"golang.org/x/mod/modfile"
)

// Lines that stand in a main module's go.mod, though not together.
var gomodLines = []string{
	"module example.com/m",
	"module \"example.com/m/v2\"",
	"module example.com/m // Deprecated: no longer kept",
	"module (\n\texample.com/m\n)",
	"go 1.21",
	"go 1.23.0",
	"go 1.22rc1",
	"toolchain go1.23.4",
	"toolchain default",
	"toolchain go1",
	"godebug default=go1.21",
	"godebug (\n\ta=b\n\tc=d=e\n)",
	"require example.com/a v1.2.3",
	"require example.com/a v1.2.3 // indirect",
	"require example.com/b/v2 v2.0.1 // indirect; x",
	"require gopkg.in/yaml.v2 v2.4.0",
	"require gopkg.in/yaml.v1 v0.0.0-20200101000000-abcdefabcdef",
	"require \"example.com/quoted\" \"v1.0.0\"",
	"require (\n\texample.com/a v1.0.0\n\texample.com/b v1.1.0 // indirect\n\n\t// why\n\texample.com/c v0.0.0-20200101000000-abcdefabcdef //indirect\n)",
	"require (\n\texample.com/a v1.0.0 // indirect; and more\n\texample.com/z v1.0.0 // indirectly\n) // behind",
	"require ()",
	"require ( )",
	"exclude example.com/a v1.2.4",
	"exclude (\n\texample.com/a v1.2.5\n)",
	"replace example.com/a => ../a",
	"replace example.com/a v1.2.3 => example.com/fork v1.2.4",
	"replace example.com/a => .",
	"replace (\n\texample.com/a => ./a\n\texample.com/b v1.0.0 => \"./with space\"\n)",
	"replace example.com/a => /abs",
	"replace example.com/a => ..",
	"replace example.com/a => example.com/x/v3 v1.0.0",
	"retract v1.0.0",
	"retract v1.0.1 // broken",
	"retract [v1.1.0, v1.2.0] // lost data",
	"// whole line\nretract v1.3.0",
	"retract \"v1.0.0\"",
	"tool example.com/cmd/x",
	"tool (\n\texample.com/cmd/y\n\t./z\n)",
	"ignore ./node_modules",
	"ignore (\n\tstatic\n\t\"a b\"\n)",
	"// comment",
	"//",
	"// Deprecated: use example.com/new.",
	"// for the block\nretract (\n\tv1.4.0\n\t[v1.5.0, v1.6.0] // own\n\n\tv1.7.0\n\t// above\n\tv1.8.0 // behind\n)",
	"",
	"",
	"// Deprecated: one\n// two\n//\n// three\nmodule example.com/m",
	"// x\n//\n// Deprecated:   spaces\nmodule example.com/m // y",
}

// Lines that break a rule, of the strict reading at least.
var oddLines = []string{
	"module `example.com/m`",
	"module 'x'",
	"module a b",
	"go v1.20",
	"go 1.21-custom.1",
	"go x",
	"go 1.21 1.22",
	"go (\n1.21\n)",
	"toolchain go2",
	"toolchain",
	"godebug x",
	"godebug a=\"b\"",
	"godebug =",
	"require example.com/a v1",
	"require example.com/a v1.2",
	"require example.com/a master",
	"require example.com/b/v2 v1.0.0",
	"require example.com/c v2.0.0+incompatible",
	"require example.com/a v1.2.3+meta",
	"require example.com/a",
	"exclude example.com/a v2.0.0",
	"replace example.com/a => C:\\x",
	"replace example.com/a => example.com/fork",
	"replace example.com/a => example.com/fork@v1.0.0",
	"replace a => ./b v1.0.0",
	"retract [v1, v2",
	"retract > v1",
	"retract v1.0.0 v2.0.0",
	"retract [v1.0.0]",
	"retract (",
	"retract [ ( , ) ]",
	"tool a b",
	"frobnicate x",
	"frob (\n\tx y\n)",
	"require x (\n\ty\n)",
	"frob ( x )",
	"frob ( ) x",
	"use ./x",
	"/* block */",
	"\"unclosed",
	"`raw`",
	"a/*b",
	"x //y",
	")",
	"(",
	"[",
	"]",
	"{",
	"}",
	",",
	"=>",
	"\ufeffmodule x",
	"module x\r",
	"\r",
}

var gomodSnippets = []string{
	"\n", "\n\n", "\r\n", " ", "\t", "//", "// indirect", "/*", "\"", "`", "'", "(", ")", "[", "]", ",", "=>", "v1.0.0", "v2.0.0",
	"Deprecated: ", "// Deprecated: x\n", "\x00", "\u00a0", "\u2028", "é", "\\n", "\\x41", "\\u00e9", "\\", "\ufeff", "module ", "retract ", "{", "}",
}

func (o *oracle) gomods() {
	r := o.rand("gomod")
	for range o.count(30_000, 500) {
		data := r.gomod()
		strict, err := modfile.Parse("go.mod", data, nil)
		lax, laxErr := modfile.ParseLax("go.mod", data, nil)
		o.print("gomod", raw(data), map[string]any{
			"strict": fields(strict, err),
			"lax":    fields(lax, laxErr),
			"path":   modfile.ModulePath(data),
		})
	}

	r = o.rand("quote")
	for range o.count(5_000, 200) {
		s := r.mutated(pathSeeds, pathSnippets)
		o.print("quote", s, modfile.AutoQuote(s))
	}
}

func (r *rng) gomod() []byte {
	var s string
	for n := 1 + r.intn(8); n > 0; n-- {
		l := pick(r, gomodLines)
		if r.chance(8) {
			l = pick(r, oddLines)
		}
		if r.chance(6) {
			l = r.mutated(append(gomodLines, oddLines...), gomodSnippets)
		}
		s += l + "\n"
	}
	data := []byte(s)
	if r.chance(10) {
		data = r.mutateBytes(data, 1+r.intn(2))
	}
	return data
}

func fields(f *modfile.File, err error) any {
	if err != nil {
		return nil
	}
	m := map[string]any{"path": nil, "deprecated": "", "go": nil, "toolchain": nil}
	if f.Module != nil {
		m["path"], m["deprecated"] = f.Module.Mod.Path, f.Module.Deprecated
	}
	if f.Go != nil {
		m["go"] = f.Go.Version
	}
	if f.Toolchain != nil {
		m["toolchain"] = f.Toolchain.Name
	}
	debug, require, exclude, replace, retract, tool, ignore := [][]string{}, [][]any{}, [][]string{}, [][]string{}, [][]string{}, []string{}, []string{}
	for _, g := range f.Godebug {
		debug = append(debug, []string{g.Key, g.Value})
	}
	for _, x := range f.Require {
		require = append(require, []any{x.Mod.Path, x.Mod.Version, x.Indirect})
	}
	for _, x := range f.Exclude {
		exclude = append(exclude, []string{x.Mod.Path, x.Mod.Version})
	}
	for _, x := range f.Replace {
		replace = append(replace, []string{x.Old.Path, x.Old.Version, x.New.Path, x.New.Version})
	}
	for _, x := range f.Retract {
		retract = append(retract, []string{x.Low, x.High, x.Rationale})
	}
	for _, x := range f.Tool {
		tool = append(tool, x.Path)
	}
	for _, x := range f.Ignore {
		ignore = append(ignore, x.Path)
	}
	m["godebug"], m["require"], m["exclude"], m["replace"] = debug, require, exclude, replace
	m["retract"], m["tool"], m["ignore"] = retract, tool, ignore
	return m
}
