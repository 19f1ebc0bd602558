// The program: the process around it is handed in, the services are built here, the command line decides what runs.

import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { fileURLToPath } from "node:url";
import type { CliIo, CliServices, RememberedError, SettingFlags } from "#doors/cli/services.ts";
import { runProgram } from "#doors/cli/program.ts";
import { isGranaryCode } from "#services/errors/catalogue.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { Lang } from "#services/errors/sentences.ts";
import { shellOf } from "#services/findings/shell.ts";
import { langHint } from "./lang-hint.ts";
import type { Config, Machine } from "./config.ts";
import { settingKeys } from "./config-schema.ts";
import { remoteCommands, serverUrl, unreachable } from "./remote.ts";
import { settingFlagsOf, toFlags } from "./setting-flags.ts";
import { later } from "./later.ts";
import type { StoreCommands } from "./store-commands.ts";
import type { SnapshotCommands } from "./store-snapshot.ts";
import type { AlarmCommands } from "./sumdb-alarms.ts";
import type { TendingCommands } from "./store-tending.ts";
import type { ToolCommands } from "./sumdb-tools.ts";
import type { SumlogCommands } from "./sumlog-commands.ts";
import { version } from "./version.ts";

/** The process as the program sees it. */
export type ProgramIo = {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly isTerminal: boolean;
  /** Called with each SIGTERM or SIGINT; returns a function that stops listening for them. */
  readonly onStop: (stop: () => void) => () => void;
  /** The program a verification thread runs: this program itself. */
  readonly verifyEntry: URL;
  readonly machine: Machine;
};

/** Runs one command line (without interpreter and script) and resolves to the exit code. */
export async function main(argv: readonly string[], io: ProgramIo): Promise<number> {
  const lang = langHint({ flags: { values: langFlag(argv) }, machine: io.machine });
  const cliIo: CliIo = {
    stdout: io.stdout,
    stderr: io.stderr,
    lang,
    isTerminal: io.isTerminal && io.machine.env["TERM"] !== "dumb",
    isUtf8: /utf-?8/i.test(localeText(io.machine)),
    shell: shellOf(io.machine.env, io.machine.platform),
  };
  return await runProgram(argv, {
    io: cliIo,
    services: servicesOf(io, lang),
    settingFlags: settingFlagsOf(lang),
    version,
  });
}

/** The real process. */
export function processIo(entry: string): ProgramIo {
  return {
    stdout: (text) => process.stdout.write(text),
    stderr: (text) => process.stderr.write(text),
    isTerminal: process.stderr.isTTY,
    onStop: (stop) => {
      process.on("SIGTERM", stop).on("SIGINT", stop);
      return () => process.off("SIGTERM", stop).off("SIGINT", stop);
    },
    verifyEntry: new URL(entry),
    machine: { env: process.env, platform: process.platform, home: homedir(), readFile: readIfThere },
  };
}

/** Help and errors of the parser itself need the language before anything is parsed. */
function langFlag(argv: readonly string[]): { readonly lang?: string } {
  const at = argv.findIndex((word) => word === "--lang" || word.startsWith("--lang="));
  const said = at < 0 ? undefined : (argv[at]?.split("=")[1] ?? argv[at + 1]);
  return said === undefined ? {} : { lang: said };
}

