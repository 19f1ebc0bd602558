// Who stands between: products that open TLS sign with authorities of their own, and name themselves there. And what the
// world knows of a few hosts that every Go team asks: their certificates come from public authorities.

import type { Certificate } from "./certificate.ts";

/** Words in the issuer of a certificate that such a product made, and its name. */
const products: readonly (readonly [RegExp, string])[] = [
  [/zscaler/i, "Zscaler"],
  [/forti(gate|net|proxy)/i, "Fortinet FortiGate"],
  [/palo ?alto|\bpan-?os\b/i, "Palo Alto Networks"],
  [/netskope|goskope/i, "Netskope"],
  [/blue ?coat|proxysg|symantec.*(proxy|web gateway)/i, "Blue Coat / Symantec ProxySG"],
  [/cisco (umbrella|secure|web security)|opendns|ironport/i, "Cisco Umbrella / Web Security"],
  [/check ?point/i, "Check Point"],
  [/sophos/i, "Sophos"],
  [/mcafee|skyhigh/i, "McAfee / Skyhigh Web Gateway"],
  [/forcepoint|websense/i, "Forcepoint"],
  [/barracuda/i, "Barracuda"],
  [/watchguard/i, "WatchGuard"],
  [/sonicwall/i, "SonicWall"],
  [/untangle|arista edge/i, "Untangle"],
  [/cloudflare.*(gateway|teams|zero trust)|gateway ca.*cloudflare/i, "Cloudflare Gateway"],
  [/sangfor|深信服/i, "深信服 Sangfor"],
  [/qi-?anxin|奇安信|legendsec|网神/i, "奇安信 QiAnXin"],
  [/topsec|天融信/i, "天融信 TopSec"],
  [/hillstone|山石网科/i, "山石网科 Hillstone"],
  [/venustech|启明星辰/i, "启明星辰 Venustech"],
  [/nsfocus|绿盟/i, "绿盟 NSFOCUS"],
  [/ruijie|锐捷/i, "锐捷 Ruijie"],
  [/kaspersky/i, "Kaspersky"],
  [/\beset\b/i, "ESET"],
  [/avast|avg (web|technologies)/i, "Avast / AVG"],
  [/bitdefender/i, "Bitdefender"],
  [/adguard/i, "AdGuard"],
  [/mitmproxy/i, "mitmproxy"],
  [/fiddler/i, "Fiddler"],
  [/charles proxy/i, "Charles"],
  [/portswigger|burp/i, "Burp Suite"],
  [/reqable|whistle|proxyman|\bsurge\b|stream ca|anyproxy/i, "a debugging proxy"],
  [/watt toolkit|steam\+\+|beyonddimension/i, "Watt Toolkit (Steam++)"],
  [/fastgithub/i, "FastGithub"],
  [/\bsquid\b/i, "Squid"],
];

/** The product that made this certificate, by what its issuer calls itself. */
export function productOf({ issuer, subject }: Certificate): string | undefined {
  const text = `${issuer.text}\n${subject.text}`;
  return products.find(([words]) => words.test(text))?.[1];
}

/** Hosts whose certificates are always of a public authority: any other one was made on the way. */
const publicHosts: ReadonlySet<string> = new Set([
  "proxy.golang.org",
  "sum.golang.org",
  "index.golang.org",
  "storage.googleapis.com",
  "go.dev",
  "golang.org",
  "golang.google.cn",
  "dl.google.com",
  "goproxy.cn",
  "goproxy.io",
  "mirrors.aliyun.com",
  "repo.huaweicloud.com",
  "mirrors.cloud.tencent.com",
  "github.com",
  "codeload.github.com",
  "gitlab.com",
  "gitee.com",
  "gopkg.in",
]);

export function isPublicHost(host: string): boolean {
  return publicHosts.has(host.toLowerCase().replace(/\.$/, ""));
}
