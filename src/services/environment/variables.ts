// Every variable that has a say in what go downloads, from whom, and whether it is verified.
// Source: internal/cfg KnownEnv; cmd/go/internal/cfg; protocol reference §3.

import type { Feature } from "./go-versions.ts";

export type Variable = {
  readonly name: string;
  /** Read from the process environment alone; in a go env file it does nothing. */
  readonly processOnly?: true;
  /** The go command that first knew it. */
  readonly since?: Feature;
  /** Lower-case spelling that is read when the upper-case one is empty. */
  readonly alias?: string;
};

/** In the order in which they are shown. */
export const variables: readonly Variable[] = [
  { name: "GOPROXY" },
  { name: "GOPRIVATE", since: "lists" },
  { name: "GONOPROXY", since: "lists" },
  { name: "GOSUMDB", since: "lists" },
  { name: "GONOSUMDB", since: "lists" },
  { name: "GOINSECURE", since: "insecure" },
  { name: "GOVCS", since: "vcs" },
  { name: "GOAUTH", since: "auth" },
  { name: "GOFLAGS" },
  { name: "GO111MODULE" },
  { name: "GOTOOLCHAIN", since: "toolchain" },
  { name: "GOWORK", since: "work" },
  { name: "GOMODCACHE", since: "pipes" },
  { name: "GOPATH" },
  { name: "GOCACHE" },
  { name: "GOROOT" },
  { name: "GOENV", processOnly: true, since: "lists" },
  { name: "GODEBUG", processOnly: true },
  { name: "HTTPS_PROXY", processOnly: true, alias: "https_proxy" },
  { name: "HTTP_PROXY", processOnly: true, alias: "http_proxy" },
  { name: "NO_PROXY", processOnly: true, alias: "no_proxy" },
  { name: "SSL_CERT_FILE", processOnly: true },
  { name: "SSL_CERT_DIR", processOnly: true },
  { name: "NETRC", processOnly: true },
];

export type VariableName =
  | "GOPROXY"
  | "GOPRIVATE"
  | "GONOPROXY"
  | "GOSUMDB"
  | "GONOSUMDB"
  | "GOINSECURE"
  | "GOVCS"
  | "GOAUTH"
  | "GOFLAGS"
  | "GO111MODULE"
  | "GOTOOLCHAIN"
  | "GOWORK"
  | "GOMODCACHE"
  | "GOPATH"
  | "GOCACHE"
  | "GOROOT"
  | "GOENV"
  | "GODEBUG"
  | "HTTPS_PROXY"
  | "HTTP_PROXY"
  | "NO_PROXY"
  | "SSL_CERT_FILE"
  | "SSL_CERT_DIR"
  | "NETRC";

/** What else a go env file may hold (internal/cfg KnownEnv, 1.27). */
export const otherFileNames: readonly string[] = [
  ..."AR CC CXX FC GCCGO PKG_CONFIG CGO_ENABLED GOARCH GOOS GOBIN GOTMPDIR GOEXPERIMENT GOFIPS140 GOCACHEPROG".split(
    " ",
  ),
  ..."GO386 GOAMD64 GOARM GOARM64 GOMIPS GOMIPS64 GOPPC64 GORISCV64 GOWASM GO_EXTLINK_ENABLED".split(" "),
  ..."CFLAGS CPPFLAGS CXXFLAGS FFLAGS LDFLAGS"
    .split(" ")
    .flatMap((name) => [`CGO_${name}`, `CGO_${name}_ALLOW`, `CGO_${name}_DISALLOW`]),
];

/** What people set and no go command has ever read, with what they meant. */
export const mistakenNames: Readonly<Record<string, string>> = {
  GONOSUMCHECK: "GONOSUMDB",
  GONOSUM: "GONOSUMDB",
  GOSUMDB_PUBLICKEY: "GOSUMDB",
  GOSUMDB_URL: "GOSUMDB",
  GOKEYS: "GOSUMDB",
  GO_PROXY: "GOPROXY",
  GOPROXY_TIMEOUT: "GOPROXY",
  GO_SUMDB: "GOSUMDB",
  GO_PRIVATE: "GOPRIVATE",
  GO_NOPROXY: "GONOPROXY",
  GO_NOSUMDB: "GONOSUMDB",
  GO_INSECURE: "GOINSECURE",
  GO_FLAGS: "GOFLAGS",
  GO111MODULES: "GO111MODULE",
  GOMODULE: "GO111MODULE",
  GOMODCACHEDIR: "GOMODCACHE",
};

/** Names that begin with GO and belong to others: the runtime, the compiler, container images, editors. */
export const foreignNames: ReadonlySet<string> = new Set([
  ..."GOGC GOMAXPROCS GOMEMLIMIT GORACE GOTRACEBACK GOCOVERDIR GOTELEMETRY GOTELEMETRYDIR GOSSAFUNC".split(" "),
  ..."GOHOSTARCH GOHOSTOS GOROOT_BOOTSTRAP GOROOT_FINAL GOEXE GOTOOLDIR GOGCCFLAGS GOVERSION GOMOD GOVULNDB".split(" "),
  ..."GOLANG_VERSION GOPACKAGESDRIVER GOLANGCI_LINT_CACHE GOCOVER GOLINT".split(" "),
]);
