#!/usr/bin/env node
import { isMainThread, workerData } from "node:worker_threads";

const job = workerData as { readonly granaryWorker?: string } | null;
if (!isMainThread && job?.granaryWorker === "verify") await import("#adapters/system/verify-worker.ts");
else {
  const { main, processIo } = await import("#app/main.ts");
  process.exitCode = await main(process.argv.slice(2), processIo(import.meta.url));
}
