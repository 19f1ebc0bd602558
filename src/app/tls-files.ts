// TLS from files: the certificate, its key, and the authorities whose clients are answered.

import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Log } from "#adapters/telemetry/log.ts";
import type { Listener, Tls } from "#doors/http/listener.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { Values } from "./config.ts";
import { watchFiles } from "./watch.ts";

/** How often files are looked at: a change is in force within 9 s. */
export const watchMs = 4_000;

/** A company has one or two authorities for clients; more look like a bundle of the public ones. */
const fewAuthorities = 8;

type TlsValues = Pick<Values, "tls.cert" | "tls.key" | "tls.clientCa" | "tls.clientAuth" | "tls.profile" | "tls.http2">;

/** Undefined when no certificate is configured. Throws GRANARY_TLS_UNREADABLE. */
export async function readTls(values: TlsValues): Promise<Tls | undefined> {
  if (values["tls.cert"] === "") return undefined;
  const [cert, key] = await Promise.all([readTlsFile(values["tls.cert"]), readTlsFile(values["tls.key"])]);
  const tls = { cert, key, profile: values["tls.profile"], http2: values["tls.http2"] };
  const file = values["tls.clientCa"];
  if (file === "") return tls;
  const ca = await readTlsFile(file);
  authoritiesIn(ca, file);
  return { ...tls, clients: { ca, refusal: values["tls.clientAuth"] } };
}

/** Throws GRANARY_TLS_UNREADABLE. */
export async function readTlsFile(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new GranaryError("GRANARY_TLS_UNREADABLE", { file, reason: (error as Error).message }, { cause: error });
  }
}

/** How many certificates a PEM file has. OpenSSL passes by what it cannot read, and would then trust nobody, silently. */
function authoritiesIn(pem: Buffer, file: string): number {
  const blocks = pem.toString("latin1").match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  let reason = blocks.length === 0 ? "no PEM certificate is in it" : undefined;
  try {
    for (const block of blocks) new X509Certificate(block);
  } catch (error) {
    reason = (error as Error).message;
  }
  if (reason !== undefined) throw new GranaryError("GRANARY_TLS_UNREADABLE", { file, reason });
  return blocks.length;
}

/** True when so many authorities are trusted that strangers may have a certificate of one. */
export function trustsStrangers(tls: Tls | undefined): boolean {
  return tls?.clients !== undefined && authoritiesIn(tls.clients.ca, "") > fewAuthorities;
}

/** Puts changed files in force for new connections; returns a function that ends the watch. */
export function watchTls(
  values: TlsValues,
  use: { readonly listeners: readonly Listener[]; readonly log: Log },
): () => void {
  const { listeners, log } = use;
  const files = [values["tls.cert"], values["tls.key"], values["tls.clientCa"]].filter((file) => file !== "");
  return watchFiles(files, watchMs, async () => {
    try {
      const next = await readTls(values);
      if (next !== undefined) for (const listener of listeners) listener.renew(next);
      log.info("tls.renewed", { files });
    } catch (error) {
      log.error("tls.refused", {
        reason: error instanceof GranaryError ? JSON.stringify(error.fields) : String(error),
      });
    }
  });
}
