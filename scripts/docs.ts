// Writes docs/errors.md, docs/config.md, docs/evil-databases.md, docs/findings.md and docs/myths.md from the catalogues,
// the settings table and the table of evil databases (`--write`), or exits 1 when one says something else than they do.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exitCodeOf } from "#doors/cli/program.ts";
import { statusFor } from "#doors/http/problems.ts";
import { groups, settingKeys, settingOf, variableOf } from "#app/config-schema.ts";
import type { Group, SettingKey } from "#app/config-schema.ts";
import { repositoryFields } from "#app/config-repositories.ts";
import { upstreamFields } from "#app/config-upstreams.ts";
import { maxWebhooks, webhookFields } from "#app/config-webhooks.ts";
import { catalogues, granaryCodes } from "#services/errors/catalogue.ts";
import type { GranaryCode } from "#services/errors/codes.ts";
import { enStart } from "#services/errors/en-start.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { areas } from "#services/findings/catalogue.ts";
import type { Area, FindingKind } from "#services/findings/finding.ts";
import { evilDatabasesPage } from "../test/support/evil-page.ts";
import { mythsPage } from "./myths-page.ts";

const note = "<!-- Written by scripts/docs.ts from the source; `npm run docs` writes it anew. -->";

export function errorsPage(): string {
  const isStart = (code: GranaryCode): boolean => Object.hasOwn(enStart, code);
  const answers = granaryCodes.filter((code) => !isStart(code));
  const start = granaryCodes.filter(isStart);
  return [
    "# Error codes · 错误码",
    note,
    "Every failure has a code that never changes. `granary explain CODE` says the same as this page; `granary explain ID` (the request id at the end of an error answer) also says what happened in that request.",
    "每种失败都有固定的错误码。`granary explain CODE` 给出与本页相同的说明；`granary explain ID`（错误回答末尾的请求编号）还会说明那次请求的情况。",
    "## Answers to requests · 对请求的回答",
    ...answers.map((code) => errorSection(code, `HTTP ${statusFor(code)}`)),
    "## Command line and start-up · 命令行与启动",
    ...start.map((code) => errorSection(code, `exit ${exitCodeOf(new GranaryError(code, {}))}`)),
  ].join("\n\n");
}

function errorSection(code: GranaryCode, outcome: string): string {
  const { en, "zh-CN": zh } = catalogues;
  return [
    `### ${code}`,
    outcome,
    `**Why.** ${en[code].cause}\n**What to do.** ${en[code].remedy}`,
    `**原因：** ${zh[code].cause}\n**处理：** ${zh[code].remedy}`,
  ].join("\n\n");
}

const areaTitles: Readonly<Record<keyof typeof areas, string>> = {
  doctor: "The whole picture · 总体诊断",
  environment: "Settings of go · go 的设置",
  network: "Network · 网络",
  http: "Requests as go makes them · go 的请求",
  go: "The go command · go 命令",
  cache: "Module cache · 模块缓存",
  mirrors: "Mirrors · 镜像",
  store: "Place of a store · 存储位置",
};

export function findingsPage(): string {
  return [
    "# Findings · 诊断结果",
    note,
    "What the diagnosing commands can find, by code. A code never changes; `granary explain CODE` says the same as this page.",
    "诊断命令可能给出的结果，按代码排列。代码固定不变；`granary explain CODE` 给出与本页相同的说明。",
    ...Object.entries(areas).flatMap(([name, area]) => [
      `## ${areaTitles[name as keyof typeof areas]}`,
      ...Object.entries(area as Area).map(([code, kind]) => findingSection(code, kind)),
    ]),
  ].join("\n\n");
}

function findingSection(code: string, { severity, page, text }: FindingKind<never>): string {
  const { en, "zh-CN": zh } = text;
  const english = [`**Why.** ${en.why}`, ...(en.advice === undefined ? [] : [`**What to do.** ${en.advice}`])];
  const chinese = [`**原因：** ${zh.why}`, ...(zh.advice === undefined ? [] : [`**处理：** ${zh.advice}`])];
  return [`### ${code}`, `${severity} · [${page}](${page})`, english.join("\n"), chinese.join("\n")].join("\n\n");
}

const groupTitles: Readonly<Record<Group, string>> = {
  server: "Server · 服务器",
  upstreams: "Upstreams · 上游",
  direct: "Modules from their repositories · 从仓库直接构建的模块",
  trust: "What may be seen, and what is trusted · 可见范围与信任",
  shared: "What several nodes share · 多节点共用",
  logs: "Log · 日志",
  tls: "TLS",
  cache: "Cache and lifetimes · 缓存与有效期",
  limits: "Limits · 限制",
  client: "Upstream client · 上游客户端",
};

