// `granary trace`: hops and phases in columns, directly and through the egress proxy, which phase took most, which cache
// answered; with --protocols HTTP/2 beside HTTP/1.1.

import { bytes, count, duration } from "#services/errors/sentences.ts";
import { endText, hostOf } from "#services/analysers/http-outcome.ts";
import { phasesOf } from "#services/analysers/http-trace.ts";
import type { Path } from "#services/analysers/http-trace.ts";
import type { Comparison, ProtocolRun } from "#services/analysers/http-protocols.ts";
import type { HttpExchange } from "#services/analysers/http-ports.ts";
import { jsonFlag, printJson, textOption } from "./command.ts";
import type { CommandSpec } from "./command.ts";
import { findingJson, findingsText } from "./findings.ts";
import { fetchJson } from "./http-json.ts";
import type { TraceView } from "./http-services.ts";
import { httpTexts } from "./http-texts.ts";
import type { HttpTexts } from "./http-texts.ts";
import type { CliContext } from "./services.ts";
import { exit } from "./services.ts";
import { harmless, table } from "./text.ts";

export const traceCommand: CommandSpec = {
  name: "trace",
  about: "command.trace",
  example: "granary trace https://goproxy.cn/rsc.io/quote/@v/list",
  args: ["URL"],
  flags: [
    { flag: "--direct", about: "flag.trace-direct" },
    { flag: "--via URL", about: "flag.simulate-via" },
    { flag: "--protocols", about: "flag.trace-protocols" },
    jsonFlag,
  ],
  run: async (call, context) => {
    const { args, options } = call;
    const request = {
      url: args[0] ?? "",
      way: options["direct"] === true ? "direct" : "both",
      via: textOption(call, "via"),
      comparesProtocols: options["protocols"] === true,
    } as const;
    const view = await (await context.services.http()).trace(request);
    if (options["json"] === true) printTraceJson(view, context);
    else context.io.stdout(traceText(view, context));
    return findingsOf(view).some(({ severity }) => severity === "fail") ? exit.findings : exit.ok;
  },
};

/** What fails one way may be why the other exists; the way that go takes comes last. */
function findingsOf({ paths, protocols }: TraceView) {
  return [...(paths.at(-1)?.findings ?? []), ...(protocols?.findings ?? [])];
}

function traceText(view: TraceView, { io }: CliContext): string {
  const texts = httpTexts[io.lang];
  const { paths, protocols, url } = view;
  const usual = paths.at(-1);
  const parts = [
    `${harmless(url)}\n`,
    table(
      [["", ...paths.map(({ route }) => texts.way[route])], ...rowsOf(paths, texts)].map((row) => row.map(harmless)),
    ),
    usual === undefined ? "" : bottleneckText(usual, texts),
    usual === undefined ? "" : cacheText(usual, texts),
    protocols === undefined ? "" : protocolsText(protocols, texts),
    findingsText(findingsOf(view), io),
  ];
  return parts.filter((part) => part !== "").join("\n");
}

function rowsOf(paths: readonly Path[], texts: HttpTexts): string[][] {
  const hops = Math.max(...paths.map(({ fetch }) => fetch.exchanges.length));
  const rows = Array.from({ length: hops }, (_, hop) =>
    hopRows(
      paths.map(({ fetch }) => fetch.exchanges[hop]),
      hop,
      texts,
    ),
  );
  return [...rows.flat(), [texts.total, ...paths.map(({ totalMs }) => duration(totalMs))]];
}

