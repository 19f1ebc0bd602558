// Every failure a person can meet: a closed union of codes, and the facts each carries. Codes are never renamed:
// people search for them.

/** Somebody who was asked and why that did not help: `{ upstream: "goproxy.cn", reason: "timeout" }`. */
export type Tried = { readonly upstream: string; readonly reason: string };

/** Codes that answer a request. `what` names what was asked: `example.com/m@v1.2.0`, or a path. */
export type AnswerFields = {
  /** The request breaks the protocol's rules. */
  GRANARY_BAD_REQUEST: { readonly target: string; readonly reason: string };
  GRANARY_METHOD_NOT_ALLOWED: { readonly method: string; readonly allowed: string };
  GRANARY_BAD_RANGE: { readonly range: string; readonly size: number };
  /** A path below `/-/` that is not one of ours. */
  GRANARY_NO_ROUTE: { readonly target: string };
  /** A private name asked by somebody without a read token. */
  GRANARY_UNAUTHORIZED: { readonly what: string };
  /** A route that changes something, asked without a write token. */
  GRANARY_NEEDS_WRITE_TOKEN: { readonly route: string };
  GRANARY_FORBIDDEN: { readonly what: string; readonly rule: string };
  /** A token came over a connection that anybody on the way can read. */
  GRANARY_TOKEN_NEEDS_TLS: { readonly what: string };
  GRANARY_WRITE_DISABLED: { readonly route: string };
  /** A webhook's delivery without a good proof, whatever is wrong with it. */
  GRANARY_WEBHOOK_REFUSED: { readonly forge: string };
  /** The client showed no certificate, or one that is not of the configured authorities; `detail` is OpenSSL's verdict. */
  GRANARY_CLIENT_CERTIFICATE: { readonly problem: "missing" | "refused"; readonly detail: string };
  /** Upstreams that can know said so. */
  GRANARY_NOT_FOUND: { readonly what: string; readonly upstreams: readonly string[]; readonly reason: string };
  /** No such module or version can exist. */
  GRANARY_IMPOSSIBLE: { readonly what: string; readonly reason: string };
  /** Not kept, and nobody may be asked. */
  GRANARY_NOT_KEPT: {
    readonly what: string;
    readonly because: "cached-only" | "fetch-disabled" | "upstream-off" | "chunks";
  };
  GRANARY_PRIVATE_NOT_HERE: { readonly what: string; readonly patterns: string };
  GRANARY_UPSTREAM_FAILED: { readonly what: string; readonly tried: readonly Tried[] };
  /** An upstream refuses (403, 451, …) and no other has it. `quote` is the upstream's own first line. */
  GRANARY_UPSTREAM_REFUSED: {
    readonly what: string;
    readonly upstream: string;
    readonly status: number;
    readonly quote: string;
    readonly tried: readonly Tried[];
  };
  GRANARY_UPSTREAM_TIMEOUT: { readonly what: string; readonly tried: readonly Tried[]; readonly waitedMs: number };
  /** Not kept, and upstreams told us to leave them alone for a while (Retry-After). */
  GRANARY_UPSTREAM_BUSY: { readonly what: string; readonly tried: readonly Tried[]; readonly waitSeconds: number };
  /** Not kept, and nobody could be reached. */
  GRANARY_OFFLINE: { readonly what: string; readonly tried: readonly Tried[] };
  /** Not kept, and an operator took everybody out of use who may be asked. */
  GRANARY_UPSTREAMS_DISABLED: { readonly what: string; readonly names: readonly string[] };
  /** A module's own repository could not be read; `reason` is what the go command said. */
  GRANARY_DIRECT_FAILED: { readonly what: string; readonly reason: string; readonly tried: readonly Tried[] };
  /** Repositories are to be read, and a program that does it is not on this machine. */
  GRANARY_NO_GO: { readonly what: string; readonly program: string };
  /** The machine's list holds only `direct`, which nobody configured here. */
  GRANARY_NO_UPSTREAM: { readonly what: string };
  /** The request has passed through this server already. */
  GRANARY_LOOP: { readonly what: string; readonly via: string };
  GRANARY_SUMDB_UNREACHABLE: { readonly what: string; readonly database: string; readonly tried: readonly Tried[] };
  /** A client's tree head is newer than ours, and nobody could be asked for one. Numbers of records. */
  GRANARY_SUMDB_NEWER_HEAD: {
    readonly what: string;
    readonly database: string;
    readonly ours: number;
    readonly atLeast: number;
    readonly tried: readonly Tried[];
  };
  /** Bytes that are not what the checksum database recorded. */
  GRANARY_SUMDB_MISMATCH: {
    readonly what: string;
    readonly upstream: string;
    readonly database: string;
    readonly recorded: string;
    readonly received: string;
    readonly record?: number;
    readonly tree?: number;
    readonly tried: readonly Tried[];
  };
  GRANARY_SUMDB_NO_RECORD: { readonly what: string; readonly database: string; readonly reason: string };
  /** A record, proof, tile or tree head that does not verify. */
  GRANARY_SUMDB_INVALID: { readonly what: string; readonly database: string; readonly reason: string };
  /** Two signed tree heads that cannot belong to one log. */
  GRANARY_SUMDB_FORK: { readonly database: string; readonly evidence: string };
  GRANARY_SUMDB_UNKNOWN: { readonly database: string; readonly configured: readonly string[] };
  /** The own log is not served: what is kept of it is damaged, or was set back. */
  GRANARY_SUMLOG_STOPPED: { readonly database: string; readonly reason: string };
  /** The own log has other hashes of a version than those proven now. */
  GRANARY_SUMLOG_CONFLICT: { readonly database: string; readonly reason: string };
  /** A module, asked of a server that holds checksum databases and nothing else. */
  GRANARY_SUMDB_ONLY: { readonly what: string; readonly databases: readonly string[] };
  /** The agent got no answer from the company's server. */
  GRANARY_AGENT_FAILED: {
    readonly what: string;
    readonly server: string;
    readonly because: "tls" | "certificate" | "timeout" | "unreachable" | "broken";
    readonly detail: string;
  };
  GRANARY_SUMDB_NOT_FOUND: { readonly what: string; readonly database: string; readonly reason: string };
  /** A private module whose bytes changed since they were first seen. */
  GRANARY_PIN_MISMATCH: {
    readonly what: string;
    readonly upstream: string;
    readonly pinned: string;
    readonly received: string;
  };
  /** An evicted version came again with the same files in another zip. */
  GRANARY_REPACKED: {
    readonly what: string;
    readonly upstream: string;
    readonly served: string;
    readonly received: string;
  };
  /** No database could be reached, and the bytes are not what the signed list says. */
  GRANARY_INTEGRITY_MISMATCH: {
    readonly what: string;
    readonly upstream: string;
    readonly list: string;
    readonly listed: string;
    readonly received: string;
  };
  /** An operator holds the version back. */
  GRANARY_HELD: { readonly what: string; readonly reason: string; readonly since: string };
  /** An upload of a name that no private pattern covers. */
  GRANARY_PUBLISH_PUBLIC: { readonly what: string; readonly patterns: string };
  GRANARY_PUBLISH_REFUSED: { readonly what: string; readonly reason: string };
  /** The version is there with other content. */
  GRANARY_PUBLISH_CONFLICT: { readonly what: string; readonly kept: string; readonly received: string };
  /** An Idempotency-Key that came with another upload before. */
  GRANARY_PUBLISH_KEY: { readonly what: string; readonly key: string };
  GRANARY_BAD_MODULE: { readonly what: string; readonly upstream: string; readonly reason: string };
  /** The go.mod inside the zip is not the go.mod that was proven before. */
  /** Rewritten to `target`, whose go.mod declares another path than the one asked for; `declared` is "" for none. */
  GRANARY_REWRITE_CONFLICT: { readonly what: string; readonly target: string; readonly declared: string };
  /** Proven, and refused by the operator's validation command, with the reason it gave. */
  GRANARY_VALIDATION_REFUSED: { readonly what: string; readonly reason: string };
  /** The validation command gave no verdict. */
  GRANARY_VALIDATION_FAILED: { readonly what: string; readonly reason: string };
  GRANARY_SNAPSHOT_MISMATCH: { readonly what: string; readonly upstream: string };
  GRANARY_TOO_LARGE: { readonly what: string; readonly upstream: string; readonly limitBytes: number };
  GRANARY_STORE_UNAVAILABLE: { readonly what: string; readonly reason: string };
  /** `freeBytes` and `markBytes` go with `low-space`. Without `because`: full. */
  GRANARY_STORE_FULL: {
    readonly what: string;
    readonly because?: "full" | "quota" | "low-space" | "low-inodes";
    readonly freeBytes?: number;
    readonly markBytes?: number;
  };
  GRANARY_STORE_READ_ONLY: { readonly what: string };
  /** `sha256`: of the whole file, when it is known. */
  GRANARY_STORE_DAMAGED: { readonly what: string; readonly reason: string; readonly sha256?: string };
  /** A limit with a name (a key of the config table) is reached. */
  GRANARY_OVERLOADED: { readonly limit: string; readonly value: number };
  /** One client sent more than `limiter` allows; it is answered again after the pause. */
  GRANARY_RATE_LIMITED: { readonly perSecond: number; readonly waitSeconds: number };
  GRANARY_DRAINING: Readonly<Record<string, never>>;
  GRANARY_INTERNAL: { readonly reason: string };
};

