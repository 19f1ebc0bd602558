// Sizes and ages as people type them.

import { GranaryError } from "#services/errors/granary-error.ts";

const sizes: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

const ages: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};

/** Bytes. Throws GRANARY_BAD_FLAG. */
export function readSize(flag: string, text: string): number {
  return read(flag, text, { units: sizes, accepted: "5GB, 500MB, 2GiB, 1048576" });
}

/** Milliseconds of a wait. Throws GRANARY_BAD_FLAG. */
export function readWait(flag: string, text: string): number {
  return read(flag, text, { units: { ms: 1, min: 60_000, ...ages }, accepted: "5s, 800ms, 1m" });
}

/** Milliseconds. Throws GRANARY_BAD_FLAG. */
export function readAge(flag: string, text: string): number {
  return read(flag, text, { units: ages, accepted: "30d, 12h, 2w, 90m" });
}

function read(
  flag: string,
  text: string,
  how: { readonly units: Readonly<Record<string, number>>; readonly accepted: string },
): number {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text.trim()) ?? [];
  const scale = Object.hasOwn(how.units, unit.toLowerCase()) ? how.units[unit.toLowerCase()] : undefined;
  const value = Math.round(Number(number) * (scale ?? Number.NaN));
  if (number === "" || !Number.isSafeInteger(value))
    throw new GranaryError("GRANARY_BAD_FLAG", { flag, value: text, accepted: how.accepted });
  return value;
}
