// `granary simulate`: the requests in go's order, the hashes, what is wrong, and whether go would succeed.

import { bytes, count } from "#services/errors/sentences.ts";
import { stepText } from "#services/analysers/http-judge.ts";
import { repeatsClientErrors } from "#services/analysers/http-go.ts";
import { endText, hostOf } from "#services/analysers/http-outcome.ts";
import type { HttpExchange } from "#services/analysers/http-ports.ts";
import type { Try } from "#services/analysers/http-chain.ts";
import type { Hashed, Step } from "#services/analysers/http-simulation.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { jsonFlag, printJson, textOption } from "./command.ts";
import type { Call, CommandSpec } from "./command.ts";
import { findingJson, findingsText } from "./findings.ts";
import { stepJson } from "./http-json.ts";
import type { SimulateRequest, SimulationView } from "./http-services.ts";
import { httpTexts } from "./http-texts.ts";
import type { CliContext } from "./services.ts";
import { exit } from "./services.ts";
import { harmless, mark, table, terminalColumns, wrap } from "./text.ts";

export const simulateCommand: CommandSpec = {
  name: "simulate",
  about: "command.simulate",
  example: "granary simulate golang.org/x/net@v0.24.0 --via http://127.0.0.1:3128",
  args: ["MODULE@VERSION"],
  flags: [
    { flag: "--via URL", about: "flag.simulate-via" },
    { flag: "--proxy LIST", about: "flag.simulate-proxy" },
    { flag: "--go VERSION", about: "flag.simulate-go" },
    { flag: "--emit TOOL", about: "flag.simulate-emit" },
    jsonFlag,
  ],
  run: async (call, context) => {
    const request = requestOf(call);
    const emit = textOption(call, "emit");
    if (emit !== undefined) return await printCommands(request, emit, context);
    const view = await (await context.services.http()).simulate(request);
    if (call.options["json"] === true) printSimulationJson(view, context);
    else context.io.stdout(simulationText(view, context));
    return view.findings.some(({ severity }) => severity === "fail") ? exit.findings : exit.ok;
  },
};

function requestOf(call: Call): SimulateRequest {
  const text = (name: string): string | undefined => textOption(call, name);
  return { what: call.args[0] ?? "", via: text("via"), proxy: text("proxy"), go: text("go") };
}

async function printCommands(request: SimulateRequest, tool: string, { io, services }: CliContext): Promise<number> {
  if (tool !== "curl" && tool !== "wget")
    throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--emit", value: tool, accepted: "curl | wget" });
  const texts = httpTexts[io.lang];
  const lines = await (await services.http()).emit(request, { tool, shell: io.shell });
  if (lines.length === 0) {
    io.stderr(`${texts.noProxy}\n`);
    return exit.findings;
  }
  io.stdout(`${lines.join("\n")}\n`);
  // Beside the commands, so that they can be piped into a shell.
  io.stderr(`\n${table([texts.emitColumns.split("\t"), ...texts.emitRows])}`);
  return exit.ok;
}

function simulationText(view: SimulationView, { io }: CliContext): string {
  const texts = httpTexts[io.lang];
  const { id, go, proxy, steps, tiles, database } = view;
  const use = { go, isUtf8: io.isUtf8, twice: texts.twice };
  const rows = steps.flatMap((step) => step.walk.tries.flatMap((one) => tryRows(step, one, use)));
  const proof = database?.kind === "asked" && database.proof.kind === "proven" ? database.proof : undefined;
  const hashes = [hashLine("go.mod", view.mod), hashLine("zip", view.zip)].flat();
  const parts = [
    `${texts.heading(`${id.path}@${id.version}`, go)}\nGOPROXY  ${harmless(proxy)}\n`,
    rows.length === 0 ? "" : requestTable(["", ...texts.stepColumns.split("\t")], rows),
    [
      ...hashes.map(
        ([name, { h1, verdict }]) =>
          `${mark(hashMarks[verdict], io.isUtf8)} ${name} ${h1} ${texts.hashVerdict[verdict]}\n`,
      ),
      ...(proof === undefined || database?.kind !== "asked"
        ? []
        : [
            `  ${texts.record({ record: proof.record, tree: proof.treeSize, name: database.name, host: hostOf(database.base) })}\n`,
          ]),
      ...(tiles.count === 0 ? [] : [`  ${texts.tiles(tiles)}\n`]),
    ].join(""),
    findingsText(view.findings, io),
    `${wrap(texts.outcome[view.outcome](sumOf(view)), terminalColumns).join("\n")}\n`,
  ];
  return parts.filter((part) => part !== "").join("\n");
}

