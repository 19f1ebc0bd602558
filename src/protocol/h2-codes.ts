// Why an HTTP/2 stream or connection ended, by its number on the wire.

/** RFC 9113 §7, by number. */
const h2Codes = [
  "NO_ERROR",
  "PROTOCOL_ERROR",
  "INTERNAL_ERROR",
  "FLOW_CONTROL_ERROR",
  "SETTINGS_TIMEOUT",
  "STREAM_CLOSED",
  "FRAME_SIZE_ERROR",
  "REFUSED_STREAM",
  "CANCEL",
  "COMPRESSION_ERROR",
  "CONNECT_ERROR",
  "ENHANCE_YOUR_CALM",
  "INADEQUATE_SECURITY",
  "HTTP_1_1_REQUIRED",
] as const;

/** The code's name, or its number as `0x1f` when the RFC has none. */
export function h2CodeName(code: number): string {
  return h2Codes[code] ?? `0x${code.toString(16)}`;
}
