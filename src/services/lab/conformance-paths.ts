// Request targets of the cases, written as the go command writes them: case-escaped, `!` as %21.
import type { ModuleSample } from "./conformance-lab.ts";

/** `github.com/Azure/x` becomes `/github.com/%21azure/x`: x/mod module.EscapePath, then url.PathEscape. */
export function wire(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => `%21${letter.toLowerCase()}`);
}

/** The same without the percent-encoding: how the escaped form is spelt on disk. */
export function spelt(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
}

/** `/M/@v/V.ext`. */
export function fileTarget(sample: ModuleSample, ext: "info" | "mod" | "zip"): string {
  return `/${wire(sample.path)}/@v/${wire(sample.version)}.${ext}`;
}

export function listTarget(path: string): string {
  return `/${wire(path)}/@v/list`;
}

export function latestTarget(path: string): string {
  return `/${wire(path)}/@latest`;
}

/** A module nobody can publish: RFC 6761 keeps .invalid from ever resolving. */
export const unknownModule = "granary-conformance.invalid/no/such-module";

/** A version that `module` does not have. */
export const unknownVersion = "v0.0.0-20010101000000-000000000000";

export const unknownTag = "v0.987654.3";
