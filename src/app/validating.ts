// The operator's own check of versions (`validate.command`), as every way into the store asks it: fetches, uploads and
// imports. Without a command there is none.

import { CommandValidator } from "#adapters/system/validate-command.ts";
import type { Validator } from "#services/proxy/ports.ts";
import type { Values } from "./config-schema.ts";

/** @param values is read anew each time: a command may be set, or taken away, while a server runs */
export function validatorOf(
  values: () => Values,
  env: Readonly<Record<string, string | undefined>>,
): () => Validator | undefined {
  const command = new CommandValidator({
    argv: () => values()["validate.command"],
    timeoutMs: () => values()["validate.timeout"],
    variables: () => values()["validate.env"],
    env,
  });
  return () => (values()["validate.command"].length === 0 ? undefined : command);
}
