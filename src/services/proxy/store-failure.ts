// A store that cannot keep or answer, in our words.

import { GranaryError } from "#services/errors/granary-error.ts";
import { StoreFull, StoreUnavailable } from "#services/store/ports.ts";
import { IngestRefused } from "#services/store/room.ts";
import type { RefusalReason, RoomView } from "#services/store/room.ts";
import { troubleOf } from "#services/store/trouble.ts";

/** Undefined for what is no failure of the store. */
export function storeFailure(what: string, error: unknown): GranaryError | undefined {
  const options = { cause: error };
  if (error instanceof IngestRefused) return refused(what, error.reason, { options, view: error.view });
  const trouble = troubleOf(error);
  if (trouble === "full" || trouble === "quota" || trouble === "read-only") return refused(what, trouble, { options });
  if (error instanceof StoreFull) return new GranaryError("GRANARY_STORE_FULL", { what }, options);
  if (error instanceof StoreUnavailable)
    return new GranaryError("GRANARY_STORE_UNAVAILABLE", { what, reason: error.message }, options);
  return undefined;
}

function refused(
  what: string,
  because: RefusalReason,
  more: { readonly options: { readonly cause: unknown }; readonly view?: RoomView },
): GranaryError {
  const { options, view } = more;
  switch (because) {
    case "read-only":
      return new GranaryError("GRANARY_STORE_READ_ONLY", { what }, options);
    case "io":
      return new GranaryError("GRANARY_STORE_UNAVAILABLE", { what, reason: "EIO: a write failed lately" }, options);
    case "files":
      return new GranaryError("GRANARY_STORE_UNAVAILABLE", { what, reason: "EMFILE: too many open files" }, options);
    case "low-space": {
      const freeBytes = view?.space?.freeBytes ?? 0;
      const markBytes = view?.markBytes ?? 0;
      return new GranaryError("GRANARY_STORE_FULL", { what, because, freeBytes, markBytes }, options);
    }
    case "full":
    case "quota":
    case "low-inodes":
      return new GranaryError("GRANARY_STORE_FULL", { what, because }, options);
  }
}
