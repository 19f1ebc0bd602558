// `granary env simulate`: along a list with given answers. With a module every request of `go mod download`, else one file.

import { happeningWords, operations, parseHappening } from "#services/environment/happenings.ts";
import type { Happening } from "#services/environment/happenings.ts";
import { chainOf } from "#services/environment/chain.ts";
import { predict } from "#services/environment/predict.ts";
import type { Prediction } from "#services/environment/predict.ts";
import { settingsOf, valueOf } from "#services/environment/settings.ts";
import type { Settings } from "#services/environment/settings.ts";
import { simulate } from "#services/environment/simulate.ts";
import type { Simulation } from "#services/environment/simulate.ts";
import { duration } from "#services/errors/sentences.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import { printJson, textOption } from "./command.ts";
import type { Call } from "./command.ts";
import { hopFields } from "./env-json.ts";
import { badFlag, goOption, moduleOf, wordOption } from "./env-options.ts";
import { hopName, plain } from "./env-print.ts";
import { envTexts } from "./env-texts.ts";
import type { EnvTexts } from "./env-texts.ts";
import { exit } from "./services.ts";
import type { CliContext } from "./services.ts";
import { mark, table } from "./text.ts";

export async function runSimulate(call: Call, context: CliContext): Promise<number> {
  const { surroundings } = await context.services.environment();
  const chain = textOption(call, "chain");
  const process = chain === undefined ? surroundings.process : { ...surroundings.process, GOPROXY: chain };
  const settings = settingsOf({ ...surroundings, process }, goOption(call));
  const responses = responsesOf(call);
  const wanted = moduleOf(call.args[0]);
  if (wanted.module !== undefined) return showPrediction(wanted, { settings, responses, call, context });
  const operation = wordOption(call, "file", operations) ?? "info";
  const simulation = simulate({
    chain: chain ?? valueOf(settings, "GOPROXY"),
    responses,
    operation,
    version: settings.version,
  });
  if (call.options["json"] === true)
    printJson(context, "granary.env-simulate/1", { go: settings.version, ...simulationJson(simulation) });
  else context.io.stdout(simulationText(simulation, context));
  return simulation.outcome === "found" ? exit.ok : exit.findings;
}

function responsesOf(call: Pick<Call, "options">): readonly Happening[] {
  const text = textOption(call, "responses") ?? "200";
  return text.split(",").map((word) => {
    const happening = parseHappening(word);
    if (happening === undefined) throw badFlag("--responses", word, `100 … 599, ${happeningWords.join(", ")}`);
    return happening;
  });
}

function simulationText(it: Simulation, { io }: CliContext): string {
  const texts = envTexts[io.lang];
  if (it.chain.kind === "refused")
    return `${mark("fail", io.isUtf8)} ${texts.outcomes.refused(plain(it.chain.sentence))}\n`;
  const rows = it.steps.map(({ hop, happening, reaction, costMs }, at) => [
    ` ${at + 1}`,
    hop.kind === "proxy" ? plain(hop.url) : hop.kind,
    String(happening),
    texts.reactions[reaction],
    costMs === 0 ? "" : texts.waits(waited(costMs)),
  ]);
  const unasked = it.unasked.map((hop) => (hop.kind === "proxy" ? plain(hop.url) : hop.kind)).join(", ");
  const lines = [
    table(rows),
    ...(unasked === "" ? [] : [`    ${texts.unasked(unasked)}\n`]),
    `${mark(it.outcome === "found" ? "ok" : "fail", io.isUtf8)} ${outcomeText(it, texts)}\n`,
  ];
  return lines.join("");
}

function outcomeText({ outcome, at, chain }: Simulation, texts: EnvTexts): string {
  const hop = chain.kind === "hops" && at !== undefined ? chain.hops[at] : undefined;
  const name = hop === undefined ? "off" : hop.kind === "proxy" ? hopName(hop, texts) : hop.kind;
  switch (outcome) {
    case "found":
    case "error":
    case "hangs":
      return texts.outcomes[outcome](name);
    case "not-found":
      return texts.outcomes["not-found"];
    case "refused":
      return "";
  }
}

function waited(ms: number): string {
  return Number.isFinite(ms) ? duration(ms) : "∞";
}

function simulationJson({ chain, operation, steps, unasked, outcome, at, totalMs }: Simulation): object {
  const shown = (ms: number): number | null => (Number.isFinite(ms) ? ms : null);
  return {
    file: operation,
    ...(chain.kind === "refused" && { refused: withoutCredentials(chain.sentence) }),
    steps: steps.map((step) => ({ ...step, hop: hopFields(step.hop), costMs: shown(step.costMs) })),
    unasked: unasked.map(hopFields),
    outcome,
    at,
    totalMs: shown(totalMs),
  };
}

// ---- with a module: every request ----

type Showing = {
  readonly settings: Settings;
  readonly responses: readonly Happening[];
  readonly call: Pick<Call, "options">;
  readonly context: CliContext;
};

function showPrediction(wanted: ReturnType<typeof moduleOf>, { settings, responses, call, context }: Showing): number {
  const { module = "", version } = wanted;
  if (version === undefined) throw badFlag("MODULE@VERSION", module, "MODULE@v1.2.3");
  const chain = chainOf(valueOf(settings, "GOPROXY"), "", settings.version);
  const urls = chain.kind === "hops" ? chain.hops.map((hop) => (hop.kind === "proxy" ? hop.url : hop.kind)) : [];
  const answer = (at: number): Happening => responses[at] ?? responses.at(-1) ?? 404;
  const prediction = predict(
    settings,
    { module, version, command: "download", inModule: true },
    {
      hop: (base) => answer(urls.indexOf(base)),
      repository: () => answer(urls.length - 1),
      lookup: () => 200,
    },
  );
  if (call.options["json"] === true)
    printJson(context, "granary.env-predict/1", { go: settings.version, ...predictionJson(prediction) });
  else context.io.stdout(predictionText(prediction, context));
  return prediction.ending === "found" ? exit.ok : exit.findings;
}

function predictionText({ requests, ending, refused }: Prediction, { io }: CliContext): string {
  const texts = envTexts[io.lang];
  const lines = requests.map((request) =>
    request.kind === "repository"
      ? `  ${texts.repository}: ${plain(request.module)}`
      : `  GET ${plain(request.base)}${plain(request.path)}`,
  );
  const end =
    refused === undefined
      ? texts.endings[ending]
      : `${texts.endings[ending]}: ${refused.of}: ${plain(refused.sentence)}`;
  return [
    ...(lines.length === 0 ? [] : [texts.requests, ...lines]),
    `${mark(ending === "found" ? "ok" : "fail", io.isUtf8)} ${end}`,
    "",
  ].join("\n");
}

function predictionJson({ requests, ending, refused }: Prediction): object {
  const shown = requests.map((request) =>
    request.kind === "repository" ? request : { ...request, base: withoutCredentials(request.base) },
  );
  return {
    requests: shown,
    ending,
    ...(refused !== undefined && { refused: { ...refused, sentence: withoutCredentials(refused.sentence) } }),
  };
}
