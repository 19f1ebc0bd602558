// How shells quote one word.

export const shells = ["bash", "zsh", "fish", "powershell", "cmd"] as const;
export type Shell = (typeof shells)[number];

/** The word so that the shell hands it on as it is. */
export function quoteFor(shell: Shell, word: string): string {
  if (/^[\w@%+=:./-]+$/.test(word) && !(shell === "cmd" && word.includes("%"))) return word;
  switch (shell) {
    case "powershell":
      return `'${word.replaceAll("'", "''")}'`;
    case "cmd":
      return `"${word.replaceAll('"', '""').replaceAll("%", "%%")}"`;
    case "fish":
      return `'${word.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
    case "bash":
    case "zsh":
      return `'${word.replaceAll("'", `'\\''`)}'`;
  }
}

/** The shell this process was most likely started from. */
export function shellOf(env: Readonly<Record<string, string | undefined>>, platform: string): Shell {
  const login = /([^/\\]+?)(?:\.exe)?$/.exec(env["SHELL"] ?? "")?.[1];
  if (login === "zsh" || login === "fish" || login === "bash") return login;
  if (login === "pwsh") return "powershell";
  // PowerShell adds its own folder below the user's profile; cmd has the machine's alone.
  if (platform === "win32") return /\\Users\\|Documents/i.test(env["PSModulePath"] ?? "") ? "powershell" : "cmd";
  return "bash";
}
