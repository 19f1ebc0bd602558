// The one error of this folder. A ProtocolError says that text or bytes from outside break a rule of Go's
// protocol; anything else thrown here is a bug of ours.

/** What was malformed, as a stable word that callers switch on and tests assert. */
export type ProtocolCode =
  | "BAD_PATH"
  | "BAD_VERSION"
  | "BAD_ESCAPE"
  | "BAD_TARGET"
  | "BAD_INFO"
  | "BAD_LIST"
  | "BAD_GOMOD"
  | "BAD_GOSUM"
  | "BAD_PROXY_LIST"
  | "BAD_GOSUMDB"
  | "BAD_GOAUTH"
  | "BAD_ZIP"
  | "BAD_HASH"
  | "BAD_KEY"
  | "BAD_NOTE"
  | "NOTE_UNVERIFIED"
  | "BAD_CHECKPOINT"
  | "BAD_INTEGRITY"
  | "BAD_RECORD"
  | "BAD_TILE"
  | "BAD_PROOF";

export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly code: ProtocolCode;

  constructor(code: ProtocolCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