/** Codes of the command line: settings, start-up, tools. `origin` says where a value came from. */
export type StartFields = {
  GRANARY_BAD_FLAG: { readonly flag: string; readonly value: string; readonly accepted: string };
  GRANARY_UNKNOWN_FLAG: { readonly flag: string; readonly command: string; readonly nearest?: string };
  GRANARY_UNKNOWN_COMMAND: { readonly command: string; readonly nearest?: string };
  GRANARY_BAD_USAGE: { readonly reason: string; readonly usage: string };
  GRANARY_BAD_CONFIG: {
    readonly origin: string;
    readonly key: string;
    readonly value: string;
    readonly accepted: string;
  };
  GRANARY_UNKNOWN_SETTING: { readonly origin: string; readonly key: string; readonly nearest?: string };
  GRANARY_CONFIG_UNREADABLE: { readonly file: string; readonly reason: string };
  GRANARY_CONFIG_VARIABLE: { readonly origin: string; readonly key: string; readonly variable: string };
  GRANARY_SECRET_UNREADABLE: { readonly origin: string; readonly key: string; readonly reference: string };
  GRANARY_NEEDS_RESTART: { readonly keys: readonly string[] };
  GRANARY_PORT_TAKEN: { readonly host: string; readonly port: number };
  GRANARY_LISTEN_FAILED: { readonly address: string; readonly reason: string };
  GRANARY_STORE_UNWRITABLE: { readonly dir: string; readonly reason: string };
  GRANARY_STORE_TOO_NEW: { readonly dir: string; readonly found: string; readonly supported: string };
  GRANARY_STORE_LOCKED: { readonly dir: string; readonly holder: string };
  /** The bucket that several nodes share does not answer, and this command needs it. */
  GRANARY_SHARED_STORE_AWAY: { readonly bucket: string; readonly endpoint: string; readonly reason: string };
  /** The directory is a store by itself, or has the copies of another bucket. `of` is "" for the former. */
  GRANARY_STORE_NOT_FREE: { readonly dir: string; readonly bucket: string; readonly of: string };
  /** The directory has a node's copies of a bucket, and none was named. */
  GRANARY_STORE_IS_COPY: { readonly dir: string; readonly bucket: string };
  GRANARY_NOT_WITH_SHARED_STORE: { readonly what: string; readonly because: string; readonly instead: string };
  /** A command that reads a store was given a directory without one. */
  GRANARY_NO_STORE: { readonly dir: string };
  /** A directory that holds no snapshots, or cannot hold any now. */
  GRANARY_SNAPSHOTS_UNUSABLE: { readonly dir: string; readonly reason: string };
  /** The key of the own log has signed more than the snapshot has. */
  GRANARY_RESTORE_LOG_BEHIND: { readonly database: string; readonly found: number; readonly signed: number };
  /** The snapshot has another own log than the store, or than the key has signed. */
  GRANARY_RESTORE_LOG_FORK: { readonly database: string; readonly reason: string };
  /** Nobody can say what the own log's key has signed. */
  GRANARY_RESTORE_LOG_KEYLESS: { readonly database: string };
  GRANARY_RESTORE_LOG_UNSOUND: { readonly database: string; readonly reason: string };
  GRANARY_PRIVATE_EXPOSED: { readonly listen: string; readonly patterns: string };
  /** The same, and whether there are read tokens cannot be found out. */
  GRANARY_READERS_UNKNOWN: { readonly listen: string; readonly patterns: string; readonly reason: string };
  /** `egressStrict` is on and nobody said how connections leave. */
  GRANARY_EGRESS_UNSET: { readonly origin: string };
  /** A setting of the proxy in whose place we start, without which something closed would be open. */
  GRANARY_COMPAT_REFUSED: {
    readonly key: string;
    readonly origin: string;
    readonly reason: string;
    /** How many more there are. */
    readonly more: number;
  };
  /** A folder that is no checksum database's, or another one's. */
  GRANARY_NOT_A_DATABASE: { readonly dir: string; readonly reason: string };
  /** The agent would lend its certificate or token to the network. */
  GRANARY_AGENT_EXPOSED: { readonly listen: string };
  /** A file that is there already and not ours to replace. */
  GRANARY_FILE_EXISTS: { readonly file: string };
  GRANARY_TLS_UNREADABLE: { readonly file: string; readonly reason: string };
  GRANARY_TOKENS_UNREADABLE: { readonly file: string; readonly reason: string };
  /** A token, a quarantined version, a request id … that is not there. */
  GRANARY_NO_SUCH_ID: {
    readonly kind:
      | "token"
      | "quarantine"
      | "request"
      | "code"
      | "hash"
      | "upstream"
      | "job"
      | "alarm"
      | "pin"
      | "snapshot"
      | "held version"
      | "evicted version";
    readonly id: string;
    readonly nearest?: string;
  };
  /** A URL given on the command line that does not answer. */
  GRANARY_TARGET_UNREACHABLE: { readonly url: string; readonly reason: string };
  /** A running server answered a command with an error; `said` is its first line. */
  /** A go.mod, a list, a folder that a command was told to read; `place` is its name, with the line where there is one. */
  /** A line of a trusted file that is not as it should be, and the form that it should have. */
  GRANARY_TRUSTED_UNREADABLE: {
    readonly file: string;
    readonly line: number;
    readonly found: string;
    readonly accepted: string;
  };
  GRANARY_INPUT_UNREADABLE: { readonly place: string; readonly reason: string };
  GRANARY_SERVER_REFUSED: { readonly url: string; readonly status: number; readonly said: string };
  /** `what`: a tag, a folder, `path@version`. */
  GRANARY_NOT_PUBLISHABLE: { readonly what: string; readonly reason: string };
  /** A command of ours runs the machine's go command, and there is none; `what` is the command. */
  GRANARY_GO_MISSING: { readonly what: string };
  /** The machine's git failed at what a command needs of it; `command` is its first words. */
  GRANARY_GIT_FAILED: { readonly command: string; readonly reason: string };
  /** Settings that a command was to write, and did not. `detail`: go's own words, or where the copy lies. */
  GRANARY_ENV_NOT_WRITTEN: {
    readonly what: string;
    readonly because: "no-go" | "refused" | "off" | "nowhere" | "marks" | "changed" | "unwritable";
    readonly detail: string;
  };
  /** A command was told to end before it was done. */
  GRANARY_STOPPED: object;
  /** A program of this machine that a command is about: not there, or not startable. */
  GRANARY_CANNOT_RUN: { readonly program: string; readonly reason: string };
  /** The store's layout knows no evictions yet. */
  GRANARY_LAYOUT_OLD: { readonly dir: string; readonly found: number };
  /** The index that nodes share cannot be asked now. */
  GRANARY_INDEX_UNAVAILABLE: { readonly reason: string };
  /** Nodes share a bucket, and this one's index knows only what this node was asked for. */
  GRANARY_GC_SHARED: { readonly bucket: string };
  /** Another node over the same store does the same work now. */
  GRANARY_DONE_ELSEWHERE: { readonly work: "gc" | "scrub" | "rebuild" };
  /** Bytes that were never kept for a version. */
  GRANARY_NOT_COMMITTED: { readonly what: string; readonly asked: string; readonly committed: string | undefined };
  /** The bytes of a version are known, and nobody here has them. */
  GRANARY_NO_COPY: { readonly what: string; readonly sha256: string };
};

export type Fields = AnswerFields & StartFields;
export type AnswerCode = keyof AnswerFields;
export type StartCode = keyof StartFields;
export type GranaryCode = AnswerCode | StartCode;
