package main

import (
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

var versionSeeds = []string{
	"v1.2.3", "v0.0.0", "v1", "v1.2", "v2.0.0+incompatible", "v1.2.3-pre", "v1.2.3-pre.1", "v1.2.3-0", "v1.2.3-01",
	"v1.2.3-alpha.0.beta", "v1.2.3+meta", "v1.2.3-rc.1+meta.7", "v01.2.3", "v1.02.3", "v1.2.3-", "v1.2.3+", "v1.2.3-a..b",
	"v1.2.3.4", "1.2.3", "V1.2.3", "v", "", "main", "feature/x", "abcdef123456", "latest", "release-1.2", "v1.2-pre",
	"v18446744073709551616.99999999999999999999.0", "v1.2.3-99999999999999999999999", "v10.20.30", "v1.10.0", "v1.9.0",
	"v0.0.0-20191109021931-daa7c04131f5", "v1.2.4-0.20191109021931-daa7c04131f5", "v2.3.4-0.20191109021931-abc+incompatible",
	"v1.2.3-pre.0.20191109021931-daa7c04131f5", "v1.2.3-pre.0.20191109021931-daa7c04131f5+incompatible",
	"v1.0.0-20191109021931-daa7c04131f5+incompatible", "v1.2.0-0.20191109021931-daa7c04131f5", "v0.0.0-00010101000000-000000000000",
	"v0.0.0-20191332996199-daa7c04131f5", "v0.0.0-20200230000000-daa7c04131f5", "v3.0.0-20191109021931-daa7c04131f5",
	"v1.2.3-0.20191109021931-Daa7", "v1.2.3-x.y.0.20191109021931-a", "v1.2.3-20191109021931-a", "v0.0.1-go1.21.0.linux-amd64",
	"con", "NUL.x", "a.", ".a", "...", "a b", "x!y", "!x", "!!x", "héllo", "v1.2.3-RC1", "v1.2.3-!r!c1", "x~1", "a:b", "a\\b",
}

var versionSnippets = []string{
	".", "-", "+", "v", "V", "0", "1", "9", "00", "01", "-0", "-pre", ".0", "+incompatible", "+meta", "-rc.1", "A", "z",
	"!", "!a", "/", " ", "é", "_", "~", "\n", "\x00", "-0.20191109021931-daa7c04131f5", "-20191109021931-daa7c04131f5",
	".0.", "99999999999999999999", "@", "\u0661", "20191109021931",
}

func (o *oracle) versions() {
	r := o.rand("version")
	for range o.count(60_000, 800) {
		v := r.version()
		o.print("version", v, versionAnswer(v))
	}

	r = o.rand("unescape-version")
	for range o.count(30_000, 800) {
		v := r.version()
		o.print("unescape-version", v, text(module.UnescapeVersion(v)))
	}

	r = o.rand("compare")
	for range o.count(30_000, 1000) {
		v := r.version()
		w := r.version()
		if r.chance(40) {
			w = r.mutate(v, versionSeeds, versionSnippets)
		}
		if raw([]byte(w)) != w {
			continue
		}
		o.print("compare", []string{v, w}, semver.Compare(v, w))
	}

	r = o.rand("check")
	for range o.count(30_000, 800) {
		path, v := r.path(), r.version()
		_, major, _ := module.SplitPathVersion(path)
		o.print("check", []string{path, v, major}, map[string]bool{
			"check": module.Check(path, v) == nil && module.CanonicalVersion(v) == v,
			"major": module.CheckPathMajor(v, major) == nil,
		})
	}

	r = o.rand("pseudo")
	for range o.count(10_000, 400) {
		seconds := r.int63n(253402300800) // before the year 10000
		major := pick(r, []string{"", "v0", "v1", "v2", "v10"})
		older := ""
		if r.chance(70) {
			older = r.version()
		}
		rev := pick(r, []string{"daa7c04131f5", "0", "abc", "ABCDEF012345"})
		o.print("pseudo", []any{major, older, seconds, rev}, module.PseudoVersion(major, older, time.Unix(seconds, 0), rev))
	}
}

func versionAnswer(v string) map[string]any {
	var seconds any
	if t, err := module.PseudoVersionTime(v); err == nil {
		seconds = t.Unix()
	}
	return map[string]any{
		"valid":            semver.IsValid(v),
		"canonical":        semver.Canonical(v),
		"major":            semver.Major(v),
		"majorMinor":       semver.MajorMinor(v),
		"prerelease":       semver.Prerelease(v),
		"build":            semver.Build(v),
		"canonicalVersion": module.CanonicalVersion(v),
		"escape":           text(module.EscapeVersion(v)),
		"pseudo":           module.IsPseudoVersion(v),
		"time":             seconds,
		"rev":              text(module.PseudoVersionRev(v)),
		"base":             text(module.PseudoVersionBase(v)),
	}
}

var (
	numbers     = []string{"0", "1", "2", "3", "10", "9", "20191109", "18446744073709551616"}
	prereleases = []string{"", "", "", "-pre", "-rc.1", "-0", "-alpha.0.beta", "-1.2.3", "-x-y", "-20191109021931-daa7c04131f5", "-0.20191109021931-daa7c04131f5", "-pre.0.20191109021931-daa7c04131f5"}
	builds      = []string{"", "", "", "+incompatible", "+meta", "+001.x-y"}
)

// version is a mutated seed or, as often, one put together from good parts.
func (r *rng) version() string {
	if r.chance(50) {
		return r.mutated(versionSeeds, versionSnippets)
	}
	return "v" + pick(r, numbers) + "." + pick(r, numbers) + "." + pick(r, numbers) + pick(r, prereleases) + pick(r, builds)
}
