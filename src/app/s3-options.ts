// How the storage in a bucket is opened, from the settings: secrets and authorities read from where they stand.

import { join } from "node:path";
import type { S3Options } from "#adapters/storage/s3.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { Config } from "./config.ts";
import { readSecret } from "./config-secrets.ts";

type Read = Pick<Config, "values" | "origins" | "source">;

/**
 * Undefined when no bucket is configured. `staging`: where bytes wait on their way in. Throws GRANARY_SECRET_UNREADABLE
 * and GRANARY_TLS_UNREADABLE.
 */
export async function s3OptionsOf(config: Read, staging: S3Options["staging"]): Promise<S3Options | undefined> {
  const { values } = config;
  if (values["s3.bucket"] === "") return undefined;
  const [bucket, prefix] = bucketAndPrefix(values["s3.bucket"]);
  const [accessKey, secretKey, ca] = await Promise.all([
    secretOf("s3.accessKey", config),
    secretOf("s3.secretKey", config),
    authoritiesOf(values["s3.ca"], config),
  ]);
  return {
    bucket,
    prefix,
    endpoint: values["s3.endpoint"],
    region: values["s3.region"],
    pathStyle: values["s3.pathStyle"],
    accessKey,
    secretKey,
    ca,
    timeoutMs: values["s3.timeout"],
    partBytes: values["s3.partSize"],
    staging,
    // Where there is room for large files: the system's own folder may be memory, or take no files at all.
    spoolDir: join(values.store, "tmp"),
  };
}

/** `bucket/a/b` is `bucket` and `a/b`. */
function bucketAndPrefix(said: string): readonly [bucket: string, prefix: string] {
  const at = said.indexOf("/");
  return at < 0 ? [said, ""] : [said.slice(0, at), said.slice(at + 1)];
}

async function secretOf(key: "s3.accessKey" | "s3.secretKey", { values, origins, source }: Read): Promise<string> {
  const value = values[key];
  if (value === "") return "";
  return (await readSecret({ key, origin: origins[key], value }, source.machine)).value;
}

async function authoritiesOf(file: string, { source }: Read): Promise<string | undefined> {
  if (file === "") return undefined;
  let reason = "no such file";
  try {
    const text = await source.machine.readFile(file);
    if (text?.includes("-----BEGIN CERTIFICATE-----") === true) return text;
    if (text !== undefined) reason = "no PEM certificate is in it";
  } catch (error) {
    reason = (error as Error).message;
  }
  throw new GranaryError("GRANARY_TLS_UNREADABLE", { file, reason });
}
