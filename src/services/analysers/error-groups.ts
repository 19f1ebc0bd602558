// Hits become findings: repeats are one, with their number; the cause stands before what only follows from it.

import type { GranaryCode } from "#services/errors/codes.ts";
import { found } from "#services/findings/finding.ts";
import type { Finding } from "#services/findings/finding.ts";
import { goFindings } from "#services/findings/go.ts";
import type { GoCode } from "#services/findings/go.ts";
import type { Said } from "#services/findings/go-said.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import type { Hit } from "./error-hits.ts";
import { errorClasses, errorTraits } from "./error-traits.ts";
import type { ErrorClass } from "./error-traits.ts";

export type ExplainedError = {
  readonly finding: Finding;
  readonly class: ErrorClass;
  /** How many lines said it. */
  readonly count: number;
};

export type Explained = {
  /** In the order in which they are to be looked at. */
  readonly causes: readonly ExplainedError[];
  /** Would not be there without a cause above. */
  readonly follows: readonly ExplainedError[];
  /** Nothing failed. */
  readonly notices: readonly ExplainedError[];
};

type Group = { readonly code: GoCode; said: Said; count: number; readonly texts: Map<string, number> };

/** Distinct lines that are shown of one group. */
const maxEvidence = 3;
const maxEvidenceChars = 300;
/** Groups are few: codes times hosts. A log that has more is made up; the rest is counted with the last. */
const maxGroups = 200;

/** What a failure in the network has as its consequence, in the words of the same command. */
const consequences: ReadonlySet<GoCode> = new Set([
  "GO_NO_MODULE_FOR_PACKAGE",
  "GO_CANNOT_FIND_MODULE",
  "GO_IMPORT_PATH",
  "GO_SUM_MISSING",
  "GO_UNKNOWN_REVISION",
  "GO_TOOLCHAIN_UNAVAILABLE",
  "GO_NO_VERSION",
]);
/** What was under way when go ended: by itself a wait for ever, after another failure only an end. */
const openEnds: ReadonlySet<GoCode> = new Set(["GO_TRACE_UNANSWERED", "GO_H2_NO_ANSWER"]);
const networkClasses: ReadonlySet<ErrorClass> = new Set([
  "name",
  "unreachable",
  "certificate",
  "timeout",
  "transient",
  "permission",
  "answer",
]);
/** One explanation of a text that has several. */
const likely: ReadonlySet<GoCode> = new Set([
  "GO_ERR_HTML",
  "GO_SUMDB_UNKNOWN",
  "GO_ERR_TLS_TIMEOUT",
  "GO_GOPROXY_OFF",
]);

/** Granary's codes that another try may cure. */
const passing: ReadonlySet<string> = new Set([
  "GRANARY_UPSTREAM_FAILED",
  "GRANARY_UPSTREAM_TIMEOUT",
  "GRANARY_UPSTREAM_BUSY",
  "GRANARY_OFFLINE",
  "GRANARY_SUMDB_UNREACHABLE",
  "GRANARY_OVERLOADED",
  "GRANARY_RATE_LIMITED",
  "GRANARY_DRAINING",
] satisfies GranaryCode[]);

export function classOf(code: GoCode, { value }: Said): ErrorClass {
  if (code === "GO_GRANARY_ANSWER" && passing.has(value)) return "transient";
  return errorTraits[code].class;
}

export function explainHits(hits: Iterable<Hit>): Explained {
  const all = groupsOf(hits).map(explainedOf);
  const ordered = all.toSorted((a, b) => errorClasses.indexOf(a.class) - errorClasses.indexOf(b.class));
  const failed = ordered.some(({ class: of }) => networkClasses.has(of));
  const isNotice = ({ class: of }: ExplainedError): boolean => of === "notice";
  const isOpenEnd = ({ finding }: ExplainedError): boolean => openEnds.has(finding.code as GoCode);
  const ended = ordered.some((each) => !isOpenEnd(each) && !isNotice(each) && each.class !== "echo");
  const isEcho = (each: ExplainedError): boolean =>
    each.class === "echo" || (failed && consequences.has(each.finding.code as GoCode)) || (ended && isOpenEnd(each));
  return {
    causes: ordered.filter((each) => !isEcho(each) && !isNotice(each)),
    follows: ordered.filter(isEcho),
    notices: ordered.filter(isNotice),
  };
}

function groupsOf(hits: Iterable<Hit>): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const { code, said, line } of hits) {
    const key = `${code} ${said.host}`;
    const last = groups.size >= maxGroups ? [...groups.values()].at(-1) : undefined;
    const group = groups.get(key) ?? last ?? { code, said, count: 0, texts: new Map<string, number>() };
    if (last === undefined) groups.set(key, group);
    group.count++;
    group.said = merged(group.said, said);
    if (group.texts.size < maxEvidence && !group.texts.has(line.text)) group.texts.set(line.text, line.number);
  }
  return withoutNameless([...groups.values()]);
}

/** The rest of a message names no host any more: it belongs to the group that does. */
function withoutNameless(groups: readonly Group[]): readonly Group[] {
  return groups.filter((group) => {
    const named = groups.find(({ code, said }) => code === group.code && said.host !== "");
    if (named === undefined || group.said.host !== "") return true;
    named.count += group.count;
    named.said = merged(named.said, group.said);
    return false;
  });
}

function merged(first: Said, second: Said): Said {
  const pick = (name: keyof Said): string => (first[name] === "" ? second[name] : first[name]);
  return { what: pick("what"), host: pick("host"), value: pick("value") };
}

function explainedOf({ code, said, count, texts }: Group): ExplainedError {
  const { checks, fixes = [] } = errorTraits[code];
  const lines = [...texts].map(([text, number]) => {
    const shown = withoutCredentials(text).slice(0, maxEvidenceChars);
    return number === 0 ? shown : `${number}: ${shown}`;
  });
  const safe = { what: withoutCredentials(said.what), host: said.host, value: withoutCredentials(said.value) };
  const finding = found(goFindings, code, safe, {
    evidence: lines.map((text) => ({ kind: "seen", text })),
    checks: checksOf(checks, safe),
    fixes,
    confidence: likely.has(code) ? "likely" : "certain",
  });
  return { finding, class: classOf(code, said), count };
}

/** Words of a log that go into a line to paste: nothing that a shell could take for its own. */
const plainWord = /^[\w.!~@/:[\]+-]{1,200}$/;

function checksOf(checks: readonly string[], said: Said): readonly string[] {
  return checks.flatMap((check) => {
    const name = /\{(\w+)\}/.exec(check)?.[1] as keyof Said | undefined;
    if (name === undefined) return [check];
    const word = name === "host" ? hostWord(said.host, check) : said[name];
    return plainWord.test(word) && !word.startsWith("-") ? [check.replace(`{${name}}`, word)] : [];
  });
}

/** `granary tls` wants a port; the others a name alone. */
function hostWord(host: string, check: string): string {
  if (host === "" || check.includes("://")) return host;
  const hasPort = /:\d+$/.test(host);
  if (check.startsWith("granary tls")) return hasPort ? host : `${host}:443`;
  return host.replace(/:\d+$/, "");
}
