// What disks do to files over the years: bits turn, ends go missing, other bytes are appended, blocks become zeros.
import { open, readFile, stat, truncate } from "node:fs/promises";

export type Harm = "flip" | "truncate" | "extend" | "zeros";
export const harms: readonly Harm[] = ["flip", "truncate", "extend", "zeros"];

/** Damages a file in place. False when nothing is left to damage, or the file is zeros already. */
export async function harm(file: string, kind: Harm, random: () => number): Promise<boolean> {
  const { size } = await stat(file);
  if (size === 0) return false;
  const at = Math.floor(random() * size);
  if (kind === "truncate") {
    await truncate(file, at);
    return true;
  }
  const before = await readFile(file);
  const handle = await open(file, "r+");
  try {
    if (kind === "flip")
      await handle.write(Uint8Array.of((before[at] ?? 0) ^ (1 << Math.floor(random() * 8))), 0, 1, at);
    else if (kind === "extend")
      await handle.write(Buffer.from(`\n${"x".repeat(Math.floor(random() * 5_000))}`), 0, null, size);
    else {
      const length = Math.min(size - at, 1 + Math.floor(random() * 4_096));
      if (before.subarray(at, at + length).every((byte) => byte === 0)) return false;
      await handle.write(Buffer.alloc(length), 0, length, at);
    }
    return true;
  } finally {
    await handle.close();
  }
}
