// Certificates for tests of TLS, made by the openssl program.
import { execFile } from "node:child_process";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

export type Certificate = { readonly cert: string; readonly key: string };

/**
 * A self-signed certificate for 127.0.0.1 and `hosts` in `folder`; undefined where there is no openssl. A second one
 * replaces the first.
 */
export async function makeCertificate(
  folder: string,
  subject: string,
  hosts: readonly string[] = [],
): Promise<Certificate | undefined> {
  const cert = join(folder, "cert.pem");
  const key = join(folder, "key.pem");
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const alternatives = ["IP:127.0.0.1", ...hosts.map((host) => `DNS:${host}`)].join(",");
  const names = ["-subj", `/CN=${subject}`, "-addext", `subjectAltName=${alternatives}`];
  try {
    const args = ["req", ...kind, ...names, "-keyout", `${key}.new`, "-out", `${cert}.new`];
    await promisify(execFile)("openssl", args);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  await rename(`${key}.new`, key);
  await rename(`${cert}.new`, cert);
  return { cert, key };
}
