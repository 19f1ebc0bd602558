// Where doctor looks: this machine's settings, the module of the working directory, and which version is asked for.

import type { GoMod } from "#protocol/gomod.ts";
import { matchPrefixPatterns } from "#protocol/pattern.ts";
import { isPseudoVersion } from "#protocol/pseudo.ts";
import { checkModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import type { Settings } from "#services/environment/settings.ts";
import { valueOf } from "#services/environment/settings.ts";
import type { Surroundings } from "#services/environment/surroundings.ts";
import type { Finding } from "#services/findings/finding.ts";
import type { DoctorFacts } from "./report.ts";

export type Project = {
  /** The go.mod. */
  readonly file: string;
  readonly goMod: GoMod;
  readonly hasVendor: boolean;
};

export type DoctorScene = {
  readonly surroundings: Surroundings;
  readonly settings: Settings;
  /** All that is wrong with them; four steps tell it. */
  readonly linted: readonly Finding[];
  readonly facts: DoctorFacts;
  readonly project: Project | undefined;
  /** A go.mod that is there and cannot be read. */
  readonly unreadable?: { readonly file: string; readonly reason: string } | undefined;
  /** What is asked for. */
  readonly subject: ModuleVersion;
};

/** Small, public, old, and kept by every mirror: nobody learns anything from a request for it. */
export const usualSubject: ModuleVersion = checkModuleVersion("golang.org/x/text", "v0.3.0");

/** The first released requirement that may be asked of public hosts, or the usual one. */
export function subjectOf(project: Project | undefined, settings: Settings): ModuleVersion {
  const patterns = valueOf(settings, "GONOPROXY");
  const own = project?.goMod.path;
  for (const { path, version } of project?.goMod.require ?? [])
    if (!isPseudoVersion(version) && !matchPrefixPatterns(patterns, path) && looksPrivate(path, own) === "no")
      return checkModuleVersion(path, version);
  return usualSubject;
}

/** Places whose modules are public unless their owner says otherwise. */
const forges =
  /^(?:github\.com|gitlab\.com|bitbucket\.org|gitee\.com|golang\.org|google\.golang\.org|gopkg\.in|go\.uber\.org|k8s\.io|sigs\.k8s\.io)\//;
/** RFC 6762 and RFC 8375, and what companies use beside them: names that no public server resolves. */
const inner = /^[^/]*\.(?:internal|intranet|corp|local|lan|home\.arpa|private|test|example|invalid)(?:[:/]|$)/i;

/** `yes`: its host is no public name. `perhaps`: it shares the host of the main module, which is no forge. */
export function looksPrivate(path: string, main: string | undefined): "yes" | "perhaps" | "no" {
  if (inner.test(`${path}/`)) return "yes";
  const host = path.split("/")[0] ?? "";
  return main !== undefined && !forges.test(`${main}/`) && main.startsWith(`${host}/`) ? "perhaps" : "no";
}
