// What a postgres:// URL says, read by ourselves: the driver's own reader takes unknown words in silence, and puts the
// whole URL, password too, into its errors.

import type { ConnectionOptions } from "node:tls";
import { IndexUnavailable } from "#services/tending/ports.ts";
import type { PoolConfig } from "./_driver-postgres.ts";

export type PostgresPlace = Pick<PoolConfig, "host" | "port" | "user" | "password" | "database"> & {
  readonly ssl: ConnectionOptions | false;
};

const encrypted = ["require", "verify-ca", "verify-full"];

/**
 * `sslmode=disable`, or none: no TLS. `require`, `verify-ca`, `verify-full`: TLS, and the certificate must be of the host
 * and of an authority that Node or `ca` (PEM text) knows. Others, which may end without TLS, are refused. `host=/folder`:
 * a socket there. Throws IndexUnavailable, without the URL in it.
 */
export function readPostgresUrl(text: string, ca: string | undefined): PostgresPlace {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol)) throw refused("it is no postgres:// URL");
  for (const name of url.searchParams.keys())
    if (name !== "sslmode" && name !== "host") throw refused(`its parameter ${JSON.stringify(name)} is not known`);
  const mode = url.searchParams.get("sslmode") ?? "disable";
  if (mode !== "disable" && !encrypted.includes(mode))
    throw refused(`its sslmode is none of disable, ${encrypted.join(", ")}`);
  const host = url.searchParams.get("host") ?? url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (host === "") throw refused("it names no host");
  const user = decoded(url.username);
  return {
    host,
    port: url.port === "" ? 5432 : Number(url.port),
    user: user === "" ? "granary" : user,
    password: decoded(url.password),
    database: decoded(url.pathname.slice(1)) || "granary",
    ssl: mode === "disable" ? false : { ...(ca !== undefined && { ca }), rejectUnauthorized: true },
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refused("a % in it is not followed by two digits");
  }
}

function refused(why: string): IndexUnavailable {
  return new IndexUnavailable(`a postgres:// URL that can be used: ${why}`, "settings");
}
