// What kind of failure a code is, which commands show more of it, and what mends it where a command can.

import type { Fix } from "#services/findings/fix.ts";
import type { GoCode } from "#services/findings/go.ts";

/**
 * In the order of causes: what stands first explains what stands later. `timeout` and `transient` are the only ones that
 * another try may cure. A `notice` is no failure; an `echo` only repeats one.
 */
export const errorClasses = [
  "verification",
  "setting",
  "machine",
  "name",
  "unreachable",
  "certificate",
  "timeout",
  "transient",
  "permission",
  "answer",
  "absence",
  "toolchain",
  "graph",
  "notice",
  "echo",
] as const;
export type ErrorClass = (typeof errorClasses)[number];

export type ErrorTrait = {
  readonly class: ErrorClass;
  /** Command lines with `{host}` and `{what}`; one whose field is not known is left out. */
  readonly checks: readonly string[];
  readonly fixes?: readonly Fix[];
};

const unset = (name: string): Fix => ({ kind: "set", values: { [name]: "" } });
const run = (...argv: readonly string[]): Fix => ({ kind: "run", argv });

const proxyChecks = ["granary simulate {what}", "granary env explain {what}"] as const;
const tlsChecks = ["granary tls {host}"] as const;
const streamChecks = ["granary trace https://{host}/", "granary doctor --only 8"] as const;
const verifyChecks = ["granary verify {what} --trace"] as const;

