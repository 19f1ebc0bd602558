// W7: a thousand clients ask for one version that nobody has yet.
import { hammer } from "./client.ts";
import { newFolder } from "./children.ts";
import type { Verdict, Work } from "./report.ts";
import { round } from "./report.ts";
import { startAthens, startGoproxy, startGranary } from "./servers.ts";
import type { Subject } from "./servers.ts";
import { granaryUse, withSubjects } from "./setup.ts";
import type { Bench } from "./setup.ts";

const clients = 1_000;
/** Large enough that the herd meets in the middle of a download, small enough for a thousand of them. */
const wantedBytes = 2_000_000;

export async function w7(bench: Bench): Promise<Work> {
  const { corpus, far } = bench;
  const distance = (size: number): number => Math.abs(size - wantedBytes);
  const [zip] = [...corpus.zips].sort((a, b) => distance(a.size) - distance(b.size));
  if (zip === undefined) throw new Error("the corpus has no zip");
  const files = ["info", "mod", "zip"].map((ext) => zip.target.replace(/zip$/, ext));
  await far.set({ latencyMs: 50 });
  const granary = async (...flags: string[]): ReturnType<typeof startGranary> =>
    startGranary({ ...granaryUse(corpus, { store: await newFolder("herd"), far, upstream: far.url }), flags });
  const starts = [
    granary(),
    granary("--workers=2").then((subject) => ({ ...subject, name: "Granary, 2 workers" })),
    startGoproxy({ corpus, empty: true, upstream: far.url }),
    startAthens({ corpus, empty: true, upstream: far.url }),
  ];
  return withSubjects(starts, async (subjects) => {
    const verdicts: Verdict[] = [];
    const notes: string[] = [];
    for (const subject of subjects) {
      const herd = await runHerd(bench, { subject, files });
      if (subject.name.startsWith("Granary")) verdicts.push(herd.verdict);
      notes.push(`${subject.name}: ${herd.note}`);
    }
    const title = `${clients} clients at once for the three files of one cold version (zip of ${round(zip.size / 1e6)} MB)`;
    return { id: "W7", title, verdicts, notes };
  });
}

async function runHerd(
  bench: Bench,
  of: { readonly subject: Subject; readonly files: readonly string[] },
): Promise<{ readonly verdict: Verdict; readonly note: string }> {
  const { subject, files } = of;
  await bench.far.resetCounts();
  let at = 0;
  // A thousand of each file; the first thousand requests are a mix of the three.
  const next = (): string | undefined => (at < clients * files.length ? files[at++ % files.length] : undefined);
  const result = await hammer({
    base: subject.base,
    connections: clients,
    next,
    isExpected: (status) => status === 200,
  });
  const { paths } = await bench.far.counts();
  const asked = files.map((file) => paths[file]?.requests ?? 0);
  const value = `${asked.join(", ")} upstream requests; ${result.errors} of ${result.requests} failed`;
  const reached = asked.every((count) => count === 1) && result.errors === 0;
  return {
    verdict: { what: `${subject.name}: upstream requests for .info, .mod, .zip`, goal: "= 1 each", value, reached },
    note: `upstream requests for .info, .mod, .zip: ${asked.join(", ")}; ${result.requests} answers in ${round(result.seconds)} s, ${result.errors} failed`,
  };
}
