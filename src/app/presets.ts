// Upstreams that are known without configuration: the official proxy, then mirrors in mainland China. Facts about
// operators are those the operators publish; what a mirror can do is probed at run time, never trusted.

import { officialProxyURL } from "#protocol/official.ts";

export type Preset = {
  readonly name: string;
  readonly url: string;
  readonly operator: string;
  /** Its 404 is final. */
  readonly authoritative: boolean;
  readonly capabilities: {
    /** Whether it relays the checksum database below /sumdb/. */
    readonly sumdb: "yes" | "no" | "unknown";
  };
};

export const presets: readonly Preset[] = [
  {
    name: "official",
    url: officialProxyURL,
    operator: "Google (the Go team)",
    authoritative: true,
    capabilities: { sumdb: "yes" },
  },
  {
    name: "goproxy.cn",
    url: "https://goproxy.cn",
    operator: "Qiniu Cloud (七牛云)",
    authoritative: false,
    capabilities: { sumdb: "yes" },
  },
  {
    name: "aliyun",
    url: "https://mirrors.aliyun.com/goproxy",
    operator: "Alibaba Cloud (阿里云)",
    authoritative: false,
    capabilities: { sumdb: "unknown" },
  },
];

/** The presets as a GOPROXY list. With `|` a mirror follows whatever the one before it does wrong, in mode `go` too. */
export const presetList: string = presets.map(({ url }) => url).join("|");
