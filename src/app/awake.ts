// Node ends a process that waits for nothing but the clock's timers, which keep no server from ending. A command that only
// waits for its next try must live on.

/** How often nothing is done. */
const awakeMs = 60_000;

/** Keeps the process alive until `work` has ended. */
export async function awake<T>(work: () => Promise<T>): Promise<T> {
  const timer = setInterval(() => undefined, awakeMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
