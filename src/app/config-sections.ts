// What the sections of the file have in common whose entries somebody names: `upstreams`, `repositories`, `webhooks`.

import { GranaryError } from "#services/errors/granary-error.ts";
import { nearest } from "#services/errors/nearest.ts";
import type { Lang } from "#services/errors/sentences.ts";
import type { FileEntry } from "./config-file.ts";
import type { Kind } from "./config-kinds.ts";

/** A key below a name. */
export type Field = {
  readonly kind: Kind<unknown>;
  readonly about: Readonly<Record<Lang, string>>;
  readonly reason: string;
};

export const field = <T>(of: { kind: Kind<T>; about: Field["about"]; reason: string }): Field => of as unknown as Field;

/** A key that is not among `known`, with the one that was probably meant. */
export function unknownField(key: string, known: readonly string[], entry: FileEntry): GranaryError {
  const guess = nearest(key, known);
  const [section, name] = entry.path;
  return new GranaryError("GRANARY_UNKNOWN_SETTING", {
    origin: entry.origin,
    key: entry.key,
    ...(guess !== undefined && name !== undefined && { nearest: `${section ?? ""}.${name}.${guess}` }),
  });
}
