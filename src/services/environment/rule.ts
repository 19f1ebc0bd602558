// What a rule of lint is given, and what its findings share: where a value stands, and how it is changed there.

import type { Evidence } from "#services/findings/finding.ts";
import type { Fix } from "#services/findings/fix.ts";
import type { Setting, Settings } from "./settings.ts";
import type { Surroundings } from "./surroundings.ts";

/** What a rule is given. */
export type Lint = {
  readonly from: Surroundings;
  readonly settings: Settings;
  readonly isStrict: boolean;
  readonly kind: "prod" | "ci" | "dev";
};

/** Where a value stands, for people. */
export function evidenceOf({ name, value, place }: Setting): readonly Evidence[] {
  const shown: Evidence = { kind: "value", text: `${name}=${value}` };
  switch (place.kind) {
    case "process":
      return [shown, { kind: "place", text: `$${place.name}` }];
    case "user-file":
    case "goroot-file":
      return [shown, { kind: "place", text: `${place.path}:${place.line}` }];
    case "follows":
      return [shown, { kind: "place", text: place.name }];
    case "given":
    case "built-in":
    case "unknown-yet":
      return [shown];
  }
}

/**
 * Sets a value where the one that counts comes from: what the environment has, go env -w cannot change. None when the
 * value would switch verification off: a repair never does.
 */
export function fixesOf({ name, place }: Pick<Setting, "name" | "place">, value: string): readonly Fix[] {
  if (!isHarmless(name, value)) return [];
  const values = { [name]: value };
  return [place.kind === "process" ? { kind: "export", values } : { kind: "set", values }];
}

/** False for values that nobody is advised to set. */
export function isHarmless(name: string, value: string): boolean {
  if (name === "GOSUMDB") return value !== "off";
  if (name === "GOFLAGS") return !value.includes("-insecure");
  return name !== "GOINSECURE" && !(/^GO(?:PRIVATE|NOSUMDB|NOPROXY)$/.test(name) && coversAll(value));
}

/** Whether a list of patterns holds one that every module path matches. */
export function coversAll(globs: string): boolean {
  return globs.split(",").some((glob) => /^\*+\/?$/.test(glob) || glob === "*.*");
}
