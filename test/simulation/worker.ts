// A thread that runs seeds, one after the other.
import { parentPort, workerData } from "node:worker_threads";
import { simulate } from "./simulation.ts";
import type { Work } from "./threads.ts";

const { seeds, defect } = workerData as Work;
for (const seed of seeds) parentPort?.postMessage(await simulate(seed, { defect }));
