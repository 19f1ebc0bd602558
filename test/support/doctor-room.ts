// A machine of its own for `granary doctor`, in this process: a home, a project, an environment, the program's whole way
// from its command line to its JSON.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { main } from "../../src/app/main.ts";
import { atEnd } from "./at-end.ts";
import { machineGo } from "./go.ts";

export type DoctorRoom = {
  readonly home: string;
  /** Writes files below the home; `app/` is the project that doctor is started in. */
  readonly write: (files: Readonly<Record<string, string>>) => Promise<void>;
  /** `granary doctor settings --fix --yes`; what it printed. */
  readonly mend: (env: Readonly<Record<string, string | undefined>>) => Promise<string>;
  readonly doctor: (env: Readonly<Record<string, string | undefined>>, args?: readonly string[]) => Promise<Told>;
};

export type Told = {
  readonly code: number;
  readonly text: string;
  readonly report: {
    readonly checks: readonly {
      readonly id: string;
      readonly state: string;
      readonly skipped?: string;
      readonly reason?: string;
    }[];
    readonly findings: readonly { readonly code: string; readonly severity: string; readonly title: string }[];
    readonly verdict: { readonly state: string; readonly cause: string | null };
  };
};

/** `fail TLS_EXPIRED` for each finding, in the report's order. */
export function codesOf({ report }: Told): string[] {
  return report.findings.map(({ severity, code }) => `${severity} ${code}`);
}

export async function openDoctorRoom(t: TestContext): Promise<DoctorRoom> {
  const home = await mkdtemp(join(tmpdir(), "granary-doctor-"));
  atEnd(t, () => rm(home, { recursive: true, force: true, maxRetries: 3 }));
  await mkdir(join(home, "app"));
  const go = await machineGo();
  const path = go === undefined ? "/usr/bin:/bin" : `${go.goroot}/bin:/usr/bin:/bin`;
  const usual = { HOME: home, PATH: path, LANG: "C.UTF-8", SHELL: "/bin/bash", GOTOOLCHAIN: "local" };
  return {
    home,
    write: async (files) => {
      for (const [name, text] of Object.entries(files)) {
        await mkdir(dirname(join(home, name)), { recursive: true });
        await writeFile(join(home, name), text);
      }
    },
    mend: async (env) => (await program(["settings", "--fix", "--yes"], { ...usual, ...env }, home)).stdout,
    doctor: async (env, args = []) => {
      const { code, stdout, stderr } = await program(["--json", ...args], { ...usual, ...env }, home);
      if (stdout === "") throw new Error(`doctor printed nothing: ${stderr}`);
      return { code, text: stdout, report: JSON.parse(stdout) as Told["report"] };
    },
  };
}

async function program(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  home: string,
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  let [stdout, stderr] = ["", ""];
  const before = process.cwd();
  process.chdir(join(home, "app"));
  try {
    const code = await main(
      ["doctor", ...(args.some((arg) => arg.startsWith("--timeout")) ? [] : ["--timeout=60s"]), ...args],
      {
        stdout: (text) => (stdout += text),
        stderr: (text) => (stderr += text),
        isTerminal: false,
        onStop: () => () => undefined,
        verifyEntry: new URL("../../bin/granary.ts", import.meta.url),
        machine: { env, platform: "linux", home: env["HOME"] ?? "", readFile: readIfThere },
      },
    );
    return { code, stdout, stderr };
  } finally {
    process.chdir(before);
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
