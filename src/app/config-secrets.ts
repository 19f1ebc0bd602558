// Secrets stand in files or variables; a configuration refers to them.

import { GranaryError } from "#services/errors/granary-error.ts";
import type { Machine } from "./go-env.ts";

/** `file:/path` (its text without the last newline), `env:NAME`, or the value itself, which deserves a warning. */
export async function readSecret(
  entry: { readonly key: string; readonly origin: string; readonly value: string },
  machine: Machine,
): Promise<{ readonly value: string; readonly isPlain: boolean }> {
  const { key, origin, value } = entry;
  const [, scheme, target = ""] = /^(file|env):(.*)$/s.exec(value) ?? [];
  if (scheme === undefined) return { value, isPlain: true };
  const found = scheme === "env" ? machine.env[target] : await machine.readFile(target).catch(() => undefined);
  if (found === undefined || found === "")
    throw new GranaryError("GRANARY_SECRET_UNREADABLE", { origin, key, reference: value });
  return { value: found.replace(/\r?\n$/, ""), isPlain: false };
}

const isReference = (value: string): boolean => /^(file|env):/.test(value);

/** True when the secret part of a setting's value stands in the settings themselves. */
export function isInTheOpen(value: string, secret: "value" | "password"): boolean {
  if (value === "" || isReference(value)) return false;
  return secret === "value" || (URL.canParse(value) && new URL(value).password !== "");
}

/** A value that is a secret as people may see it: a reference as it is. */
export function maskSecret(value: string): string {
  return value === "" || isReference(value) ? value : "xxxxx";
}
