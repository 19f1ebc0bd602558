// `granary tls`: why go does or does not get TLS with a server, step by step.

import { fingerprint } from "#services/analysers/certificate.ts";
import type { Certificate } from "#services/analysers/certificate.ts";
import type { ExportedRoots } from "#services/analysers/export-root.ts";
import type { Examined, TlsReport, TlsStep, TlsTry } from "#services/analysers/tls-report.ts";
import { count, duration } from "#services/errors/sentences.ts";
import { findingJson, findingsText } from "./findings.ts";
import { fixLines } from "#services/findings/fix.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import { jsonFlag, printJson, textOption } from "./command.ts";
import type { CommandSpec } from "./command.ts";
import { announcer, readTlsCall, verboseFlag } from "./network.ts";
import type { CliIo } from "./services.ts";
import { exit } from "./services.ts";
import { columnsOf, harmless, mark, padEnd, terminalColumns, wrap } from "./text.ts";
import { tlsTexts } from "./tls-texts.ts";

const flags = [
  { flag: "--servername NAME", about: "flag.tls-servername" },
  { flag: "--proxy URL", about: "flag.network-proxy" },
  { flag: "--timeout DURATION", about: "flag.network-timeout" },
  verboseFlag,
] as const;

const exportRoot: CommandSpec = {
  name: "export-root",
  about: "command.tls.export-root",
  example: "granary tls export-root git.corp.example:443 --out root.pem",
  args: ["HOST:PORT"],
  flags: [{ flag: "--out FILE", about: "flag.tls-out" }, ...flags, jsonFlag],
  run: async (call, context) => {
    const { io, services } = context;
    const out = textOption(call, "out");
    const request = { ...readTlsCall(call), out };
    const network = await services.network();
    const { report: examined, roots, fixes } = await network.exportRoot(request, announcer(call, context));
    const at = atOf(examined.report);
    const texts = tlsTexts[io.lang];
    if (roots === undefined) {
      io.stderr(`${harmless(texts.nothing(at))}\n`);
      return exit.failed;
    }
    if (call.options["json"] === true) {
      const { isWhole, isTrusted, pem, certificates } = roots;
      printJson(context, "granary.tls-roots/1", {
        at,
        isTrusted,
        isWhole,
        certificates: certificates.map(certificateJson),
        pem,
      });
      return exit.ok;
    }
    const note = exportNote(
      roots,
      io,
      fixes.flatMap((fix) => fixLines(fix, io.shell)),
    );
    if (out === undefined) {
      io.stdout(roots.pem);
      io.stderr(note);
    } else io.stdout(`${harmless(texts.wrote(out, roots.certificates.length))}\n${note}`);
    return exit.ok;
  },
};

/** What was exported, and what to do before it is trusted. */
function exportNote(roots: ExportedRoots, { lang }: Pick<CliIo, "lang">, fixes: readonly string[]): string {
  const texts = tlsTexts[lang];
  const lines = roots.certificates.flatMap((one) => [harmless(one.subject.text), ...fingerprintLines(one)]);
  const said = roots.isTrusted
    ? [texts.trusted]
    : [
        ...(roots.isWhole ? [] : wrap(texts.notWhole, terminalColumns)),
        ...wrap(texts.judge, terminalColumns),
        ...fixes.map((line) => `  ${line}`),
      ];
  return `${[...lines, ...said].join("\n")}\n`;
}

/** 95 characters of fingerprint in two lines. */
function fingerprintLines(certificate: Certificate): string[] {
  const text = fingerprint(certificate);
  return [`  SHA-256 ${text.slice(0, 48)}`, `          ${text.slice(48)}`];
}

export const tlsCommand: CommandSpec = {
  name: "tls",
  about: "command.tls",
  example: "granary tls goproxy.cn:443",
  args: ["HOST:PORT"],
  flags: [{ flag: "--min VERSION", about: "flag.tls-min" }, ...flags, jsonFlag],
  commands: [exportRoot],
  run: async (call, context) => {
    const { io, services } = context;
    const network = await services.network();
    const examined = await network.tls(readTlsCall(call), announcer(call, context));
    if (call.options["json"] === true) printJson(context, "granary.tls/1", reportJson(examined, io));
    else io.stdout(reportText(examined, io));
    return examined.findings.some(({ severity }) => severity !== "info") ? exit.findings : exit.ok;
  },
};

function atOf({ target: { host, port } }: TlsReport): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

export function reportText({ report, findings }: Examined<TlsReport>, io: CliIo): string {
  const texts = tlsTexts[io.lang];
  const at = atOf(report);
  const proxied =
    report.target.proxy === undefined ? "" : ` (${texts.proxied} ${withoutCredentials(report.target.proxy)})`;
  const fails = findings.filter(({ severity }) => severity === "fail").map(({ code }) => code);
  const verdict = fails.length === 0 ? texts.well(at) : texts.bad(at, fails.join(", "));
  const parts = [
    `${harmless(texts.headline(at, report.name) + proxied)}\n`,
    stepsText(report.steps, io),
    factsText(report, io),
    findingsText(findings, io),
    `${wrap(harmless(verdict), terminalColumns).join("\n")}\n`,
  ];
  return parts.filter((part) => part !== "").join("\n");
}

