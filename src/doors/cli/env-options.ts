// What the commands of `granary env` take: a module, a Go version, one of a few words.

import { ProtocolError } from "#protocol/errors.ts";
import { parsePath } from "#protocol/path.ts";
import { checkModuleVersion } from "#protocol/version.ts";
import { parseGoVersion } from "#services/environment/go-versions.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import { textOption } from "./command.ts";
import type { Call } from "./command.ts";
import { harmless } from "./text.ts";

/** The Go version that was asked for; undefined for the installed one. */
export function goOption(call: Pick<Call, "options">): string | undefined {
  const text = textOption(call, "go");
  if (text === undefined) return undefined;
  const version = parseGoVersion(text);
  if (version === undefined) throw badFlag("--go", text, "1.11 … 1.27, 1.26.8");
  return version;
}

/** @param text a module path, or `path@version`; `latest` is no version */
export function moduleOf(text: string | undefined): { readonly module?: string; readonly version?: string } {
  if (text === undefined) return {};
  const [path = "", version] = text.split("@", 2);
  try {
    if (version === undefined || version === "latest") return { module: parsePath(path) };
    return { module: checkModuleVersion(path, version).path, version };
  } catch (error) {
    if (error instanceof ProtocolError) throw badFlag("MODULE", text, "MODULE | MODULE@VERSION", error);
    throw error;
  }
}

/** A flag whose value is one of a few words. */
export function wordOption<T extends string>(
  call: Pick<Call, "options">,
  name: string,
  words: readonly T[],
): T | undefined {
  const text = textOption(call, name);
  if (text === undefined) return undefined;
  const word = words.find((one) => one === text);
  if (word === undefined) throw badFlag(`--${name}`, text, words.join(" | "));
  return word;
}

export function badFlag(flag: string, value: string, accepted: string, cause?: unknown): GranaryError {
  return new GranaryError(
    "GRANARY_BAD_FLAG",
    { flag, value: harmless(withoutCredentials(value)), accepted },
    { cause },
  );
}
