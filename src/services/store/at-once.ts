/**
 * Runs `work` on what `items` give, at most `jobs` at a time and no item held longer than that. When one fails or the
 * signal is aborted, no others are begun. Throws what failed first, once all under way have ended.
 */
export async function atOnce<T>(
  items: AsyncIterable<T> | Iterable<T>,
  { jobs, signal }: { readonly jobs: number; readonly signal?: AbortSignal },
  work: (item: T) => Promise<void>,
): Promise<void> {
  const next = inTurn(items);
  const failures: unknown[] = [];
  const lane = async (): Promise<void> => {
    while (signal?.aborted !== true && failures.length === 0) {
      const item = await next.next();
      if (item.done === true) return;
      await work(item.value);
    }
  };
  const fail = (error: unknown): void => void failures.push(error);
  await Promise.all(Array.from({ length: jobs }, () => lane().catch(fail)));
  await next.return(undefined);
  if (failures.length > 0) throw failures[0];
}

/** A generator answers one call after the other, however many wait. */
async function* inTurn<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T, undefined> {
  yield* items;
}
