// `granary env`: what go does with its settings. The rules are services/environment; nothing here asks the network. Each
// command brings them along when it runs, so that no other command waits for them.

import { jsonFlag } from "./command.ts";
import type { CommandFlag, CommandSpec } from "./command.ts";
import { envApplyCommand } from "./env-apply.ts";
import { envCheckCommand } from "./env-check.ts";
import { envInitCommand } from "./env-init.ts";
import { matrixCommand } from "./env-matrix.ts";
import { envScopesCommand } from "./env-scopes.ts";
import { envShellCommand } from "./env-shell.ts";

const goFlag: CommandFlag = { flag: "--go VERSION", about: "flag.env-go" };

const explainEnv: CommandSpec = {
  name: "explain",
  about: "command.env.explain",
  example: "granary env explain github.com/spf13/cobra@v1.8.0",
  args: ["[MODULE]"],
  flags: [goFlag, { flag: "--command COMMAND", about: "flag.env-command" }, jsonFlag],
  run: async (call, context) => await (await import("./env-explain.ts")).runExplain(call, context),
};

const provenanceEnv: CommandSpec = {
  name: "provenance",
  about: "command.env.provenance",
  example: "granary env provenance",
  flags: [goFlag, jsonFlag],
  run: async (call, context) => await (await import("./env-explain.ts")).runProvenance(call, context),
};

const lintEnv: CommandSpec = {
  name: "lint",
  about: "command.env.lint",
  example: "granary env lint GOPROXY=https://goproxy.cn,direct",
  args: ["[NAME=VALUE...]"],
  flags: [
    { flag: "--strict", about: "flag.env-strict" },
    { flag: "--class CLASS", about: "flag.env-class" },
    goFlag,
    jsonFlag,
  ],
  run: async (call, context) => await (await import("./env-lint.ts")).runLint(call, context),
};

const simulateEnv: CommandSpec = {
  name: "simulate",
  about: "command.env.simulate",
  example: "granary env simulate --chain 'https://a.example|direct' --responses 502,200",
  args: ["[MODULE@VERSION]"],
  flags: [
    { flag: "--chain LIST", about: "flag.env-chain" },
    { flag: "--responses WORDS", about: "flag.env-responses" },
    { flag: "--file FILE", about: "flag.env-file" },
    goFlag,
    jsonFlag,
  ],
  run: async (call, context) => await (await import("./env-simulate.ts")).runSimulate(call, context),
};

export const envCommand: CommandSpec = {
  name: "env",
  about: "command.env",
  example: "granary env explain",
  commands: [
    explainEnv,
    provenanceEnv,
    lintEnv,
    simulateEnv,
    matrixCommand,
    envScopesCommand,
    envCheckCommand,
    envApplyCommand,
    envInitCommand,
    envShellCommand,
  ],
};
