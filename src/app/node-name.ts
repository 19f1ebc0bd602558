// What this node is called, wherever it speaks of itself to others.

import { hostname } from "node:os";
import type { Config } from "./config.ts";

/** `cluster.node`, or the host's name: it stays the same when the process starts again. */
export function nodeName({ values }: Pick<Config, "values">): string {
  return values["cluster.node"] === "" ? hostname() : values["cluster.node"];
}
