// What the go command learnt in which release, as far as its environment is concerned. Before a feature's release the
// variable or the form is not known: it does nothing, or is read as something else.
// Source: doc/go1.N.md release notes; protocol reference §0 client-version matrix.

import { compareGoVersions, toolchainVersion } from "#protocol/gover.ts";

const since = {
  /** GOPROXY, with one URL. */
  proxy: "1.11",
  /** Comma lists, `direct` in them, GOSUMDB, GOPRIVATE, GONOPROXY, GONOSUMDB, `go env -w`. */
  lists: "1.13",
  insecure: "1.14",
  /** The separator `|`, GOMODCACHE. */
  pipes: "1.15",
  vcs: "1.16",
  /** `-insecure` is an error from here on. */
  noInsecureFlag: "1.17",
  work: "1.18",
  /** GOTOOLCHAIN, and defaults in `$GOROOT/go.env` instead of in the program. */
  toolchain: "1.21",
  /** GOAUTH; every 4xx over https is asked twice; a netrc machine names its port. */
  auth: "1.24",
  /** SSL_CERT_FILE and SSL_CERT_DIR on macOS and Windows too. User-Agent `GoCommand/1`. */
  certificates: "1.27",
} as const;

export type Feature = keyof typeof since;

/** The release that is assumed when nobody knows which go it is. */
export const newestKnownGo = "1.27";

export function knows(version: string, feature: Feature): boolean {
  return compareGoVersions(version, since[feature]) >= 0;
}

/** `1.21` */
export function sinceVersion(feature: Feature): string {
  return since[feature];
}

/** `1.12`, `1.26.8`, also written `go1.26.8`; undefined for anything else, and for what had no modules. */
export function parseGoVersion(text: string): string | undefined {
  const version = toolchainVersion(text.startsWith("go") ? text : `go${text}`);
  return version !== undefined && knows(version, "proxy") && compareGoVersions(version, "2") < 0 ? version : undefined;
}
