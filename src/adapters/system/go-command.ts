// What the machine's own go command says about its settings.

import { execFile } from "node:child_process";

/** A cold start on a loaded machine takes a second. */
const goEnvMs = 10_000;
/** Settings are a few lines. */
const maxGoEnvBytes = 1 << 20;

/** `go env` for some names: what go.env of the installation says is in it. Undefined when there is no go, or it fails. */
export async function askGoEnv(
  names: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<Readonly<Record<string, string>> | undefined> {
  const text = await new Promise<string | undefined>((resolve) => {
    // Never another toolchain's answer: finding one may download it.
    const options = { env: { ...env, GOTOOLCHAIN: "local" }, timeout: goEnvMs, maxBuffer: maxGoEnvBytes };
    execFile("go", ["env", "-json", ...names], options, (error, stdout) =>
      resolve(error === null ? stdout : undefined),
    );
  });
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Readonly<Record<string, string>>;
  } catch {
    return undefined;
  }
}
