// The proxy with its clients' failures handed to the queue of retries.

import type { Proxy, ProxyTarget } from "./proxy.ts";
import type { RetryQueue } from "./retry-queue.ts";

/** Answers as `proxy` does; a version that a client asked for and could not get is told to `queue`. */
export function withRetries(proxy: Pick<Proxy, "answer">, queue: Pick<RetryQueue, "failed">): Pick<Proxy, "answer"> {
  return {
    answer: async (target, options) => {
      try {
        return await proxy.answer(target, options);
      } catch (error) {
        if (options.keptOnly === false && "version" in target && isFile(target)) {
          const { kind, path, version } = target;
          queue.failed(kind === "zip" ? "zip" : "mod", { path, version }, error);
        }
        throw error;
      }
    },
  };
}

/** What is made from kept files alone is nothing to fetch. */
function isFile(target: ProxyTarget): target is Exclude<ProxyTarget, { readonly kind: "sum" | "chunks" }> {
  return target.kind !== "sum" && target.kind !== "chunks";
}
