import type { CommandSpec } from "./command.ts";
import { alarmCommands } from "./sumdb-alarms.ts";
import { headCommands } from "./sumdb-heads.ts";
import { ownSumdbCommands } from "./sumdb-own.ts";

import { toolCommands } from "./sumdb-tools.ts";

export const sumdbCommand: CommandSpec = {
  name: "sumdb",
  about: "command.sumdb",
  example: "granary sumdb client-config",
  commands: [...toolCommands, ...ownSumdbCommands, ...headCommands, ...alarmCommands],
  singleDash: true,
};