function localeText({ env }: Machine): string {
  return [env["LC_ALL"], env["LC_CTYPE"], env["LANG"]].find((text) => text !== undefined && text !== "") ?? "";
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function servicesOf(io: ProgramIo, lang: Lang): CliServices {
  // With it come schemas and YAML: commands without settings start sooner.
  const load = async (flags: SettingFlags): Promise<Config> =>
    await (await import("./config.ts")).loadConfig({ flags: toFlags(flags), machine: io.machine });
  return {
    serve: async (flags) => {
      const config = await load(flags);
      // Imported only when it runs: `granary explain` must not pay for the whole server.
      const { serve } = await import("./start.ts");
      return await serve(config, io);
    },
    sumweb: async (request, flags) => {
      const config = await load(flags);
      const { serveSumweb } = await import("./sumweb.ts");
      return await serveSumweb(request, config, io);
    },
    agent: async (request) => {
      const { runAgent } = await import("./agent.ts");
      return await runAgent(request, lang, io);
    },
    agentSetup: async (request, isInstalled) => {
      const { checkAgent } = await import("./agent.ts");
      const { setUpAgent } = await import("./agent-setup.ts");
      const program = [process.execPath, fileURLToPath(io.verifyEntry)];
      return await setUpAgent(checkAgent(request, lang), { machine: io.machine, program, isInstalled });
    },
    showConfig: async (flags) => {
      const config = await load(flags);
      const { displayValue } = await import("./config.ts");
      return settingKeys.map((key) => ({ key, value: displayValue(config, key), origin: config.origins[key] }));
    },
    myths: async () => {
      const { myths } = await import("#services/myths/catalogue.ts");
      return myths;
    },
    lookUp: async (id, flags) => await lookUp(id, await load(flags)),
    conformance: async (url, options) => {
      const { runConformanceCommand } = await import("./conformance.ts");
      return await runConformanceCommand(url, options);
    },
    modcache: async () => {
      const { modcacheServices } = await import("./modcache.ts");
      return modcacheServices({ load, ...io });
    },
    envSetup: async () => {
      const { envSetup } = await import("./env-setup.ts");
      return envSetup(io.machine);
    },
    network: async () => {
      const { networkCommands } = await import("./network.ts");
      return networkCommands(io);
    },
    trouble: async () => {
      const { troubleTools } = await import("./trouble.ts");
      return troubleTools(io);
    },
    plan: async (...call) => await (await fetching(load, io)).plan(...call),
    prewarm: async (...call) => await (await fetching(load, io)).prewarm(...call),
    publish: async (...call) => {
      const { publishCommands } = await import("./publish.ts");
      return await publishCommands(load, io).publish(...call);
    },
    drillUpstream: async (...call) => {
      const { drillCommands } = await import("./drill.ts");
      return await drillCommands(load, io).drillUpstream(...call);
    },
    sumdbPreload: async (...call) => await (await sumdbTools(load, io)).sumdbPreload(...call),
    sumdbLookup: async (...call) => await (await sumdbTools(load, io)).sumdbLookup(...call),
    sumverify: async (...call) => await (await sumdbTools(load, io)).sumverify(...call),
    sumgopher: async (...call) => await (await sumdbTools(load, io)).sumgopher(...call),
    writeReport: async (...call) => await (await sumdbTools(load, io)).writeReport(...call),
    drillSumdb: async (...call) => {
      const { drillCommands } = await import("./drill.ts");
      return await drillCommands(load, io).drillSumdb(...call);
    },
    storeImport: async (request, flags, progress) => {
      const { importStore } = await import("./store-import.ts");
      return await importStore(request, flags, { use: { load, ...io }, progress });
    },
    storeExport: async (request, flags, progress) => {
      const { exportStore } = await import("./store-export.ts");
      return await exportStore(request, flags, { use: { load, ...io }, progress });
    },
    ...remoteCommands(load, io.machine),
    ...later<StoreCommands>(
      {
        storeStats: true,
        storeVerify: true,
        quarantineList: true,
        quarantineShow: true,
        hold: true,
        free: true,
        heldList: true,
        quarantineRelease: true,
        hashesList: true,
        hashesForget: true,
        hashesRepacked: true,
        tokenAdd: true,
        tokenList: true,
        tokenRevoke: true,
      },
      async () => {
        const { storeCommands } = await import("./store-commands.ts");
        return storeCommands(load, io.verifyEntry);
      },
    ),
    storeGc: async (...call) => await (await tending(load, io)).storeGc(...call),
    storeFsck: async (...call) => await (await tending(load, io)).storeFsck(...call),
    storeScrub: async (...call) => await (await tending(load, io)).storeScrub(...call),
    storeHot: async (...call) => await (await tending(load, io)).storeHot(...call),
    storeMigrate: async (...call) => await (await tending(load, io)).storeMigrate(...call),
    storeRollback: async (...call) => await (await tending(load, io)).storeRollback(...call),
    pinAdd: async (...call) => await (await tending(load, io)).pinAdd(...call),
    pinList: async (...call) => await (await tending(load, io)).pinList(...call),
    pinRemove: async (...call) => await (await tending(load, io)).pinRemove(...call),
    ...later<SumlogCommands>({ sumdbKeygen: true, sumdbClientConfig: true, sumdbFsck: true }, async () => {
      const { sumlogCommands } = await import("./sumlog-commands.ts");
      return sumlogCommands({ load });
    }),
    storeSnapshot: async (...call) => await (await snapshots(load)).storeSnapshot(...call),
    storeSnapshots: async (...call) => await (await snapshots(load)).storeSnapshots(...call),
    storeRestore: async (...call) => await (await snapshots(load)).storeRestore(...call),
    storeDefrag: async (...call) => await (await snapshots(load)).storeDefrag(...call),
    ...later<AlarmCommands>({ sumdbAlarms: true, sumdbResume: true }, async () => {
      const { alarmCommands } = await import("./sumdb-alarms.ts");
      return alarmCommands(load);
    }),
    sumdbHeadsImport: async (...call) => await (await heads(load, io)).sumdbHeadsImport(...call),
    sumdbPin: async (...call) => await (await heads(load, io)).sumdbPin(...call),
    sumdbVerifyTrusted: async (...call) => await (await heads(load, io)).sumdbVerifyTrusted(...call),
    sumdbStatus: async (...call) => await (await heads(load, io)).sumdbStatus(...call),
    doctor: async () => {
      const { doctorDesk } = await import("./doctor.ts");
      return doctorDesk(io);
    },
    environment: async () => {
      const { lookAround } = await import("./environment.ts");
      return await lookAround(io.machine);
    },
    http: async () => {
      const { httpCommands } = await import("./http-commands.ts");
      return httpCommands(io);
    },
    sumdbExplain: async (request) => {
      const { explainSumdb } = await import("./sumdb-explain.ts");
      return await explainSumdb(request, io.machine);
    },
  };
}

/** Imported only when they run: they bring an HTTP client. */
async function fetching(
  load: (flags: SettingFlags) => Promise<Config>,
  { machine, onStop }: ProgramIo,
): Promise<Pick<CliServices, "plan" | "prewarm">> {
  const { fetchCommands } = await import("./fetch-commands.ts");
  return fetchCommands({ load, machine, onStop });
}

/** Imported only when it runs, with SQLite. */
async function tending(load: (flags: SettingFlags) => Promise<Config>, io: ProgramIo): Promise<TendingCommands> {
  const { tendingCommands } = await import("./store-tending.ts");
  return tendingCommands(load, io);
}

/** Imported only when they run: they bring mirrors and an HTTP client. */
async function sumdbTools(
  load: (flags: SettingFlags) => Promise<Config>,
  { machine, onStop }: ProgramIo,
): Promise<ToolCommands> {
  const { sumdbTools: toolsOf } = await import("./sumdb-tools.ts");
  return toolsOf({ load, machine, onStop });
}

/** Imported only when they run, as the others are. */
async function snapshots(load: (flags: SettingFlags) => Promise<Config>): Promise<SnapshotCommands> {
  const { snapshotCommands } = await import("./store-snapshot.ts");
  return snapshotCommands(load);
}

async function heads(
  load: (flags: SettingFlags) => Promise<Config>,
  { machine }: ProgramIo,
): Promise<Pick<CliServices, "sumdbHeadsImport" | "sumdbPin" | "sumdbVerifyTrusted" | "sumdbStatus">> {
  const { headCommands } = await import("./sumdb-heads.ts");
  return headCommands(load, machine);
}

/** Request ids are short and plain; anything else is not asked about. */
const requestId = /^[\w-]{1,64}$/;
const lookUpMs = 5_000;

/** Asks the running server at the configured address. */
async function lookUp(id: string, config: Config): Promise<RememberedError | undefined> {
  if (!requestId.test(id) || id.startsWith("GRANARY_")) return undefined;
  const url = `${serverUrl(config)}/-/explain/${id}`;
  let answer: Response;
  try {
    answer = await fetch(url, { signal: AbortSignal.timeout(lookUpMs) });
  } catch (error) {
    throw unreachable(url, error);
  }
  return answer.ok ? parseRemembered(await answer.json()) : undefined;
}

function parseRemembered(json: unknown): RememberedError | undefined {
  if (typeof json !== "object" || json === null || !("code" in json) || !("fields" in json)) return undefined;
  const { code, fields, at, target } = json as Record<string, unknown>;
  if (typeof code !== "string" || !isGranaryCode(code) || typeof fields !== "object") return undefined;
  const error = new GranaryError(code, fields as never);
  return { at: String(at), target: String(target), error };
}
