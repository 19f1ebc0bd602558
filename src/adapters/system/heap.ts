// How much of the JavaScript heap's limit is used.

import { getHeapStatistics } from "node:v8";

/** 0 to 1. The limit is what --max-old-space-size sets, or Node chose for this machine. */
export function heapShare(): number {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  return used / limit;
}
