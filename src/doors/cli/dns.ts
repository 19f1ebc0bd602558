// `granary dns`: who answers for a host, whether the answers agree, and how a cache is emptied.

import type { DnsAnswer } from "#services/analysers/dns-ask.ts";
import type { CompareReport, WhichReport } from "#services/analysers/dns-report.ts";
import type { Examined } from "#services/analysers/tls-report.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { duration } from "#services/errors/sentences.ts";
import type { Finding } from "#services/findings/finding.ts";
import { fixLines } from "#services/findings/fix.ts";
import { jsonFlag, printJson, textOption } from "./command.ts";
import type { CommandSpec } from "./command.ts";
import { dnsTexts } from "./dns-texts.ts";
import { findingJson, findingsText } from "./findings.ts";
import { announcer, readTimeout, verboseFlag } from "./network.ts";
import type { FlushView } from "./network-view.ts";
import type { CliIo } from "./services.ts";
import { exit } from "./services.ts";
import { columnsOf, harmless, mark, padEnd, table, terminalColumns, wrap } from "./text.ts";

const shared = [{ flag: "--timeout DURATION", about: "flag.network-timeout" }, verboseFlag, jsonFlag] as const;

const which: CommandSpec = {
  name: "which",
  about: "command.dns.which",
  example: "granary dns which goproxy.cn",
  args: ["HOST"],
  flags: shared,
  run: async (call, context) => {
    const { io, services } = context;
    const network = await services.network();
    const request = { host: call.args[0] ?? "", timeoutMs: readTimeout(call.options) };
    const examined = await network.dnsWhich(request, announcer(call, context));
    if (call.options["json"] === true) printJson(context, "granary.dns-which/1", withFindings(examined, io));
    else io.stdout(whichText(examined, io));
    return exitOf(examined.findings);
  },
};

function exitOf(findings: readonly Finding[]): number {
  return findings.some(({ severity }) => severity !== "info") ? exit.findings : exit.ok;
}

function withFindings<R extends object>({ report, findings }: Examined<R>, io: CliIo): object {
  return { ...report, findings: findings.map((finding) => findingJson(finding, io)) };
}

export function whichText({ report, findings }: Examined<WhichReport>, io: CliIo): string {
  const texts = dnsTexts[io.lang];
  const { host, system, answerer, hostsFile, goCommand, withCgo, servers, goAddresses } = report;
  const by =
    answerer.kind === "hosts"
      ? texts.answeredBy.hosts(`${hostsFile}:${answerer.line.line}`)
      : answerer.kind === "server"
        ? texts.answeredBy.server(answerer.server)
        : texts.answeredBy[answerer.kind];
  const chosen = (one: WhichReport["withCgo"]): string =>
    texts.resolver(one.resolver, one.order, texts.because[one.because]);
  const rows: [string, string][] = [
    [texts.host, host],
    [texts.system, system === undefined ? by : `${system.join(", ")} (${by})`],
    goCommand === undefined ? ["go", texts.noGo] : [texts.goCommand(goCommand.version), chosen(goCommand)],
    [texts.withCgo, chosen(withCgo)],
  ];
  const verdict =
    goAddresses === undefined || goAddresses.length === 0
      ? texts.bad(host, findings.map(({ code }) => code).join(", ") || "DNS")
      : texts.whichVerdict(host, goAddresses.slice(0, 4).join(", "));
  return joined([labelled(rows), answersTable(servers, io), findingsText(findings, io), oneLine(verdict)]);
}

function joined(parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("\n");
}

function oneLine(text: string): string {
  return `${wrap(harmless(text), terminalColumns).join("\n")}\n`;
}

function labelled(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([label]) => columnsOf(label)));
  return rows
    .flatMap(([label, text]) =>
      wrap(harmless(text), terminalColumns - width - 2).map(
        (line, i) => `${padEnd(i === 0 ? label : "", width)}  ${line}\n`,
      ),
    )
    .join("");
}

type Answers = readonly { readonly server: string; readonly a: DnsAnswer; readonly aaaa: DnsAnswer }[];

/** One line for each address: answers of many stay within the terminal. */
function answersTable(servers: Answers, { lang }: CliIo): string {
  const texts = dnsTexts[lang];
  const rows = servers.flatMap(({ server, a, aaaa }) =>
    (
      [
        ["A", a],
        ["AAAA", aaaa],
      ] as const
    ).flatMap(([type, answer], i) =>
      answerRows(answer, lang).map((cells, j) =>
        [i + j === 0 ? server : "", j === 0 ? type : "", ...cells].map(harmless),
      ),
    ),
  );
  return rows.length === 0 ? "" : table([texts.columns, ...rows]);
}

