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
