// Publishing to a server inside this process.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openInside } from "./inside-server.ts";
import type { Answer, InsideServer, Place } from "./inside-server.ts";

/** A server that takes what is under `corp.example/`, with a checksum database of its own whose key lies beside the store. */
export function openPublishing(place: Place, verifyEntry: URL): Promise<InsideServer> {
  const more = { private: "corp.example/*", "sumlog.key": join(place.root, "..", "sumlog.key") };
  return openInside(place, verifyEntry, more);
}

/** @param words the zip's file, `module@version`, a write token, an Idempotency-Key */
export async function upload(url: string, words: readonly string[]): Promise<Answer> {
  const [file = "", what = "", token = "", key = ""] = words;
  const response = await fetch(`${url}/${what.replace("@", "/@v/")}.zip`, {
    method: "PUT",
    body: await readFile(file),
    headers: { authorization: `Bearer ${token}`, ...(key !== "" && { "idempotency-key": key }) },
    signal: AbortSignal.timeout(30_000),
  });
  return { status: response.status, body: Buffer.from(await response.arrayBuffer()) };
}
