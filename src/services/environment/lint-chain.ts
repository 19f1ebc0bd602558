// Rules for GOPROXY. Source: protocol reference §3.2, §11.1; requirements S1-04, S2-10, S3-09.

import { ProtocolError } from "#protocol/errors.ts";
import { parseProxyList } from "#protocol/proxylist.ts";
import { trimSpace } from "#protocol/space.ts";
import { chainFindings } from "#services/findings/chain.ts";
import { found } from "#services/findings/finding.ts";
import type { Details, Finding } from "#services/findings/finding.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import { chainOf, unreadOf } from "./chain.ts";
import type { Hop } from "./chain.ts";
import { knows, sinceVersion } from "./go-versions.ts";
import { dialMs, tlsHandshakeMs } from "./happenings.ts";
import { evidenceOf, fixesOf } from "./rule.ts";
import type { Lint } from "./rule.ts";
import { isLoopback, isPublicProxy } from "./public-proxies.ts";
import type { Setting } from "./settings.ts";

type Url = Hop & { readonly kind: "proxy" };

export function lintChain(on: Lint): readonly Finding[] {
  if (on.from.isGiven === true && on.from.process["GOPROXY"] === undefined) return [];
  const setting = safe(on.settings.all.GOPROXY);
  const evidence = evidenceOf(setting);
  const raw = on.settings.all.GOPROXY.value;
  const words = wordsOf(raw, on.settings.version);
  const spelling = words.flatMap((word) => spellingOf(word, { setting, evidence, raw }));
  const chain = chainOf(raw, "", on.settings.version);
  if (chain.kind === "refused") {
    // A wrong word, quotes or a joined entry say it better than go's own sentence.
    const isSaid = spelling.some(({ severity }) => severity === "fail");
    return isSaid ? spelling : [...spelling, refusal(chain.sentence, on, evidence)];
  }
  const urls = chain.hops.filter((hop) => hop.kind === "proxy");
  return [
    ...spelling,
    ...blanks(on, raw, evidence),
    ...words.flatMap((word) => schemes(word, on, { setting, evidence })),
    ...endings(chain.hops, raw, { setting, evidence }),
    ...urls.flatMap((hop) => addresses(hop, evidence)),
    ...pairs(chain.hops, evidence),
    ...waits(urls, evidence),
  ];
}

type Context = { readonly setting: Setting; readonly evidence: Details["evidence"] & {}; readonly raw: string };

/** The entries that go looks at: the first `direct` or `off` is the last. */
function wordsOf(raw: string, version: string): readonly string[] {
  if (!knows(version, "lists")) return [raw];
  const words = raw
    .split(knows(version, "pipes") ? /[,|]/ : ",")
    .map(trimSpace)
    .filter((word) => word !== "");
  const end = words.findIndex((word) => word === "direct" || word === "off");
  return end < 0 ? words : words.slice(0, end + 1);
}

