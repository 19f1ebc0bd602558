// Servers that are wrong on purpose: the doors of a sound one, spoilt in one way.
import { GranaryError, isGranaryError } from "#services/errors/granary-error.ts";
import type { Answer } from "#services/proxy/answer.ts";
import type { Proxy } from "#services/proxy/proxy.ts";
import { versionKey } from "#services/store/layout.ts";
import type { Storage } from "#services/store/ports.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { maxZipBytes } from "#protocol/zip-check.ts";
import type { SumdbMirror } from "#services/sumdb/mirror.ts";
import type { Defect } from "./defects.ts";
import type { Mirrors } from "./mirrors.ts";

export type Doors = { readonly proxy: Pick<Proxy, "answer">; readonly mirror: Pick<SumdbMirror, "lookup" | "latest"> };
type Sound = Doors & { readonly storage: Storage; readonly mirrors: Mirrors };

export function withDefect(defect: Defect | undefined, { proxy, mirror, storage, mirrors }: Sound): Doors {
  const sound = { proxy, mirror };
  switch (defect) {
    case "unchecked-reads":
      return { ...sound, proxy: { answer: async (...ask) => unchecked(await proxy.answer(...ask), storage) } };
    case "absent-when-in-doubt":
      return { ...sound, proxy: { answer: (...ask) => proxy.answer(...ask).catch(calledAbsent) } };
    case "list-forgets":
      return { ...sound, proxy: { answer: async (...ask) => forgetful(await proxy.answer(...ask)) } };
    case "joiners-forgotten":
      return { ...sound, proxy: { answer: withoutJoiners(proxy) } };
    case "record-of-another": {
      const another = () => mirrors.published[0]!.id;
      return {
        ...sound,
        mirror: { lookup: (_, ask) => mirror.lookup(another(), ask), latest: (ask) => mirror.latest(ask) },
      };
    }
    // Not at the doors: in the storage, in how room is made, and in who is asked for hashes.
    case "evictions-forget":
    case "manifest-first":
    case "acknowledged-early":
    case "stages-stay":
    case "unverified-relay":
    case undefined:
      return sound;
  }
}

/** An eviction that leaves nothing. */
export async function forgetWhole(id: ModuleVersion, storage: Storage): Promise<number> {
  for (const file of ["info", "mod", "zip", "zip.manifest", "mod.manifest"] as const)
    await storage.remove(versionKey(id, file));
  return 0;
}

function withoutJoiners(proxy: Doors["proxy"]): Doors["proxy"]["answer"] {
  const running = new Set<string>();
  return async (target, options) => {
    const key = JSON.stringify(target);
    if (running.has(key)) return await new Promise(() => undefined);
    running.add(key);
    return await proxy.answer(target, options).finally(() => running.delete(key));
  };
}

function unchecked(answer: Answer, storage: Storage): Answer {
  if (answer.kind !== "zip") return answer;
  const open = async () => {
    const stored = await storage.get(versionKey(answer.zip.id, "zip"), maxZipBytes);
    const bytes = stored?.bytes ?? new Uint8Array();
    const read = (offset: number, into: Uint8Array): Promise<number> => {
      const part = bytes.subarray(offset, offset + into.length);
      into.set(part);
      return Promise.resolve(part.length);
    };
    return { size: bytes.length, read, close: () => Promise.resolve() };
  };
  return { ...answer, zip: { ...answer.zip, open } };
}

function calledAbsent(error: unknown): never {
  if (!isGranaryError(error, "GRANARY_UPSTREAM_FAILED") && !isGranaryError(error, "GRANARY_OFFLINE")) throw error;
  throw new GranaryError("GRANARY_NOT_FOUND", { what: "it", upstreams: [], reason: "not found" });
}

/** The newest version is missing where no upstream names it. */
function forgetful(answer: Answer): Answer {
  if (answer.kind !== "bytes" || answer.media !== "list" || answer.provenance.here !== "STALE") return answer;
  const versions = Buffer.from(answer.bytes).toString().split("\n").slice(0, -2);
  return { ...answer, bytes: Buffer.from(versions.map((version) => `${version}\n`).join("")) };
}
