// The `upstreams:` section: what the operator says of single upstreams.
//
//   upstreams:
//     corp:
//       url: https://proxy.corp.example
//       private: git.corp.example/*
//       headers: { Authorization: "file:/run/secrets/proxy" }

import { GranaryError } from "#services/errors/granary-error.ts";
import type { Lang } from "#services/errors/sentences.ts";
import { isCidr, isPatternList, isProxyList } from "./config-checks.ts";
import { decimal, duration, integer, listOf, onOff, oneOf, percent, rate, text } from "./config-kinds.ts";
import { egressKind, readEgress } from "./config-egress.ts";
import { readSecret } from "./config-secrets.ts";
import type { FileEntry } from "./config-file.ts";
import { field, unknownField } from "./config-sections.ts";
import type { Field } from "./config-sections.ts";
import type { Machine } from "./go-env.ts";
import { presets } from "./presets.ts";

/** All that is known of one upstream beside its place in the list; matched to the list by URL. */
export type NamedUpstream = {
  readonly name: string;
  readonly url: string;
  readonly authoritative?: boolean;
  /** Statuses that mean absence beside 404 and 410. */
  readonly absent?: readonly number[];
  /** GOPRIVATE patterns it may be asked for; without them it is public. */
  readonly private?: string;
  /** PEM file with certificates trusted for it. */
  readonly ca?: string;
  readonly redirectCidrs?: readonly string[];
  readonly priority?: number;
  readonly weight?: number;
  readonly region?: string;
  readonly notFound?: "return404" | "tryNext" | "rollback";
  /** Shares, 0 to 1. */
  readonly shadow?: number;
  readonly canary?: number;
  /** Requests a second. */
  readonly perSecond?: number;
  readonly silenceMs?: number;
  /** A Granary that this one is an edge of. */
  readonly origin?: boolean;
  /** Sent with every request to it. Values are secrets. */
  readonly headers?: Readonly<Record<string, string>>;
  /** PEM files: what we show to an upstream that asks for a client certificate. Both or none. */
  readonly clientCert?: string;
  readonly clientKey?: string;
  /** How connections to it leave, when not as `egress` says; credentials resolved. */
  readonly egress?: string;
};

/** The keys below `upstreams.<name>`, headers aside. */
type FieldKey = Exclude<keyof NamedUpstream, "name" | "headers" | "perSecond" | "silenceMs"> | "rate" | "silence";

/** Fields whose value goes by another name inside. */
const insideNames: Readonly<Record<string, string>> = { rate: "perSecond", silence: "silenceMs" };

