// What a setting is; the table of them is config-schema.ts.

import type { Lang } from "#services/errors/sentences.ts";
import type { Kind } from "./config-kinds.ts";
import type { Machine } from "./go-env.ts";

export const groups = [
  "server",
  "upstreams",
  "direct",
  "trust",
  "shared",
  "logs",
  "tls",
  "cache",
  "limits",
  "client",
] as const;
export type Group = (typeof groups)[number];

export type Setting<T> = {
  readonly kind: Kind<T>;
  readonly group: Group;
  /** Long flag with the name of its value, for example `--listen HOST:PORT`. */
  readonly flag?: string;
  /** The default as text, as somebody would write it. */
  readonly initial: string | readonly string[];
  /** What this machine says when nobody configured Granary, with its origin. */
  readonly ambient?: (machine: Machine) => Promise<{ readonly value: string; readonly origin: string } | undefined>;
  /** How the default reads in the documents when the machine decides it. */
  readonly initialInDocs?: string;
  readonly about: Readonly<Record<Lang, string>>;
  /** Why it exists, or why the default is what it is. */
  readonly reason: string;
  /** What can go wrong with it. */
  readonly danger?: string;
  /** What of the value nobody else may see: all of it, or the password of a URL. A reference, file: or env:, may be shown. */
  readonly secret?: "value" | "password";
  /** Fixed at start: a changed file that changes it is refused. */
  readonly restart?: true;
};

export const setting = <T>(of: Setting<T>): Setting<T> => of;
