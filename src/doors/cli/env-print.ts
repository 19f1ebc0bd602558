// `granary env explain` and `provenance` as people read them; within 80 columns but for values that are longer.

import { matchPrefixPatterns } from "#protocol/pattern.ts";
import type { ExplainedHop, Explanation } from "#services/environment/explain.ts";
import type { Round } from "#services/environment/commands.ts";
import type { Hop } from "#services/environment/chain.ts";
import { valueOf } from "#services/environment/settings.ts";
import type { Place, Settings } from "#services/environment/settings.ts";
import type { Surroundings } from "#services/environment/surroundings.ts";
import { variables } from "#services/environment/variables.ts";
import type { VariableName } from "#services/environment/variables.ts";
import type { Lang } from "#services/errors/sentences.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import { envTexts } from "./env-texts.ts";
import type { EnvTexts } from "./env-texts.ts";
import { columnsOf, harmless, padEnd, table, terminalColumns, wrap } from "./text.ts";

/** Text of foreign origin on one line, without passwords. */
export function plain(text: string): string {
  return harmless(withoutCredentials(text));
}

export function explanationText(it: Explanation, lang: Lang): string {
  const texts = envTexts[lang];
  const about =
    it.module === undefined
      ? texts.noModule
      : plain(it.version === undefined ? it.module : `${it.module}@${it.version}`);
  const head = `Go ${it.settings.version} (${texts.versionFrom[it.settings.versionFrom]})   ${about}`;
  const rows: Row[] = [
    ...privateRow(it, texts),
    [texts.labels.checksums, sumsText(it, texts)],
    [texts.labels.asks, roundsText(it.rounds, texts)],
    ...trustRow(it, texts),
    ...notes(it, texts).map((note): Row => [texts.labels.note, note]),
  ];
  const list =
    it.chain.kind === "refused"
      ? `${wrap(texts.refused(plain(it.chain.sentence)), terminalColumns).join("\n")}\n`
      : hopsText(it, texts);
  return `${head}\n\n${block(rows, 0)}\n${list}`;
}

type Row = readonly [label: string, text: string];

/** Labels in one column, texts wrapped in the other. */
function block(rows: readonly Row[], indent: number): string {
  const width = Math.max(...rows.map(([label]) => columnsOf(label))) + 2;
  return rows
    .flatMap(([label, text]) =>
      wrap(text, terminalColumns - indent - width).map(
        (line, at) => `${" ".repeat(indent)}${padEnd(at === 0 ? label : "", width)}${line}\n`,
      ),
    )
    .join("");
}

function privateRow({ isPrivate, module, settings }: Explanation, texts: EnvTexts): Row[] {
  if (isPrivate === undefined || module === undefined) return [];
  const patterns = plain(valueOf(settings, "GONOPROXY"));
  const said = isPrivate ? texts.isPrivate(matching(patterns, module)) : texts.isPublic(patterns);
  return [[texts.labels.private, said]];
}

/** The pattern that does it; all of them when no single one can be named. */
function matching(patterns: string, module: string): string {
  return patterns.split(",").find((pattern) => matchPrefixPatterns(pattern, module)) ?? patterns;
}

function sumsText({ sums, module, settings }: Explanation, texts: EnvTexts): string {
  if (sums === undefined) return texts.sums.none;
  const { outcome } = sums;
  switch (outcome.kind) {
    case "refused":
      return texts.refused(plain(outcome.sentence));
    case "unverified":
      if (outcome.because === "off") return texts.sums.off;
      if (outcome.because === "file-proxy") return texts.sums.file;
      return texts.sums.pattern(matching(plain(valueOf(settings, "GONOSUMDB")), module ?? ""));
    case "verified": {
      const ways = outcome.ways.map(({ via, url }) =>
        via === "proxy" ? texts.sums.via(plain(url)) : texts.sums.direct(plain(url)),
      );
      return `${texts.sums.verified(plain(outcome.database))} ${ways.join(texts.join)}`;
    }
  }
}

function roundsText(rounds: readonly Round[], texts: EnvTexts): string {
  const words = rounds
    .filter((round) => round.of !== "newest")
    .map((round) => {
      const file = round.file === "list" || round.file === "latest" ? round.file : `.${round.file}`;
      if (round.onlyWithoutVersions === true) return texts.rounds.unlisted;
      return round.prefixes === true ? texts.rounds.prefixes(file) : file;
    });
  const isNewest = rounds.some(({ of }) => of === "newest");
  return [...words, ...(isNewest ? [texts.rounds.newest] : []), texts.rounds.each].join(texts.join);
}

function trustRow({ trust }: Explanation, texts: EnvTexts): Row[] {
  if (trust.kind === "system") return [];
  const where = [
    ...(trust.file === "" ? [] : [`SSL_CERT_FILE=${plain(trust.file)}`]),
    ...(trust.dir === "" ? [] : [`SSL_CERT_DIR=${plain(trust.dir)}`]),
  ];
  return [[texts.labels.trust, texts.trust(trust.kind, where.join(", "))]];
}

