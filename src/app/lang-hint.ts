// The language of messages before, and whether or not, there is a configuration.

import type { Lang } from "#services/errors/sentences.ts";
import { localeOf, variableOf } from "./config-schema.ts";
import type { Machine } from "./go-env.ts";

type LangSource = {
  readonly flags: { readonly values: { readonly lang?: string | readonly string[] | undefined } };
  readonly machine: Machine;
};

/** The language for errors while the configuration itself is being read. */
export function langHint({ flags, machine }: LangSource): Lang {
  const said = flags.values.lang ?? (machine.env[variableOf("lang")] || undefined) ?? localeOf(machine)?.value;
  return said === "zh-CN" ? "zh-CN" : "en";
}
