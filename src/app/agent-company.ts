// The company's server as the agent reaches it: with a certificate, a token, authorities of its own, through the egress
// proxies of the machine. Files that change are read again; requests under way end with what they began with.

import { stat } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { HttpUpstreamClient } from "#adapters/upstream/http.ts";
import type { Log } from "#adapters/telemetry/log.ts";
import type { AgentRequest } from "#doors/cli/services.ts";
import type { Company } from "#doors/http/agent-handler.ts";
import { describe } from "#services/errors/catalogue.ts";
import { asGranaryError, GranaryError } from "#services/errors/granary-error.ts";
import { proxiesOf } from "./config-egress.ts";
import type { Machine } from "./config.ts";
import { readTlsFile, watchMs } from "./tls-files.ts";
import { version } from "./version.ts";
import { watchFiles } from "./watch.ts";

/** The server fetches and verifies a zip of up to 500 MB before it answers, on a link of some Mbit/s. */
const responseHeaderTimeoutMs = 10 * 60_000;
/** A slow download may take long; a silent one is dead. */
const bodyIdleTimeoutMs = 60_000;
/** go asks with as few connections as it has processors; several builds at once fit. */
const maxConnections = 64;
/** After a renewal the old connections end by then. */
const retireMs = 10 * 60_000;
/** The company's server may hand out files that lie on a host of the same network. */
const anyAddress = ["0.0.0.0/0", "::/0"];

type Line = { readonly client: HttpUpstreamClient; readonly headers: Readonly<Record<string, string>> };

export type CompanyFiles = Pick<AgentRequest, "url" | "cert" | "key" | "ca" | "tokenFile">;

export type OpenCompany = Company & { close(): Promise<void> };

/** Throws GRANARY_TLS_UNREADABLE or GRANARY_SECRET_UNREADABLE. */
export async function openCompany(
  files: CompanyFiles,
  use: { readonly machine: Machine; readonly log: Log },
): Promise<OpenCompany> {
  const { url } = files;
  const { machine, log } = use;
  const lines: HttpUpstreamClient[] = [];
  const openLine = async (): Promise<Line> => {
    const line = await makeLine(files, use);
    lines.push(line.client);
    return line;
  };
  let line = await openLine();
  const named = [files.cert, files.key, files.ca, files.tokenFile].filter((file) => file !== undefined);
  const unwatch = watchFiles(named, watchMs, async () => {
    try {
      const old = line.client;
      line = await openLine();
      setTimeout(() => void old.close(), retireMs).unref();
      log.info("agent.renewed", { files: named });
    } catch (error) {
      log.error("agent.refused", { reason: describe(asGranaryError(error), "en").join(" ") });
    }
  });
  const endpoint = { name: new URL(url).host, url, redirectCidrs: anyAddress };
  return {
    url,
    get: (request) => {
      const { client, headers } = line;
      return client.get(endpoint, { ...request, headers: { ...request.headers, ...headers } });
    },
    close: async () => {
      unwatch();
      await Promise.all(lines.map((client) => client.close()));
    },
  };

  async function makeLine(from: CompanyFiles, { log: events }: typeof use): Promise<Line> {
    const { cert, key, ca, tokenFile } = from;
    const pem = async (file: string): Promise<string> => (await readTlsFile(file)).toString("utf8");
    const extraCa = ca === undefined ? {} : { extraCa: [await pem(ca)] };
    const clientPair =
      cert === undefined || key === undefined ? undefined : { cert: await pem(cert), key: await pem(key) };
    if (clientPair !== undefined) checkPair(cert ?? "", clientPair);
    const token = tokenFile === undefined ? undefined : await readToken(tokenFile, events);
    const client = new HttpUpstreamClient({
      userAgent: `Granary-agent/${version}`,
      ...extraCa,
      ...(clientPair && { clientPair }),
      proxies: proxiesOf("env", machine),
      responseHeaderTimeoutMs,
      bodyIdleTimeoutMs,
      maxIdleConnsPerHost: maxConnections,
    });
    return { client, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } };
  }
}

function checkPair(file: string, pair: { readonly cert: string; readonly key: string }): void {
  try {
    createSecureContext(pair);
  } catch (error) {
    throw new GranaryError("GRANARY_TLS_UNREADABLE", { file, reason: (error as Error).message }, { cause: error });
  }
}

/** The token is in no message. */
async function readToken(file: string, log: Log): Promise<string> {
  const unreadable = { origin: "--token-file", key: "--token-file", reference: `file:${file}` };
  const text = await readTlsFile(file).then(
    (bytes) => bytes.toString("utf8").trim(),
    () => "",
  );
  if (!/^[\w.~+/=-]{1,1024}$/.test(text)) throw new GranaryError("GRANARY_SECRET_UNREADABLE", unreadable);
  const { mode } = await stat(file);
  if (process.platform !== "win32" && (mode & 0o077) !== 0) log.warn("agent.token.readable-by-others", { file });
  return text;
}
