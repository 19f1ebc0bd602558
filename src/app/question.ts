// A question to the person at the terminal, on standard error: standard output may be read by a program.

import { createInterface } from "node:readline/promises";

/** True for y, yes and 是; Ctrl-C and Ctrl-D are a no. */
export async function askYes(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^\s*(y|yes|是)\s*$/i.test(await lines.question(question));
  } catch {
    return false;
  } finally {
    lines.close();
  }
}
