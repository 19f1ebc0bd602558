// `granary sumweb`, with the flags that the deployment guides give it, in one dash or two.

import { whichStore } from "./command.ts";
import type { CommandSpec } from "./command.ts";

/** Beside the module proxy's default, so that both run on one machine. */
const defaultAddress = "127.0.0.1:8081";

export const sumwebCommand: CommandSpec = {
  name: "sumweb",
  about: "command.sumweb",
  example: "granary sumweb --db ./sumdb --addr :8081",
  settings: [
    ...whichStore,
    "upstream",
    "private",
    "sumdb",
    "tls.clientCa",
    "tls.clientAuth",
    "tls.profile",
    "tls.http2",
    "logdir",
    "log.format",
    "log.level",
  ],
  flags: [
    { flag: "--http HOST:PORT", about: "flag.sumweb-http", group: "server" },
    { flag: "--addr HOST:PORT", about: "flag.sumweb-addr", group: "server" },
    { flag: "--db DIR", about: "flag.sumweb-db", group: "server" },
    { flag: "--cert FILE", about: "flag.sumweb-cert", group: "tls" },
    { flag: "--key FILE", about: "flag.sumweb-key", group: "tls" },
  ],
  singleDash: true,
  run: async ({ options, settings }, { services }) => {
    const given = (name: string): string | undefined => {
      const value = options[name];
      return typeof value === "string" ? value : undefined;
    };
    const values: Record<string, string | readonly string[]> = { ...settings.values };
    values["listen"] = given("http") ?? given("addr") ?? defaultAddress;
    for (const [key, name] of [
      ["tls.cert", "cert"],
      ["tls.key", "key"],
    ] as const) {
      const value = given(name);
      if (value !== undefined) values[key] = value;
    }
    return await services.sumweb({ db: given("db") }, { ...settings, values });
  },
};