function answerRows(answer: DnsAnswer, lang: CliIo["lang"]): string[][] {
  const texts = dnsTexts[lang];
  if (answer.kind === "failed") return [[answer.text, "", ""]];
  const time =
    duration(answer.ms) +
    (answer.way === "udp" ? "" : ` ${answer.way}`) +
    (answer.isAuthoritative ? ` ${texts.authority}` : "");
  if (answer.code !== "NOERROR" || answer.addresses.length === 0) {
    const ttl = answer.denialTtl === undefined ? "" : texts.ttl(answer.denialTtl);
    return [[answer.code === "NOERROR" ? texts.noAddress : answer.code, ttl, time]];
  }
  return [
    ...answer.aliases.slice(0, 1).map((alias) => [`→ ${alias}`, "", ""]),
    ...answer.addresses.map(({ address, ttl }, i) => [address, texts.ttl(ttl), i === 0 ? time : ""]),
  ];
}

const compare: CommandSpec = {
  name: "compare",
  about: "command.dns.compare",
  example: "granary dns compare goproxy.cn --servers 8.8.8.8,10.1.1.10",
  args: ["HOST"],
  flags: [
    { flag: "--servers LIST", about: "flag.dns-servers", isList: true },
    { flag: "--doh URL", about: "flag.dns-doh", isList: true },
    { flag: "--port PORT", about: "flag.dns-port" },
    ...shared,
  ],
  run: async (call, context) => {
    const { io, services } = context;
    const network = await services.network();
    const request = {
      host: call.args[0] ?? "",
      servers: listOf(call.options["servers"]),
      doh: listOf(call.options["doh"]),
      port: readPort(textOption(call, "port")),
      timeoutMs: readTimeout(call.options),
    };
    const examined = await network.dnsCompare(request, announcer(call, context));
    if (call.options["json"] === true) printJson(context, "granary.dns-compare/1", withFindings(examined, io));
    else io.stdout(compareText(examined, io));
    return exitOf(examined.findings);
  },
};

function listOf(value: unknown): string[] {
  const given = Array.isArray(value) ? (value as unknown[]).map(String) : [];
  return given
    .flatMap((text) => text.split(","))
    .map((text) => text.trim())
    .filter((text) => text !== "");
}

function readPort(text: string | undefined): number {
  if (text === undefined) return 443;
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--port", value: text, accepted: "443, 8443, 0" });
}

export function compareText({ report, findings }: Examined<CompareReport>, io: CliIo): string {
  const texts = dnsTexts[io.lang];
  const { host, views, addresses } = report;
  const people = addresses.map(({ address, kind, identity, text, from }) =>
    [
      address,
      [texts.identities[identity], text === "" ? "" : `(${text.slice(0, 28)})`, kind === "public" ? "" : `[${kind}]`]
        .filter((part) => part !== "")
        .join(" "),
      from.join(", "),
    ].map(harmless),
  );
  const doubts = findings.filter(({ severity }) => severity !== "info").map(({ code }) => code);
  return joined([
    answersTable(views, io),
    people.length === 0 ? "" : table([texts.addressColumns, ...people]),
    findingsText(findings, io),
    oneLine(doubts.length === 0 ? texts.well(host) : texts.bad(host, [...new Set(doubts)].join(", "))),
  ]);
}

const flush: CommandSpec = {
  name: "flush",
  about: "command.dns.flush",
  example: "granary dns flush",
  flags: [{ flag: "--run", about: "flag.dns-run" }, verboseFlag, jsonFlag],
  run: async (call, context) => {
    const { io, services } = context;
    const network = await services.network();
    const view = await network.dnsFlush(call.options["run"] === true, announcer(call, context));
    if (call.options["json"] === true) printJson(context, "granary.dns-flush/1", view);
    else io.stdout(flushText(view, io));
    const hasFailed = view.caches.some(({ ran }) => ran?.some(({ code }) => code !== 0) === true);
    return hasFailed ? exit.failed : exit.ok;
  },
};

function flushText({ caches }: FlushView, io: CliIo): string {
  const texts = dnsTexts[io.lang];
  if (caches.length === 0) return `${oneLine(texts.noCache)}${oneLine(texts.goKeepsNone)}`;
  const lines = caches.flatMap(({ cache, fixes, ran }) => [
    cache,
    ...fixes.flatMap((fix, i) => {
      const result = ran?.[i];
      const said =
        result === undefined
          ? []
          : [
              `    ${mark(result.code === 0 ? "ok" : "fail", io.isUtf8)} ${texts.flushRan(result.code)}${result.said === "" ? "" : `: ${harmless(result.said.split("\n")[0] ?? "")}`}`,
            ];
      return [...fixLines(fix, io.shell).map((line) => `  ${line}`), ...said];
    }),
  ]);
  const hint = caches.some(({ ran }) => ran === undefined) ? [texts.flushHint] : [];
  return `${[...lines, ...hint].join("\n")}\n${oneLine(texts.goKeepsNone)}`;
}

export const dnsCommand: CommandSpec = {
  name: "dns",
  about: "command.dns",
  example: "granary dns which goproxy.cn",
  commands: [which, compare, flush],
};
