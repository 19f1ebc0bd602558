// `granary mirrors list` and `mirrors crosscheck`.

import { bytes, count } from "#services/errors/sentences.ts";
import { found } from "#services/findings/finding.ts";
import type { Finding } from "#services/findings/finding.ts";
import { mirrorsFindings } from "#services/findings/mirrors.ts";
import { checkedFiles } from "#services/mirrors/checked.ts";
import type { MirrorFile } from "#services/mirrors/checked.ts";
import { abilities } from "#services/mirrors/registry.ts";
import type { MirrorStatus } from "#services/mirrors/registry.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import { jsonFlag, printJson, textOption } from "./command.ts";
import type { CommandSpec } from "./command.ts";
import { findingJson, findingsText } from "./findings.ts";
import type { CrosscheckView, ListedMirror } from "./http-services.ts";
import { httpTexts } from "./http-texts.ts";
import type { HttpTexts } from "./http-texts.ts";
import type { CliContext } from "./services.ts";
import { exit } from "./services.ts";
import { harmless, mark, table, terminalColumns, wrap } from "./text.ts";

const list: CommandSpec = {
  name: "list",
  about: "command.mirrors.list",
  example: "granary mirrors list --probe",
  flags: [{ flag: "--probe", about: "flag.mirrors-probe" }, jsonFlag],
  run: async ({ options }, context) => {
    const { io, services } = context;
    const mirrors = await (await services.http()).mirrorsList(options["probe"] === true);
    const findings = mirrors.flatMap(probeFindings);
    if (options["json"] === true)
      printJson(context, "granary.mirrors/1", { mirrors, findings: findings.map((each) => findingJson(each, io)) });
    else io.stdout(listText(mirrors, context) + (findings.length === 0 ? "" : `\n${findingsText(findings, io)}`));
    return findings.some(({ severity }) => severity === "fail") ? exit.findings : exit.ok;
  },
};

/** One that is known to be gone, or for which nobody vouches, need not answer. */
function probeFindings({ name, status, probe }: ListedMirror): readonly Finding[] {
  if (probe === undefined) return [];
  if (probe.identity === "other") return [found(mirrorsFindings, "MIRROR_OTHER_CONTENT", { name })];
  const isExpected = status === "recommended" || status === "usable";
  if (probe.failure === undefined || !isExpected) return [];
  return [found(mirrorsFindings, "MIRROR_NOT_A_PROXY", { name, said: probe.failure })];
}

const markOf: Readonly<Record<MirrorStatus, "ok" | "warn" | "fail" | "skip">> = {
  recommended: "ok",
  usable: "ok",
  discouraged: "warn",
  claimed: "skip",
  dead: "fail",
};

function listText(mirrors: readonly ListedMirror[], { io }: CliContext): string {
  const texts = httpTexts[io.lang];
  const rows = mirrors.map(({ name, status, abilities: known, probe }) => {
    const shown = probe?.failure === undefined ? (probe?.abilities ?? known) : known;
    return [
      `${mark(markOf[status], io.isUtf8)} ${name}`,
      texts.status[status],
      ...abilities.map((ability) => texts.known[shown[ability]]),
    ];
  });
  const lines = table([texts.mirrorColumns.split("\t"), ...rows]).split("\n");
  const details = mirrors.map(({ url, operator, caveat, probe }) => {
    const seen =
      probe === undefined ? [] : [texts.probed({ ...probe, ms: probe.firstByteMs, isSame: probe.identity === "same" })];
    const below = [`${url}  ${operator === "" ? texts.nobody : operator}`, caveat[io.lang], ...seen];
    return below.filter((line) => line !== "").map((line) => `    ${harmless(line)}`);
  });
  const whole = [lines[0] ?? "", ...details.flatMap((below, at) => [lines[at + 1] ?? "", ...below])];
  return `${whole.join("\n")}\n\n${lineOf(texts.mirrorsVerdict(bestOf(mirrors)))}`;
}

function lineOf(sentence: string): string {
  return `${wrap(sentence, terminalColumns).join("\n")}\n`;
}