export const errorTraits: Readonly<Record<GoCode, ErrorTrait>> = {
  GO_ERR_NO_SUCH_HOST: { class: "name", checks: ["granary dns compare {host}", "granary env lint"] },
  GO_ERR_DNS_FAILED: { class: "transient", checks: ["granary dns which {host}"] },
  GO_ERR_CONNECT_TIMEOUT: { class: "timeout", checks: ["granary trace https://{host}/", "granary doctor"] },
  GO_ERR_REFUSED: { class: "unreachable", checks: ["granary env lint", "granary doctor"] },
  GO_ERR_UNREACHABLE: { class: "unreachable", checks: ["granary doctor"] },
  GO_ERR_RESET: { class: "transient", checks: streamChecks },
  GO_ERR_BROKEN_OFF: { class: "transient", checks: ["granary simulate {what}"] },
  GO_ERR_READ_TIMEOUT: { class: "timeout", checks: ["granary simulate {what}", "granary doctor"] },
  GO_ERR_TLS_TIMEOUT: { class: "timeout", checks: tlsChecks },
  GO_ERR_H2_STREAM: { class: "transient", checks: streamChecks },
  GO_ERR_H2_CLOSED: { class: "transient", checks: streamChecks },
  GO_ERR_HTTP_PROXY_AUTH: { class: "permission", checks: ["granary env explain"] },
  GO_ERR_HTTP_PROXY_DOWN: { class: "unreachable", checks: ["granary env explain"] },
  GO_ERR_NOT_TLS: { class: "setting", checks: ["granary env lint"] },
  GO_NETWORK_DISABLED: { class: "setting", checks: ["granary env lint"] },
  GO_ERR_NOT_GO_TEXT: { class: "notice", checks: ["go mod download -x"] },

  GO_ERR_UNKNOWN_AUTHORITY: { class: "certificate", checks: tlsChecks },
  GO_ERR_SELF_SIGNED: { class: "certificate", checks: tlsChecks },
  GO_ERR_CERT_EXPIRED: { class: "certificate", checks: ["date -u", ...tlsChecks] },
  GO_ERR_CERT_NOT_YET: { class: "certificate", checks: ["date -u"] },
  GO_ERR_CERT_NAME: { class: "certificate", checks: [...tlsChecks, "granary dns compare {host}"] },
  GO_ERR_TLS_VERSION: { class: "certificate", checks: tlsChecks },
  GO_ERR_TLS_ALERT: { class: "certificate", checks: tlsChecks },
  GO_ERR_CLIENT_CERT: { class: "certificate", checks: ["granary agent --help"] },
  GO_ERR_NO_ROOTS: { class: "machine", checks: ["granary doctor"] },

  GO_ERR_NOT_FOUND: { class: "absence", checks: proxyChecks },
  GO_ERR_UNAUTHORIZED: { class: "permission", checks: ["granary env explain {what}"] },
  GO_ERR_FORBIDDEN: { class: "permission", checks: proxyChecks },
  GO_ERR_TOO_MANY: { class: "transient", checks: ["granary mirrors list"] },
  GO_ERR_GATEWAY: { class: "transient", checks: ["granary env explain {what}", "granary lab fallback"] },
  GO_ERR_SERVER_ERROR: { class: "answer", checks: proxyChecks },
  GO_ERR_STATUS: { class: "answer", checks: proxyChecks },
  GO_ERR_HTML: { class: "answer", checks: ["granary simulate {what}", "granary doctor"] },
  GO_ERR_BAD_JSON: { class: "answer", checks: ["granary simulate {what}"] },
  GO_ERR_OTHER_VERSION: { class: "answer", checks: ["granary simulate {what}"] },
  GO_ERR_BAD_ZIP: { class: "answer", checks: ["granary verify {what}"] },
  GO_ERR_REDIRECT: { class: "answer", checks: ["granary trace https://{host}/"] },
  GO_ERR_PLAIN_CREDENTIALS: { class: "setting", checks: ["granary env lint"] },
  GO_GRANARY_ANSWER: { class: "answer", checks: ["granary explain {value}"] },

  GO_SUM_MISMATCH: { class: "verification", checks: verifyChecks },
  GO_SUMDB_MISMATCH: { class: "verification", checks: [...verifyChecks, "granary mirrors crosscheck {what}"] },
  GO_SUMDB_ABSENT: { class: "verification", checks: ["go version", ...verifyChecks] },
  GO_SUMDB_FORK: { class: "verification", checks: ["granary sumdb status"] },
  GO_SUMDB_UNSIGNED: { class: "verification", checks: ["granary sumdb explain {what}"] },
  GO_SUMDB_BROKEN: { class: "verification", checks: verifyChecks },
  GO_SUMDB_UNKNOWN: { class: "absence", checks: ["granary sumdb explain {what}"] },
  GO_SUMDB_TOOLCHAIN: { class: "setting", checks: ["granary env lint"], fixes: [unset("GOSUMDB")] },
  GO_GOSUMDB_VALUE: { class: "setting", checks: ["granary env lint"], fixes: [unset("GOSUMDB")] },
  GO_SUM_MISSING: { class: "graph", checks: [], fixes: [run("go", "mod", "tidy")] },
  GO_SUM_MALFORMED: { class: "graph", checks: ["git diff go.sum"] },

  GO_GOPROXY_OFF: { class: "setting", checks: ["granary env provenance"] },
  GO_GOPROXY_VALUE: { class: "setting", checks: ["granary env lint"] },
  GO_PRIVATE_SKIPPED: { class: "setting", checks: ["granary env explain {what}"] },
  GO_VENDOR_MODE: { class: "setting", checks: ["go env GOFLAGS"] },
  GO_VENDOR_STALE: { class: "graph", checks: [], fixes: [run("go", "mod", "vendor")] },
  GO_MODULE_MODE_OFF: { class: "setting", checks: ["granary env provenance"], fixes: [unset("GO111MODULE")] },
  GO_MODULE_MODE_VALUE: { class: "setting", checks: ["granary env provenance"], fixes: [unset("GO111MODULE")] },
  GO_ENV_REFUSED: { class: "setting", checks: ["granary env provenance"] },
  GO_ENV_SHADOWED: { class: "notice", checks: ["granary env provenance"] },
  GO_GOFLAGS: { class: "setting", checks: ["granary env provenance"] },
  GO_GOVCS: { class: "setting", checks: ["granary env explain {what}"] },
  GO_GOAUTH: { class: "setting", checks: ["go env GOAUTH"] },
  GO_INSECURE_FLAG: { class: "setting", checks: [] },

  GO_NOT_INSTALLED: { class: "machine", checks: [] },
  GO_GOROOT: {
    class: "machine",
    checks: ["granary env provenance"],
    fixes: [{ kind: "export", values: { GOROOT: "" } }],
  },
  GO_NO_HOME: { class: "machine", checks: ["granary env scopes"] },
  GO_NOT_WRITABLE: { class: "machine", checks: ["granary modcache info"] },
  GO_DISK_FULL: { class: "machine", checks: ["granary modcache info"] },
  GO_TOO_MANY_FILES: { class: "machine", checks: [] },
  GO_CACHE_SETTING: { class: "setting", checks: ["granary env lint"] },
  GO_VCS_MISSING: { class: "machine", checks: ["granary env explain {what}"] },
  GO_REPOSITORY_AUTH: { class: "permission", checks: ["granary env explain {what}"] },
  GO_REPOSITORY_HOST_KEY: { class: "permission", checks: [] },
  GO_IMPORT_PATH: { class: "absence", checks: ["granary env explain {what}"] },
  GO_UNKNOWN_REVISION: { class: "absence", checks: ["granary simulate {what}"] },
  GO_REPOSITORY_STATUS: { class: "machine", checks: [] },

  GO_NO_MODULE_FOR_PACKAGE: { class: "graph", checks: [], fixes: [run("go", "mod", "tidy")] },
  GO_CANNOT_FIND_MODULE: { class: "absence", checks: ["granary env explain {what}"] },
  GO_PACKAGE_NOT_IN_MODULE: { class: "graph", checks: [] },
  GO_OTHER_PATH: { class: "graph", checks: [] },
  GO_NO_VERSION: { class: "absence", checks: ["granary env explain {what}"] },
  GO_BAD_VERSION: { class: "graph", checks: [] },
  GO_BAD_PATH: { class: "graph", checks: [] },
  GO_REPLACE: { class: "graph", checks: [] },
  GO_GO_MOD: { class: "graph", checks: ["go mod edit -fmt"] },
  GO_NO_GO_MOD: { class: "graph", checks: ["go env GOMOD"] },
  GO_MOD_NEEDS_UPDATE: { class: "graph", checks: [], fixes: [run("go", "mod", "tidy")] },
  GO_AMBIGUOUS_IMPORT: { class: "graph", checks: [] },
  GO_NOT_IN_STD: { class: "graph", checks: ["go version"] },
  GO_RETRACTED: { class: "notice", checks: [] },
  GO_DEPRECATED: { class: "notice", checks: [] },
  GO_TOO_OLD: { class: "toolchain", checks: ["go version", "go env GOTOOLCHAIN"] },
  GO_TOOLCHAIN_UNAVAILABLE: { class: "toolchain", checks: ["granary env explain golang.org/toolchain"] },
  GO_GOTOOLCHAIN_VALUE: { class: "setting", checks: ["granary env lint"], fixes: [unset("GOTOOLCHAIN")] },
  GO_COMMAND_ENDED: { class: "echo", checks: [] },

  GO_TRACE_UNANSWERED: { class: "timeout", checks: ["granary doctor"] },
  GO_TRACE_SLOW: { class: "notice", checks: ["granary mirrors list"] },
  GO_H2_CLIENT_CANCELLED: { class: "notice", checks: ["granary doctor --only 8"] },
  GO_H2_SERVER_RESET: { class: "transient", checks: ["granary doctor --only 8"] },
  GO_H2_GOAWAY: { class: "notice", checks: [] },
  GO_H2_NO_ANSWER: { class: "timeout", checks: ["granary doctor --only 8"] },
};
