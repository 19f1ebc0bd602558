// `granary lab`: what the real go did just now in front of fake proxies, as a table and a request log.

import { GranaryError } from "#services/errors/granary-error.ts";
import { say } from "#services/errors/say.ts";
import { count } from "#services/errors/sentences.ts";
import type { ChainRun, FallbackCell, LabChain } from "#services/lab/fallback-lab.ts";
import type { ModuleModeRun } from "#services/lab/module-mode-lab.ts";
import { fakeFaults } from "#services/lab/ports.ts";
import type { FakeAnswer, FakeRequest } from "#services/lab/ports.ts";
import { jsonFlag, printJson, textOption } from "./command.ts";
import type { Call, CommandSpec } from "./command.ts";
import { clearLine, interrupted, showLine } from "./fetching.ts";
import type { CliContext, CliIo, LabRequest, LabView } from "./services.ts";
import { exit } from "./services.ts";
import { harmless, mark, table, terminalColumns, wrap } from "./text.ts";

const goFlag = { flag: "--go VERSION", about: "flag.lab-go" } as const;

const fallback: CommandSpec = {
  name: "fallback",
  about: "command.lab.fallback",
  example: "granary lab fallback --chain 'a,b|direct' --responses 502,404",
  flags: [
    { flag: "--chain LIST", about: "flag.lab-chain" },
    { flag: "--responses LIST", about: "flag.lab-responses" },
    goFlag,
    jsonFlag,
  ],
  run: async (call, context) => {
    const chain = textOption(call, "chain");
    const responses = textOption(call, "responses");
    const go = versionOf(call);
    if (chain === undefined && responses === undefined)
      return await experiment({ kind: "fallback", go }, call, context);
    return await experiment({ kind: "chain", go, chain: chainOf(chain, responses) }, call, context);
  },
};

const go111module: CommandSpec = {
  name: "go111module",
  about: "command.lab.go111module",
  example: "granary lab go111module --go 1.21.13",
  flags: [goFlag, jsonFlag],
  run: (call, context) => experiment({ kind: "go111module", go: versionOf(call) }, call, context),
};

export const labCommand: CommandSpec = {
  name: "lab",
  about: "command.lab",
  example: "granary lab fallback",
  commands: [fallback, go111module],
};

async function experiment(request: LabRequest, { options }: Call, context: CliContext): Promise<number> {
  const { io, services } = context;
  const view = await (
    await services.trouble()
  ).lab(request, (done, total) =>
    showLine(io, say(io.lang, "tool.working", { done: count(done), total: count(total) })),
  );
  clearLine(io);
  if (view === undefined) return interrupted;
  if (options["json"] === true) printJson(context, "granary.lab/1", view);
  else io.stdout(viewText(view, io));
  return exit.ok;
}

function versionOf(call: Call): string | undefined {
  const text = textOption(call, "go")?.replace(/^go/, "");
  if (text === undefined || /^1\.\d{1,3}(?:\.\d{1,3}|rc\d{1,2}|beta\d{1,2})?$/.test(text)) return text;
  throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--go", value: text, accepted: "1.19.13, 1.27.3, 1.27rc1" });
}

/** Fakes at once; nobody has a longer list. */
const maxEntries = 8;

function chainOf(list: string | undefined, responses: string | undefined): LabChain {
  const answers = (responses ?? "").split(",").filter((text) => text !== "");
  const text = list ?? answers.map((_, at) => `proxy${at + 1}`).join(",");
  const entries = text.split(/[,|]/).map((entry) => entry.trim());
  const accepted = `1 … ${maxEntries}: a,b|direct`;
  if (entries.length > maxEntries || entries.some((entry) => entry === "" || entry.length > 60))
    throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--chain", value: text, accepted });
  return {
    entries,
    separators: [...text.matchAll(/[,|]/g)].map(([separator]) => (separator === "|" ? "|" : ",")),
    answers: answers.map(answerOf),
  };
}

function answerOf(text: string): FakeAnswer {
  const known = fakeFaults.find((fault) => fault === text);
  if (known !== undefined) return known;
  const status = /^[2-5]\d\d$/.test(text) ? Number(text) : 0;
  if (status === 200) return "ok";
  if (status > 0) return status;
  const accepted = `200 … 599, ${fakeFaults.join(", ")}`;
  throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--responses", value: text, accepted });
}

function viewText(view: LabView, io: CliIo): string {
  switch (view.kind) {
    case "fallback":
      return tableText(view.go, view.cells, io);
    case "chain":
      return chainText(view.go, view.run, io);
    case "go111module":
      return modesText(view.go, view.runs, io);
  }
}

