// Commands of a module that is loaded when one of them is called: no other command waits for it.

type Call = (...args: never[]) => Promise<unknown>;

/** `names` are all of `T`'s; the compiler says which one is missing. */
export function later<T extends { readonly [K in keyof T]: Call }>(
  names: Readonly<Record<keyof T, true>>,
  open: () => Promise<T>,
): T {
  const call =
    (name: keyof T): Call =>
    async (...args) =>
      await (await open())[name](...args);
  return Object.fromEntries((Object.keys(names) as (keyof T)[]).map((name) => [name, call(name)])) as T;
}
