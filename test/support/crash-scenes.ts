// What a process may be killed in the middle of: one operation on a store each. A new operation is one more line of the
// table. A scene says what it acknowledges, and calls begin() where the steps that count begin.
import { createHash } from "node:crypto";
import { openInside } from "./inside-server.ts";
import type { Place } from "./inside-server.ts";
import { runHere } from "./run-here.ts";
import { openPublishing, upload } from "./upload.ts";

export type SceneUse = {
  readonly place: Place;
  readonly args: readonly string[];
  /** The program that checks zips. */
  readonly verifyEntry: URL;
  readonly say: (line: string) => void;
  readonly begin: () => void;
};

type Scene = (use: SceneUse) => Promise<void>;

export type SceneName = "ingest" | "storm" | "hold" | "gc" | "migrate" | "import" | "publish";

export const scenes: Readonly<Record<SceneName, Scene>> = {
  /** Asks a server for the paths, one after the other. */
  ingest: (use) => ask(use, 1),
  /** The same, eight at a time. */
  storm: (use) => ask(use, 8),
  /** A server that others ask; it ends when its standard input does. */
  hold: async ({ place, verifyEntry, say, begin }) => {
    const server = await openInside(place, verifyEntry);
    begin();
    say(`listening ${server.url}`);
    await new Promise(() => undefined);
  },
  /** Publishes the zip of the first argument's file, as `upload.ts` does it with the others. */
  publish: async ({ place, args, verifyEntry, say, begin }) => {
    const server = await openPublishing(place, verifyEntry);
    begin();
    const { status } = await upload(server.url, args);
    if (status === 201 || status === 200) say(`ack ${status}`);
    else say(`refused ${status}`);
    await server.close();
  },
  /** `granary store gc`, with the command's own arguments behind it; so the two below. */
  gc: (use) => command("gc", use),
  migrate: (use) => command("migrate", use),
  import: (use) => command("import", use),
};

/** Every step counts, those of opening the store too: a command opens it each time. */
async function command(name: string, { place, args, verifyEntry, say, begin }: SceneUse): Promise<void> {
  begin();
  const { code, ...out } = await runHere(["store", name, ...args, `--store=${place.root}`], verifyEntry);
  say(`done ${code} ${JSON.stringify(out)}`);
}

async function ask({ place, args, verifyEntry, say, begin }: SceneUse, width: number): Promise<void> {
  const server = await openInside(place, verifyEntry);
  begin();
  say("ready");
  const left = [...args];
  const asker = async (): Promise<void> => {
    for (let path = left.shift(); path !== undefined; path = left.shift()) {
      const answer = await server.get(path);
      if (answer?.status === 200) say(`ack ${path} ${createHash("sha256").update(answer.body).digest("hex")}`);
      else say(`refused ${path} ${answer?.status ?? "broken off"}`);
    }
  };
  await Promise.all(Array.from({ length: width }, asker));
  await server.close();
}
