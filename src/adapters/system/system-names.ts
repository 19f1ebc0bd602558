// Names as this system resolves them: getaddrinfo, and the files that decide about it.

import { lookup } from "node:dns/promises";
import { access, open } from "node:fs/promises";
import type { SystemNames } from "#services/analysers/ports.ts";

/** Hosts files that block advertisements have some 200,000 lines, about 6 MB. */
const maxFileBytes = 16 * 1024 * 1024;

export function systemNames(): SystemNames {
  return {
    lookup: async (host) => {
      try {
        const all = await lookup(host, { all: true, order: "verbatim" });
        return { found: all.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 })) };
      } catch (error) {
        return { failed: (error as NodeJS.ErrnoException).code ?? String(error) };
      }
    },
    readText,
    exists: async (path) => {
      try {
        await access(path);
        return true;
      } catch {
        return false;
      }
    },
  };
}

async function readText(path: string): Promise<{ readonly text: string } | "absent" | "unreadable"> {
  try {
    await using file = await open(path);
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(Math.min(maxFileBytes, (await file.stat()).size + 65_536)),
    );
    return { text: buffer.toString("utf8", 0, bytesRead) };
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "absent" : "unreadable";
  }
}
