// Looking at files from time to time. Polling, because it also works where notifications do not: network file
// systems, and the symbolic links that orchestrators swap.

import { stat } from "node:fs/promises";

/** Calls `changed` after one of `files` changed; returns a function that ends the watch. */
export function watchFiles(files: readonly string[], everyMs: number, changed: () => Promise<void>): () => void {
  if (files.length === 0) return () => undefined;
  let last: string | undefined;
  let busy = false;
  const look = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    try {
      const now = await fingerprint(files);
      if (last !== undefined && now !== last) await changed();
      last = now;
    } finally {
      busy = false;
    }
  };
  void look();
  const timer = setInterval(() => void look(), everyMs).unref();
  return () => clearInterval(timer);
}

async function fingerprint(files: readonly string[]): Promise<string> {
  const parts = files.map(async (file) => {
    try {
      const { ino, size, mtimeMs, ctimeMs } = await stat(file);
      return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
    } catch {
      return "absent";
    }
  });
  return (await Promise.all(parts)).join("\n");
}
