// Granary in the place of Athens: its settings are read, told, and laid below whatever is said to Granary itself.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CompatReport, CompatRequest, CompatRow, CompatStart } from "#doors/cli/services.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { say } from "#services/errors/say.ts";
import type { Lang } from "#services/errors/sentences.ts";
import { readAthens } from "./athens-config.ts";
import { applyRules } from "./athens-rules.ts";
import { temporaryStore } from "./athens-storage.ts";
import { Translation } from "./athens-translation.ts";
import type { FileEntry } from "./config-file.ts";
import { loadConfig } from "./config.ts";
import type { Config, Flags, Machine } from "./config.ts";
import { isSettingKey } from "./config-schema.ts";
import type { SettingKey } from "./config-schema.ts";
import { langHint } from "./lang-hint.ts";
import type { ServeIo } from "./start.ts";

/** Throws GRANARY_CONFIG_UNREADABLE and GRANARY_BAD_CONFIG, each with the place in Athens' settings. */
export async function startAsAthens(
  request: CompatRequest,
  flags: Flags,
  io: ServeIo & { readonly machine: Machine },
): Promise<CompatStart> {
  const { machine } = io;
  const lang = langHint({ flags, machine });
  // --config names a YAML file of ours; a .toml can only be Athens'.
  const isToml = flags.config?.endsWith(".toml") === true;
  const words = await readAthens(request.file ?? (isToml ? flags.config : undefined), { machine, lang });
  const translation = new Translation(words, lang);
  await applyRules(translation, machine);
  translation.finish();
  const ours: Flags = isToml ? { ...flags, config: undefined } : flags;
  const load = async (store: string): Promise<Config> =>
    await loadConfig({ flags: ours, machine, under: withStore(translation.entries, store) });
  const config = await load(join(tmpdir(), "granary-athens"));
  const rows = translation.rows.map((row) => inForce(row, { config, entries: translation.entries, lang }));
  const report: CompatReport = { peer: "athens", file: words.file, rows };
  return { report, serve: () => serveAs(report, { config, load, io }) };
}

function withStore(entries: readonly FileEntry[], store: string): readonly FileEntry[] {
  return entries.map((entry) => (entry.value === temporaryStore ? { ...entry, value: store } : entry));
}

type Seen = { readonly config: Config; readonly entries: readonly FileEntry[]; readonly lang: Lang };

/** The row beside what Granary itself was told. */
function inForce(row: CompatRow, seen: Seen): CompatRow {
  if (row.kind === "mapped") {
    const origin = ownWord(row.setting, seen);
    return origin === undefined ? row : { ...row, overriddenBy: origin };
  }
  if (row.kind !== "refused") return row;
  for (const setting of row.settledBy) {
    const origin = ownWord(setting, seen);
    const { key, origin: at } = row;
    if (origin !== undefined)
      return { kind: "ignored", key, origin: at, reason: say(seen.lang, "compat.settled", { setting, origin }) };
  }
  return row;
}

/** Where Granary was told of a setting; undefined when nobody did. */
function ownWord(setting: string, { config, entries }: Seen): string | undefined {
  if (!isSettingKey(setting)) return undefined;
  const origin = config.origins[setting satisfies SettingKey];
  const isOurs = entries.some(({ key, origin: at }) => key === setting && at === origin);
  return isOurs || !/^(flag|env|file) /.test(origin) ? undefined : origin;
}

async function serveAs(
  report: CompatReport,
  use: { readonly config: Config; readonly load: (store: string) => Promise<Config>; readonly io: ServeIo },
): Promise<number> {
  const [refused, ...more] = report.rows.filter((row) => row.kind === "refused");
  if (refused !== undefined) {
    const { key, origin, reason } = refused;
    throw new GranaryError("GRANARY_COMPAT_REFUSED", { key, origin, reason, more: more.length });
  }
  const { serve } = await import("./start.ts");
  const isTemporary = report.rows.some(
    (row) => row.kind === "mapped" && row.value === temporaryStore && row.overriddenBy === undefined,
  );
  if (!isTemporary) return await serve(use.config, use.io);
  const folder = await mkdtemp(join(tmpdir(), "granary-athens-"));
  try {
    return await serve(await use.load(folder), use.io);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