function hopRows(exchanges: readonly (HttpExchange | undefined)[], hop: number, texts: HttpTexts): string[][] {
  const times = exchanges.map((exchange) => new Map(exchange === undefined ? [] : phasesOf(exchange)));
  const names = (["dnsMs", "tcpMs", "tunnelMs", "tlsMs", "firstByteMs", "bodyMs"] as const).filter((name) =>
    times.some((each) => each.has(name)),
  );
  const cell = (ms: number | undefined): string => (ms === undefined ? "-" : duration(ms));
  const places = exchanges.map((exchange) => (exchange === undefined ? "-" : placeText(exchange)));
  const protocols = exchanges.map((exchange) => exchange?.protocol ?? "-");
  return [
    [texts.hop(hop + 1, hostOf(exchanges.find((each) => each !== undefined)?.url ?? "")), ...protocols],
    [`  ${texts.to}`, ...places],
    ...names.map((name) => [`  ${texts.phase[name]}`, ...times.map((each) => cell(each.get(name)))]),
    [`  ${texts.answer}`, ...exchanges.map((exchange) => (exchange === undefined ? "-" : answerText(exchange)))],
  ];
}

function placeText({ address, via }: HttpExchange): string {
  return via === undefined ? (address ?? "-") : `via ${via}`;
}

function answerText({ status, fault, headers, body }: HttpExchange): string {
  if (status === undefined) return endText({ kind: "fault", fault: fault ?? noFault, exchange: {} as HttpExchange });
  const to = headers["location"];
  const cut = fault === undefined || fault.kind === "too-large" ? "" : ` ${fault.kind}`;
  return to === undefined ? `${count(status)}${cut} ${bytes(body.length)}` : `${count(status)} → ${hostOf(to)}`;
}

const noFault = { kind: "closed", during: "answer", message: "" } as const;

function bottleneckText({ bottleneck, fetch }: Path, texts: HttpTexts): string {
  if (bottleneck === undefined) return "";
  const { hop, phase, ms, share } = bottleneck;
  const host = hostOf(fetch.exchanges[hop]?.url ?? "");
  return `${texts.bottleneck({ phase: texts.phase[phase], hop: hop + 1, host: harmless(host), ms, share })}\n`;
}

function cacheText({ cache }: Path, texts: HttpTexts): string {
  const rows = cache.layers.map((layer) => [
    texts.cacheLayer[layer.layer],
    texts.cacheVerdict[layer.verdict],
    texts.cache(layer),
  ]);
  const age = cache.ageSeconds === undefined ? "" : `${texts.age(cache.ageSeconds)}\n`;
  return table(rows.map((row) => row.map(harmless))) + age;
}

function protocolsText({ h2, http1, verdict }: Comparison, texts: HttpTexts): string {
  const rows = [h2, http1].filter((run) => run !== undefined).map(protocolRow);
  return `${rows.length === 0 ? "" : table([texts.protocolColumns.split("\t"), ...rows])}${texts.protocolVerdict[verdict]}\n`;
}

function protocolRow({ protocol, firstByteMs, burst, resets, asked }: ProtocolRun): string[] {
  return [
    protocol,
    firstByteMs === undefined ? "-" : duration(firstByteMs),
    `${count(burst.answered)}/${count(burst.asked)}`,
    burst.asked === 0 ? "-" : duration(burst.wallMs),
    `${count(resets)}/${count(asked)}`,
  ];
}

function printTraceJson(view: TraceView, context: CliContext): void {
  const { url, paths, protocols } = view;
  printJson(context, "granary.trace/1", {
    url,
    paths: paths.map(({ route, fetch, totalMs, bottleneck, cache }) => ({
      way: route === "usual" ? "relayed" : "direct",
      ...fetchJson(fetch),
      totalMs: Math.round(totalMs * 10) / 10,
      ...(bottleneck !== undefined && { bottleneck }),
      cache,
    })),
    ...(protocols !== undefined && {
      protocols: { verdict: protocols.verdict, h2: runJson(protocols.h2), http1: runJson(protocols.http1) },
    }),
    findings: findingsOf(view).map((finding) => findingJson(finding, context.io)),
  });
}

function runJson(run: ProtocolRun | undefined): object | undefined {
  if (run === undefined) return undefined;
  const { firstByteMs, burst, resets, asked } = run;
  return { firstByteMs, burst, resets, asked };
}