const configIntro = `Every setting has a YAML key and a \`GRANARY_…\` variable; everyday ones have a flag. Flags win over the environment, that over the file, that over the default; \`granary config print --origin\` shows each value and where it came from. Unknown keys and variables are errors.

- \`--config FILE\` (or \`GRANARY_CONFIG\`) reads a YAML file; \`--profile NAME\` (or \`GRANARY_PROFILE\`) lays \`FILE.NAME.yaml\` beside it (\`granary.prod.yaml\` beside \`granary.yaml\`) over it, value by value.
- \`\${NAME}\` in a value is the environment variable; a missing one is an error; \`$\${\` is a plain \`\${\`.
- Secrets are referred to as \`file:/path\` or \`env:NAME\`; a plain one works and is warned of. Credentials in URLs are masked wherever settings are shown.
- A changed file is applied within 9 seconds, whole; one that is not valid, or changes a setting marked *restart*, is refused whole, and the log says why.
- Durations are written \`500ms\`, \`30s\`, \`1h30m\`, \`7d\`; sizes \`4096\`, \`64MiB\`, \`10MB\`.
- Without TLS the go command sends no credentials, so tokens need \`tls.cert\` and \`tls.key\` (or a client on this machine).`;

export function configPage(): string {
  const sections = groups.flatMap((group) => [
    `## ${groupTitles[group]}`,
    ...settingKeys.filter((key) => settingOf(key).group === group).map(settingSection),
  ]);
  return [
    "# Settings · 设置",
    note,
    configIntro,
    ...sections,
    "## Named upstreams · 具名上游",
    "Below `upstreams.NAME` stands what is known of one upstream: `official`, `goproxy.cn` and `aliyun` are known already; the same name changes them, a new name adds one. An upstream is asked when the list in `upstream` has its URL; this section says what it is. A change of `ca`, `clientCert`, `clientKey`, `egress` or `headers` needs a restart.",
    [
      "| key | meaning | accepted | why |",
      "| --- | --- | --- | --- |",
      ...fieldRows(upstreamFields),
      "| `headers` | sent with every request to it · 随每个请求发送 | a mapping; values as `file:`, `env:` or plain | Credentials of a company's own proxy. |",
    ].join("\n"),
    "## Repositories · 仓库",
    "Below `repositories.PLACE` stands what is known of a host, or of a place on it, that [direct](direct.md) reads. PLACE is a host, or a host and a path (`git.corp.example/team`); the narrowest one answers, for its own host only. A change needs a restart.",
    ["| key | meaning | accepted | why |", "| --- | --- | --- | --- |", ...fieldRows(repositoryFields)].join("\n"),
    "## Webhooks · 推送通知",
    `Below \`webhooks.NAME\` stands who may tell of new versions, and of which ([webhooks.md](webhooks.md)); at most ${maxWebhooks}. All three keys are needed. A change is applied while the server runs.`,
    ["| key | meaning | accepted | why |", "| --- | --- | --- | --- |", ...fieldRows(webhookFields)].join("\n"),
  ].join("\n\n");
}

type Fields = Readonly<Record<string, Pick<(typeof upstreamFields)["url"], "about" | "kind" | "reason">>>;

function fieldRows(fields: Fields): string[] {
  return Object.entries(fields).map(
    ([name, { about, kind, reason }]) =>
      `| \`${name}\` | ${about.en} · ${about["zh-CN"]} | ${cell(kind.accepted.en)} | ${reason} |`,
  );
}

function settingSection(key: SettingKey): string {
  const { about, flag, initial, initialInDocs, kind, reason, danger, restart } = settingOf(key);
  const shown = initialInDocs ?? `\`${[initial].flat().join(", ")}\``;
  const names = [...(flag === undefined ? [] : [`\`${flag}\``]), `\`${variableOf(key)}\``];
  return [
    `### \`${key}\``,
    `${about.en} · ${about["zh-CN"]}`,
    [
      `- ${names.join(" · ")} · default: ${shown === "``" ? "none" : shown}${restart === true ? " · *restart*" : ""}`,
      `- Accepted: ${kind.accepted.en}`,
      `- Why: ${reason}`,
      ...(danger === undefined ? [] : [`- Danger: ${danger}`]),
    ].join("\n"),
  ].join("\n\n");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

async function main(root: string, write: boolean): Promise<number> {
  let stale = 0;
  for (const [name, page] of [
    ["docs/errors.md", errorsPage()],
    ["docs/config.md", configPage()],
    ["docs/evil-databases.md", evilDatabasesPage()],
    ["docs/findings.md", findingsPage()],
    ["docs/myths.md", mythsPage(note)],
  ] as const) {
    const file = join(root, name);
    const wanted = `${page}\n`;
    if (write) await writeFile(file, wanted);
    else if ((await readFile(file, "utf8").catch(() => "")) !== wanted) {
      stale++;
      process.stderr.write(`${name} is stale: npm run docs\n`);
    }
  }
  return stale === 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = await main(join(import.meta.dirname, ".."), process.argv.includes("--write"));
