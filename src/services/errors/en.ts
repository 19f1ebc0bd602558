// English, for answers to requests. The start-up half is in en-start.ts.

import type { AnswerCode, GranaryCode } from "./codes.ts";
import { enStart } from "./en-start.ts";
import { bytes, count, duration, triedEn as tried, type Sentences } from "./sentences.ts";

const whyNotKept = {
  "cached-only": "The request came below /cached-only, which answers from the store alone.",
  "fetch-disabled": "The request carries Disable-Module-Fetch: true, which answers from the store alone.",
  chunks: "A chunk manifest is made of a kept zip; nothing is fetched for it.",
  "upstream-off": "The upstream list is `off`: nobody is asked.",
} as const;

const whyAgentFailed = {
  tls: "The connection could not be secured.",
  certificate: "The server ended the connection; it may want another certificate.",
  timeout: "It was silent for too long.",
  unreachable: "It cannot be reached.",
  broken: "The connection broke.",
} as const;

const answers = {
  GRANARY_BAD_REQUEST: {
    lines: (f) => [`${f.target} is not a module request.`, f.reason, "Send what the go command sends."],
    cause:
      "The request target breaks the rules of the GOPROXY protocol: a bad escape, a path or version that cannot be written so, a control character, two Host headers, or a body on GET.",
    remedy:
      "The go command never sends such a target. If something between it and Granary rewrites URLs (decoding %21, merging slashes), switch that off for this host.",
  },
  GRANARY_METHOD_NOT_ALLOWED: {
    lines: (f) => [`${f.method} is not answered here.`, `Allowed: ${f.allowed}`],
    cause: "Modules are read with GET and HEAD. Only routes below /-/api/ take other methods.",
    remedy: "Use one of the methods in the Allow header.",
  },
  GRANARY_BAD_RANGE: {
    lines: (f) => [
      `the range ${f.range} lies outside the file.`,
      `The file has ${count(f.size)} bytes.`,
      "Ask for a range inside it, or for the whole file.",
    ],
    cause: "A Range header asks only for bytes beyond the end of the file.",
    remedy: "A client that resumes a download should drop its partial file and start again.",
  },
  GRANARY_NO_ROUTE: {
    lines: (f) => [`there is no page ${f.target}.`, "The status page is /-/"],
    cause: "Paths below /-/ belong to Granary itself; this one is not among them.",
    remedy: "Open /-/ for the pages there are.",
  },
  GRANARY_UNAUTHORIZED: {
    lines: (f) => [
      `${f.what} is private; reading it needs a token.`,
      "The request carries no valid read token and does not come from this machine.",
      "Put the token for this host into ~/.netrc (any login, the token as password), or ask who runs this server.",
    ],
    cause:
      "The name matches a private pattern. Private modules are answered to clients on the same machine and to holders of a token with read scope.",
    remedy:
      "Create a token with `granary token add --scope read`, and give it to the go command in ~/.netrc as password for this host, or through GOAUTH. go sends credentials over https only.",
  },
  GRANARY_NEEDS_WRITE_TOKEN: {
    lines: (f) => [
      `${f.route} changes this server; it needs a token.`,
      "The request carries no valid write token.",
      "Send one as Authorization: Bearer TOKEN, or as password of Basic.",
    ],
    cause:
      "Routes that change something are open to holders of a token with write scope only, from the same machine too.",
    remedy: "Create one with `granary token add --scope write`, keep it secret, and send it over TLS or loopback.",
  },
  GRANARY_FORBIDDEN: {
    lines: (f) => [`${f.what} is not allowed.`, `Rule: ${f.rule}`, "Ask who runs this server if the rule is wrong."],
    cause:
      "A rule of this server matches the request; or the token presented does not carry the scope that the route needs.",
    remedy:
      "The rule is named in the answer. Whoever runs the server can change it, or issue a token with the right scope.",
  },
  GRANARY_TOKEN_NEEDS_TLS: {
    lines: (f) => [
      `a token for ${f.what} came over an unencrypted connection.`,
      "Tokens are accepted over TLS, or from this machine. Consider this one seen by others.",
      "Revoke it, and use https:// (granary serve --tls-cert FILE --tls-key FILE).",
    ],
    cause: "A password travelled in clear text over a network.",
    remedy: "Revoke the token with `granary token revoke ID`, serve over TLS, and issue a new one.",
  },
  GRANARY_WRITE_DISABLED: {
    lines: (f) => [
      `${f.route} would change something, and no write token exists.`,
      "Until an operator token is configured, every changing route is closed.",
      "On the server: granary token add --scope write",
    ],
    cause: "Routes that change something need a token with write scope, and none is configured.",
    remedy: "Create one with `granary token add --scope write`. Readers are not affected.",
  },
  GRANARY_WEBHOOK_REFUSED: {
    lines: (f) => [
      `this delivery to /webhook/${f.forge} is not accepted.`,
      "It carries no valid proof of a configured webhook.",
      "Compare secret and forge with the server's webhooks: section; its log names the reason.",
    ],
    cause:
      "No webhook of this forge is configured, or the signature (X-Hub-Signature-256, X-Gitea-Signature) or token (X-Gitlab-Token) is missing or is not of its secret. Senders are told no more than that.",
    remedy:
      "Set the same secret in the forge and below `webhooks:` in the configuration, and send JSON. The server's event `webhook.refused` says what was wrong (docs/webhooks.md).",
  },
  GRANARY_CLIENT_CERTIFICATE: {
    lines: (f) =>
      f.problem === "missing"
        ? [
            "this server answers clients with a certificate, and none was shown.",
            "The go command has no way to show one.",
            "Run `granary agent --url THIS-SERVER --cert FILE --key FILE` here, and point GOPROXY at the agent.",
          ]
        : [
            `the client certificate is not accepted here (${f.detail === "" ? "not verified" : f.detail}).`,
            "It must be valid now and of an authority that this server trusts for clients.",
            "Ask who runs this server for a certificate of theirs.",
          ],
    cause:
      "The server was told to answer only clients whose TLS certificate was issued by its client authorities (tls.clientCa). This connection showed none, or one that does not verify: expired, of another authority, or not meant for clients.",
    remedy:
      "Get a client certificate from whoever runs the server, and let `granary agent` present it for the go command, which cannot (docs/agent.md).",
  },
  GRANARY_NOT_FOUND: {
    lines: (f) => [
      `${f.what} does not exist.`,
      f.reason === "" ? `Said by: ${f.upstreams.join(", ")}` : `${f.upstreams.join(", ")} said: ${f.reason}`,
      "Check path and version. A new version becomes visible within minutes.",
    ],
    cause:
      "The upstreams that can know answered that there is no such module or version. An authoritative upstream's word is final; otherwise all healthy upstreams must agree.",
    remedy:
      "Check the spelling of path and version. A version published a moment ago appears when the upstreams see it and Granary's short memory of absences has passed (freshness.negative). A private module needs a private upstream.",
  },
  GRANARY_IMPOSSIBLE: {
    lines: (f) => [`${f.what} cannot exist.`, f.reason, "Nobody was asked. Check the path and the version."],
    cause:
      "The path or the version breaks Go's own rules, or a kept module proves that it cannot be there: a directory in a module's zip is not the root of another module of that version.",
    remedy:
      "Correct the import path. The go command asks for all prefixes of a package path, so this answer is often normal and harmless.",
  },
  GRANARY_NOT_KEPT: {
    lines: (f) => [
      `${f.what} is not kept here.`,
      whyNotKept[f.because],
      f.because === "chunks"
        ? "Ask once for the zip itself; then it is kept."
        : "Ask once without this restriction; then it is kept.",
    ],
    cause: "The answer may come from the store only, and the store does not have it.",
    remedy: "Request the version once with upstreams enabled, and it stays.",
  },
  GRANARY_PRIVATE_NOT_HERE: {
    lines: (f) => [
      `${f.what} is private and not kept here.`,
      "It falls under the private patterns; no upstream of this server is private for it, and public ones are never asked.",
      "Who runs this server: build it from its repository (--direct PATTERN), or add an upstream with `private:`.",
    ],
    cause:
      "The name (or a module below it) matches a private pattern. Private names never travel to a public upstream or a public checksum database.",
    remedy:
      "Build them from their repositories with `direct.modules`; or configure an upstream with `private: PATTERNS` that serves them; or let clients fetch them directly (GOPROXY=…,direct); or, if the module is public after all, narrow the pattern.",
  },
  GRANARY_UPSTREAM_FAILED: {
    lines: (f) => [
      `no upstream could answer for ${f.what}.`,
      `Tried: ${tried(f.tried)}`,
      "Nothing says that it does not exist. Ask again later; the server's log has the details.",
    ],
    cause:
      "Every upstream broke off, answered with an error, or gave an answer that breaks the protocol. None said that the module is absent.",
    remedy:
      "Usually it passes. If not: look at /-/readyz and at each upstream's reason, and consider one more upstream.",
  },
  GRANARY_UPSTREAM_REFUSED: {
    lines: (f) => [
      `${f.upstream} refuses ${f.what} with status ${f.status}.`,
      `It says: ${f.quote}`,
      `Others: ${tried(f.tried)}`,
      "Resolve it with that upstream, or add one that has the module.",
    ],
    cause:
      "An upstream answered 403, 451 or another refusal, and no other upstream has the module. This server itself forbids nothing here.",
    remedy:
      "Read the upstream's own words. If that proxy answers 403 for modules that it merely does not know, set `absent: [403]` for it.",
  },
  GRANARY_UPSTREAM_TIMEOUT: {
    lines: (f) => [
      `no upstream answered for ${f.what} in time.`,
      `Waited ${duration(f.waitedMs)}: ${tried(f.tried)}`,
      "Ask again; what has arrived meanwhile is kept.",
    ],
    cause:
      "The upstreams are slow, or the way to them is. A fetch goes on in the background after the client was told.",
    remedy: "Ask again. If it persists, raise upstreamClient.responseHeaderTimeout, or put a nearer upstream first.",
  },
  GRANARY_UPSTREAM_BUSY: {
    lines: (f) => [
      `${f.what} is not kept here, and the upstreams want to be left alone for now.`,
      `Tried: ${tried(f.tried)}`,
      `Nothing says that it does not exist. Ask again in ${count(f.waitSeconds)} s; kept versions are still served.`,
    ],
    cause:
      "An upstream answered 429 or 503 with Retry-After, and no other one could be reached. It is not asked again before that time is over, five minutes at most.",
    remedy:
      "Wait as long as Retry-After says. If it happens often, ask that upstream for a higher limit, lower ours with `perSecond`, or add an upstream.",
  },
  GRANARY_OFFLINE: {
    lines: (f) => [
      `${f.what} is not kept here, and no upstream can be reached.`,
      `Tried: ${tried(f.tried)}`,
      "Kept versions are still served. Ask again when the network is back.",
    ],
    cause:
      "The version was never fetched before, and there is nobody to ask now. This is not a statement that it does not exist.",
    remedy: "Restore the connection to an upstream. To be independent of it, fetch what you need beforehand.",
  },
  GRANARY_UPSTREAMS_DISABLED: {
    lines: (f) => [
      `${f.what} is not kept here, and all upstreams that may be asked for it are disabled.`,
      `Disabled by an operator: ${f.names.join(", ")}`,
      "Nothing says that it does not exist. Kept versions are still served.",
      `Enable one with \`granary upstream enable ${f.names[0] ?? "NAME"}\`.`,
    ],
    cause:
      "Somebody took these upstreams out of use with `granary upstream disable`; that lasts until they are enabled, restarts included.",
    remedy:
      "`granary upstream status` shows who is disabled, `granary upstream enable NAME` brings one back without a restart. It needs a write token.",
  },
  GRANARY_NO_UPSTREAM: {
    lines: (f) => [
      `nobody can be asked for ${f.what}.`,
      "This machine's GOPROXY holds only `direct`, and nobody told this server to read repositories.",
      "Configure an upstream (granary serve --upstream URL), or the modules to build: --direct PATTERNS",
    ],
    cause:
      "`direct` in the machine's own GOPROXY is not followed: it would make this server run git against any host that a client names. Nothing else remained in the list.",
    remedy:
      "Add a proxy to the list, or leave the list out: the built-in presets then apply. To build modules from their repositories, name them with `direct.modules`, or write `direct` into this server's own `upstream`.",
  },
  GRANARY_DIRECT_FAILED: {
    lines: (f) => [
      `the repository of ${f.what} could not be read.`,
      f.reason,
      ...(f.tried.length === 0 ? [] : [`Others: ${tried(f.tried)}`]),
      "Nothing says that it does not exist. Who runs this server finds what to set in docs/direct.md.",
    ],
    cause:
      "The go command, run here against the module's own repository, failed: the host cannot be reached or is not allowed, it wants other credentials, a limit was passed, or the module breaks a rule. The second line is what it said.",
    remedy:
      "Look at the second line. `repositories` holds credentials, certificates and addresses of hosts; `direct.*` the limits. Nothing was stored, so asking again is enough once it is repaired.",
  },
  GRANARY_NO_GO: {
    lines: (f) => [
      `${f.what} is built from its repository, and this server has no \`${f.program}\`.`,
      "Install it where the server runs and see that it is on PATH. Kept versions are still served.",
    ],
    cause: "`direct` runs the machine's go command, which runs git. One of them is not on the PATH of the server.",
    remedy: "Install go and git, put them on the PATH of the server's process, and ask again.",
  },
  GRANARY_LOOP: {
    lines: (f) => [
      `the request for ${f.what} has passed through this server before.`,
      `Via: ${f.via}`,
      "Take this server out of the upstream list of the proxies behind it.",
    ],
    cause: "An upstream of this server has this server as its upstream.",
    remedy: "Follow the Via header, and remove the entry that closes the circle.",
  },
  GRANARY_SUMDB_UNREACHABLE: {
    lines: (f) => [
      `${f.what} cannot be verified now: ${f.database} cannot be reached.`,
      `Tried: ${tried(f.tried)}`,
      "Nothing unverified is kept or served. Ask again later.",
    ],
    cause: "Neither the upstreams' relays nor the checksum database itself answered, so the bytes could not be proven.",
    remedy:
      "Make one route to the database work: an upstream that relays it, or a URL after the name in --sumdb. Versions verified earlier are still served.",
  },
  GRANARY_SUMDB_NEWER_HEAD: {
    lines: (f) => [
      `${f.what} is of a tree head of ${f.database} that is newer than the newest one here.`,
      `That head has at least ${f.atLeast} records, the one here ${f.ours}. Nobody could be asked for a newer one: ${tried(f.tried)}`,
      "Give it to the server: granary sumdb heads import GOPATH/pkg/sumdb --cache GOMODCACHE",
      "Or ask again when a route to the database is back.",
    ],
    cause:
      "The client has met a newer tree head elsewhere, and checks ours against it. This server is cut off from the database and does not have that tree yet.",
    remedy:
      "Import the client's head together with the tiles of a module cache that has met it (granary sumdb heads import), or make one route to the database work. Do not delete the client's head: it is what protects it.",
  },
  GRANARY_SUMDB_MISMATCH: {
    lines: (f) => [
      `${f.what} from ${f.upstream} is not what ${f.database} recorded.`,
      `recorded ${f.recorded}  received ${f.received}${placeEn(f)}`,
      `It was not stored and will not be served. Other upstreams: ${tried(f.tried)}`,
      "Ask again later.",
    ],
    cause:
      "The upstream's bytes differ from what the checksum database recorded when the version was first seen: the tag was moved, the mirror is damaged, or somebody tampers. The bytes lie in quarantine.",
    remedy:
      "If another upstream has the recorded bytes, asking again is enough. If the author moved the tag, only a new version helps. Look at the bytes with `granary store quarantine show`. Never work around the check.",
  },
  GRANARY_SUMDB_NO_RECORD: {
    lines: (f) => [
      `${f.database} has no record of ${f.what}.`,
      `It says: ${f.reason}`,
      "It was not stored and will not be served. If the module is private, add its path to --private.",
    ],
    cause:
      "An upstream has the version, but the checksum database cannot see its source: typically a private module, or one that has been deleted.",
    remedy:
      "Declare private modules with --private (or GOPRIVATE on the server). A public one appears when its source is reachable for the database.",
  },
  GRANARY_SUMDB_INVALID: {
    lines: (f) => [
      `the answer of ${f.database} for ${f.what} does not verify.`,
      f.reason,
      "It was refused. If every route gives the same, tell who runs this server: it is an alarm.",
    ],
    cause:
      "A record, an inclusion proof, a tile or a signature from the checksum database is wrong. Either a relay on the way altered it, or the database is not the one whose key is configured.",
    remedy: "Compare the key in --sumdb with the database's published key, and try another route. Do not ignore it.",
  },
  GRANARY_SUMDB_FORK: {
    lines: (f) => [
      `${f.database} showed two histories that cannot both be true.`,
      `Evidence: ${f.evidence}`,
      "Nothing new is taken from it until its operator decides (granary sumdb alarms). Keep the evidence.",
    ],
    cause: "Two tree heads with valid signatures are not consistent. An append-only log can never do that.",
    remedy:
      "Keep the evidence file, compare the heads over another network, and report it to the database's operators. What is kept is served as before. Once you know that the foreign head is the false one: granary sumdb resume ID --reason TEXT.",
  },
  GRANARY_SUMDB_UNKNOWN: {
    lines: (f) => [
      `the checksum database ${f.database} is not configured here.`,
      `Configured: ${f.configured.join(", ")}`,
      "go then asks the database directly. To relay it, add it with --sumdb.",
    ],
    cause: "Granary mirrors only the databases that it can verify; it is no open relay.",
    remedy: "Add the database to --sumdb with its key.",
  },
  GRANARY_SUMDB_ONLY: {
    lines: (f) => [
      `${f.what} is not of a checksum database, and this server holds nothing else.`,
      `Databases here: ${f.databases.join(", ")}`,
      "Put its URL into GOSUMDB; for modules name a module proxy in GOPROXY.",
    ],
    cause: "`granary sumweb`, and the listener of an own database, answer for checksum databases only.",
    remedy:
      "As a checksum database: GOSUMDB='NAME+HASH+KEY http://HOST:PORT'. In a GOPROXY list it only passes lookups on; go asks the next entry for modules.",
  },
  GRANARY_AGENT_FAILED: {
    lines: (f) => [
      `the agent got no answer for ${f.what} from ${f.server}.`,
      `${whyAgentFailed[f.because]} (${f.detail})`,
      f.because === "certificate" || f.because === "tls"
        ? "Look at the agent's --cert, --key and --ca."
        : "Look at the network and the VPN, then at the server's /-/readyz.",
    ],
    cause:
      "`granary agent` passes go's requests on to the company's server, with a certificate or a token. That server did not answer, or ended the connection.",
    remedy:
      "The line in brackets is what the network said. A server that wants a certificate may end the handshake without a word: check that the agent has one, and that it is valid.",
  },
  GRANARY_SUMDB_NOT_FOUND: {
    lines: (f) => [
      `${f.database} does not have ${f.what}.`,
      `It says: ${f.reason}`,
      "Check path and version. If the module is private, set GOPRIVATE.",
    ],
    cause: "The checksum database itself says that it has no such record or tile.",
    remedy:
      "Check the version. Clients of private modules should name them in GOPRIVATE or GONOSUMDB, pattern by pattern.",
  },
  GRANARY_SUMLOG_STOPPED: {
    lines: (f) => [
      `the own checksum database ${f.database} does not answer.`,
      f.reason,
      "Nothing wrong is served. Who runs this server restores its store from a backup that is not older.",
    ],
    cause:
      "What the store keeps of the log is damaged, or is an older or another log than the one that was signed with this key. Clients that saw more would take a shorter log for a forgery.",
    remedy:
      "Look at it with `granary sumdb fsck`. Restore state/sumlog from the newest backup. A log whose records are lost must go on under a new name and a new key (`granary sumdb keygen`): never start anew under the old ones.",
  },
  GRANARY_SUMLOG_CONFLICT: {
    lines: (f) => [
      `the own checksum database ${f.database} has recorded other hashes.`,
      f.reason,
      "The first record stays for ever. A changed module needs a new version.",
    ],
    cause: "A version was recorded, and what vouches for it now gives different hashes: its tag was moved.",
    remedy: "Publish the changed module as a new version. Records are never changed.",
  },
  GRANARY_PIN_MISMATCH: {
    lines: (f) => [
      `${f.what} from ${f.upstream} is not what it was when first seen here.`,
      `first seen ${f.pinned}  received ${f.received}`,
      "It was not stored. If the change is intended: granary store hashes forget, on the server.",
    ],
    cause:
      "Private modules are not in a public checksum database, so their hashes are pinned when first seen. Now the upstream gives different bytes for the same version: somebody moved the tag.",
    remedy:
      "Publish a new version. If the change is legitimate and nobody used the old bytes, an operator forgets the pin with `granary store hashes forget MODULE@VERSION`; an event records it.",
  },
  GRANARY_REPACKED: {
    lines: (f) => [
      `${f.what} from ${f.upstream} has the files that it had (h1), in another zip than was served before.`,
      `served sha256 ${f.served}`,
      `received sha256 ${f.received}`,
      "It was not stored. To let it come: granary store hashes repacked, on the server.",
    ],
    cause:
      "The version was evicted from the store, and came again packed otherwise: another release of go compresses differently. Its ETag, its chunks and snapshots name the zip that was served; a version has one zip for ever, unless an operator says otherwise.",
    remedy:
      "`granary store hashes repacked MODULE@VERSION` lets the next zip with the same h1 take its place. Nothing else is forgotten: other files are still refused.",
  },
  GRANARY_INTEGRITY_MISMATCH: {
    lines: (f) => [
      `${f.what} from ${f.upstream} is not what the integrity list ${f.list} says.`,
      `listed ${f.listed}  received ${f.received}`,
      "No checksum database can be reached. It was not stored and will not be served. Ask again later.",
    ],
    cause:
      "While no checksum database can be reached, the signed list of `integrity.from` is asked for the hashes of a version. This upstream gave other bytes.",
    remedy:
      "Look at the evidence: granary store quarantine list. When a database answers again, it decides, not the list.",
  },
  GRANARY_HELD: {
    lines: (f) => [
      `${f.what} is held back by this server's operator since ${f.since}.`,
      `reason: ${f.reason === "" ? "none given" : f.reason}`,
      "Use another version, or ask the operator.",
    ],
    cause:
      "An operator holds this version back (`granary store quarantine hold`). Its bytes are kept, and given to nobody.",
    remedy: "Choose another version. The operator frees it with `granary store quarantine free MODULE@VERSION`.",
  },
  GRANARY_PUBLISH_PUBLIC: {
    lines: (f) => [
      `${f.what} is no private module here: it cannot be published.`,
      f.patterns === "" ? "no private patterns are configured" : `private patterns: ${f.patterns}`,
      "Public modules come from their origin, proven by the checksum database. If this one is private, add its pattern to private.",
    ],
    cause: "Only modules that a pattern of `private` covers can be published.",
    remedy: "Check the module path, or let the operator add the pattern to the setting `private`.",
  },
  GRANARY_PUBLISH_REFUSED: {
    lines: (f) => [
      `what was sent is no module zip of ${f.what}.`,
      f.reason,
      "Nothing was kept; the version is still free. `granary publish` makes a zip as the go command wants it.",
    ],
    cause: "The upload breaks a rule of Go for module zips, or its go.mod names another module.",
    remedy: "Publish from the directory or the tag with `granary publish`; `--dry-run` shows what would be sent.",
  },
  GRANARY_PUBLISH_CONFLICT: {
    lines: (f) => [
      `${f.what} is published with other content.`,
      `kept ${f.kept}  received ${f.received}`,
      "A version never changes. Publish the change as a new version.",
    ],
    cause: "The version is kept, pinned or recorded with another hash. Builds rely on it.",
    remedy: "Raise the version number. Nothing about the published version was changed.",
  },
  GRANARY_PUBLISH_KEY: {
    lines: (f) => [
      `the Idempotency-Key ${JSON.stringify(f.key)} belongs to another upload, not to this one of ${f.what}.`,
      "Nothing was kept. Use a new key for each upload, and the same key only to repeat it.",
    ],
    cause: "Within a day an Idempotency-Key stands for one version and one content.",
    remedy: "Choose a new key, for example a UUID.",
  },
  GRANARY_BAD_MODULE: {
    lines: (f) => [
      `${f.what} from ${f.upstream} breaks Go's rules for modules.`,
      f.reason,
      "It was not stored and will not be served. Tell the module's author, or who runs that upstream.",
    ],
    cause:
      "The .info, .mod or .zip from the upstream is malformed: a wrong name, a symbolic link, a path out of the module, a file too many or too large.",
    remedy:
      "The go command would refuse it as well. If other upstreams serve good bytes, take this one out of the list.",
  },
  GRANARY_REWRITE_CONFLICT: {
    lines: (f) => [
      `${f.what} is rewritten to ${f.target}, whose go.mod declares ${f.declared === "" ? "no path" : f.declared}.`,
      `Require it by that name: go mod edit -replace=${f.what}=${f.target}`,
      "The go command takes a module only under the path that its go.mod declares.",
    ],
    cause: "A rewrite rule leads to a version that was made after its module was renamed.",
    remedy:
      "Change the requirement to the new path, or replace it as shown. Versions from before the renaming are served under the old path.",
  },
  GRANARY_VALIDATION_REFUSED: {
    lines: (f) => [
      `${f.what} is refused by the validation command of this server.`,
      `It says: ${f.reason}`,
      "Nothing of it is kept. Use another version, or ask who runs this server.",
    ],
    cause: "The hashes are right, but the operator's own command (validate.command) refused the version.",
    remedy:
      "The reason is the command's. Once the command takes the version, it is served; the command is asked again after a minute.",
  },
  GRANARY_VALIDATION_FAILED: {
    lines: (f) => [
      `${f.what} could not be validated: the validation command gave no verdict.`,
      `What happened: ${f.reason}`,
      "That is no refusal. Ask again later; who runs this server should look at validate.command.",
    ],
    cause:
      "The operator's command (validate.command) could not be started, crashed, took too long, said too much, or ended with 1 without a reason.",
    remedy:
      "Run the command by hand with the same JSON. Exit 0 takes a version; exit 1 with a reason on stdout refuses it.",
  },
  GRANARY_SNAPSHOT_MISMATCH: {
    lines: (f) => [
      `the zip of ${f.what} from ${f.upstream} has another go.mod than the proven one.`,
      "Both must come from one snapshot of the module.",
      "It was not stored. Ask again later, or use another upstream.",
    ],
    cause: "The upstream answered .mod and .zip from different states of the version.",
    remedy: "Ask again; when it persists, that upstream's cache is damaged.",
  },
  GRANARY_TOO_LARGE: {
    lines: (f) => [
      `${f.what} from ${f.upstream} is larger than ${bytes(f.limitBytes)}.`,
      "The go command refuses it as well.",
      "Use a smaller version of the module.",
    ],
    cause:
      "Go bounds the size of a module zip (500 MB), of its go.mod and of its licence (16 MB each); answers of other kinds have smaller bounds here.",
    remedy: "The author has to make the module smaller.",
  },
  GRANARY_STORE_UNAVAILABLE: {
    lines: (f) => [
      `the store cannot be used for ${f.what} now.`,
      f.reason,
      "Ask again. Who runs this server should look at its disk and at /-/readyz.",
    ],
    cause:
      "The disk answered with an error, or too many files are open, so that neither presence nor absence can be concluded, or nothing be kept.",
    remedy:
      "Look at /-/readyz, at the server's log and at the disk. `granary store verify` tells what is damaged; docs/bad-disks.md, what each reason means.",
  },
  GRANARY_STORE_FULL: {
    lines: (f) => [
      `${f.what} cannot be kept: ${fullEn(f)}.`,
      "Kept versions are still served.",
      "Who runs this server has to make room; then ask again.",
    ],
    cause:
      "The file system or the quota of the store is full, or has less left than `store.lowWater`. Nothing half-written is left behind.",
    remedy:
      "Make room, or move the store with --store; it goes on by itself then. See `granary store stats`, /-/readyz and docs/bad-disks.md.",
  },
  GRANARY_STORE_READ_ONLY: {
    lines: (f) => [
      `${f.what} cannot be kept: the store's file system is read-only.`,
      "Kept versions are still served.",
      "Who runs this server has to make it writable; then ask again.",
    ],
    cause:
      "The file system of the store takes no writes: it was mounted so, or the kernel has turned it so after an error of the disk.",
    remedy: "Look at the kernel's log (dmesg) and remount it; it goes on by itself then. See docs/bad-disks.md.",
  },
  GRANARY_STORE_DAMAGED: {
    lines: (f) => [
      `the kept ${f.what} is damaged and was not sent.`,
      f.reason,
      ...(f.sha256 === undefined ? [] : [`Only the bytes with sha256 ${f.sha256} restore it.`]),
      "It is fetched anew when an upstream has it. Ask again.",
    ],
    cause: "The bytes on the disk are no longer those that were verified and committed.",
    remedy:
      "Granary repairs it from upstream by itself. Repeated damage means a failing disk: run `granary store verify`. A version that was kept while the checksum database was off and contradicts its record now stays refused: remove its two manifest files in the store (docs/store.md) and ask again.",
  },
  GRANARY_OVERLOADED: {
    lines: (f) => [`too much work at once: ${f.limit} is ${count(f.value)}.`, "Ask again in a few seconds."],
    cause: "A limit of this server is reached. It protects those who are being served.",
    remedy: "Ask again. If the limit is too small for your team, raise it; docs/config.md explains each one.",
  },
  GRANARY_RATE_LIMITED: {
    lines: (f) => [
      `this client sends more than ${count(f.perSecond)} requests a second.`,
      `It is answered again in ${count(f.waitSeconds)} s.`,
      "Who runs this server can raise the limit: limiter.profile, limiter.perSecond.",
    ],
    cause:
      "This server limits how many requests one client address (or token) may send within a second; the one too many starts a pause. Requests during the pause are refused and do not prolong it.",
    remedy:
      "Wait as long as Retry-After says. Everybody behind one NAT or reverse proxy counts as one client: a team needs a higher limit, or tokens with `limiter.by: token`. See docs/limits.md.",
  },
  GRANARY_DRAINING: {
    lines: () => [
      "this server is stopping.",
      "It finishes what it began and takes nothing new. Ask again in a few seconds.",
    ],
    cause: "The server received SIGTERM and drains.",
    remedy: "Ask again; another instance or the restarted one will answer.",
  },
  GRANARY_INTERNAL: {
    lines: (f) => ["something went wrong inside Granary.", f.reason, "Please report it with the request id."],
    cause: "A fault of the program itself.",
    remedy: "Find the request id in the server's log, and report both.",
  },
} as const satisfies Sentences<AnswerCode>;

function fullEn(f: {
  readonly because?: "full" | "quota" | "low-space" | "low-inodes";
  readonly freeBytes?: number;
  readonly markBytes?: number;
}): string {
  switch (f.because ?? "full") {
    case "full":
      return "the store is full";
    case "quota":
      return "the store's quota is used up";
    case "low-inodes":
      return "the store's file system can hold hardly any more files";
    case "low-space":
      return `the store has ${bytes(f.freeBytes ?? 0)} left, its low-water mark is ${bytes(f.markBytes ?? 0)}`;
  }
}

function placeEn(f: { readonly record?: number; readonly tree?: number }): string {
  if (f.record === undefined) return "";
  return `  (record ${count(f.record)}${f.tree === undefined ? "" : `, tree ${count(f.tree)}`})`;
}

export const en: Sentences<GranaryCode> = { ...answers, ...enStart };
