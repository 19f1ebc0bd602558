// What a go command would see of this machine: its process environment, the files with settings, its own version.
// Read once by whoever asks (src/app/environment.ts); everything else in this room is a function of it.

import type { Variables } from "./env-location.ts";

/** A file with settings, as it was found. */
export type FileSeen =
  | { readonly kind: "text"; readonly path: string; readonly text: string }
  | { readonly kind: "absent"; readonly path: string }
  /** The go command goes on without it. */
  | { readonly kind: "unreadable"; readonly path: string; readonly reason: string }
  /** GOENV=off */
  | { readonly kind: "off" }
  /** `missing`: the variable without which there is no place for it. */
  | { readonly kind: "nowhere"; readonly missing: string };

export type Surroundings = {
  /** As Node's `process.platform`. */
  readonly platform: string;
  readonly process: Variables;
  /** `process` is what somebody wrote on a command line, and belongs to no process yet. */
  readonly isGiven?: true;
  /** What `go env -w` wrote. */
  readonly userFile: FileSeen;
  readonly netrc: FileSeen;
  /** The go command on PATH; undefined when none was found. */
  readonly go: GoInstallation | undefined;
};

export type GoInstallation = {
  /** `1.26.8`; undefined when its VERSION file names no release. */
  readonly version: string | undefined;
  readonly goroot: string;
  /** `$GOROOT/go.env` */
  readonly file: FileSeen;
};
