// Standard base64 as Go reads it, which Buffer does not: Buffer takes any text and drops what it cannot read.

const alphabet = /^[A-Za-z0-9+/]*={0,2}$/;

/** Go's `base64.StdEncoding.DecodeString`: padding is required, CR and LF are skipped, unused bits may be set. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const packed = text.replace(/[\r\n]/g, "");
  if (packed.length % 4 !== 0 || !alphabet.test(packed)) return undefined;
  return Buffer.from(packed, "base64");
}

export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}
