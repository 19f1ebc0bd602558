// An evil proxy with its database: honest until it turns.
import { EvilDatabase } from "./evil-database.ts";
import type { EvilMode } from "./evil-modes.ts";
import { earlier, earlyLog, evil, genuine, honestLog, neighbour } from "./evil-world.ts";
import { startStubUpstream } from "./stub-upstream.ts";
import type { StubUpstream } from "./stub-upstream.ts";

/** An answer without end goes on for so long: whoever reads this much would read any amount. */
const endlessBytes = 32 << 20;

export class EvilScene {
  readonly mode: EvilMode;
  readonly stub: StubUpstream;
  readonly database: EvilDatabase;
  readonly #swallowed = new AbortController();

  static async start(mode: EvilMode): Promise<EvilScene> {
    const database = new EvilDatabase({ log: mode.zip === genuine ? honestLog : earlyLog });
    const modules = [mode.zip ?? evil, earlier, neighbour];
    return new EvilScene(mode, database, await startStubUpstream({ modules, database }));
  }

  private constructor(mode: EvilMode, database: EvilDatabase, stub: StubUpstream) {
    this.mode = mode;
    this.database = database;
    this.stub = stub;
  }

  /** Aborted when somebody has read all there is of an answer without end. */
  get swallowed(): AbortSignal {
    return this.#swallowed.signal;
  }

  /** From now on it lies. */
  async turn(): Promise<void> {
    this.database.lies = await this.mode.lies();
    const { endless } = this.mode;
    if (endless === undefined) return;
    this.stub.fault(endless, { kind: "endless", most: endlessBytes, onMost: () => this.#swallowed.abort() });
  }

  /** Throws when nobody asked for the lie. */
  checkTold(): void {
    const { name, isTrue, endless } = this.mode;
    const told = endless === undefined ? this.database.told : this.stub.requests(endless);
    if (told === 0 && isTrue !== true) throw new Error(`${name}: the lie was never told`);
  }

  async close(): Promise<void> {
    await this.stub.close();
  }
}
