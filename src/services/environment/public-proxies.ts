// Hosts of public module proxies, by which lint tells "somebody's free service" from "our own server": the first may
// fail at any time and refuses nobody, the second is there to refuse. Unknown hosts count as one's own.

import { officialProxyHost } from "#protocol/official.ts";

const hosts: ReadonlySet<string> = new Set([
  officialProxyHost,
  "goproxy.cn",
  "goproxy.io",
  "mirrors.aliyun.com",
  "mirrors.cloud.tencent.com",
  "mirrors.tencent.com",
  "repo.huaweicloud.com",
  "mirrors.huaweicloud.com",
  "goproxy.bj.bcebos.com",
  "athens.azurefd.net",
  "gocenter.io",
]);

export function isPublicProxy(url: string): boolean {
  return hosts.has(hostOf(url));
}

/** The host of a URL without its port, lower case; "" when there is none. */
export function hostOf(url: string): string {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#]*@)?([^/?#]*)/i.exec(url)?.[1] ?? "";
  return authority.replace(/:\d*$/, "").toLowerCase();
}

export function isLoopback(url: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostOf(url));
}
