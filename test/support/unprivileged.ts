// Root reads what no mode allows; a test about that becomes nobody for a moment, where the system lets it.

import { chownSync } from "node:fs";

const nobody = 65_534;

/** What `work` gives, run by somebody to whom modes apply and who owns `dir`; undefined when root cannot be left. */
export async function unprivileged<T>(dir: string, work: () => Promise<T>): Promise<{ readonly value: T } | undefined> {
  if (process.geteuid?.() !== 0) return { value: await work() };
  chownSync(dir, nobody, nobody);
  try {
    process.seteuid?.(nobody);
  } catch (error) {
    if ((error as { code?: string }).code === "EPERM") return undefined;
    throw error;
  }
  try {
    return { value: await work() };
  } finally {
    process.seteuid?.(0);
  }
}
