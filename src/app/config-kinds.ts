// The kinds of values a setting can have: how text becomes a value, what is accepted in words, how it is shown.

import { z } from "zod";
import type { Lang } from "#services/errors/sentences.ts";

/** One kind of value. The schema reads text (or a list of texts) and fails with any message: `accepted` is what people see. */
export type Kind<T> = {
  readonly schema: z.ZodType<T, string | readonly string[]>;
  readonly accepted: Readonly<Record<Lang, string>>;
  readonly format: (value: T) => string;
  /** A list: repeatable on the command line, a sequence in YAML, separated by this in a variable. */
  readonly listSeparator?: string;
};

const both = (text: string): Readonly<Record<Lang, string>> => ({ en: text, "zh-CN": text });

/** A schema from a function that answers undefined for what it does not accept. */
function read<T>(parse: (text: string) => T | undefined): z.ZodType<T, string> {
  return z.string().transform((text, context) => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: "custom", message: "not of the accepted form" });
    return z.NEVER;
  });
}

export function text(accepted: Kind<string>["accepted"], isGood: (text: string) => boolean = () => true): Kind<string> {
  // Control characters in a path, an address or a list are always a mistake, and dangerous where they are shown.
  const parse = (value: string): string | undefined =>
    value !== "" && !/\p{Cc}/u.test(value) && isGood(value) ? value : undefined;
  return { schema: read(parse), accepted, format: (value) => value };
}

/** `kind`, or "" for nothing. */
export function orNothing(kind: Kind<string>): Kind<string> {
  return { ...kind, schema: z.union([z.literal(""), kind.schema]) };
}

export function oneOf<const T extends string>(...words: readonly T[]): Kind<T> {
  return {
    schema: read((value) => words.find((word) => word === value)),
    accepted: both(words.join(" | ")),
    format: (value) => value,
  };
}

const yes = new Set(["true", "on", "yes"]);
const no = new Set(["false", "off", "no"]);

export const onOff: Kind<boolean> = {
  schema: read((value) => (yes.has(value) ? true : no.has(value) ? false : undefined)),
  accepted: both("on | off"),
  format: (value) => (value ? "on" : "off"),
};

export function integer(min: number, max: number): Kind<number> {
  return {
    schema: read((value) => within(/^\d{1,15}$/.test(value) ? Number(value) : NaN, min, max)),
    accepted: { en: `a whole number from ${min} to ${max}`, "zh-CN": `${min} 到 ${max} 的整数` },
    format: String,
  };
}

/** A number with decimals, written `0.5`. */
export function decimal(min: number, max: number): Kind<number> {
  return {
    schema: read((value) => within(/^\d{1,9}(\.\d{1,6})?$/.test(value) ? Number(value) : NaN, min, max)),
    accepted: { en: `a number from ${min} to ${max}`, "zh-CN": `${min} 到 ${max} 的数` },
    format: String,
  };
}

/** A share from 0 to 1, written `5%`. */
export const percent: Kind<number> = {
  schema: read((value) => {
    const [, number] = /^(\d{1,3}(?:\.\d{1,3})?)%$/.exec(value) ?? [];
    return number === undefined ? undefined : within(Number(number) / 100, 0, 1);
  }),
  accepted: { en: "a share such as 5%", "zh-CN": "比例，如 5%" },
  format: (share) => `${share * 100}%`,
};

/** Requests a second that are known of well-known proxies (requirements S0-04). */
const knownRates: Readonly<Record<string, number>> = { official: 5, gocenter: 10 };

/** Requests a second, written `20/s` or as the name of whose limit it is. */
export const rate: Kind<number> = {
  schema: read((value) => {
    const [, number] = /^(\d{1,6})\/s$/.exec(value) ?? [];
    return Object.hasOwn(knownRates, value) ? knownRates[value] : within(Number(number ?? NaN), 1, 100_000);
  }),
  accepted: {
    en: "requests a second such as 20/s, or official, or gocenter",
    "zh-CN": "每秒请求数，如 20/s，或 official、gocenter",
  },
  format: (perSecond) => `${perSecond}/s`,
};

const durationUnits: ReadonlyMap<string, number> = new Map([
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
]);

/** Milliseconds, written `30s`, `500ms`, `1h30m`, `7d`. */
export function duration(minMs: number, maxMs: number): Kind<number> {
  const range = `${formatDuration(minMs)} … ${formatDuration(maxMs)}`;
  return {
    schema: read((value) => within(parseDuration(value), minMs, maxMs)),
    accepted: {
      en: `a duration such as 500ms, 30s, 5m, 1h30m, 7d (${range})`,
      "zh-CN": `时长，如 500ms、30s、5m、1h30m、7d（${range}）`,
    },
    format: formatDuration,
  };
}

