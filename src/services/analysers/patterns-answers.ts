// Answers of proxies and of the checksum database, as cmd/go reports them (internal/web, internal/modfetch).

import type { ErrorPattern } from "./error-pattern.ts";

export const answerPatterns: readonly ErrorPattern[] = [
  { code: "GO_GRANARY_ANSWER", find: "GRANARY_", as: /\b(?<value>GRANARY_[A-Z0-9_]{3,60})\b/ },

  // ---- checksums ----
  { code: "GO_SUM_MISMATCH", find: "checksum mismatch", below: /^go\.sum: +(?<value>h1:\S+)/ },
  { code: "GO_SUMDB_MISMATCH", find: "checksum mismatch", below: /^(?!downloaded)(?<host>\S+): +(?<value>h1:\S+)/ },
  { code: "GO_SUM_MISMATCH", find: "checksum mismatch" },
  { code: "GO_SUM_MISMATCH", find: "does NOT match an earlier download recorded in go.sum" },
  { code: "GO_SUMDB_MISMATCH", find: "does NOT match the one reported by the checksum server" },
  { code: "GO_SUMDB_ABSENT", find: "checksum missing from sumdb response" },
  { code: "GO_SUMDB_FORK", find: "database server misbehavior detected" },
  { code: "GO_SUMDB_UNSIGNED", find: "note has no verifiable signatures" },
  { code: "GO_SUMDB_UNSIGNED", find: "invalid signature for key" },
  { code: "GO_SUMDB_BROKEN", find: "malformed record data", value: "malformed record data" },
  { code: "GO_SUMDB_BROKEN", find: "malformed tree note", value: "malformed tree note" },
  { code: "GO_SUMDB_BROKEN", find: "malformed note", value: "malformed note" },
  { code: "GO_SUMDB_BROKEN", find: "downloaded inconsistent tile", value: "inconsistent tile" },
  { code: "GO_SUMDB_BROKEN", find: "cannot authenticate record data", value: "record data" },
  { code: "GO_SUMDB_BROKEN", find: "cannot validate record", value: "record beyond the tree" },
  { code: "GO_GOSUMDB_VALUE", find: "invalid GOSUMDB", as: /invalid GOSUMDB(?: URL)?: (?<value>[^\n]{1,120})/ },
  { code: "GO_GOSUMDB_VALUE", find: "missing GOSUMDB", value: "empty" },
  { code: "GO_GOSUMDB_VALUE", find: "invalid sumdb name", as: /\(must be host\[\/path\]\): (?<value>[^\n]{1,120})/ },
  { code: "GO_SUMDB_TOOLCHAIN", find: "checksum database disabled by GOSUMDB=off" },
  { code: "GO_SUMDB_UNKNOWN", find: "404 Not Found", as: /\/lookup\// },
  { code: "GO_SUMDB_UNKNOWN", find: "410 Gone", as: /\/lookup\// },

  // ---- answers that are no good ----
  { code: "GO_ERR_HTML", find: "invalid character '<' looking for beginning of value" },
  { code: "GO_ERR_OTHER_VERSION", find: "proxy returned info for version", as: /for version (?<value>\S+)/ },
  { code: "GO_ERR_BAD_JSON", find: "invalid response from proxy" },
  { code: "GO_ERR_BAD_JSON", find: "unexpected end of JSON input" },
  { code: "GO_ERR_BAD_ZIP", find: "not a valid zip file", value: "zip: not a valid zip file" },
  { code: "GO_ERR_BAD_ZIP", find: "downloaded zip file too large", value: "larger than 500 MiB" },
  { code: "GO_ERR_BAD_ZIP", find: "has unexpected file", as: /has (?<value>unexpected file [^\n]{1,120})/ },
  { code: "GO_ERR_BAD_ZIP", find: "case-insensitive file name collision", value: "names that differ in case only" },
  { code: "GO_ERR_BAD_ZIP", find: "go.mod file not in module root directory", value: "a go.mod in a folder" },
  { code: "GO_ERR_BAD_ZIP", find: "zip: checksum error", value: "zip: checksum error" },
  { code: "GO_ERR_BAD_ZIP", find: "larger than declared size", value: "sizes" },
  { code: "GO_ERR_BAD_ZIP", find: "multiple entries for file", value: "a file twice" },
  { code: "GO_ERR_REDIRECT", find: "stopped after 10 redirects", value: "more than nine" },
  { code: "GO_ERR_REDIRECT", find: "redirected from secure URL", value: "https → http" },
  { code: "GO_ERR_PLAIN_CREDENTIALS", find: "refusing to pass credentials to insecure URL" },

  // ---- statuses ----
  { code: "GO_ERR_UNAUTHORIZED", find: "401 Unauthorized" },
  { code: "GO_ERR_FORBIDDEN", find: "403 Forbidden", value: "403" },
  { code: "GO_ERR_FORBIDDEN", find: "451 Unavailable For Legal Reasons", value: "451" },
  { code: "GO_ERR_NOT_FOUND", find: "404 Not Found" },
  { code: "GO_ERR_NOT_FOUND", find: "410 Gone" },
  { code: "GO_ERR_TOO_MANY", find: "429 Too Many Requests" },
  { code: "GO_ERR_GATEWAY", find: "502 Bad Gateway", value: "502" },
  { code: "GO_ERR_GATEWAY", find: "503 Service Unavailable", value: "503" },
  { code: "GO_ERR_GATEWAY", find: "504 Gateway Time", value: "504" },
  { code: "GO_ERR_SERVER_ERROR", find: "500 Internal Server Error" },
  { code: "GO_ERR_STATUS", find: "406 Not Acceptable", value: "406" },
  { code: "GO_ERR_STATUS", find: "requested URL returned error: ", as: /returned error: (?<value>\d{3})/ },
  { code: "GO_ERR_STATUS", find: "://", as: /: (?<value>[1-5]\d\d [A-Z][A-Za-z' -]{1,40})(?:$| \()/ },
  { code: "GO_ERR_STATUS", find: "unexpected status", as: /unexpected status[^\n]{0,20}? (?<value>\d{3})/ },
];
