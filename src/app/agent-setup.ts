// `granary agent setup`: the systemd user unit of an agent, and the one line that points go at it.

import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { AgentSetup } from "#doors/cli/services.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { formatHostPort } from "./config-kinds.ts";
import type { CheckedAgent } from "./agent.ts";
import type { Machine } from "./config.ts";

/** The first line of a unit of ours: only such a file is replaced. */
const ours = "# Written by `granary agent setup --install`; run it again to change it.";

export type SetupUse = {
  readonly machine: Machine;
  /** The command that starts this program: node and the script. */
  readonly program: readonly string[];
  readonly isInstalled: boolean;
};

/** Throws GRANARY_FILE_EXISTS for a unit that somebody else wrote. */
export async function setUpAgent(agent: CheckedAgent, use: SetupUse): Promise<AgentSetup> {
  const { machine, program, isInstalled } = use;
  const file = join(configFolder(machine), "systemd/user/granary-agent.service");
  const unit = formatUnit([...program, "agent", ...argsOf(agent)]);
  if (isInstalled) await install(file, unit);
  return { unit, file, isInstalled, proxy: `http://${formatHostPort(agent.at)}` };
}

/** Paths are made absolute: a unit starts in no folder of the user's. */
function argsOf({ at, url, exposed, ...files }: CheckedAgent): string[] {
  const path = (flag: string, file: string | undefined): string[] => (file === undefined ? [] : [flag, resolve(file)]);
  return [
    ...["--listen", formatHostPort(at), "--url", url],
    ...path("--cert", files.cert),
    ...path("--key", files.key),
    ...path("--ca", files.ca),
    ...path("--token-file", files.tokenFile),
    ...(exposed ? ["--expose"] : []),
  ];
}

export function formatUnit(command: readonly string[]): string {
  return `${ours}
[Unit]
Description=Granary agent: adds this user's credential to what go asks
Documentation=man:systemd.service(5)

[Service]
ExecStart=${command.map(quoted).join(" ")}
Restart=on-failure
RestartSec=2
NoNewPrivileges=yes

[Install]
WantedBy=default.target
`;
}

/** One word of ExecStart (systemd.service(5), command lines). */
function quoted(word: string): string {
  const escaped = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /^[\w./:@+=,%$[\]-]+$/.test(escaped) ? escaped : `"${escaped.replace(/[\\"]/g, "\\$&")}"`;
}

function configFolder({ env, home }: Machine): string {
  const said = env["XDG_CONFIG_HOME"] ?? "";
  return said.startsWith("/") ? said : join(home, ".config");
}

async function install(file: string, unit: string): Promise<void> {
  const there = await readFile(file, "utf8").catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  });
  if (there !== undefined && !there.startsWith(`${ours}\n`)) throw new GranaryError("GRANARY_FILE_EXISTS", { file });
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.new`, unit);
  await rename(`${file}.new`, file);
}
