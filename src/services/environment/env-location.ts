// Where the go command keeps what `go env -w` writes. Source: cmd/go/internal/cfg EnvFile, os.UserConfigDir.

export type Variables = Readonly<Record<string, string | undefined>>;

/** `off`: GOENV=off. `nowhere`: the operating system names no folder (HOME or AppData is not set): go has no such file. */
export type EnvFileLocation =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "off" }
  | { readonly kind: "nowhere"; readonly missing: string };

/** @param platform as Node's `process.platform` */
export function goEnvFileLocation(env: Variables, platform: string): EnvFileLocation {
  const chosen = env["GOENV"] ?? "";
  if (chosen === "off") return { kind: "off" };
  if (chosen !== "") return { kind: "file", path: chosen };
  const folder = userConfigFolder(env, platform);
  if (typeof folder !== "string") return { kind: "nowhere", missing: folder.missing };
  const separator = platform === "win32" ? "\\" : "/";
  return { kind: "file", path: [folder.replace(/[\\/]+$/, ""), "go", "env"].join(separator) };
}

function userConfigFolder(env: Variables, platform: string): string | { readonly missing: string } {
  if (platform === "win32") return orMissing(env["AppData"] ?? env["APPDATA"], "AppData");
  const home = orMissing(env["HOME"], "HOME");
  if (platform === "darwin") return typeof home === "string" ? `${home}/Library/Application Support` : home;
  const xdg = env["XDG_CONFIG_HOME"] ?? "";
  // A relative one is an error of os.UserConfigDir, and go then has no file.
  if (xdg !== "") return xdg.startsWith("/") ? xdg : { missing: "XDG_CONFIG_HOME" };
  return typeof home === "string" ? `${home}/.config` : home;
}

function orMissing(value: string | undefined, name: string): string | { readonly missing: string } {
  return value === undefined || value === "" ? { missing: name } : value;
}