/** The branch that was walked: the last line is where it ended. */
function stepsText(steps: readonly TlsStep[], { lang, isUtf8 }: CliIo): string {
  const { questions, unknown } = tlsTexts[lang];
  const width = Math.max(...Object.values(questions).map(columnsOf));
  return steps
    .map(({ question, answer, value }) => {
      const sign = mark(answer === undefined ? "skip" : answer ? "ok" : "fail", isUtf8);
      const text = answer === undefined ? unknown : value;
      return `${cut(` ${padEnd(sign, isUtf8 ? 1 : 4)} ${padEnd(questions[question], width)}  ${harmless(text)}`)}\n`;
    })
    .join("");
}

/** Within the terminal's columns; evidence of findings has the whole. */
function cut(line: string): string {
  const whole = line.trimEnd();
  return columnsOf(whole) <= terminalColumns ? whole : `${takeColumns(whole, terminalColumns - 1)}…`;
}

function takeColumns(text: string, columns: number): string {
  let taken = "";
  for (const char of text) {
    if (columnsOf(taken + char) > columns) break;
    taken += char;
  }
  return taken;
}

function factsText({ tries, chain, roots, skewMs, target, goError, opensslError }: TlsReport, { lang }: CliIo): string {
  const texts = tlsTexts[lang];
  const rows: [string, string][] = [
    ...tries.map((one): [string, string] => [texts.addresses, tryText(one, target.port)]),
    ...chain.map(({ subject, issuer }, i): [string, string] => [
      texts.chain,
      `${i} ${subject.text || "-"}${subject.id === issuer.id ? "" : ` ← ${issuer.text}`}`,
    ]),
    ...(chain.length === 0
      ? []
      : [
          [texts.authorities, texts.authoritiesOf(count(roots.count), roots.places[0] ?? "-")] satisfies [
            string,
            string,
          ],
        ]),
    ...(skewMs === undefined || Math.abs(skewMs) < 2_000
      ? []
      : [[texts.clock, texts.clockOf(count(Math.round(skewMs / 1_000)))] satisfies [string, string]]),
    ...(goError === undefined ? [] : [["go", goError] satisfies [string, string]]),
    ...(opensslError === undefined ? [] : [["OpenSSL", opensslError] satisfies [string, string]]),
  ];
  const width = Math.max(0, ...rows.map(([label]) => columnsOf(label)));
  let last = "";
  return rows
    .map(([label, text]) => {
      const shown = label === last ? "" : label;
      last = label;
      const [first = "", ...rest] = wrap(harmless(text), terminalColumns - width - 3);
      const indent = " ".repeat(width + 3);
      return [` ${padEnd(shown, width)}  ${first}`, ...rest.map((line) => indent + line)]
        .map((line) => `${line}\n`)
        .join("");
    })
    .join("");
}

function tryText({ address, outcome, tcpMs = 0, tlsMs }: TlsTry, port: number): string {
  const place = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
  if (outcome.kind === "failed") return `${place}  ${outcome.text}`;
  const alpn = outcome.alpn === undefined ? "" : ` · ${outcome.alpn}`;
  return `${place}  TCP ${duration(tcpMs)} · TLS ${duration(tlsMs ?? 0)} · ${outcome.protocol} ${outcome.cipher}${alpn}`;
}

function certificateJson(certificate: Certificate): object {
  const { subject, issuer, serial, notBefore, notAfter, signature, names, issuerUrls, raw } = certificate;
  return {
    subject: subject.text,
    issuer: issuer.text,
    serial,
    notBefore,
    notAfter,
    signature,
    names: names ?? { dns: [], ip: [] },
    issuerUrls,
    sha256: fingerprint(certificate),
    der: Buffer.from(raw).toString("base64"),
  };
}

/** `granary.tls/1` */
function reportJson({ report, findings }: Examined<TlsReport>, io: CliIo): object {
  const { target, verdict, chain, tries, skewMs, ...rest } = report;
  return {
    target: { ...target, ...(target.proxy !== undefined && { proxy: withoutCredentials(target.proxy) }) },
    ...rest,
    verdict: verdict === undefined ? undefined : verdict.kind,
    tries: tries.map(({ address, tcpMs, tlsMs, outcome }) => ({
      address,
      tcpMs,
      tlsMs,
      ...(outcome.kind === "shaken" ? { ...outcome, chain: outcome.chain.length } : outcome),
    })),
    chain: chain.map(certificateJson),
    skewMs,
    findings: findings.map((finding) => findingJson(finding, io)),
  };
}
