// Which files set variables on this machine and in a project, and which reader reads each.

import { join } from "node:path";
import { askGoEnv } from "#adapters/system/go-command.ts";
import { namesIn, readTextFile } from "#adapters/system/text-files.ts";
import { isGoVariable } from "#services/environment/assignment.ts";
import type { Reading } from "#services/environment/assignment.ts";
import { readCompose, readGitlabCi, readWorkflow } from "#services/environment/ci-files.ts";
import { readDockerfile } from "#services/environment/dockerfile.ts";
import { exported, readDotenv, readGoEnvFile, readPamEnvironment } from "#services/environment/env-lines.ts";
import { readJenkinsfile } from "#services/environment/jenkinsfile.ts";
import type { ScopeFile, ScopeKind } from "#services/environment/scopes.ts";
import { readShell } from "#services/environment/shell-file.ts";
import { readUnitEnvFile } from "#services/environment/unit-env-file.ts";
import { goEnvFile } from "./go-env.ts";
import type { Machine } from "./go-env.ts";
import { readUnits } from "./env-unit-files.ts";

/** `root`: the folder that stands for `/`; another one in tests. */
export type ScopePlaces = {
  readonly root: string;
  readonly dir: string;
  readonly units: readonly string[];
};

export type CollectedScopes = {
  readonly files: readonly ScopeFile[];
  /** There, but not to be read. */
  readonly unread: readonly { readonly file: string; readonly reason: string }[];
};

type Read = (text: string) => Reading;
/** `label`: what people call the file, where that is not its path. */
type Source = { readonly scope: ScopeKind; readonly file: string; readonly read: Read; readonly label?: string };

const fish: Read = (text) => readShell(text, { dialect: "fish" });
const shell: Read = (text) => readShell(text);

/** Reads everything that is there. Throws GRANARY_INPUT_UNREADABLE for a unit that is not. */
export async function collectScopes(machine: Machine, places: ScopePlaces): Promise<CollectedScopes> {
  const unread: { file: string; reason: string }[] = [];
  const files: ScopeFile[] = [{ scope: "terminal", file: "process environment", reading: ofProcess(machine) }];
  const sources = [
    ...(await shellSources(machine, places)),
    ...(await goSources(machine)),
    ...(await projectSources(places)),
  ];
  for (const { scope, file, read, label = shown(file, machine) } of sources) {
    const text = await readTextFile(file).catch((error: unknown) => {
      unread.push({ file: label, reason: error instanceof Error ? error.message : String(error) });
      return undefined;
    });
    if (text !== undefined) files.push({ scope, file: label, reading: read(text) });
  }
  return { files: [...files, ...(await readUnits(places))], unread };
}

function ofProcess({ env }: Machine): Reading {
  const assignments = Object.entries(env)
    .filter(([name, value]) => isGoVariable(name) && value !== undefined && value !== "")
    .map(([name, value = ""]) => exported(name, value, 0));
  return { assignments, traps: [] };
}

async function shellSources({ env, home, platform }: Machine, { root }: ScopePlaces): Promise<Source[]> {
  if (platform === "win32" || home === "") return [];
  const zsh = env["ZDOTDIR"] ?? home;
  const config = env["XDG_CONFIG_HOME"] ?? join(home, ".config");
  const etc = join(root, "etc");
  const of = (scope: ScopeKind, folder: string, names: readonly string[], read: Read): Source[] =>
    names.map((name) => ({ scope, file: join(folder, name), read }));
  const all = async (scope: ScopeKind, folder: string, wanted: RegExp, read: Read): Promise<Source[]> =>
    of(scope, folder, await namesIn(folder, wanted), read);
  return [
    ...of("system", etc, ["environment"], readPamEnvironment),
    ...(await all("system", join(etc, "environment.d"), /\.conf$/, readUnitEnvFile)),
    ...(await all("system", join(config, "environment.d"), /\.conf$/, readUnitEnvFile)),
    ...of("login", etc, ["profile", "zsh/zshenv", "zsh/zprofile"], shell),
    ...(await all("login", join(etc, "profile.d"), /\.sh$/, shell)),
    ...of("login", home, [".profile", ".bash_profile", ".bash_login"], shell),
    ...of("login", zsh, [".zshenv", ".zprofile", ".zlogin"], shell),
    ...of("rc", etc, ["bash.bashrc", "bashrc", "zsh/zshrc"], shell),
    ...of("rc", home, [".bashrc"], shell),
    ...of("rc", zsh, [".zshrc"], shell),
    ...of("rc", join(config, "fish"), ["config.fish"], fish),
    ...(await all("rc", join(config, "fish/conf.d"), /\.fish$/, fish)),
  ];
}

async function goSources(machine: Machine): Promise<Source[]> {
  const said = await askGoEnv(["GOENV", "GOROOT"], machine.env);
  const user = said === undefined ? goEnvFile(machine) : said["GOENV"];
  const root = said?.["GOROOT"] ?? machine.env["GOROOT"] ?? "";
  return [
    ...(user === undefined || user === "" || user === "off"
      ? []
      : [{ scope: "user", file: user, read: readGoEnvFile } as const]),
    ...(root === "" ? [] : [{ scope: "goroot", file: join(root, "go.env"), read: readGoEnvFile } as const]),
  ];
}

async function projectSources({ dir }: ScopePlaces): Promise<Source[]> {
  const workflows = join(dir, ".github/workflows");
  const dockerfiles = await namesIn(dir, /^(Dockerfile|Containerfile)(\..+)?$|\.Dockerfile$/);
  const composes = await namesIn(dir, /^(docker-)?compose(\..+)?\.ya?ml$/);
  const of = (scope: ScopeKind, file: string, read: Read): Source => ({
    scope,
    file: join(dir, file),
    read,
    label: file,
  });
  return [
    of("ci", ".gitlab-ci.yml", readGitlabCi),
    ...(await namesIn(workflows, /\.ya?ml$/)).map((name) => of("ci", `.github/workflows/${name}`, readWorkflow)),
    of("ci", "Jenkinsfile", readJenkinsfile),
    ...dockerfiles.map((name) => of("image", name, readDockerfile)),
    ...composes.map((name) => of("image", name, readCompose)),
    of("project", ".envrc", shell),
    of("project", ".env", readDotenv),
  ];
}

/** Paths below the home directory as people write them. */
export function shown(file: string, { home }: Pick<Machine, "home">): string {
  return home !== "" && home !== "/" && file.startsWith(`${home}/`) ? `~${file.slice(home.length)}` : file;
}
