// DNS: who answers for a name, and whether the answer can be believed.

import { kind } from "./finding.ts";
import type { Area } from "./finding.ts";

type Host = { readonly host: string };
type Servers = Host & { readonly servers: string };

export const dnsFindings = {
  DNS_NO_SUCH_NAME: kind<Host>("fail", "dns.md#no-such-name", {
    en: {
      title: ({ host }) => `nobody here knows ${host}`,
      why: "The name does not exist, or exists only in a network that this machine is not in. Go says `no such host` and does not try again.",
      advice:
        "Check the spelling; for a name of the company connect the VPN, or ask its server: granary dns compare HOST --servers ADDRESS.",
    },
    "zh-CN": {
      title: ({ host }) => `没有服务器认识 ${host}`,
      why: "域名不存在，或只存在于本机未接入的网络。Go 报 `no such host`，不会重试。",
      advice: "检查拼写；若是公司域名，先连接 VPN，或直接询问公司 DNS：granary dns compare 域名 --servers 地址。",
    },
  }),
  DNS_NXDOMAIN_SPLIT: kind<Servers>("warn", "dns.md#different-answers", {
    en: {
      title: ({ host, servers }) => `${servers} denies that ${host} exists; others know it`,
      why: "Filters deny names that they do not want to be found. Whether go finds it depends on which server is asked first.",
      advice: "Use a server that knows the name, or a mirror with another name.",
    },
    "zh-CN": {
      title: ({ host, servers }) => `${servers} 称 ${host} 不存在，其他服务器却有答案`,
      why: "过滤器常以“域名不存在”作答。go 能否解析，取决于先问到哪个服务器。",
      advice: "改用有答案的 DNS 服务器，或使用其他域名的镜像。",
    },
  }),
  DNS_PRIVATE_VIEW: kind<Servers>("info", "dns.md#different-answers", {
    en: {
      title: ({ host, servers }) => `${host} exists only for ${servers}`,
      why: "An intranet name: its own server gives a private address, and servers of the world deny it, as they should.",
      advice:
        "Let this machine ask that server for the domain; and keep such names away from public proxies (GOPRIVATE).",
    },
    "zh-CN": {
      title: ({ host, servers }) => `${host} 只有 ${servers} 认识`,
      why: "这是内网域名：内网 DNS 给出私有地址，公共 DNS 称其不存在，属于正常现象。",
      advice: "让本机向该服务器查询此域；并用 GOPRIVATE 避免把这类名称发给公共代理。",
    },
  }),
  DNS_SPLIT_HORIZON: kind<Servers>("info", "dns.md#different-answers", {
    en: {
      title: ({ host, servers }) => `${host} has a private address at ${servers}, a public one elsewhere`,
      why: "Two views of one name (BIND: view, split DNS). Inside and outside a VPN go meets different servers, which may not have the same modules.",
    },
    "zh-CN": {
      title: ({ host, servers }) => `${host} 在 ${servers} 为私有地址，在别处为公网地址`,
      why: "同一域名的两个视图（BIND view，分离解析）。VPN 内外 go 连到的服务器不同，模块也可能不同。",
    },
  }),
  DNS_POISONED: kind<Servers>("fail", "dns.md#forged-answers", {
    en: {
      title: ({ host, servers }) => `the answer for ${host} from ${servers} looks forged`,
      why: "It has an address that belongs to somebody else, or came twice with different ones: something on the way answers before the server does. TLS keeps go from being fooled; it fails instead.",
      advice:
        "Ask by a way that cannot be forged (DNS over HTTPS or TLS), or use a mirror that is not filtered. The hosts file is a last resort: its addresses grow stale.",
    },
    "zh-CN": {
      title: ({ host, servers }) => `${servers} 对 ${host} 的答案疑似伪造`,
      why: "答案中的地址属于他人，或同一问题先后收到不同答案：途中有设备抢先应答。TLS 使 go 不会受骗，只会失败。",
      advice: "改用无法伪造的查询方式（DoH、DoT），或使用未被过滤的镜像。hosts 文件只是权宜之计，地址会过期。",
    },
  }),
  DNS_BOGON: kind<Host & { readonly address: string }>("fail", "dns.md#forged-answers", {
    en: {
      title: ({ host, address }) => `${host} leads to ${address}, where no server can be`,
      why: "Loopback, link-local and reserved addresses are what filters and ad blockers answer with. Go dials this machine, or nobody.",
      advice: "Have the filter let the name pass (Pi-hole, AdGuard Home, a company's filter), or use another server.",
    },
    "zh-CN": {
      title: ({ host, address }) => `${host} 被解析到 ${address}，那里不可能有服务器`,
      why: "过滤器和广告屏蔽常以回环、链路本地或保留地址作答。go 连到的是本机，或无人之处。",
      advice: "在过滤器（Pi-hole、AdGuard Home、公司过滤）中放行该域名，或换 DNS 服务器。",
    },
  }),
  DNS_FAKE_ADDRESS: kind<Host & { readonly address: string }>("info", "dns.md#forged-answers", {
    en: {
      title: ({ host, address }) => `${host} leads to ${address}, an address of a tunnel (fake-ip)`,
      why: "Clash, sing-box and others answer with 198.18.0.0/15 and take the connection themselves. It works while the tunnel runs; programs that keep the address fail afterwards.",
    },
    "zh-CN": {
      title: ({ host, address }) => `${host} 被解析到隧道地址 ${address}（fake-ip）`,
      why: "Clash、sing-box 等以 198.18.0.0/15 作答并自行接管连接。隧道运行时正常；隧道停止后，仍记着该地址的程序会失败。",
    },
  }),
  DNS_AAAA_BLACKHOLE: kind<Host>("warn", "dns.md#ipv6-that-leads-nowhere", {
    en: {
      title: ({ host }) => `the IPv6 addresses of ${host} lead nowhere`,
      why: "Go tries IPv6 first and IPv4 300 ms later (Happy Eyeballs), for each new connection; where the network swallows packets this is waiting, and no error.",
      advice: "Have IPv6 repaired or turned off on this network; or have the server not answer with AAAA.",
    },
    "zh-CN": {
      title: ({ host }) => `${host} 的 IPv6 地址不通`,
      why: "Go 先试 IPv6，300 ms 后才试 IPv4（Happy Eyeballs），每个新连接都如此；网络丢包时表现为等待而不是报错。",
      advice: "修复或关闭该网络的 IPv6，或让 DNS 不返回 AAAA。",
    },
  }),
  DNS_SERVER_SILENT: kind<{ readonly server: string }>("warn", "dns.md#servers", {
    en: {
      title: ({ server }) => `DNS server ${server} does not answer`,
      why: "Go waits 5 s and asks the next one; a dead first server costs that for every name, and nothing is remembered.",
      advice: "Take it out of the list (resolv.conf, or the network's settings), or have port 53 opened.",
    },
    "zh-CN": {
      title: ({ server }) => `DNS 服务器 ${server} 无应答`,
      why: "Go 等 5 s 才问下一个；第一个服务器失效时，每个域名都要付出这段时间，且不会记住。",
      advice: "将其移出列表（resolv.conf 或网络设置），或放行 53 端口。",
    },
  }),
  DNS_SERVER_REFUSES: kind<Host & { readonly server: string; readonly code: string }>("warn", "dns.md#servers", {
    en: {
      title: ({ server, host, code }) => `${server} answers ${code} for ${host}`,
      why: "REFUSED: it does not answer this network. SERVFAIL: it could not find out, or DNSSEC does not hold.",
    },
    "zh-CN": {
      title: ({ server, host, code }) => `${server} 对 ${host} 回答 ${code}`,
      why: "REFUSED：不为本网络服务；SERVFAIL：未能查到，或 DNSSEC 校验失败。",
    },
  }),
  DNS_TTL_SHORT: kind<Host & { readonly ttl: number }>("info", "dns.md#ttl", {
    en: {
      title: ({ host, ttl }) => `answers for ${host} may be kept ${ttl} s at most`,
      why: "Below 300 s a public name is asked for again and again, each time on the bad network. CDNs do it on purpose; a cache only shows what is left of the time.",
    },
    "zh-CN": {
      title: ({ host, ttl }) => `${host} 的答案最多缓存 ${ttl} s`,
      why: "公网域名的 TTL 低于 300 s 时会被反复查询，每次都要经过不佳的网络。CDN 有意如此；缓存服务器显示的只是剩余时间。",
    },
  }),
  DNS_TTL_LONG: kind<Host & { readonly ttl: number }>("info", "dns.md#ttl", {
    en: {
      title: ({ host, ttl }) => `private answers for ${host} may be kept ${ttl} s`,
      why: "Above 60 s a laptop that leaves the VPN, or a service that moves, is dialled at its old address for as long.",
    },
    "zh-CN": {
      title: ({ host, ttl }) => `${host} 的内网答案可缓存 ${ttl} s`,
      why: "内网 TTL 超过 60 s 时，离开 VPN 的电脑或迁移后的服务，会在这段时间里仍被连到旧地址。",
    },
  }),
  DNS_HOSTS_ANSWERS: kind<Host & { readonly address: string }>("info", "dns.md#the-hosts-file", {
    en: {
      title: ({ host, address }) => `the hosts file answers for ${host}: ${address}`,
      why: "Go reads the hosts file before it asks a server, in both of its resolvers.",
    },
    "zh-CN": {
      title: ({ host, address }) => `${host} 由 hosts 文件应答：${address}`,
      why: "Go 的两种解析器都先读 hosts 文件，再问服务器。",
    },
  }),
  DNS_HOSTS_DIFFERS: kind<Host & { readonly address: string }>("warn", "dns.md#the-hosts-file", {
    en: {
      title: ({ host, address }) => `the hosts file sends ${host} to ${address}; DNS says otherwise`,
      why: "The line wins, for every program. Such lines are written in need and forgotten: when the server moves, builds fail on this machine alone.",
      advice: "Take the line away when it is not wanted any more.",
    },
    "zh-CN": {
      title: ({ host, address }) => `hosts 文件将 ${host} 指向 ${address}，与 DNS 不同`,
      why: "该行对所有程序生效。这类行多是应急写下后被遗忘的；服务器迁移后，只有这台机器构建失败。",
      advice: "不再需要时请删除该行。",
    },
  }),
  DNS_HOSTS_TWICE: kind<Host & { readonly count: number }>("info", "dns.md#the-hosts-file", {
    en: {
      title: ({ host, count }) => `${count} lines of the hosts file name ${host}`,
      why: "Go takes all of them, others take the first: programs do not agree on where the host is.",
    },
    "zh-CN": {
      title: ({ host, count }) => `hosts 文件有 ${count} 行写了 ${host}`,
      why: "Go 取全部，其他程序取第一行：各程序连到的地址可能不同。",
    },
  }),
  DNS_GO_DIFFERS: kind<Host>("warn", "dns.md#which-resolver-go-uses", {
    en: {
      title: ({ host }) => `the system finds ${host} in a way that go does not know`,
      why: "Since Go 1.20 the go command on Linux is built without cgo: it reads the hosts file and asks DNS servers, and nothing else of nsswitch.conf (mdns, wins, ldap, myhostname).",
      advice: "Have the name in DNS or in the hosts file. netdns=cgo changes nothing for a program without cgo.",
    },
    "zh-CN": {
      title: ({ host }) => `系统解析 ${host} 的方式 go 不支持`,
      why: "Go 1.20 起，Linux 上的 go 命令不带 cgo：只读 hosts 文件并询问 DNS 服务器，不理会 nsswitch.conf 的其他来源（mdns、wins、ldap、myhostname）。",
      advice: "把该名称写入 DNS 或 hosts 文件。对不带 cgo 的程序，netdns=cgo 无效。",
    },
  }),
} as const satisfies Area;
