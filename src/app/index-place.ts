// Where the index over the store is: a file beside the store, or PostgreSQL for all nodes over it.

import { resolve } from "node:path";
import { postgresUrlProblem } from "#adapters/database/postgres-index.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { maskRefused } from "./config.ts";
import type { Config } from "./config.ts";
import { readSecret } from "./config-secrets.ts";
import { nodeName } from "./node-name.ts";

export type IndexPlace = {
  /** The store's directory. */
  readonly root: string;
  readonly postgres: { readonly url: string; readonly ca: string | undefined; readonly name: string } | undefined;
};

/** Throws GRANARY_SECRET_UNREADABLE, or GRANARY_BAD_CONFIG when the authorities cannot be read. */
export async function indexPlaceOf(config: Pick<Config, "values" | "origins" | "source">): Promise<IndexPlace> {
  const { values, origins, source } = config;
  const root = values.store;
  const key = "postgres.url";
  if (values[key] === "") return { root, postgres: undefined };
  const { value: url } = await readSecret({ key, origin: origins[key], value: values[key] }, source.machine);
  const accepted = postgresUrlProblem(url);
  if (accepted !== undefined)
    throw new GranaryError("GRANARY_BAD_CONFIG", {
      origin: origins[key],
      key,
      value: maskRefused(values[key]),
      accepted,
    });
  return { root, postgres: { url, ca: await authorities(config), name: storeName(values) } };
}

/** The same for every node over a bucket; a directory is one machine's. */
function storeName(values: Config["values"]): string {
  if (values["s3.bucket"] !== "") return `s3 ${values["s3.endpoint"]} ${values["s3.bucket"]}`;
  return `directory ${nodeName({ values })} ${resolve(values.store)}`;
}

async function authorities({
  values,
  origins,
  source,
}: Pick<Config, "values" | "origins" | "source">): Promise<string | undefined> {
  const file = values["postgres.ca"];
  if (file === "") return undefined;
  const text = await source.machine.readFile(file).catch(() => undefined);
  if (text !== undefined) return text;
  const accepted = "a PEM file that can be read";
  throw new GranaryError("GRANARY_BAD_CONFIG", {
    origin: origins["postgres.ca"],
    key: "postgres.ca",
    value: file,
    accepted,
  });
}
