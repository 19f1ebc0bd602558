// What this room asks of the world beside a Storage.

/** Where somebody publishes a signed integrity list. */
export interface IntegritySource {
  /** At most `maxIntegrityBytes`. Throws when nothing came, or no list. */
  fetch(signal: AbortSignal): Promise<Uint8Array>;
}