function notes(it: Explanation, texts: EnvTexts): string[] {
  return [
    ...(it.isOff ? [texts.off] : []),
    ...(it.isVendored ? [texts.vendored] : []),
    ...(it.leaks.length > 0 ? [texts.leaks(it.leaks.map(plain).join(", "))] : []),
    ...(it.chain.kind === "hops" && it.chain.unread !== "" ? [texts.unread(plain(it.chain.unread))] : []),
  ];
}

/** A hop by the name that people know it by. */
export function hopName(hop: Hop, texts: EnvTexts): string {
  return hop.kind === "proxy" ? plain(hop.url) : texts.hops[hop.kind];
}

/** Where nothing is private there is no hop before the proxies, so they count from 1. */
function hopsText(it: Explanation, texts: EnvTexts): string {
  const shown = it.hops.filter(({ hop, isAsked }) => hop.kind !== "noproxy" || isAsked);
  return shown
    .map((hop, at) => {
      const next = shown.findIndex((one, index) => index > at && (one.isAsked || one.hop.kind === "off"));
      const rows = hopRows(hop, next, texts);
      return ` ${at + 1}  ${hopName(hop.hop, texts)}\n${rows.length === 0 ? "" : block(rows, 4)}`;
    })
    .join("");
}

function hopRows(hop: ExplainedHop, next: number, texts: EnvTexts): Row[] {
  if (hop.hop.kind !== "proxy") return [];
  if (!hop.isAsked) return [[texts.labels.note, texts.notAsked]];
  const rows: Row[] = (["next", "end", "hangs"] as const).flatMap((after): Row[] => {
    const kinds = (Object.keys(texts.failures) as (keyof EnvTexts["failures"])[]).filter(
      (kind) => hop.after[kind] === after,
    );
    if (kinds.length === 0) return [];
    const where = after === "next" && next >= 0 ? ` ${texts.nextHop(next + 1)}` : "";
    return [[texts.labels[after], `${kinds.map((kind) => texts.failures[kind]).join(texts.join)}${where}`]];
  });
  if (hop.via !== undefined) rows.push([texts.labels.via, plain(hop.via)]);
  const sent = credentialsText(hop, texts);
  if (sent !== undefined) rows.push([texts.labels.sends, sent]);
  if (hop.asksTwice) rows.push([texts.labels.twice, texts.twice]);
  return rows;
}

function credentialsText({ credentials }: ExplainedHop, texts: EnvTexts): string | undefined {
  switch (credentials.kind) {
    case "none":
      return undefined;
    case "url":
    case "refused":
      return texts.credentials[credentials.kind];
    case "netrc":
      return texts.credentials.netrc(plain(credentials.login), plain(credentials.machine));
    case "netrc-port":
      return texts.credentials.port(plain(credentials.machine), plain(credentials.wanted));
    case "goauth":
      return texts.credentials.goauth(plain(credentials.command));
  }
}

export function provenanceText(
  { settings, surroundings }: { readonly settings: Settings; readonly surroundings: Surroundings },
  lang: Lang,
): string {
  const texts = envTexts[lang];
  const shown = variables
    .map(({ name }) => settings.all[name as VariableName])
    .filter(({ value, place, shadowed }) => value !== "" || place.kind !== "built-in" || shadowed.length > 0);
  const rows = table(shown.map(({ name, value, place }) => [name, plain(value), placeText(place, texts)]));
  const lines = rows.split("\n").flatMap((row, at) => {
    const { value, shadowed = [] } = shown[at] ?? {};
    const hidden = shadowed.filter((one) => one.value !== value);
    return [row, ...hidden.map((one) => `  ${texts.hides(plain(one.value), placeText(one.place, texts))}`)];
  });
  return `${goText(surroundings, settings, texts)}\n${fileText(surroundings, texts)}\n\n${lines.join("\n")}`;
}

function placeText(place: Place, texts: EnvTexts): string {
  switch (place.kind) {
    case "process":
      return `${texts.places.process}${/[a-z]/.test(place.name) ? ` ${place.name}` : ""}`;
    case "user-file":
    case "goroot-file":
      return `${plain(place.path)}:${place.line}`;
    case "given":
      return "";
    case "follows":
      return texts.follows(place.name);
    case "built-in":
    case "unknown-yet":
      return texts.places[place.kind];
  }
}

function goText({ go }: Surroundings, settings: Settings, texts: EnvTexts): string {
  const installed = go === undefined ? texts.noGo : texts.goFile(go.version ?? "?", plain(go.goroot));
  const lines = wrap(installed, terminalColumns);
  if (settings.versionFrom === "asked") lines.push(`Go ${settings.version} (${texts.versionFrom.asked})`);
  return lines.join("\n");
}

function fileText({ userFile }: Surroundings, texts: EnvTexts): string {
  switch (userFile.kind) {
    case "text":
    case "absent":
      return texts.file[userFile.kind](plain(userFile.path));
    case "unreadable":
      return texts.file.unreadable(plain(userFile.path), plain(userFile.reason));
    case "off":
      return texts.file.off;
    case "nowhere":
      return texts.file.nowhere(userFile.missing);
  }
}
