// A variable that some file sets: what the readers of shell files, units, CI files and images have in common. Readers
// are pure: they execute nothing, follow nothing, and answer for any text.

/** A file of settings is some hundred lines; GitLab refuses CI files above 1 MiB. More than this is not looked at. */
export const maxFileChars = 1 << 20;

export type AssignmentKind =
  /** Programs started from there see it. */
  | "exported"
  /** The shell alone knows it: `GOPROXY=x` without `export`. */
  | "local"
  /** For one command: `GOPROXY=x go build`. */
  | "once"
  /** `go env -w`: it goes into the go env file of whoever runs the line. */
  | "kept"
  /** `unset`, `go env -u`; the value is empty. */
  | "taken";

export type Assignment = {
  readonly name: string;
  /** Quotes removed; expansions stand as they are written. */
  readonly value: string;
  /** From 1. */
  readonly line: number;
  readonly kind: AssignmentKind;
  /** In a condition, a loop, a function, or after `&&` and `||`: it may never happen. */
  readonly isMaybe: boolean;
  /** The value has no expansions, so that it is what the program sees. */
  readonly isLiteral: boolean;
  /** The job, service or stage it belongs to; empty for the whole file. */
  readonly part: string;
};

/** A line that does not say what its writer meant: the rest of the value is lost. */
export type Trap = {
  readonly name: string;
  readonly line: number;
  /** What the variable gets. */
  readonly kept: string;
  /** What does not arrive. */
  readonly lost: string;
  readonly by: "blank" | "pipe" | "semicolon" | "export";
};

export type Reading = { readonly assignments: readonly Assignment[]; readonly traps: readonly Trap[] };

/** One reading after the other. */
export function joinReadings(readings: readonly Reading[]): Reading {
  return {
    assignments: readings.flatMap(({ assignments }) => assignments),
    traps: readings.flatMap(({ traps }) => traps),
  };
}

/** cmd/go's internal/cfg KnownEnv as far as it decides about modules, and the variables net/http and crypto/x509 read. */
const known: ReadonlySet<string> = new Set(
  [
    "GO111MODULE GOARCH GOAUTH GOBIN GOCACHE GOCACHEPROG GODEBUG GOENV GOEXPERIMENT GOFIPS140 GOFLAGS GOINSECURE",
    "GOMODCACHE GONOPROXY GONOSUMDB GOOS GOPATH GOPRIVATE GOPROXY GOROOT GOSUMDB GOTMPDIR GOTOOLCHAIN GOVCS GOWORK",
    "CGO_ENABLED HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy SSL_CERT_FILE SSL_CERT_DIR NETRC",
  ]
    .join(" ")
    .split(" "),
);

/** Whether the go command looks at the variable. */
export function isGoVariable(name: string): boolean {
  return known.has(name);
}

/** `go env -w` keeps the ones that are its own; these it refuses, and the others are not go's (cmd/go envcmd checkEnvWrite). */
const unkept: ReadonlySet<string> = new Set(["GODEBUG", "GOENV", "GOROOT", "GOWORK", "NETRC"]);

/** Whether `go env -w` can keep the variable. */
export function isKeptByGo(name: string): boolean {
  return known.has(name) && /^C?GO/.test(name) && !unkept.has(name);
}