/** NaN when it is no duration. */
export function parseDuration(value: string): number {
  if (value === "0") return 0;
  if (!/^(\d{1,9}(ms|[dhms]))+$/.test(value)) return NaN;
  let total = 0;
  for (const [, digits, unit] of value.matchAll(/(\d+)(ms|[dhms])/g))
    total += Number(digits) * (durationUnits.get(unit ?? "") ?? NaN);
  return total;
}

export function formatDuration(ms: number): string {
  if (ms === 0) return "0";
  let rest = ms;
  let said = "";
  for (const [unit, size] of durationUnits) {
    const n = Math.floor(rest / size);
    if (n > 0) said += `${n}${unit}`;
    rest -= n * size;
  }
  return said;
}

const sizeUnits: ReadonlyMap<string, number> = new Map([
  ["TiB", 2 ** 40],
  ["GiB", 2 ** 30],
  ["MiB", 2 ** 20],
  ["KiB", 2 ** 10],
  ["TB", 1e12],
  ["GB", 1e9],
  ["MB", 1e6],
  ["kB", 1e3],
  ["B", 1],
]);

/** Bytes, written `64MiB`, `10MB`, `4096`. */
export function size(minBytes: number, maxBytes: number): Kind<number> {
  const range = `${formatSize(minBytes)} … ${formatSize(maxBytes)}`;
  return {
    schema: read((value) => within(parseSize(value), minBytes, maxBytes)),
    accepted: { en: `a size such as 64MiB, 10MB, 4096 (${range})`, "zh-CN": `大小，如 64MiB、10MB、4096（${range}）` },
    format: formatSize,
  };
}

/** NaN when it is no size. */
export function parseSize(value: string): number {
  const [, number, unit] = /^(\d{1,15}(?:\.\d{1,3})?)\s?([KMGTk]?i?B)?$/.exec(value) ?? [];
  if (number === undefined) return NaN;
  const bytes = Number(number) * (unit === undefined ? 1 : (sizeUnits.get(unit === "KB" ? "kB" : unit) ?? NaN));
  return Number.isInteger(bytes) ? bytes : NaN;
}

export function formatSize(bytes: number): string {
  for (const [unit, size] of sizeUnits)
    if (bytes >= size && bytes % size === 0) return unit === "B" ? String(bytes) : `${bytes / size}${unit}`;
  return String(bytes);
}

function within(value: number, min: number, max: number): number | undefined {
  return value >= min && value <= max ? value : undefined;
}

export type HostPort = { readonly host: string; readonly port: number };

/** `127.0.0.1:8080`, `[::1]:8080`, `localhost:0`; an empty host means every address, as Go writes it. */
export const hostPort: Kind<HostPort> = {
  schema: read(parseHostPort),
  accepted: {
    en: "HOST:PORT such as 127.0.0.1:8080 or [::1]:8080; port 0 takes any free one",
    "zh-CN": "HOST:PORT，如 127.0.0.1:8080 或 [::1]:8080；端口 0 表示任取一个空闲端口",
  },
  format: formatHostPort,
};

function parseHostPort(value: string): HostPort | undefined {
  const [, bracketed, plain = "", digits = ""] = /^(?:\[([\da-f:.]+)\]|([\w.-]*)):(\d{1,5})$/i.exec(value) ?? [];
  const port = within(digits === "" ? NaN : Number(digits), 0, 65_535);
  if (port === undefined) return undefined;
  return { host: bracketed ?? (plain === "" ? "::" : plain), port };
}

export function isHostPort(value: string): boolean {
  return parseHostPort(value) !== undefined;
}

/** Throws RangeError for what isHostPort() does not accept. */
export function readHostPort(value: string): HostPort {
  const read = parseHostPort(value);
  if (read === undefined) throw new RangeError(`${value} is not HOST:PORT`);
  return read;
}

export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A list that may have nothing in it. */
export function orEmptyList(item: Kind<string>, separator = ","): Kind<readonly string[]> {
  const kind = listOf(item, separator);
  return { ...kind, schema: z.array(item.schema) as z.ZodType<readonly string[], readonly string[]> };
}

/** A list of texts. */
export function listOf(item: Kind<string>, separator: string): Kind<readonly string[]> {
  return {
    schema: z.array(item.schema).min(1) as z.ZodType<readonly string[], readonly string[]>,
    accepted: item.accepted,
    format: (values) => values.join(`${separator} `),
    listSeparator: separator,
  };
}