/** What is written as no entry should be, whatever go makes of it. */
function spellingOf(word: string, { setting, evidence, raw }: Context): readonly Finding[] {
  const entry = withoutCredentials(word);
  const meant = word.toLowerCase();
  const details = { evidence, fixes: fixesOf(setting, repaired(withoutCredentials(raw))) };
  if (word !== meant && (meant === "direct" || meant === "off"))
    return [found(chainFindings, "CHAIN_KEYWORD_CASE", { word, meant }, details)];
  if (/^['"‘’“”`]|['"‘’“”`]$/.test(word)) return [found(chainFindings, "CHAIN_QUOTES", { entry }, details)];
  const mark = /[;，；、]|\s+/u.exec(word)?.[0];
  if (mark === undefined) return [];
  const shown = mark.trim() === "" ? '" "' : mark;
  return [found(chainFindings, "CHAIN_JOINED", { entry, mark: shown }, details)];
}

/** The list as it was meant: no quotes, commas between entries, keywords in lower case. */
function repaired(raw: string): string {
  return raw
    .replaceAll(/['"‘’“”`]/gu, "")
    .replaceAll(/[;，；、]|(?<=[^\s,|])\s+(?=[^\s,|])/gu, ",")
    .split(/([,|])/)
    .map((part) => (/^\s*(?:direct|off)\s*$/i.test(part) ? part.trim().toLowerCase() : trimSpace(part)))
    .join("");
}

function refusal(sentence: string, { settings }: Lint, evidence: Context["evidence"]): Finding {
  const { value } = settings.all.GOPROXY;
  const { version } = settings;
  if (!knows(version, "pipes") && value.includes("|") && isReadable(value)) {
    const fields = { form: "|", since: sinceVersion("pipes"), version };
    return found(chainFindings, "CHAIN_TOO_NEW", fields, { evidence });
  }
  if (/^[\s,|]*$/.test(value)) return found(chainFindings, "CHAIN_EMPTY", { value }, { evidence });
  return found(chainFindings, "CHAIN_REFUSED", { sentence: withoutCredentials(sentence) }, { evidence });
}

function isReadable(value: string): boolean {
  try {
    return parseProxyList(value).length > 0;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}

function blanks({ isStrict, settings }: Lint, raw: string, evidence: Context["evidence"]): readonly Finding[] {
  const isTight = raw.split(/[,|]/).every((entry) => entry === trimSpace(entry));
  if (isTight) return [];
  const severity = isStrict ? ({ severity: "fail" } as const) : {};
  const fixes = fixesOf(settings.all.GOPROXY, repaired(withoutCredentials(raw)));
  const value = withoutCredentials(raw);
  return [found(chainFindings, "CHAIN_BLANKS", { value }, { evidence, fixes, ...severity })];
}

function schemes(word: string, { isStrict, settings }: Lint, { evidence }: Omit<Context, "raw">): readonly Finding[] {
  const isBare = /[.:/]/.test(word) && !word.includes(":/");
  const isComma = !knows(settings.version, "lists") && word.includes(",");
  if (isComma) {
    const fields = { form: ",", since: sinceVersion("lists"), version: settings.version };
    return [found(chainFindings, "CHAIN_TOO_NEW", fields, { evidence })];
  }
  if (!isBare) return [];
  // With a port somebody most likely means a server without TLS.
  const isLikelyWrong = /:\d+/.test(word) || word.startsWith("localhost");
  const severity = isStrict ? "fail" : isLikelyWrong ? "warn" : "info";
  const entry = withoutCredentials(word);
  return [found(chainFindings, "CHAIN_NO_SCHEME", { entry, url: `https://${entry}` }, { evidence, severity })];
}

function endings(hops: readonly Hop[], raw: string, { setting, evidence }: Omit<Context, "raw">): readonly Finding[] {
  const last = hops.at(-1);
  const unread = withoutCredentials(unreadOf(raw));
  const isAlone = hops.length === 1;
  if (last?.kind === "proxy") return [found(chainFindings, "CHAIN_NO_DIRECT", {}, { evidence })];
  const end = last?.kind ?? "direct";
  if (unread !== "") {
    const fixes = fixesOf(setting, moved(withoutCredentials(raw), end));
    return [found(chainFindings, "CHAIN_AFTER_END", { end, unread }, { evidence, fixes })];
  }
  if (!isAlone) return [];
  return [found(chainFindings, end === "off" ? "CHAIN_OFF" : "CHAIN_ONLY_DIRECT", {}, { evidence })];
}

/** The list with its end at the end. */
function moved(raw: string, end: string): string {
  const words = raw
    .split(/[,|]/)
    .map(trimSpace)
    .filter((word) => word !== "" && word !== "direct" && word !== "off");
  return [...words, end].join(",");
}

function addresses({ url }: Url, evidence: Context["evidence"]): readonly Finding[] {
  const entry = withoutCredentials(url);
  const hasUser = /^[a-z]+:\/\/[^/?#]*@/.test(url);
  const isPlain = url.startsWith("http:");
  const findings: Finding[] = [];
  if (hasUser)
    findings.push(
      found(chainFindings, isPlain ? "CHAIN_CREDENTIALS_HTTP" : "CHAIN_CREDENTIALS", { entry }, { evidence }),
    );
  if (isPlain && !isLoopback(url)) findings.push(found(chainFindings, "CHAIN_PLAIN_HTTP", { entry }, { evidence }));
  if (url.includes("?")) findings.push(found(chainFindings, "CHAIN_QUERY", { entry }, { evidence }));
  return findings;
}

/** A comma where the next one should help out; a pipe where a refusal should hold. */
function pairs(hops: readonly Hop[], evidence: Context["evidence"]): readonly Finding[] {
  return hops.flatMap((hop, at) => {
    const next = hops[at + 1];
    if (hop.kind !== "proxy" || next === undefined || next.kind === "off" || next.kind === "noproxy") return [];
    const fields = {
      entry: withoutCredentials(hop.url),
      next: next.kind === "proxy" ? withoutCredentials(next.url) : "direct",
    };
    const isPublic = isPublicProxy(hop.url);
    if (hop.separator === "|")
      return isPublic || isLoopback(hop.url)
        ? []
        : [found(chainFindings, "CHAIN_PIPE_PASSES_REFUSAL", fields, { evidence, confidence: "likely" })];
    if (!isPublic) return [];
    // Behind the last mirror stands direct, which few networks that need a mirror can use: worth knowing, no more.
    const severity = next.kind === "proxy" ? "warn" : "info";
    return [found(chainFindings, "CHAIN_COMMA_STOPS", fields, { evidence, severity })];
  });
}

/** The most that connecting may cost before the list is at its end: behind a comma the first failure is the end. */
function waits(urls: readonly Url[], evidence: Context["evidence"]): readonly Finding[] {
  const remote = urls.filter(({ url }) => !isLoopback(url) && !url.startsWith("file:"));
  if (remote.length === 0) return [];
  const stop = remote.findIndex(({ separator }) => separator !== "|");
  const hops = stop < 0 ? remote.length : stop + 1;
  const seconds = (ms: number): string => `${(ms * hops) / 1000} s`;
  const fields = { hops, dial: seconds(dialMs), tls: seconds(tlsHandshakeMs) };
  return [found(chainFindings, "CHAIN_WORST_WAIT", fields, { evidence })];
}

/** The setting with its passwords hidden: evidence is pasted elsewhere. */
function safe(setting: Setting): Setting {
  return { ...setting, value: withoutCredentials(setting.value) };
}