function tableText(go: string, cells: readonly FallbackCell[], io: CliIo): string {
  const { lang } = io;
  const outcome = (answer: string, separator: string): string => {
    const cell = cells.find((each) => each.answer === answer && each.separator === separator);
    return cell === undefined ? "" : say(lang, "lab.outcome", { outcome: cell.outcome });
  };
  const answers = [...new Set(cells.map(({ answer }) => answer))];
  const rows = answers.map((answer) => [answer, outcome(answer, ","), outcome(answer, "|")]);
  const examples = cells.filter(({ answer, separator }) => separator === "," && (answer === "404" || answer === "502"));
  return [
    `${say(lang, "lab.fallback.head", { go, runs: count(cells.length) })}\n\n`,
    table([say(lang, "lab.fallback.columns").split("\t"), ...rows]),
    `\n${wrapped(say(lang, "lab.fallback.legend"))}\n`,
    ...examples.map(
      ({ answer, separator, requests, said }) =>
        `\n${say(lang, "lab.example", { answer, separator })}\n${requestsText(requests)}${saidText(said, io)}`,
    ),
  ].join("");
}

function chainText(go: string, run: ChainRun, io: CliIo): string {
  const { lang, isUtf8 } = io;
  const result =
    run.code === undefined
      ? say(lang, "lab.waits", { seconds: String(Math.round(run.waitedMs / 1000)) })
      : run.code === 0
        ? say(lang, "lab.got", { proxy: servedBy(run) })
        : say(lang, "lab.gave-up", { code: String(run.code), proxy: harmless(run.requests.at(-1)?.proxy ?? "-") });
  const proxies = run.proxies.map(({ name, url, answer }) => [`  ${harmless(name)}`, url, answer]);
  return [
    `${say(lang, "lab.chain.head", { go })}\n  GOPROXY=${harmless(run.goproxy)}\n`,
    table(proxies),
    `\n${say(lang, "lab.requests")}\n${requestsText(run.requests)}`,
    saidText(run.said, io),
    `\n${mark(run.code === 0 ? "ok" : "fail", isUtf8)} ${result}\n`,
  ].join("");
}

/** Who gave the zip: the last file that go needs. */
function servedBy({ requests }: ChainRun): string {
  return harmless(requests.findLast(({ outcome }) => outcome === "200")?.proxy ?? "-");
}

function modesText(go: string, runs: readonly ModuleModeRun[], io: CliIo): string {
  const { lang, isUtf8 } = io;
  const rows = runs.map(({ mode, place, code, requests, lookups, direct }) => [
    say(lang, "lab.place", { place }),
    mode === "" ? say(lang, "lab.unset") : mode,
    `${mark(code === 0 ? "ok" : "fail", isUtf8)} ${code ?? ""}`,
    count(requests.length),
    count(lookups),
    direct ? say(lang, "lab.yes") : mark("skip", isUtf8),
  ]);
  const failures = runs.filter(({ code }) => code !== 0);
  const first = runs.find(({ mode, place }) => mode === "on" && place === "module");
  return [
    `${say(lang, "lab.modes.head", { go })}\n\n`,
    table([say(lang, "lab.modes.columns").split("\t"), ...rows]),
    ...failures.map(({ mode, place, said }) => {
      const which = `${say(lang, "lab.place", { place })}, ${mode === "" ? say(lang, "lab.unset") : mode}`;
      return `\n${which}\n${saidText(said, io)}`;
    }),
    ...(first === undefined ? [] : [`\n${say(lang, "lab.modes.example")}\n${requestsText(first.requests)}`]),
  ].join("");
}

function requestsText(requests: readonly (FakeRequest & { readonly times: number })[]): string {
  if (requests.length === 0) return "  -\n";
  return table(
    requests.map(({ proxy, method, target, outcome, times }) => [
      `  ${harmless(proxy)}`,
      `${method} ${harmless(target)}`,
      `${outcome}${times > 1 ? ` ×${times}` : ""}`,
    ]),
  );
}

function saidText(said: string, { lang }: CliIo): string {
  if (said === "") return "";
  const lines = wrap(harmless(said), terminalColumns - 2).map((line) => `  ${line}\n`);
  return `${say(lang, "lab.said")}\n${lines.join("")}`;
}

function wrapped(text: string): string {
  return text
    .split("\n")
    .flatMap((line) => wrap(line, terminalColumns))
    .join("\n");
}
