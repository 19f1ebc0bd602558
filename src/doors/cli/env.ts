import type { CommandSpec } from "./command.ts";
import { envApplyCommand } from "./env-apply.ts";
import { envCheckCommand } from "./env-check.ts";
import { envInitCommand } from "./env-init.ts";
import { matrixCommand } from "./env-matrix.ts";
import { envScopesCommand } from "./env-scopes.ts";
import { envShellCommand } from "./env-shell.ts";

export const envCommand: CommandSpec = {
  name: "env",
  about: "command.env",
  example: "granary env scopes",
  commands: [envScopesCommand, envCheckCommand, envApplyCommand, envInitCommand, envShellCommand, matrixCommand],
};
