// Downloads that are kept for a while: the .info, go.mod and zip that one child made of one commit, so that the three
// requests of a client see one snapshot however quickly somebody moves the tag.

/** A download on disk. */
export type Download = {
  /** GOPROXY layout. */
  readonly root: string;
  readonly bytes: number;
  remove(): Promise<void>;
};

type Entry = { readonly download: Download; readonly timer: NodeJS.Timeout };

export class KeptDownloads {
  readonly #limits: { readonly keepMs: number; readonly keepBytes: number };
  /** The first one was made longest ago. */
  readonly #kept = new Map<string, Entry>();

  constructor(limits: { readonly keepMs: number; readonly keepBytes: number }) {
    this.#limits = limits;
  }

  get(key: string): Download | undefined {
    return this.#kept.get(key)?.download;
  }

  add(key: string, download: Download): void {
    this.#drop(key);
    const timer = setTimeout(() => this.#drop(key), this.#limits.keepMs).unref();
    this.#kept.set(key, { download, timer });
    let bytes = [...this.#kept.values()].reduce((sum, entry) => sum + entry.download.bytes, 0);
    for (const [oldest, entry] of this.#kept) {
      if (bytes <= this.#limits.keepBytes || oldest === key) return;
      bytes -= entry.download.bytes;
      this.#drop(oldest);
    }
  }

  async close(): Promise<void> {
    const all = [...this.#kept.values()];
    this.#kept.clear();
    await Promise.all(
      all.map(({ download, timer }) => {
        clearTimeout(timer);
        return download.remove();
      }),
    );
  }

  #drop(key: string): void {
    const entry = this.#kept.get(key);
    if (entry === undefined) return;
    this.#kept.delete(key);
    clearTimeout(entry.timer);
    void entry.download.remove(); // never rejects: what stays is found at the next start
  }
}
