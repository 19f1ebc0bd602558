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
import type { FetchCommands } from "./fetch-commands.ts";
import type { HeadCommands } from "./sumdb-heads.ts";
import type { StoreCommands } from "./store-commands.ts";
import type { MoveCommands } from "./store-move.ts";
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
    compat: async (request, flags) => {
      const { startAsAthens } = await import("./athens.ts");
      return await startAsAthens(request, toFlags(flags), io);
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
    gen: async () => {
      const { genTools } = await import("./gen.ts");
      return genTools(io);
    },
    trouble: async () => {
      const { troubleTools } = await import("./trouble.ts");
      return troubleTools(io);
    },
    ...later<FetchCommands>({ plan: true, prewarm: true }, async () => {
      const { fetchCommands } = await import("./fetch-commands.ts");
      return fetchCommands({ load, ...io });
    }),
    publish: async (...call) => {
      const { publishCommands } = await import("./publish.ts");
      return await publishCommands(load, io).publish(...call);
    },
    drillUpstream: async (...call) => {
      const { drillCommands } = await import("./drill.ts");
      return await drillCommands(load, io).drillUpstream(...call);
    },
    ...later<ToolCommands>(
      { sumdbPreload: true, sumdbLookup: true, sumverify: true, sumgopher: true, writeReport: true },
      async () => {
        const { sumdbTools } = await import("./sumdb-tools.ts");
        return sumdbTools({ load, ...io });
      },
    ),
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
        storeCheck: true,
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
    ...later<TendingCommands>(
      {
        storeGc: true,
        storeFsck: true,
        storeScrub: true,
        storeHot: true,
        storeMigrate: true,
        storeRollback: true,
        pinAdd: true,
        pinList: true,
        pinRemove: true,
      },
      async () => {
        const { tendingCommands } = await import("./store-tending.ts");
        return tendingCommands(load, io);
      },
    ),
    ...later<MoveCommands>({ storeMove: true }, async () => {
      const { moveCommands } = await import("./store-move.ts");
      return moveCommands({ load, onStop: io.onStop });
    }),
    ...later<SumlogCommands>({ sumdbKeygen: true, sumdbClientConfig: true, sumdbFsck: true }, async () => {
      const { sumlogCommands } = await import("./sumlog-commands.ts");
      return sumlogCommands({ load });
    }),
    ...later<SnapshotCommands>(
      { storeSnapshot: true, storeSnapshots: true, storeRestore: true, storeDefrag: true },
      async () => {
        const { snapshotCommands } = await import("./store-snapshot.ts");
        return snapshotCommands(load);
      },
    ),
    ...later<AlarmCommands>({ sumdbAlarms: true, sumdbResume: true }, async () => {
      const { alarmCommands } = await import("./sumdb-alarms.ts");
      return alarmCommands(load);
    }),
    ...later<HeadCommands>(
      { sumdbHeadsImport: true, sumdbPin: true, sumdbVerifyTrusted: true, sumdbStatus: true },
      async () => {
        const { headCommands } = await import("./sumdb-heads.ts");
        return headCommands(load, io.machine);
      },
    ),
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
