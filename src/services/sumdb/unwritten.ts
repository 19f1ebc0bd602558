// A storage that is read and never written: what a mirror would add to it stays in the mirror's memory. For folders that
// came from elsewhere, on media that take no writes.

import type { Storage } from "#services/store/ports.ts";

export function unwritten(storage: Storage): Storage {
  return {
    get: (key, maxBytes) => storage.get(key, maxBytes),
    stat: (key) => storage.stat(key),
    open: (key) => storage.open(key),
    list: (prefix) => storage.list(prefix),
    create: () => Promise.resolve("created"),
    replace: () => Promise.resolve("replaced"),
    remove: () => Promise.resolve(false),
    stage: () => Promise.reject(new Error("a mirror stages nothing")),
  };
}
