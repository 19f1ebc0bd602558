// What commands that ask a running server have in common.

import type { CommandFlag } from "./command.ts";
import type { RemoteFlags } from "./services.ts";

export const remoteFlags: readonly CommandFlag[] = [
  { flag: "--server URL", about: "flag.server" },
  { flag: "--token REF", about: "flag.token" },
];

export function remoteOf(options: Readonly<Record<string, unknown>>): RemoteFlags {
  const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  return { server: text(options["server"]), token: text(options["token"]) };
}
