// Storages that die at a chosen call, all at once: from then on every call fails, as for a process that was killed there.
import type { OpenObject, Stage, Storage } from "#services/store/ports.ts";

export class Death extends Error {
  override readonly name = "Death";
}

/** `counts`: of the calls that change nothing, one is as good as the next to die at. */
export type Dies = { readonly call: number; readonly when: "before" | "after"; readonly counts: "all" | "changes" };

const changes: ReadonlySet<string> = new Set(["create", "replace", "remove", "stage", "write", "seal", "discard"]);

/** One process's life: its calls are counted over all of its storages. */
export class Life {
  readonly #dies: Dies;
  readonly #wrapped = new WeakMap<object, object>();
  calls = 0;

  constructor(dies: Dies) {
    this.#dies = dies;
  }

  get isOver(): boolean {
    return this.calls >= this.#dies.call;
  }

  async #step<T>(name: string, work: () => Promise<T>): Promise<T> {
    if (this.isOver) throw new Death("dead");
    if (this.#dies.counts === "changes" && !changes.has(name)) return await work();
    const mine = ++this.calls;
    if (mine !== this.#dies.call) return await work();
    if (this.#dies.when === "after") await work();
    throw new Death(`died ${this.#dies.when} call ${mine}`);
  }

  /** The storage as this process sees it. */
  of(storage: Storage): Storage {
    return this.#wrap<Storage>(storage, (result) => this.#inside(result));
  }

  #inside(result: unknown): unknown {
    if (typeof result !== "object" || result === null) return result;
    if ("seal" in result) return this.#wrap(result as Stage);
    return "read" in result ? this.#wrap(result as OpenObject) : result;
  }

  #wrap<T extends object>(inner: T, inside: (result: unknown) => unknown = (result) => result): T {
    const wrapped = new Proxy(inner, {
      get: (target, name) => {
        // The inner one's own `this`: its fields are private.
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        const call = value.bind(target) as (...args: unknown[]) => unknown;
        // Where bytes lie is no call; what a dead process holds is given back by nobody.
        if (name === "locate") return call;
        if (name === "list") return (prefix: string) => this.#list(() => call(prefix) as AsyncIterable<unknown>);
        return async (...args: unknown[]) =>
          await this.#step(String(name), async () => inside(await call(...args.map((arg) => this.#unwrapped(arg)))));
      },
    });
    this.#wrapped.set(wrapped, inner);
    return wrapped;
  }

  async *#list(list: () => AsyncIterable<unknown>): AsyncGenerator {
    yield* await this.#step("list", () => Promise.resolve(list()));
  }

  /** A stage goes back to the storage that it came from. */
  #unwrapped(arg: unknown): unknown {
    return this.#wrapped.get(arg as object) ?? arg;
  }
}
