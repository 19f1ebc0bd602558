import { jsonFlag } from "./command.ts";
import type { CommandSpec } from "./command.ts";

export const conformanceCommand: CommandSpec = {
  name: "conformance",
  about: "command.conformance",
  example: "granary conformance http://127.0.0.1:8080",
  args: ["URL"],
  flags: [jsonFlag],
  run: ({ args, options }, { io, services }) =>
    services.conformance(args[0] ?? "", { json: options["json"] === true, lang: io.lang, out: io.stdout }),
};
