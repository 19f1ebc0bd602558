// A client may ask past what is remembered of a module: `Cache-Control: no-cache` (RFC 9111 §5.2.1.4). That costs upstreams a
// question, so anybody's asking is answered by what is younger than this: one question per listing and five seconds,
// however many ask. Kept files never change, and are not asked for again.

/** What is younger is new enough for everybody, in milliseconds. */
export const anewAfterMs = 5_000;