export const upstreamFields: Readonly<Record<FieldKey, Field>> = {
  url: field({
    kind: text(
      { en: "an http, https or file URL", "zh-CN": "http、https 或 file URL" },
      (value) => isProxyList(value) && !/[,|]/.test(value),
    ),
    about: {
      en: "base URL; an entry of `upstream` with the same URL gets these details",
      "zh-CN": "基础 URL；upstream 中 URL 相同的条目适用这些设置",
    },
    reason: "The list says the order, this section says what each one is.",
  }),
  authoritative: field({
    kind: onOff,
    about: { en: "its 404 is final (mode resilient)", "zh-CN": "它的 404 即为定论（resilient 模式）" },
    reason: "Only an upstream that sees everything can know that something does not exist.",
  }),
  absent: field({
    kind: {
      ...listOf(
        text({ en: "status codes from 400 to 499", "zh-CN": "400 到 499 的状态码" }, (value) => /^4\d\d$/.test(value)),
        ",",
      ),
      format: String,
    },
    about: {
      en: "further statuses that mean absence, for example [403]",
      "zh-CN": "同样表示“不存在”的其他状态码，如 [403]",
    },
    reason: "Some proxies answer 403 for modules they do not know.",
  }),
  private: field({
    kind: text({ en: "GOPRIVATE patterns with commas between", "zh-CN": "以逗号分隔的 GOPRIVATE 模式" }, isPatternList),
    about: { en: "private modules it may be asked for", "zh-CN": "可以向它询问的私有模块" },
    reason: "Private names go only to upstreams that are declared private for them.",
  }),
  ca: field({
    kind: text({ en: "a path", "zh-CN": "路径" }),
    about: { en: "PEM file of certificates trusted for it", "zh-CN": "为它信任的证书（PEM 文件）" },
    reason: "A company's own certificate authority.",
  }),
  redirectCidrs: field({
    kind: listOf(text({ en: "networks such as 10.0.0.0/8", "zh-CN": "网段，如 10.0.0.0/8" }, isCidr), ","),
    about: { en: "private networks its redirects may lead to", "zh-CN": "允许它重定向到的私有网段" },
    reason: "A redirect into the internal network is otherwise refused.",
  }),
  priority: field({
    kind: integer(1, 99),
    about: {
      en: "its level: the next level is asked when all of the one before have failed (mode resilient; 1 without it)",
      "zh-CN": "所在层级：前一层全部失败后才询问下一层（resilient 模式；默认 1）",
    },
    reason: "A mirror inside the house first, a regional one next, the world last.",
  }),
  weight: field({
    kind: decimal(0.001, 1000),
    about: {
      en: "its share of modules among those of its level; without weights the list's order holds",
      "zh-CN": "同一层内分到的模块份额；未设权重时按列表顺序",
    },
    reason: "Spreads load over mirrors. All files of a module are asked of the same one first.",
  }),
  region: field({
    kind: text({ en: "a word such as cn", "zh-CN": "一个词，如 cn" }, (value) => /^[\w-]{1,32}$/.test(value)),
    about: {
      en: "where it is; its weight is multiplied by that of the region (`regions`)",
      "zh-CN": "所在区域；其权重乘以该区域的权重（regions）",
    },
    reason: "One setting turns all mirrors of a region up or down.",
  }),
  notFound: field({
    kind: oneOf("return404", "tryNext", "rollback"),
    about: {
      en: "what its 404 means: final (return404), ask the next (tryNext), or ask the next and never deny what was once kept (rollback)",
      "zh-CN":
        "它的 404 的含义：定论（return404）、询问下一个（tryNext）、询问下一个且绝不否认曾保存过的版本（rollback）",
    },
    reason: "return404 is another word for authoritative. rollback is for mirrors that forget.",
  }),
  shadow: field({
    kind: percent,
    about: {
      en: "never served from: asked as well for this share of what is kept, to compare hashes",
      "zh-CN": "不用于提供内容：按此比例额外询问，仅比较哈希",
    },
    reason: "Shows how a mirror does before anybody depends on it.",
  }),
  canary: field({
    kind: percent,
    about: {
      en: "asked first for this share of modules, last for the others",
      "zh-CN": "对此比例的模块最先询问，其余最后询问",
    },
    reason: "Takes a new upstream in gradually.",
  }),
  rate: field({
    kind: rate,
    about: { en: "requests a second it is sent at most", "zh-CN": "每秒最多向它发送的请求数" },
    reason: "Staying below a known limit is quicker than being told to wait.",
  }),
  silence: field({
    kind: duration(100, 10 * 60_000),
    about: {
      en: "silence after which the next upstream is asked as well",
      "zh-CN": "静默多久后同时询问下一个上游",
    },
    reason: "Instead of upstreamClient.silence, for one that is always slow or always quick.",
  }),
  origin: field({
    kind: onOff,
    about: {
      en: "a Granary that this one is an edge of: its lifetimes are obeyed, and the nearest of several comes first",
      "zh-CN": "本服务器是它的边缘节点：遵循它给出的有效期，多个源站中最近的优先",
    },
    reason: "An edge learns what its origin says now, without making anybody wait for it.",
  }),
  clientCert: field({
    kind: text({ en: "a path", "zh-CN": "路径" }),
    about: { en: "PEM certificate chain shown to it (mutual TLS)", "zh-CN": "向它出示的客户端证书链（双向 TLS，PEM）" },
    reason: "The go command has no client certificates; Granary shows one for it.",
  }),
  clientKey: field({
    kind: text({ en: "a path", "zh-CN": "路径" }),
    about: { en: "PEM private key of clientCert", "zh-CN": "clientCert 的 PEM 私钥" },
    reason: "Belongs to clientCert; both or none. Never shown to hosts it redirects to.",
  }),
  egress: field({
    kind: egressKind,
    about: { en: "how connections to it leave, instead of `egress`", "zh-CN": "到它的连接如何出站，取代全局 egress" },
    reason: "An upstream inside the house beside others behind the proxy, or the reverse.",
  }),
};

