// The machine's clock behind the Clock port.

import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "#services/store/ports.ts";

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    await sleep(ms, undefined, signal === undefined ? { ref: false } : { signal, ref: false });
  },
};
