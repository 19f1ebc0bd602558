// Why an .envrc is not in force. Source: direnv's rc.go (fileHash, the allow folder) and its hooks for the shells; seen with
// direnv 2.32: a file is allowed when `allow/` holds the SHA-256 of its path, a newline, and its text.

import { createHash } from "node:crypto";
import type { Shell } from "#services/findings/shell.ts";
import { splitCommands } from "./shell-words.ts";

export type DirenvSeen = {
  readonly isInstalled: boolean;
  /** Some file of the user's shell has the hook. */
  readonly isHooked: boolean;
  readonly isAllowed: boolean;
  /** DIRENV_DIR of this process, without its first mark. */
  readonly loaded: string | undefined;
};

export type DirenvState = "in-force" | "not-installed" | "not-hooked" | "not-allowed" | "not-loaded";

/** What stands in the way, the first thing first. */
export function direnvState(seen: DirenvSeen, dir: string): DirenvState {
  if (seen.loaded === dir) return "in-force";
  if (!seen.isInstalled) return "not-installed";
  if (!seen.isHooked) return "not-hooked";
  return seen.isAllowed ? "not-loaded" : "not-allowed";
}

/** The name of the file below `$XDG_DATA_HOME/direnv/allow` that allows this .envrc. */
export function allowName(path: string, text: string): string {
  return createHash("sha256").update(`${path}\n${text}`).digest("hex");
}

/** Whether a shell's file runs direnv's hook. */
export function hasHook(text: string): boolean {
  return splitCommands(text).some(({ words }) => /\bdirenv\s+hook\b/.test(words.map((word) => word.text).join(" ")));
}

/** The line that hooks direnv into a shell, and the file it belongs into; undefined where direnv has no hook. */
export function hookOf(shell: Shell): { readonly file: string; readonly line: string } | undefined {
  switch (shell) {
    case "bash":
      return { file: "~/.bashrc", line: 'eval "$(direnv hook bash)"' };
    case "zsh":
      return { file: "~/.zshrc", line: 'eval "$(direnv hook zsh)"' };
    case "fish":
      return { file: "~/.config/fish/config.fish", line: "direnv hook fish | source" };
    case "powershell":
      return { file: "$PROFILE", line: 'Invoke-Expression "$(direnv hook pwsh)"' };
    case "cmd":
      return undefined;
  }
}
