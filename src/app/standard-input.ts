// Standard input as text, for commands that take `-` for a file.

/** Throws an Error when it is longer. */
export async function readStandardInput(maxBytes: number): Promise<string> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of process.stdin as AsyncIterable<Uint8Array>) {
    size += piece.length;
    if (size > maxBytes) throw new Error(`longer than ${maxBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}
