// granary.json in a bucket: what says that a store is there, and of which layout. The same as on disk.

import { StoreTooNew, StoreUnwritable } from "#services/store/errors.ts";
import { currentLayout } from "./_disk-root.ts";
import { wholeBody } from "./_s3-body.ts";
import type { S3Names } from "./_s3-facts.ts";
import { tried } from "./_s3-tries.ts";
import type { Tries } from "./_s3-tries.ts";
import { sendable } from "./_s3-parts.ts";
import { createOnce, newId } from "./_s3-write.ts";
import type { S3Wire } from "./_s3-wire.ts";

const layoutFile = "granary.json";
/** The object is one short line. */
const maxLayoutBytes = 4096;

type Place = { readonly wire: S3Wire; readonly tries: Tries; readonly names: S3Names };

/** Undefined when no store was ever opened there. Throws StoreUnwritable when the object is damaged, or S3Failure. */
export async function readS3Layout({ wire, tries, names }: Place): Promise<number | undefined> {
  const name = names.prefix + layoutFile;
  const text = await tried(tries, async () => {
    const got = await wire.get(name);
    if (got === undefined) return undefined;
    if (got.facts.size <= maxLayoutBytes) return Buffer.from(await wholeBody(got)).toString();
    got.body.destroy();
    return "";
  });
  if (text === undefined) return undefined;
  const found = layoutIn(text);
  if (found === undefined)
    throw new StoreUnwritable(`${name} is damaged; if a Granary store is there, remove that object`);
  return found;
}

/** Checks that there is a store we know, or makes one if it may. Throws StoreTooNew, StoreUnwritable or S3Failure. */
export async function openS3Layout(place: Place, makes: boolean): Promise<void> {
  const found = await readS3Layout(place);
  if (found !== undefined && found > currentLayout) throw new StoreTooNew(found, currentLayout);
  if (found !== undefined || !makes) return;
  const { wire, tries, names } = place;
  const name = names.prefix + layoutFile;
  const id = newId();
  const send = () => wire.put(name, ourLayout(), { id, when: { absent: true } });
  const done = await createOnce({ wire, tries, name }, { id, send });
  // Over a delete marker, or created by another node just now: nothing of ours depends on who wrote the line.
  if (done === "marker") await raiseS3Layout(place);
}

/** Says that the store has the current layout. */
export async function raiseS3Layout({ wire, tries, names }: Place): Promise<void> {
  const name = names.prefix + layoutFile;
  await tried(tries, () => wire.put(name, ourLayout(), { id: newId(), when: undefined }));
}

function ourLayout() {
  const bytes = Buffer.from(`${JSON.stringify({ layout: currentLayout })}\n`);
  return sendable({ bytes }, 0, bytes.length);
}

function layoutIn(text: string): number | undefined {
  try {
    const value = JSON.parse(text) as { layout?: unknown } | null;
    return Number.isSafeInteger(value?.layout) ? (value?.layout as number) : undefined;
  } catch {
    return undefined;
  }
}