const hashMarks = { recorded: "ok", differs: "fail", unknown: "warn" } as const;

function hashLine(name: string, hash: Hashed | undefined): (readonly [string, Hashed])[] {
  return hash === undefined ? [] : [[name.padEnd(6), hash]];
}

function sumOf({ steps, tiles, ms }: SimulationView) {
  const exchanges = steps.flatMap(({ walk }) => walk.tries.flatMap(({ fetch }) => fetch.exchanges));
  const size = exchanges.reduce((sum, { body }) => sum + body.length, 0);
  return { requests: exchanges.length + tiles.count, bytes: size + tiles.bytes, ms };
}

type RowUse = { readonly go: string; readonly isUtf8: boolean; readonly twice: string };

type Row = { readonly cells: readonly string[]; /** A line below it, "" for none. */ readonly below: string };

function requestTable(columns: readonly string[], rows: readonly Row[]): string {
  const [head = "", ...lines] = table([columns, ...rows.map(({ cells }) => cells)]).split("\n");
  const all = rows.flatMap(({ below }, at) => [lines[at] ?? "", ...(below === "" ? [] : [`      ${below}`])]);
  return `${[head, ...all].join("\n")}\n`;
}

/** One row per request; where a redirect leads stands between the two. */
function tryRows({ name }: Step, one: Try, { go, isUtf8, twice }: RowUse): Row[] {
  const sign = mark(one.outcome === "ok" ? "ok" : one.outcome === "absent" ? "skip" : "fail", isUtf8);
  const { exchanges, end } = one.fetch;
  if (exchanges.length === 0) return [{ cells: [sign, stepText(name), count(one.hop), endText(end)], below: "" }];
  return exchanges.map((exchange, at) => {
    const isLast = at === exchanges.length - 1;
    const next = exchanges[at + 1];
    const cells = [
      isLast ? sign : "",
      at === 0 ? stepText(name) : "",
      at === 0 && one.hop > 0 ? count(one.hop) : "",
      isLast && end.kind === "refused" ? `${answerText(exchange)} ${end.why}` : answerText(exchange),
      exchange.status === undefined ? "" : bytes(exchange.body.length),
      exchange.protocol ?? "",
      ...timeCells(exchange),
      isLast && isRepeated(exchange, go) ? twice : "",
    ];
    const below = next === undefined ? "" : `${isUtf8 ? "→" : "->"} ${hostOf(next.url)}`;
    return { cells: cells.map(harmless), below: harmless(below) };
  });
}

function isRepeated({ status = 0, url }: HttpExchange, go: string): boolean {
  return status >= 400 && status < 500 && url.startsWith("https:") && repeatsClientErrors(go);
}

function answerText({ status, fault }: HttpExchange): string {
  return [status, fault?.egressStatus, fault?.h2Code ?? fault?.kind].filter((part) => part !== undefined).join(" ");
}

function timeCells({ phases: { dnsMs, tcpMs, tunnelMs, tlsMs, firstByteMs, totalMs } }: HttpExchange): string[] {
  const connect = tcpMs === undefined && tunnelMs === undefined ? undefined : (tcpMs ?? 0) + (tunnelMs ?? 0);
  return [dnsMs, connect, tlsMs, firstByteMs, totalMs].map((ms) => (ms === undefined ? "" : count(ms)));
}

function printSimulationJson(view: SimulationView, context: CliContext): void {
  const { id, go, proxy, outcome, steps, database, tiles, mod, zip, ms } = view;
  printJson(context, "granary.simulation/1", {
    module: id.path,
    version: id.version,
    go,
    proxy,
    outcome,
    ms: Math.round(ms),
    steps: steps.map(stepJson),
    tiles,
    ...(database !== undefined && {
      database: database.kind === "asked" ? { ...database, base: withoutCredentials(database.base) } : database,
    }),
    ...(mod !== undefined && { mod }),
    ...(zip !== undefined && { zip }),
    findings: view.findings.map((finding) => findingJson(finding, context.io)),
  });
}
