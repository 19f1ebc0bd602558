import type { CommandSpec } from "./command.ts";
import { matrixCommand } from "./env-matrix.ts";

export const envCommand: CommandSpec = {
  name: "env",
  about: "command.env",
  example: "granary env matrix --about GOPROXY",
  commands: [matrixCommand],
};
