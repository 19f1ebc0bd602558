// One mode, played: real go commands ask the evil proxy directly, and through a Granary in front of the same one.
// Whether they were fooled is read from the bytes they got, never from what they said.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { EvilMode } from "./evil-modes.ts";
import { EvilScene } from "./evil-scene.ts";
import { earlier, evil, evilKey, genuine } from "./evil-world.ts";
import { fixtureZip } from "./fixture-zip.ts";
import { newGoClient } from "./go.ts";
import type { GoClient, GoTool } from "./go.ts";
import { startGranary } from "./granary.ts";

/** `genuine`: the right bytes. `fooled`: the wrong ones, and exit code 0. `hangs`: goes on until it is ended. */
export type Outcome = "genuine" | "fooled" | "refuses" | "hangs";

/**
 * `direct`: from the evil proxy. `granary`: modules and database through Granary. `mirror`: the database through
 * Granary (`GOSUMDB="<key> <url>"`), the modules from the evil proxy.
 */
export const ways = ["direct", "granary", "mirror"] as const;
export type Way = (typeof ways)[number];

export type Seen = {
  readonly way: Way;
  /** Of the go command. */
  readonly version: string;
  readonly outcome: Outcome;
  /** What it said. */
  readonly output: string;
};

/** Longer than Granary tries to get a better answer (25 s), on a busy machine. */
const defaultPatienceMs = 150_000;

const hello = "example.com/hello@v1.0.0";
const zips = { genuine: Buffer.from(fixtureZip(genuine)), evil: Buffer.from(fixtureZip(evil)) };

/** Plays a mode with each go command. Throws when a lie was never told: that would prove nothing. */
export async function play(mode: EvilMode, tools: readonly GoTool[]): Promise<Seen[]> {
  const direct: Seen[] = [];
  for (const tool of tools) direct.push(await playDirectly(mode, tool));
  return [...direct, ...(await playThroughGranary(mode, tools))];
}

async function playDirectly(mode: EvilMode, tool: GoTool): Promise<Seen> {
  const scene = await EvilScene.start(mode);
  const { patienceMs } = mode;
  const visit = await Visit.start(scene, { tool, way: "direct", proxy: scene.stub.url, database: evilKey });
  try {
    await scene.turn();
    const seen = await visit.download(patienceMs);
    scene.checkTold();
    return seen;
  } finally {
    await visit.end();
    await scene.close();
  }
}

async function playThroughGranary(mode: EvilMode, tools: readonly GoTool[]): Promise<Seen[]> {
  const scene = await EvilScene.start(mode);
  const url = `${scene.stub.url}/sumdb/${scene.database.name}`;
  const granary = await startGranary({ upstream: scene.stub.url, sumdb: `${evilKey} ${url}` });
  const visits: Visit[] = [];
  try {
    if (mode.past !== undefined) await remember(granary.url);
    const mirror = `${evilKey} ${granary.url}/sumdb/${scene.database.name}`;
    for (const tool of tools)
      visits.push(
        await Visit.start(scene, { tool, way: "granary", proxy: granary.url, database: evilKey }),
        await Visit.start(scene, { tool, way: "mirror", proxy: scene.stub.url, database: mirror }),
      );
    await scene.turn();
    const seen = await Promise.all(visits.map((visit) => visit.download()));
    scene.checkTold();
    return seen;
  } finally {
    for (const visit of visits) await visit.end();
    await granary.stop();
    await scene.close();
  }
}

/** Lets a Granary see the database while it is honest. */
async function remember(granary: string): Promise<void> {
  const answer = await fetch(`${granary}/${earlier.path}/@v/${earlier.version}.zip`);
  await answer.arrayBuffer();
  if (answer.status !== 200) throw new Error(`the honest database was not believed: HTTP ${answer.status}`);
}

type VisitFacts = { readonly tool: GoTool; readonly way: Way; readonly proxy: string; readonly database: string };

/** A developer's machine that has met the database while it was honest, or has just been set up. */
class Visit {
  readonly #scene: EvilScene;
  readonly #facts: VisitFacts;
  readonly #client: GoClient;

  static async start(scene: EvilScene, facts: VisitFacts): Promise<Visit> {
    const client = await newGoClient(facts.tool, { GOPROXY: facts.proxy, GOSUMDB: facts.database });
    if (scene.mode.past === "both") await client.ok(["mod", "download", `${earlier.path}@${earlier.version}`]);
    return new Visit(scene, facts, client);
  }

  private constructor(scene: EvilScene, facts: VisitFacts, client: GoClient) {
    this.#scene = scene;
    this.#facts = facts;
    this.#client = client;
  }

  async download(patienceMs: number = defaultPatienceMs): Promise<Seen> {
    const { mode, swallowed } = this.#scene;
    const also = mode.also === undefined ? [] : [`${mode.also.path}@${mode.also.version}`];
    const signal = AbortSignal.any([swallowed, AbortSignal.timeout(patienceMs)]);
    const { code, output } = await this.#client.run(["mod", "download", ...also, hello], { signal });
    const { way, tool } = this.#facts;
    const outcome = signal.aborted ? "hangs" : code === 0 ? await this.#whoseZip() : "refuses";
    if (code < 0 && outcome !== "hangs") throw new Error(`go did not end by itself\n${output}`);
    return { way, version: tool.version, outcome, output };
  }

  async #whoseZip(): Promise<Outcome> {
    const zip = await readFile(join(this.#client.modcache, "cache/download/example.com/hello/@v/v1.0.0.zip"));
    if (zip.equals(zips.genuine)) return "genuine";
    if (zip.equals(zips.evil)) return "fooled";
    throw new Error("go took a zip that nobody served");
  }

  async end(): Promise<void> {
    await this.#client.remove();
  }
}