export type UpstreamSection = {
  readonly upstreams: readonly NamedUpstream[];
  readonly warnings: { readonly key: string; readonly origin: string }[];
};

/** Reads the section, with the presets below it. Throws GranaryError on unknown keys and bad values. */
export async function readUpstreams(
  entries: readonly FileEntry[],
  machine: Machine,
  lang: Lang,
): Promise<UpstreamSection> {
  const named = new Map<string, Record<string, unknown>>();
  for (const { name, url, authoritative } of presets) named.set(name, { name, url, authoritative });
  const warnings: { key: string; origin: string }[] = [];
  for (const entry of entries) {
    const [, name = "", key = "", header] = entry.path;
    const upstream = named.get(name) ?? { name };
    named.set(name, upstream);
    if (key === "headers" && header !== undefined && typeof entry.value === "string") {
      const secret = await readSecret({ ...entry, value: entry.value }, machine);
      checkHeader(header, secret.value, { entry, lang });
      if (secret.isPlain) warnings.push({ key: entry.key, origin: entry.origin });
      upstream["headers"] = { ...(upstream["headers"] as object | undefined), [header]: secret.value };
    } else if (key === "egress" && typeof entry.value === "string") {
      const secret = await readEgress({ ...entry, value: entry.value }, machine, lang);
      if (secret.isPlain) warnings.push({ key: entry.key, origin: entry.origin });
      upstream[key] = secret.value;
    } else upstream[insideNames[key] ?? key] = readField(key, entry, lang);
  }
  for (const [name, upstream] of named) {
    if (upstream["url"] === undefined) throw badUrl(name, entries, lang);
    checkClientPair(name, upstream, { entries, lang });
  }
  return { upstreams: [...named.values()] as NamedUpstream[], warnings };
}

/** RFC 9110 §5.1, §5.5: a token, and no control characters. The value is a secret and never shown. */
function checkHeader(name: string, value: string, at: { readonly entry: FileEntry; readonly lang: Lang }): void {
  if (/^[\w!#$%&'*+.^`|~-]+$/.test(name) && !/\p{Cc}/u.test(value)) return;
  const accepted = at.lang === "en" ? "an HTTP header name, and a value on one line" : "HTTP 头名称，以及不含换行的值";
  const { origin, key } = at.entry;
  throw new GranaryError("GRANARY_BAD_CONFIG", { origin, key, value: "…", accepted });
}

function checkClientPair(
  name: string,
  { clientCert, clientKey }: Record<string, unknown>,
  at: { readonly entries: readonly FileEntry[]; readonly lang: Lang },
): void {
  if ((clientCert === undefined) === (clientKey === undefined)) return;
  const missing = clientCert === undefined ? "clientCert" : "clientKey";
  const origin = at.entries.find((entry) => entry.path[1] === name)?.origin ?? "";
  const accepted = upstreamFields[missing].kind.accepted[at.lang];
  throw new GranaryError("GRANARY_BAD_CONFIG", { origin, key: `upstreams.${name}.${missing}`, value: "", accepted });
}

function badUrl(name: string, entries: readonly FileEntry[], lang: Lang): GranaryError {
  const origin = entries.find((entry) => entry.path[1] === name)?.origin ?? "";
  const accepted = upstreamFields.url.kind.accepted[lang];
  return new GranaryError("GRANARY_BAD_CONFIG", { origin, key: `upstreams.${name}.url`, value: "", accepted });
}

function readField(key: string, entry: FileEntry, lang: Lang): unknown {
  const known = entry.path.length === 3 && Object.hasOwn(upstreamFields, key);
  if (!known) throw unknownField(key, [...Object.keys(upstreamFields), "headers"], entry);
  const { kind } = upstreamFields[key as keyof typeof upstreamFields];
  const raw = kind.listSeparator !== undefined && typeof entry.value === "string" ? [entry.value] : entry.value;
  const read = kind.schema.safeParse(raw);
  if (!read.success)
    throw new GranaryError("GRANARY_BAD_CONFIG", {
      origin: entry.origin,
      key: entry.key,
      value: String(entry.value),
      accepted: kind.accepted[lang],
    });
  return key === "absent" ? (read.data as readonly string[]).map(Number) : read.data;
}
