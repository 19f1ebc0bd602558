#!/usr/bin/env node
import { isMainThread, workerData } from "node:worker_threads";
import { workerWord } from "#app/worker-messages.ts";

const job = workerData as { readonly granaryWorker?: string } | null;
if (!isMainThread && job?.granaryWorker === "verify") await import("#adapters/system/verify-worker.ts");
else if (process.argv[2] === workerWord && process.send !== undefined) {
  const { runWorker, workerIo } = await import("#app/worker.ts");
  runWorker(workerIo());
} else {
  const { main, processIo } = await import("#app/main.ts");
  const { withImpliedCommand } = await import("#app/bare-names.ts");
  const [, script = "", ...args] = process.argv;
  process.exitCode = await main(withImpliedCommand(script, args), processIo(import.meta.url));
}
