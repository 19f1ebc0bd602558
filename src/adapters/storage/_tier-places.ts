// Where a near directory keeps what. Copies lie under the keys of what they copy, as a plain `go` reads them; the rest lies where no
// client and no key of the store looks.

/** As services/store/layout.ts has it. */
export const modulesPrefix = "modules/";
export const sumdbPrefix = "modules/sumdb/";
/** What changing objects were when they were last seen. */
export const seenPrefix = "near-seen/";
/** What waits to be uploaded: one small file per object, in the order of their numbers. */
export const queuePrefix = "near-queue/";