/** Of those that may be recommended the first that answers; the first at all when nobody was asked. */
function bestOf(mirrors: readonly ListedMirror[]): string {
  const good = mirrors.filter(({ status }) => status === "recommended" || status === "usable");
  const best = good.find(({ probe }) => probe?.failure === undefined) ?? good[0];
  return best?.url ?? "";
}

const crosscheck: CommandSpec = {
  name: "crosscheck",
  about: "command.mirrors.crosscheck",
  example: "granary mirrors crosscheck rsc.io/quote@v1.5.2 --mirrors goproxy.cn,aliyun",
  args: ["MODULE@VERSION"],
  flags: [
    { flag: "--mirrors LIST", about: "flag.mirrors-mirrors" },
    { flag: "--record", about: "flag.mirrors-record" },
    jsonFlag,
  ],
  run: async (call, context) => {
    const { io, services } = context;
    const mirrors = (textOption(call, "mirrors") ?? "").split(",").map((text) => text.trim());
    const request = {
      what: call.args[0] ?? "",
      mirrors: mirrors.filter((text) => text !== ""),
      isRecorded: call.options["record"] === true,
    };
    const view = await (await services.http()).mirrorsCrosscheck(request);
    if (call.options["json"] === true) printCheckJson(view, context);
    else io.stdout(checkText(view, context));
    return view.findings.some(({ severity }) => severity === "fail") ? exit.findings : exit.ok;
  },
};

function checkText(view: CrosscheckView, { io }: CliContext): string {
  const texts = httpTexts[io.lang];
  const rows = checkedFiles.flatMap((file) =>
    view.mirrors.map(({ name, files }, at) => [at === 0 ? `.${file}` : "", name, ...fileCells(files[file])]),
  );
  const rules = view.rules
    .filter(({ verdict }) => verdict !== "skip")
    .map(({ rule, file, verdict, odd }) => [
      mark(ruleMarks[verdict], io.isUtf8),
      `.${file}`,
      texts.rule[rule],
      // What a hint is made of stands in the table above.
      texts.ruleVerdict[verdict] + (verdict === "fail" && rule === "status" ? `: ${odd.join(", ")}` : ""),
    ]);
  const parts = [
    `${view.id.path}@${view.id.version}\n`,
    rows.length === 0 ? "" : table([texts.checkColumns.split("\t"), ...rows].map((row) => row.map(harmless))),
    rules.length === 0 ? "" : table(rules.map((row) => row.map(harmless))),
    findingsText(view.findings, io),
    `${recordLine(view, texts)}${lineOf(texts.checkVerdict[view.verdict])}`,
    view.file === undefined ? "" : `${texts.written(harmless(view.file))}\n`,
  ];
  return parts.filter((part) => part !== "").join("\n");
}

const ruleMarks = { pass: "ok", hint: "warn", fail: "fail", skip: "skip" } as const;

function recordLine({ proof, database }: CrosscheckView, texts: HttpTexts): string {
  if (proof?.kind !== "proven") return "";
  return `${texts.record({ record: proof.record, tree: proof.treeSize, name: database, host: database })}\n`;
}

function fileCells({ status, failure, bytes: size, ms, lastModifiedMs, h1 }: MirrorFile): string[] {
  return [
    [status, failure].filter((part) => part !== undefined).join(" "),
    bytes(size),
    count(ms),
    lastModifiedMs === undefined ? "-" : `${new Date(lastModifiedMs).toISOString().slice(0, 16)}Z`,
    h1 === undefined ? "-" : h1.slice(0, 14),
  ];
}

function printCheckJson(view: CrosscheckView, context: CliContext): void {
  const { id, mirrors, proof, database, rules, verdict, findings, file } = view;
  printJson(context, "granary.crosscheck/1", {
    module: id.path,
    version: id.version,
    verdict,
    database,
    ...(proof !== undefined && { proof }),
    mirrors: mirrors.map(({ url, ...mirror }) => ({ ...mirror, url: withoutCredentials(url) })),
    rules,
    findings: findings.map((finding) => findingJson(finding, context.io)),
    ...(file !== undefined && { file }),
  });
}

export const mirrorsCommand: CommandSpec = {
  name: "mirrors",
  about: "command.mirrors",
  example: "granary mirrors list",
  commands: [list, crosscheck],
};
