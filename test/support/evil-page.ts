// docs/evil-databases.md: the modes and the table, for people.
import { evilGroups, evilModes } from "./evil-modes.ts";
import type { EvilMode } from "./evil-modes.ts";
import { evilVersions, readEvilTable } from "./evil-table.ts";
import type { EvilRow } from "./evil-table.ts";
import { evil } from "./evil-world.ts";

const table = readEvilTable();
const rowOf = ({ name }: EvilMode): EvilRow => table.get(name) ?? {};
const lies = evilModes.filter(({ zip = evil }) => zip === evil);

/** How many of the lies end so for a column. */
const count = (column: string, outcome: string): number =>
  lies.filter((mode) => rowOf(mode)[column] === outcome).length;

/** The whole page, with its last newline left to whoever writes it. */
export function evilDatabasesPage(): string {
  return [
    "# Who is fooled by an evil checksum database?",
    "<!-- Written by scripts/docs.ts from test/fixtures/evil-databases.txt and test/support/evil-modes*.ts. -->",
    `Directly, every version of go that we asked; through Granary, none. ${lies.length} times an evil proxy served the wrong zip of a module, each time with another lie about its checksum. \`go mod download\` ran with \`GOSUMDB\` on, and the zip it ended up with was compared byte by byte with the right one.`,
    summary(),
    `\`fooled\`: exit code 0, and the wrong zip in the module cache. \`hangs\`: it would have read or computed for ever; we ended it. What fools go 1.24.9 and older, and not 1.26.8, are the holes that were closed in 2026: [CVE-2026-42501](https://pkg.go.dev/vuln/GO-2026-4984), [CVE-2026-56864](https://pkg.go.dev/vuln/GO-2026-6180), [CVE-2026-56865](https://pkg.go.dev/vuln/GO-2026-6179). Update go where you can; where you cannot, put Granary in front.`,
    "## What was compared",
    [
      "- **directly**: `GOPROXY` is the evil proxy, which also tunnels the database (`/sumdb/<name>/…`). `GOSUMDB` is the database's key, and the proxy has its private half: it can sign what it likes.",
      "- **Granary**: `GOPROXY` is a Granary whose only upstream is that same evil proxy. It refuses, since it has nothing right to give; with an honest upstream beside the evil one it would go on to that.",
      '- **mirror**: `GOSUMDB="<key> <Granary>/sumdb/<name>"`. The database comes through Granary, the modules straight from the evil proxy.',
    ].join("\n"),
    "The database has 16,843,009 records, as many levels of tiles as sum.golang.org, and the module is one of them. Granary refuses for every version of go alike, so its two columns are one each.",
    ...evilGroups.flatMap(({ title, modes }) => [`## ${title}`, results(modes), meanings(modes)]),
    "## What nobody can see here",
    [
      "- **A log that lies from its first word.** A database whose log itself holds the wrong hash, once, with everything proven, is believed by every client, by Granary too, unless the version was kept before: what is kept never changes. Signed logs make such a lie public and permanent, not impossible.",
      "- **A fork at first sight.** Who has never seen the database before believes the history that is shown first. A fresh client behind Granary has Granary's memory (`forked-head-fresh-client`); a fresh Granary has nobody's. So keep its store when you move it.",
    ].join("\n"),
    "## Run it yourself",
    [
      "    npm test -- go                          # every mode with the oldest go, a third with yours",
      "    npm run test:long -- go                 # all five versions",
      "    npm run evil-databases -- two-hashes    # one mode, as a line of the table",
    ].join("\n"),
    "Versions of go that are not here are downloaded through your own `GOPROXY`; without one those columns are skipped, loudly. `npm run evil-databases -- --write` and `npm run docs` write table and page anew.",
  ].join("\n\n");
}

function summary(): string {
  const columns = [...evilVersions.map((version) => `go ${version}, directly`), "any of them, through Granary"];
  const keys = [...evilVersions, "granary"];
  const line = (outcome: string): string =>
    `| ${outcome} | ${keys.map((key) => (count(key, outcome) === 0 ? "0" : `**${count(key, outcome)}**`)).join(" | ")} |`;
  return [
    `| of ${lies.length} lies | ${columns.join(" | ")} |`,
    `| --- |${" --- |".repeat(columns.length)}`,
    line("fooled"),
    line("hangs"),
    `| refuses | ${keys.map((key) => count(key, "refuses")).join(" | ")} |`,
  ].join("\n");
}

function results(modes: readonly EvilMode[]): string {
  const keys = [...evilVersions, "granary", "mirror"];
  const bold = (outcome: string | undefined): string =>
    outcome === "fooled" || outcome === "hangs" ? `**${outcome}**` : (outcome ?? "?");
  return [
    `| mode | ${[...evilVersions, "Granary", "mirror"].join(" | ")} |`,
    `| --- |${" --- |".repeat(keys.length)}`,
    ...modes.map((mode) => `| ${mode.name} | ${keys.map((key) => bold(rowOf(mode)[key])).join(" | ")} |`),
  ].join("\n");
}

function meanings(modes: readonly EvilMode[]): string {
  const pasts = { granary: "Granary knew the honest database.", both: "Client and Granary knew the honest database." };
  return modes
    .map(({ name, what, past, hole }) => {
      const notes = [what, past && pasts[past], hole && `(${hole})`].filter((note) => note !== undefined);
      return `- **${name}**: ${notes.join(" ")}`;
    })
    .join("\n");
}
