// The words of Athens on their way to settings of Granary: what was made of each is written down as it happens, so that
// none is lost without a word.

import type { CompatRow } from "#doors/cli/services.ts";
import type { Lang } from "#services/errors/sentences.ts";
import { badAthens } from "./athens-config.ts";
import type { AthensWords, Said } from "./athens-config.ts";
import { reasons } from "./athens-texts.ts";
import type { AcceptedName, ReasonName } from "./athens-texts.ts";
import type { FileEntry } from "./config-file.ts";
import { maskText } from "./config.ts";
import type { SettingKey } from "./config.ts";
import type { GranaryError } from "#services/errors/granary-error.ts";

/** What stands for a secret wherever settings are shown. */
const masked = "xxxxx";
/** Says where a secret is, or is a URL, of which only the credentials are secret. */
const reference = /^((env|file):|\w+:\/\/)/;

/** What of a word becomes which setting. */
export type Mapping = {
  /** A setting, or `repositories.HOST.KEY`. */
  readonly setting: string;
  readonly value: string | readonly string[];
  /** What differs from Athens, if anything does. */
  readonly note?: ReasonName;
  readonly isSecret?: boolean;
  /** A part of the word: a variable of GoBinaryEnvVars. */
  readonly part?: string;
};

export class Translation {
  readonly rows: CompatRow[] = [];
  readonly #words: AthensWords;
  readonly #lang: Lang;
  readonly #entries = new Map<string, FileEntry>();
  readonly #done = new Set<string>();

  constructor(words: AthensWords, lang: Lang) {
    this.#words = words;
    this.#lang = lang;
  }

  /** The settings, as a file would give them. */
  get entries(): readonly FileEntry[] {
    return [...this.#entries.values()];
  }

  /** What was said for a key; undefined when nothing was, or nothing in it. */
  said(path: string): Said | undefined {
    const said = this.#words.said.get(path);
    return said === undefined || said.value.length === 0 ? undefined : said;
  }

  text(path: string): string {
    return String(this.said(path)?.value ?? "");
  }

  /** Words that nothing was made of yet and that hold something. */
  get open(): readonly Said[] {
    return [...this.#words.said.values()].filter(({ key, value }) => !this.#done.has(key.path) && value.length > 0);
  }

  /** True when a row tells of the variable that says this as well; then it needs none of its own. */
  isTold({ key, origin }: Said): boolean {
    const isTold = origin.startsWith("env ") && this.rows.some((row) => row.origin === origin);
    if (isTold) this.#done.add(key.path);
    return isTold;
  }

  map(said: Said, mapping: Mapping): void {
    const { setting, value, note, part } = mapping;
    this.#done.add(said.key.path);
    const isSecret = mapping.isSecret ?? said.key.isSecret ?? false;
    const text = [value].flat().join(", ");
    this.rows.push({
      kind: "mapped",
      key: nameOf(said, part),
      origin: said.origin,
      setting,
      value: isSecret && !reference.test(text) ? masked : maskText(text),
      ...(note !== undefined && { note: reasons[note][this.#lang] }),
    });
    this.put(setting, value, said.origin);
  }

  /** What Athens does when nobody says anything. */
  mapDefault(key: string, { setting, value, note }: Mapping): void {
    const row = { kind: "mapped", key, origin: "default", setting, value: String(value) } as const;
    this.rows.push({ ...row, ...(note !== undefined && { note: reasons[note][this.#lang] }) });
    this.put(setting, value, "Athens default");
  }

  /** A setting beside a row of its own; what was put first stays. */
  put(setting: string, value: string | readonly string[], origin: string): void {
    if (this.#entries.has(setting)) return;
    const repository = /^repositories\.(.+)\.(\w+)$/.exec(setting);
    const path = repository === null ? setting.split(".") : ["repositories", repository[1] ?? "", repository[2] ?? ""];
    this.#entries.set(setting, { key: setting, path, value, origin });
  }

  ignore(said: Said, reason: ReasonName, part?: string): void {
    this.#done.add(said.key.path);
    const row = { key: nameOf(said, part), origin: said.origin, reason: reasons[reason][this.#lang] };
    this.rows.push({ kind: "ignored", ...row });
  }

  /** @param settledBy settings of ours with which the operator has said what to do instead */
  refuse(said: Said, reason: ReasonName, settledBy: readonly SettingKey[]): void {
    this.#done.add(said.key.path);
    const row = { key: nameOf(said), origin: said.origin, reason: reasons[reason][this.#lang] };
    this.rows.push({ kind: "refused", ...row, settledBy });
  }

  /** Everything that no rule took: what holds nothing, what nothing here answers to, names of nobody's. */
  finish(): void {
    for (const said of this.#words.said.values()) {
      const { key, value } = said;
      if (this.#done.has(key.path)) continue;
      if (value.length === 0) this.ignore(said, "empty");
      else if (key.ignored !== undefined) this.ignore(said, key.ignored);
      else this.rows.push({ kind: "unknown", key: nameOf(said), origin: said.origin });
    }
    for (const { name, origin } of this.#words.foreign)
      this.rows.push({ kind: "ignored", key: name, origin, reason: reasons.kubernetes[this.#lang] });
    for (const { name, origin, nearest } of this.#words.unknown)
      this.rows.push({ kind: "unknown", key: name, origin, ...(nearest !== undefined && { nearest }) });
  }

  bad(said: Said, what: AcceptedName): GranaryError {
    return badAthens(said, what, this.#lang);
  }
}

/** The name under which it was said: the variable's, or the key's in the file. */
function nameOf({ key, origin }: Said, part?: string): string {
  const name = origin.startsWith("env ") ? (key.env ?? key.path) : key.path;
  return part === undefined ? name : `${name} ${part}`;
}
