package main

import (
	"net/url"
	"strings"

	"golang.org/x/net/http/httpproxy"
)

// Hosts are spelt as both languages' URL parsers keep them: lower case, no spelling of an address that one of them
// rewrites.
var proxyHosts = []string{
	"localhost", "127.0.0.1", "127.8.9.1", "[::1]", "[::ffff:7f00:1]", "10.1.2.3", "10.1.2.4", "192.168.0.9",
	"[fd00::1]", "[fd00::2]", "[2001:db8::5]", "[::ffff:a01:203]", "corp.example", "a.corp.example",
	"a.b.corp.example", "xcorp.example", "example", "other.test", "localhost.test", "xn--bcher-kva.example",
	"a.xn--bcher-kva.example", "corp.example.", "a.localhost", "0.0.0.0",
}

var noProxyEntries = []string{
	"", " ", "*", "corp.example", ".corp.example", "*.corp.example", "CORP.example", " corp.example ",
	"corp.example:443", ".corp.example:8443", "*.corp.example:80", "corp.example:", "corp.example:https",
	"a.corp.example", "example", ".example", "10.1.2.3", "10.1.2.3:443", "10.1.2.3:80", "10.0.0.0/8", "10.1.2.0/30",
	"10.1.2.3/32", "0.0.0.0/0", "::/0", "fd00::1", "[fd00::1]", "[fd00::1]:443", "[fd00::1]:80", "fd00::/8",
	"fd00::1/128", "::ffff:10.1.2.3", "::ffff:10.0.0.0/104", "10.0.0.0/33", "10.0.0.0/08", "010.1.2.3", "10.1.2",
	"fe80::1%eth0", "localhost", "127.0.0.1", ":443", "[]:443", "[", "]", ".", "..", "*.", "*corp.example",
	"c*.example", "bücher.example", ".bücher.example", "http://corp.example", "corp.example/", "a:b:c", "other.test",
	"other.test:8080", "corp.example.", "**", "*:443", "192.168.0.9/24", "[10.1.2.3]:443", "[corp.example]:443",
}

var noProxySnippets = []string{"", ".", "*", ":", ":443", ":80", "[", "]", "/8", "/", " ", "%", "0", "a", "x."}

// proxies asks which proxy a URL is asked through: {"no": NO_PROXY, "url": URL} has the answer "https", "http" or "".
func (o *oracle) proxies() {
	r := o.rand("no-proxy")
	for n := o.count(60000, 900); n > 0; n-- {
		entries := make([]string, r.intn(4))
		for i := range entries {
			entries[i] = pick(r, noProxyEntries)
			if r.chance(30) {
				entries[i] = r.mutated(noProxyEntries, noProxySnippets)
			}
		}
		no := strings.Join(entries, ",")
		raw := pick(r, []string{"http", "https"}) + "://" + pick(r, proxyHosts) + pick(r, []string{"", ":8443", ":8080", ":80", ":443"}) + "/m"
		o.print("no-proxy", map[string]string{"no": no, "url": raw}, proxyFor(no, raw))
	}
}

func proxyFor(no, raw string) any {
	cfg := httpproxy.Config{HTTPProxy: "http://plain.proxy", HTTPSProxy: "secure.proxy:3128", NoProxy: no}
	u, err := url.Parse(raw)
	if err != nil {
		return nil
	}
	proxy, err := cfg.ProxyFunc()(u)
	switch {
	case err != nil:
		return nil
	case proxy == nil:
		return ""
	default:
		return proxy.String()
	}
}
