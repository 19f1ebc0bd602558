// `granary env check`: what a project asks for, beside what go says here.

import { delimiter, join, resolve } from "node:path";
import { isExecutable, readTextFile } from "#adapters/system/text-files.ts";
import type { CheckRow, CheckView } from "#doors/cli/env-setup-types.ts";
import { allowName, direnvState, hasHook } from "#services/environment/direnv.ts";
import { meetsVersion, wishesOf } from "#services/environment/wishes.ts";
import type { ProjectTexts, Wish } from "#services/environment/wishes.ts";
import { environmentFindings } from "#services/findings/environment.ts";
import { found } from "#services/findings/finding.ts";
import type { Finding } from "#services/findings/finding.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import { toolchainVersion } from "#protocol/gover.ts";
import { goOptions, goValues } from "./env-apply.ts";
import type { SetupUse } from "./env-apply.ts";
import { readGoEnv, userDataDir } from "./go-env.ts";
import type { Machine } from "./go-env.ts";

export async function checkProject(folder: string, use: SetupUse): Promise<CheckView> {
  const dir = resolve(folder);
  const texts = await projectTexts(dir);
  const { wishes, unknown } = wishesOf(texts);
  const variables = wishes.filter(({ name }) => name !== "go");
  const said = await goValues(Object.fromEntries(variables.map(({ name }) => [name, ""])), use);
  const go = await actualGo(use);
  const rows = wishes.map((wish) => rowOf(wish, wish.name === "go" ? go.version : said[wish.name]));
  const findings = [
    ...rows.filter(({ isMet }) => !isMet).map(unmet),
    ...(await direnvTrouble(dir, texts, use.machine)),
  ];
  return { dir, rows, unknown, goroot: go.goroot, findings };
}

export async function projectTexts(dir: string): Promise<ProjectTexts> {
  const [envrc, dotenv, goVersion, toolVersions] = await Promise.all(
    [".envrc", ".env", ".go-version", ".tool-versions"].map((name) => readTextFile(join(dir, name))),
  );
  return { envrc, dotenv, goVersion, toolVersions };
}

function rowOf({ name, value, file, line }: Wish, actual: string | undefined): CheckRow {
  const isMet = actual !== undefined && (name === "go" ? meetsVersion(value, actual) : actual === value);
  return { name, wish: value, actual, isMet, place: `${file}:${line}` };
}

function unmet({ name, wish, actual = "", place }: CheckRow): Finding {
  const fields = { name, wish: withoutCredentials(wish), actual: actual === "" ? "-" : withoutCredentials(actual) };
  return found(environmentFindings, "SCOPE_WISH_UNMET", fields, { evidence: [{ kind: "place", text: place }] });
}

/** The version that a go command would run as: GOTOOLCHAIN names one, or it is the installed one. */
async function actualGo(use: SetupUse): Promise<{ readonly version?: string; readonly goroot?: string }> {
  const end = await use.runGo(["env", "-json", "GOVERSION", "GOROOT"], goOptions(use));
  if (end.kind !== "ended" || end.code !== 0) return {};
  const { GOVERSION = "", GOROOT = "" } = JSON.parse(end.stdout) as Record<string, string>;
  const chosen = (await readGoEnv("GOTOOLCHAIN", use.machine))?.value ?? "";
  return { version: toolchainVersion(chosen) ?? GOVERSION.replace(/^go/, ""), goroot: GOROOT };
}

const shellFiles = [".bashrc", ".bash_profile", ".profile", ".zshrc", ".config/fish/config.fish"];

async function direnvTrouble(dir: string, { envrc }: ProjectTexts, machine: Machine): Promise<Finding[]> {
  if (envrc === undefined) return [];
  const { env, home } = machine;
  const allow = join(dataHome(machine), "direnv/allow", allowName(join(dir, ".envrc"), envrc));
  const shells = await Promise.all(shellFiles.map((name) => readTextFile(join(home, name)).catch(() => undefined)));
  const state = direnvState(
    {
      isInstalled: await isOnPath("direnv", env["PATH"]),
      isHooked: shells.some((text) => text !== undefined && hasHook(text)),
      isAllowed: (await readTextFile(allow).catch(() => undefined)) !== undefined,
      loaded: env["DIRENV_DIR"]?.replace(/^-/, ""),
    },
    dir,
  );
  return state === "in-force" ? [] : [found(environmentFindings, "SCOPE_DIRENV_OFF", { state })];
}

/** direnv follows XDG on every system. */
function dataHome(machine: Machine): string {
  return machine.platform === "linux" ? userDataDir(machine) : join(machine.home, ".local/share");
}

async function isOnPath(program: string, path = ""): Promise<boolean> {
  const found = await Promise.all(
    path
      .split(delimiter)
      .filter((folder) => folder !== "")
      .map((folder) => isExecutable(join(folder, program))),
  );
  return found.includes(true);
}
