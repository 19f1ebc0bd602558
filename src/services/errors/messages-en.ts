// English, for everything that is no failure.

import type { MessageTable } from "./messages.ts";

const verdictsEn = {
  ok: "verified",
  mismatch: "MISMATCH",
  malformed: "malformed",
  unrecorded: "not in the database",
  unproven: "NOT PROVEN",
  unverified: "not verified",
  private: "private",
  foreign: "not an h1: hash, go ignores it",
} as const;

const importRefusals: Readonly<Record<string, string>> = {
  torn: "torn: an .info alone, neither go.mod nor zip",
  "no-zip": "its zip is not here, and the validation command takes versions whole",
  "other-mod": "not the go.mod that is kept; the kept one stays",
  "other-zip": "not the zip that is kept; the kept one stays",
  foreign: "no file of a module",
  odd: "neither a file nor a folder of this directory",
  "too-deep": "deeper than any module path",
};

/** `1 failure`, `2 failures`, as counts come formatted. */
function plural(count: string, word: string): string {
  return `${count} ${word}${count === "1" ? "" : "s"}`;
}

export const messagesEn: MessageTable = {
  "cli.about": () => "Granary serves Go modules, every byte verified, and keeps serving when the network does not.",
  "cli.usage": () => "Usage",
  "cli.example": () => "Example",
  "cli.commands": () => "Commands",
  "cli.arguments": () => "Arguments",
  "cli.options": () => "Options",
  "cli.more": () => "Each command explains itself: granary COMMAND --help",
  "cli.default": ({ value }) => `default: ${value}`,
  "cli.repeatable": () => "repeatable",
  "group.server": () => "Server",
  "group.upstreams": () => "Upstreams",
  "group.direct": () => "Modules from their repositories",
  "group.shared": () => "What several nodes share",
  "group.trust": () => "What may be seen, and what is trusted",
  "group.logs": () => "Log",
  "group.tls": () => "TLS",
  "group.files": () => "Configuration file",
  "group.output": () => "Output",
  "flag.config": () => "YAML file with settings; see docs/config.md",
  "flag.profile": () => "lay FILE.NAME.yaml over the file",
  "flag.compat": () => "start in the place of another proxy: athens",
  "flag.compat-file": () => "Athens' config.toml, for --compat athens",
  "command.compat": () => "See what another proxy's configuration means here.",
  "command.compat.athens": () => "Show what becomes of each setting of Athens, and start nothing.",
  "compat.default": () => "Athens' default",
  "compat.file": (f) =>
    f.file === ""
      ? "Settings of Athens from the environment (no config.toml was found):"
      : `Settings of Athens from ${f.file} and the environment:`,
  "compat.ignored": () => "Ignored:",
  "compat.nearest": (f) => `did you mean ${f.nearest}?`,
  "compat.overridden": (f) => `not in force: ${f.origin} says otherwise`,
  "compat.refused": () => "Not taken over, and so nothing is started:",
  "compat.settled": (f) => `${f.setting} (${f.origin}) stands in its place`,
  "compat.unknown": () => "Known to nobody:",
  "flag.json": () => "print JSON",
  "flag.origin": () => "also print where each value comes from",
  "flag.lang": () => "language of messages: en or zh-CN",
  "flag.help": () => "show this help",
  "flag.version": () => "print the version",
  "flag.sumlog-name": () => "name of the database: a host name of yours, with a path if you like",
  "flag.sumlog-out": () => "new file for the signer key; readable for its owner only",
  "flag.sumdb-url": () => "where clients reach this server, instead of its listen address",
  "flag.scope": () => "read (private modules) or write (also routes that change something)",
  "flag.note": () => "who or what it is for",
  "flag.server": () => "the running server; without it, the one that listens at --listen",
  "flag.token": () => "its token, as file:/path or env:NAME",
  "command.serve": () => "Run the module proxy.",
  "command.config": () => "Look at the configuration.",
  "command.config.print": () => "Print every setting as it would apply now.",
  "command.env.apply": () => "Set go up by a profile, and undo it.",
  "command.env.check": () => "Compare what a project's .envrc and version files ask for with what is.",
  "command.env.init": () => "Write .envrc and .go-version for a project.",
  "command.env.scopes": () => "Show which file sets which variable of go, and where they disagree.",
  "command.env.shell": () => "Start a shell, or one command, with the project's variables; no direnv needed.",
  "env-apply.ask": () => "Write this? [y/N] ",
  "env-apply.back": ({ scope }) => `Back: granary env apply --undo --scope ${scope}`,
  "env-apply.columns": () => "before\tafter",
  "env-apply.direct": () =>
    "direct: what the proxies do not have is fetched from its repository. It is verified all the same.",
  "env-apply.needs-proxy": ({ profile }) => `the profile ${profile} needs --proxy: it names the one source`,
  "env-apply.needs-yes": () => "nobody is here to agree: standard input is no terminal",
  "env-apply.not-done": ({ why }) =>
    ({
      "dry-run": "Nothing was written. Without --dry-run it is.",
      nothing: "It is so already. Nothing was written.",
      root: "Only root may write it. Run the command as root, or put the lines above there yourself.",
      refused: "Nothing was written.",
    })[why],
  "env-apply.same": () => "(no change)",
  "env-apply.session": ({ line }) =>
    `Nothing was written: these lines hold in the terminal that runs them. At once:\n  ${line}`,
  "env-apply.system": () =>
    "Login shells read this file. Services do not: give their units Environment= (granary env scopes --unit NAME). What is exported there wins over every user's go env -w.",
  "env-apply.with-go": ({ file }) => `go env -w writes ${file}; a copy is kept first.`,
  "env-apply.wrote": ({ file }) => `Written: ${file}`,
  "env-check.columns": () => "WHAT\tASKED FOR\tIS\tWHERE",
  "env-check.no-go": () => "no go on PATH",
  "env-check.none": () =>
    "Nothing here asks for anything: no .envrc, .go-version or .tool-versions that names Go or its variables.",
  "env-check.unknown": ({ name, value, place }) => `${name}=${value} (${place}): only a shell can tell; not checked.`,
  "env-check.verdict": ({ unmet, count }) =>
    count === 0
      ? "Nothing to compare."
      : unmet.length === 0
        ? `All ${count} are as the project asks.`
        : `Not as the project asks: ${unmet.join(", ")}. Next: granary env shell`,
  "env-init.next": () => "Then: direnv allow. Without direnv: granary env shell",
  "env-scopes.kind": ({ scope }) =>
    ({
      terminal: "here",
      rc: "rc",
      login: "login",
      user: "user",
      system: "system",
      goroot: "go.env",
      unit: "unit",
      ci: "CI",
      image: "image",
      project: "project",
    })[scope],
  "env-scopes.none": () => "Nothing sets a variable of go: go uses its defaults everywhere.",
  "env-scopes.unread": ({ file, reason }) => `Not read: ${file} (${reason})`,
  "env-scopes.verdict": ({ variables, files, findings, isClean }) =>
    isClean
      ? `${variables} variables in ${files} places; they do not get in each other's way.`
      : `${variables} variables in ${files} places, ${findings} findings.`,
  "env-shell.either": () => "either --shell or a command, not both",
  "env-shell.leave": ({ shell }) => `Starting ${shell}; leave it with exit.`,
  "env-shell.overridden": ({ name, place }) => `${name} will be what ${place} says: the shell reads it last`,
  "env-shell.left-out": ({ name, place }) => `left out: ${name} (${place}) needs a shell to be worked out`,
  "env-undo.done": () => "Put back, to the byte.",
  "env-undo.none": ({ scope }) => `There is nothing to undo for --scope ${scope}.`,
  "env-undo.plan": ({ what, at }) => `Undo of: ${what} (${at})`,
  "env.hook": ({ file, line }) => `Hook for direnv, in ${file}: ${line}`,
  "flag.env-dir": () => "the project's folder; without it, this one",
  "flag.env-direnv": () => "write .envrc",
  "flag.env-go": () => "the Go version the project wants, into .go-version and .envrc",
  "flag.env-private": () => "private modules, as GOPRIVATE has them: git.corp.example/*,github.com/acme",
  "flag.env-profile": () => "personal | cn | cn-multi | cn-aliyun | global | enterprise | ci | offline",
  "flag.env-proxy": () => "the proxy to use; needed by enterprise and ci",
  "flag.env-scope": () => "user (go env -w) | session | project | system; without it, user",
  "flag.env-shell": () => "bash | zsh | fish | powershell | cmd, for --scope session; without it, yours",
  "flag.env-shell-program": () => "the shell to start; without it, $SHELL",
  "flag.env-undo": () => "put back what was before the newest change of this scope",
  "flag.env-unit": () => "a systemd unit, by name or path",
  "flag.env-yes": () => "write without asking",
  "command.tls": () => "Look at a TLS server as go does, and say why go would refuse it.",
  "command.tls.export-root": () => "Write down who signed a server's certificate, with fingerprints.",
  "command.dns": () => "See who answers for a host, and whether answers can be believed.",
  "command.dns.which": () => "Who answers for a host: hosts file, system, servers; and how go asks.",
  "command.dns.compare": () => "Ask several DNS servers for a host, and compare their answers.",
  "command.dns.flush": () => "Show how to empty this system's DNS cache.",
  "flag.dns-doh": () => "ask this DNS-over-HTTPS server too",
  "flag.dns-port": () => "port of the connection tests; 0 makes none (default: 443)",
  "flag.dns-run": () => "run the commands, not only show them",
  "flag.dns-servers": () => "DNS servers to ask, with commas between; ADDRESS or ADDRESS:PORT",
  "flag.network-proxy": () => "go through this HTTP proxy, or `direct` (default: HTTPS_PROXY)",
  "flag.network-timeout": () => "give up on each connection after this long, e.g. 5s",
  "flag.network-verbose": () => "say every network call before it is made",
  "flag.tls-min": () => "report anything older: 1.2 or 1.3",
  "flag.tls-out": () => "write a file, never over another one",
  "flag.tls-servername": () => "name to ask for (SNI) and to be shown, when it is not the host",
  "command.explain": () => "Explain an error code, or the request id of an error answer.",
  "command.store": () => "Look after what is kept.",
  "command.store.check": () => "Try what the store needs of its disk or its bucket.",
  "command.store.stats": () => "Count what the store holds.",
  "command.store.verify": () => "Read everything that is kept and hold it against what was recorded.",
  "command.store.gc": () => "Make room: let versions go that are unused or too many.",
  "command.store.fsck": () => "Look the whole store over, and put right what can be.",
  "command.store.scrub": () => "Read every kept byte once, slowly if asked.",
  "command.store.migrate": () => "Bring the layout up to date, or copy the store to a bucket, while it serves.",
  "command.store.rollback": () => "Put back the first bytes that a version had, after damage.",
  "command.pin": () => "Name what stays in the store whatever its age.",
  "command.pin.add": () => "Pin a version, a pattern, or all that a file names.",
  "command.pin.list": () => "Show what is pinned.",
  "command.pin.remove": () => "Remove a pin.",
  "flag.gc-max-size": () => "what kept versions may take, for example 5GB",
  "flag.gc-older-than": () => "let go what was unused for longer, for example 30d",
  "flag.gc-order": () => "who leaves first: lru or s3-fifo",
  "flag.gc-own-uses": () => "on a shared bucket without PostgreSQL: go by this node's uses alone",
  "flag.gc-private": () => "private versions may leave too",
  "flag.dry-run": () => "say what would be done, and do nothing",
  "flag.fsck-deep": () => "read and hash every byte",
  "command.simulate": () => "One module version, fetched as go fetches it, step by step",
  "command.trace": () => "Where the time goes on the way to a URL, hop by hop",
  "command.mirrors": () => "Public module proxies: what is known, and whether they agree",
  "command.mirrors.list": () => "Every mirror with its operator, status and caveats",
  "command.mirrors.crosscheck": () => "Compare what mirrors give for one version",
  "flag.mirrors-mirrors": () => "Names or URLs, separated by commas",
  "flag.mirrors-probe": () => "Ask each of them what it can do now",
  "flag.mirrors-record": () => "Keep the result as JSON among the user's data",
  "flag.simulate-emit": () => "Print the requests for curl or wget instead",
  "flag.simulate-go": () => "The go version to stand in for",
  "flag.simulate-proxy": () => "A GOPROXY list in place of go's own",
  "flag.simulate-via": () => "An egress proxy in place of the environment's",
  "flag.trace-direct": () => "Only directly, past the egress proxy",
  "flag.trace-protocols": () => "Compare HTTP/2 with HTTP/1.1 as well",
  "flag.fsck-repair": () => "put right what can be",
  "flag.fsck-rebuild": () => "make the index anew from the manifests",
  "flag.scrub-rate": () => "bytes a second, for example 20MB; no limit without it",
  "flag.rollback-sha256": () => "of the zip that shall be put back",
  "flag.rollback-from": () => "a zip that may have these bytes",
  "flag.pin-from": () => "a go.sum, go.mod, go.work, list or folder",
  "flag.hot": () => "show the N most used versions",
  "command.quarantine": () => "Bytes that failed verification.",
  "command.quarantine.hold": () => "Hold a version back: nobody is given it, whoever vouches for it.",
  "command.quarantine.free": () => "Free a version that is held back.",
  "command.quarantine.held": () => "List the versions that are held back.",
  "flag.reason": () => "why; clients are told",
  "command.quarantine.list": () => "List what is in quarantine.",
  "command.quarantine.show": () => "Show one item in quarantine.",
  "command.quarantine.release": () => "Verify an item anew and keep it; a database mismatch is never passed.",
  "command.hashes": () => "Hashes of private modules, pinned when first seen.",
  "command.hashes.list": () => "List the pinned hashes.",
  "command.hashes.forget": () => "Forget a version's pinned hashes, so that changed bytes are accepted once.",
  "command.sumdb": () => "Checksum databases: your own, and what others say.",
  "command.sumdb.keygen": () => "Make the key of an own checksum database.",
  "command.sumdb.client-config": () => "Print what clients of the own database set.",
  "command.sumdb.fsck": () => "Read the own database from end to end and check all of it.",
  "command.sumdb.alarms": () => "List the forks that were seen, and what was decided about them.",
  "command.sumdb.resume": () => "Refuse the foreign head of a fork, and use the database again.",
  "flag.sumdb-reason": () => "why, for the next person who looks",
  "sumdb.alarms.none": () => "No database has shown two histories.",
  "sumdb.alarms.open": () => "undecided: nothing new is taken",
  "sumdb.alarms.columns": () => "ID\tDATABASE\tDECISION\tEVIDENCE",
  "sumdb.resumed": ({ database, id }) =>
    `The head of alarm ${id} is refused from now on. ${database} is used again, on the history kept here.`,
  "command.sumdb.preload": () => "Prove and keep the records of what is named, for the day nobody can be asked.",
  "command.sumdb.lookup": () => "Show what a database says of a version, and check every part of the proof.",
  "command.sumverify": () => "Hold go.sum files against the checksum database.",
  "command.sumgopher": () => "Keep records, tiles and heads fresh in the background.",
  "flag.range": () => "PATH@v1.8.0:latest, PATH@v1.8.0:v1.9.0, PATH@v1.8.0",
  "flag.preload-from": () => "go.mod, go.work, go.sum, or a list of PATH@VERSION",
  "flag.tool-db": () => "a folder with one database, as sumweb serves it; without it the store",
  "flag.tool-mirror": () => "where the database is asked, and nowhere else",
  "flag.tool-offline": () => "take what is kept, ask nobody",
  "flag.lookup-verify": () => "show each part of the proof",
  "flag.sumverify-all": () => "every go.sum and go.work.sum below this folder",
  "flag.junit": () => "write a JUnit report to FILE as well",
  "flag.sumgopher-from": () => "as in preload; without it, what is kept is followed",
  "flag.every": () => "time between rounds: 30s, 10m, 1h; without it 10m",
  "flag.once": () => "one round, then stop",
  "tool.working": ({ done, total }) => `${done} of ${total} versions`,
  "tool.tree": ({ name, size }) => `${name}: ${size} records under the newest head`,
  "preload.done": ({ wanted, fetched, kept, private: secret }) =>
    `named ${wanted}: ${fetched} proven and kept now, ${kept} kept before${secret === 0 ? "" : `, ${secret} private and not asked for`}`,
  "preload.unreadable": ({ what }) => `more may be missing, no proven answer for: ${what}`,
  "lookup.head": ({ database, number, size, route }) =>
    `${database}, record ${number} in a tree of ${size}, from ${route}`,
  "lookup.step": ({ name }) => name,
  "lookup.record": () => "well formed, with both hashes of this version",
  "lookup.signature": ({ database }) => `the head is signed with the key of ${database}`,
  "lookup.inclusion": () => "the record is in the tree, every tile of the proof authenticated",
  "lookup.consistency": ({ accepted, newest }) =>
    `one history with every head accepted here (${accepted}), the newest of ${newest} records`,
  "lookup.unchecked": () => "not checked, because of what failed before it",
  "sumverify.verdict": ({ verdict }) => verdictsEn[verdict],
  "sumverify.here": () => "here      ",
  "sumverify.recorded": ({ database, number }) => `recorded  (${database}, record ${number})`,
  "sumverify.done": (f) =>
    `files ${f.files}, lines ${f.lines}: ${f.ok} verified, ${f.wrong} wrong, ${f.unverified} not verified, ${f.private} private`,
  "sumgopher.round": ({ heads, wanted, fetched, failed, time }) =>
    `${heads}; ${wanted} versions followed, ${fetched} new, ${failed} failed, ${time}`,
  "command.drill.sumdb": () => "Take checksum databases away in turn, and see what is still verified.",
  "flag.versions": () => "versions in each scene, 1 to 100; without it 4",
  "redundancy.columns": () => "\tAWAY\tMUST VOUCH\tVERIFIED\tREFUSED\tSLOWEST\t",
  "redundancy.voucher": ({ voucher }) => ({ official: "official", own: "own", kept: "kept records" })[voucher],
  "redundancy.reached": () => "Reached: what is left vouches, and with nothing left nothing unproven is served.",
  "redundancy.missed": () => "Not reached: see the marked lines.",
  "command.sumdb.heads": () => "Tree heads that clients have met.",
  "command.sumdb.heads.import": () => "Hold the tree heads of a go command against ours; take proven newer ones.",
  "command.sumdb.pin": () => "Print the newest proven tree heads as a trusted file.",
  "command.sumdb.verify": () => "Hold a trusted file against store and routes: forks, rollbacks.",
  "command.sumdb.status": () => "Show what is kept of each database, its routes and alarms.",
  "command.env": () => "What go does with its settings: whom it asks, what it verifies, what is wrong.",
  "command.env.explain": () => "Explain whom go asks for a module, in order, and what each failure leads to.",
  "command.env.lint": () => "Find mistakes in go's settings, or in the values given.",
  "command.env.provenance": () => "Show where each setting of go comes from, and what it hides.",
  "command.env.simulate": () => "Walk along a GOPROXY list with given answers, as go would.",
  "flag.env-chain": () => "the list; without it the machine's GOPROXY",
  "flag.env-class": () => "what the machine is for: prod, ci or dev (default): how much verification matters",
  "flag.env-command": () => "download (default), get, list, versions, tidy or build",
  "flag.env-file": () => "info (default), mod, zip, list, latest or supported",
  "flag.env-responses": () =>
    "one per hop, with commas: a status, or refused, reset, unreachable, dns, tls, timeout, truncated, badjson, html, empty; the last one repeats",
  "flag.env-strict": () => "the articles' rules for GOPROXY: no blanks, whole URLs; exit 1 for them too",
  "command.sumdb.explain": () => "Explain whether go verifies a module here, by which database, which way.",
  "flag.sumdb-cache": () => "a GOMODCACHE whose tiles may prove the heads when no route does",
  "flag.sumdb-trusted": () => "what `granary sumdb pin` printed",
  "flag.sumdb-env": () => "KEY=VALUE, a go env file, or the output of `go env` (`-`: standard input)",
  "sumdb.offer.columns": () => "DATABASE\tRECORDS\tFROM\tRESULT",
  "sumdb.offer": ({ verdict, ours, reason }) => {
    switch (verdict) {
      case "newest":
        return ours === "" ? "proven: the first head here" : `proven: the newest here now, before it ${ours}`;
      case "agrees":
        return "proven: on the history that is kept here";
      case "forked":
        return `FORK: another history. Nothing new is taken until you decide: granary sumdb alarms. Evidence: ${reason}`;
      case "unproven":
        return ours === ""
          ? "not taken: nothing is kept of this database yet, so nothing can prove a head. Look up one version while a route answers, or give the tiles with --cache"
          : `not taken: no route, and no --cache, gives the tiles between ${ours} and it (${reason})`;
      case "refused":
        return `refused: ${reason}`;
    }
  },
  "sumdb.pin.none": ({ databases }) => `No tree head is kept of: ${databases}`,
  "sumdb.pin.columns": () => "\tDATABASE\tPINNED\tHERE\tRESULT",
  "sumdb.pin.verdict": ({ verdict, ours, reason }) =>
    ({
      agrees: "on the history that is kept here",
      ahead: "newer than ours, and the routes prove it",
      "rolled-back":
        ours === ""
          ? `ROLLED BACK: nothing is kept here, and no route proves the pinned tree (${reason})`
          : `ROLLED BACK: ours is older, and no route proves the pinned tree (${reason})`,
      forked: "FORK: another history. To keep the evidence and raise the alarm: granary sumdb heads import FILE",
      unproven: `not proven: the tiles cannot be had (${reason})`,
      unsigned: `not signed by its key: ${reason}`,
      "other-key": "pinned with another key than the one configured here",
      unknown: "not configured here (--sumdb)",
    })[verdict],
  "sumdb.pin.good": ({ count }) => `${count} pinned: all consistent.`,
  "sumdb.pin.bad": ({ count, bad }) => `${count} pinned, ${bad} to look at.`,
  "sumdb.status": ({ name, keyId, newest, age, serving, records, tiles, bytes, alarms }) =>
    [
      `${name}  key ${keyId}`,
      `  newest head   ${newest === "" ? "none yet" : `${newest} records${age === "" ? "" : `, proven ${age} ago`}`}`,
      `  serving head  ${serving === "" ? "none yet" : `${serving} records`}`,
      `  kept          ${records} records, ${tiles} tiles (${bytes})`,
      `  alarms        ${alarms.length === 0 ? "none" : `${alarms.join(", ")}: nothing new is taken (granary sumdb alarms)`}`,
    ].join("\n"),
  "sumdb.status.routes": ({ isRunning }) => (isRunning ? "routes" : "routes (no server runs on this store: not asked)"),
  "sumdb.status.route": ({ verdict, size, age, reason }) =>
    ({
      agrees: `agrees: ${size} records, ${age} ago`,
      silent: `gave no head ${age} ago: ${reason}`,
      refused: `refused ${age} ago: ${reason}`,
      forked: `FORK ${age} ago: ${reason}`,
      unasked: "not compared yet",
    })[verdict],
  "sumdb.status.none": () => "No checksum database is configured: nothing is verified.",
  "sumdb.explain.origin": ({ origin }) =>
    ({
      go: "as `go env` says here",
      machine: "environment and go env file of this machine; no go is installed",
      given: "as given; what was not given has go's defaults",
    })[origin],
  "sumdb.explain.ignored": ({ names }) => `Set, but without a say in this: ${names}`,
  "sumdb.explain.question": ({ question, module }) =>
    ({
      insecure: "Does GOFLAGS hold -insecure?",
      toolchain: "Is it a toolchain?",
      off: "Is GOSUMDB off?",
      pattern: `Does GONOSUMDB (else GOPRIVATE) match ${module === "" ? "the module" : module}?`,
      form: "Is GOSUMDB well formed?",
      official: "Is it the official database?",
      url: "Does GOSUMDB say where the database is?",
      proxy: "Does GOPROXY name a proxy?",
    })[question],
  "sumdb.explain.answer": ({ answer }) => (answer ? "yes" : "no"),
  "sumdb.explain.note": ({ question, answer }) => {
    switch (question) {
      case "insecure":
        return "go get stops: -insecure flag is no longer supported; use GOINSECURE instead. No other command looks at it.";
      case "toolchain":
        return "Toolchains are verified whatever GOSUMDB and GONOSUMDB say, unless GOPROXY is one file:// URL.";
      case "official":
        return answer ? "Its key is built into go." : "The key is the one in GOSUMDB.";
      case "url":
        return answer ? "All proxies are passed by." : "";
      case "off":
      case "pattern":
      case "form":
      case "proxy":
        return "";
    }
  },
  "sumdb.explain.verified": ({ database, isOfficial }) =>
    `Verified, by ${isOfficial ? "the official database" : "the database"} ${database}. Asked, in this order:`,
  "sumdb.explain.way": ({ via, next }) => {
    if (via === "direct") return "the database itself";
    const fails =
      next === "failure" ? "on any failure the next" : "on 404 or 410 the next, any other failure is the end";
    return `when /supported below it answers 200, for everything; ${fails}`;
  },
  "sumdb.explain.then": ({ database }) =>
    [
      "A hash that go.sum has already is compared with it, and no database is asked. Else:",
      `  1. the tree head must be signed by the key, and consistent with GOPATH/pkg/sumdb/${database}/latest`,
      "  2. the record must be proven to be in that tree, and its hash must be that of the bytes",
      "  yes: go.sum gets the line    no: SECURITY ERROR, nothing is built",
    ].join("\n"),
  "sumdb.explain.unverified": ({ because }) =>
    ({
      off: "Not verified: GOSUMDB is off. Only what go.sum has already is compared; new versions are taken as they come.",
      pattern: "Not verified: the pattern says that it is private. Only what go.sum has already is compared.",
      "file-proxy": "Not verified: a toolchain from a single file:// proxy is taken as it is.",
    })[because],
  "sumdb.explain.refused": ({ of, sentence, module }) =>
    [
      `go stops: ${module === "" ? "" : `${module}: `}${sentence}`,
      of === "GOPROXY"
        ? "The right form: https://HOST, several with commas, perhaps direct at the end"
        : "The right form: sum.golang.org, or NAME+HASH+KEY, and behind a space the database's URL if it has one of its own",
    ].join("\n"),
  "command.sumweb": () => "Serve checksum databases alone: a verifying mirror, or a folder as it is.",
  "flag.sumweb-http": () => "address to listen on; without it 127.0.0.1:8081",
  "flag.sumweb-addr": () => "the same as --http",
  "flag.sumweb-db": () =>
    "folder with key, latest, index and tree; asks nobody, unless --sumdb says what to mirror into it",
  "flag.sumweb-cert": () => "PEM certificate chain for TLS; read again when it changes",
  "flag.sumweb-key": () => "PEM private key of the certificate (the key for TLS, not the database's)",
  "command.agent": () => "Add a certificate or a token to what go asks, on a developer's machine.",
  "command.agent.setup": () => "Print, or install, the agent's systemd unit and the one line for go.",
  "flag.agent-listen": () => "address for go on this machine; without it 127.0.0.1:3128",
  "flag.agent-url": () => "the company's Granary, or another module proxy",
  "flag.agent-cert": () => "PEM client certificate; read again when it changes",
  "flag.agent-key": () => "PEM private key of the certificate",
  "flag.agent-token-file": () => "file with a token, sent as Authorization: Bearer",
  "flag.agent-ca": () => "PEM certificates of authorities trusted beside the machine's",
  "flag.agent-expose": () => "allow an address beyond this machine: others then act with this credential",
  "flag.agent-install": () => "write the unit into ~/.config/systemd/user",
  "agent.setup": ({ unit, file, isInstalled, proxy }) =>
    [
      isInstalled ? `Written: ${file}` : `# ${file}`,
      ...(isInstalled ? [] : [unit.trimEnd()]),
      "",
      "Start it, now and at each login:",
      "  systemctl --user daemon-reload",
      "  systemctl --user enable --now granary-agent",
      "Point go at it, once:",
      `  go env -w GOPROXY=${proxy}`,
    ].join("\n"),
  "command.modcache": () => "Go's module cache: what is in it, whether it is sound, making it smaller.",
  "command.modcache.gc": () => "Remove the versions that were unused longest, each of them whole.",
  "command.modcache.info": () => "Say where the module cache is and what it holds.",
  "command.modcache.refresh": () => "Download versions anew, and put right what differs.",
  "command.modcache.verify": () => "Hold the cache against its own hashes, go.sum and the checksum database.",
  "command.verify": () => "Set side by side everything that vouches for one version.",
  "flag.modcache-all": () => "every version, as without names",
  "flag.modcache-dir": () => "another module cache than go's own",
  "flag.modcache-fix": () => "remove what is damaged, and nothing else",
  "flag.modcache-keep": () => "versions in this go.sum stay",
  "flag.modcache-max-size": () => "what may be kept (5GB, 500MB)",
  "flag.modcache-module": () => "a version to download anew",
  "flag.modcache-offline": () => "ask nobody; use the records that go has kept",
  "flag.modcache-older-than": () => "versions unused for longer leave (30d, 12h)",
  "flag.modcache-refresh-all": () => "what the go.mod at hand needs",
  "flag.modcache-sum": () => "a go.sum to compare with; the nearest one without it",
  "flag.verify-smoke": () => "time one real go mod download into an empty cache",
  "flag.verify-timeout": () => "end a download that takes longer (120s)",
  "flag.verify-trace": () => "show each question to the checksum database",
  "command.token": () => "Tokens for readers of private modules and for operators.",
  "command.token.add": () => "Make a token; its text is shown once.",
  "command.token.list": () => "List the tokens, without their secrets.",
  "command.token.revoke": () => "Revoke a token.",
  "command.upstream": () => "Look at a running server's upstreams, and take one out of use.",
  "command.upstream.status": () => "Show how each upstream does, and which one is asked first.",
  "command.upstream.probe": () => "Ask every upstream now whether it answers.",
  "command.upstream.disable": () => "Ask an upstream no more, until it is enabled again.",
  "command.upstream.enable": () => "Ask a disabled upstream again.",
  "command.jobs": () => "Fetches that failed and are tried again, or were given up.",
  "command.jobs.list": () => "List waiting and running jobs, and dead letters.",
  "command.jobs.retry": () => "Try a job now.",
  "command.jobs.drop": () => "Forget a job.",
  "command.drill": () => "Try what happens when something fails, away from the running server.",
  "command.drill.upstream": () => "Take upstreams away from a Granary of its own; see what clients notice.",
  "command.conformance": () => "Try a module proxy against the rules of the protocol.",
  "command.help": () => "Show help for a command.",
  "usage.missing": ({ argument }) => `${argument} is missing.`,
  "usage.excess": ({ command }) => `${command} got too many arguments.`,
  "usage.flag-value": ({ flag }) => `${flag} needs a value.`,
  "usage.subcommand": ({ command }) => `${command} needs to know what to do.`,
  "finding.value": () => "value",
  "finding.place": () => "where",
  "finding.seen": () => "seen",
  "finding.address": () => "address",
  "finding.certificate": () => "cert",
  "finding.times": () => "times",
  "finding.hash": () => "hash",
  "finding.why": () => "why",
  "finding.advice": () => "do",
  "finding.fix": () => "fix",
  "finding.more": () => "more",
  "finding.likely": () => "likely",
  "finding.possible": () => "possible",
  "command.env.matrix": () => "What documents claim of go, beside what go does",
  "flag.about": () => "only claims about this: GOPROXY, fallback, sumdb, tls, …",
  "flag.verdict": () => "only these: false, partly, true, unverifiable",
  "matrix.claimed": () => "what is claimed",
  "matrix.counts": (f) =>
    `${f.all} claims: ${f.false} false, ${f.partly} partly true, ${f.true} true, ${f.unverifiable} that go cannot tell.`,
  "matrix.more": () => "Who claims one, and which test shows it: granary explain MYTH_…",
  "matrix.none": () => "No claim fits.",
  "matrix.so": () => "what is so",
  "myth.about": () => "About",
  "myth.claim": () => "What is claimed",
  "myth.probe": () => "What to ask",
  "myth.shown": () => "Shown by",
  "myth.truth": () => "What is so",
  "myth.unshown": ({ unshown }) =>
    ({
      service: "Nothing here: it is about a service, and only asking that one can tell.",
      software: "Nothing here: it is about another program, whose own settings decide.",
      registry: "Nothing here: it is about what a registry has, and tests reach none.",
      operator: "Nothing here: it is about who runs something.",
    })[unshown],
  "myth.verdict": ({ verdict }) =>
    ({ false: "false", partly: "partly true", true: "true", unverifiable: "go cannot tell" })[verdict],
  // gen
  "command.gen": () => "Configuration for the programs around Granary.",
  "command.gen.nginx": () => "nginx in front of one node or several, as a file for its conf.d.",
  "flag.gen-cache": () => "folder where nginx keeps public answers; without it nginx keeps nothing",
  "flag.gen-cache-size": () => "how much nginx keeps there (default: 10g)",
  "flag.gen-cache-zone": () => "memory for the keys of what it keeps (default: 10m, 80,000 keys)",
  "flag.gen-listen": () => "where nginx listens (default: 443 with a certificate, else 80)",
  "flag.gen-nginx": () => "write for this nginx; from 1.25.1 on HTTP/2 has a directive of its own",
  "flag.gen-no-http2": () => "HTTP/1.1 alone, where something on the way breaks HTTP/2",
  "flag.gen-node": () => "a node: HOST:PORT, or https://HOST:PORT",
  "flag.gen-nodes": () => "a file with nodes, one a line",
  "flag.gen-node-ca": () => "PEM authorities of the nodes' certificates, for https nodes",
  "flag.gen-node-name": () => "name in the nodes' certificates (default: the server name)",
  "flag.gen-out": () => "file to write; without it standard output",
  "flag.gen-server-name": () => "name under which clients reach it (default: localhost)",
  "flag.gen-test": () => "have this machine's nginx check it first; what it refuses is not written",
  "flag.gen-tls": () => "hardened: TLS 1.3 alone; compat: 1.2 as well (default: hardened)",
  "flag.gen-tls-cert": () => "PEM certificate chain, a path on nginx's machine",
  "flag.gen-tls-key": () => "PEM private key of the certificate",
  "gen.no-nodes": () => "nginx needs a node to pass requests to",
  "gen.mixed-nodes": () => "either all nodes are https:// (then with --node-ca) or none",
  "gen.tls-pair": () => "a certificate and its key belong together",
  "gen.plain": () =>
    "Plain HTTP: whoever is on the way reads along, tokens too. --tls-cert and --tls-key make it HTTPS.",
  "gen.tested": ({ version }) => `nginx ${version} takes it (nginx -t).`,
  "gen.refused": ({ version }) => `nginx ${version} refuses it, and nothing was written. It says:`,
  "gen.untested": () =>
    "Not tested: there is no nginx on PATH. On the machine that has it: nginx -t, before each reload.",
  "gen.written": ({ file }) => `Written: ${file}`,
  // explain-error, run, lab
  "command.explain-error": () => "Says what a log of go means: the cause first, then what only follows.",
  "command.lab": () => "Fake proxies with the real go in front of them: see for yourself what it does.",
  "command.lab.fallback": () => "What go does after each failure of a proxy, for a comma and for a |.",
  "command.lab.go111module": () => "What GO111MODULE=on, off and auto change: requests and results.",
  "command.run": () => "Runs a command, and again while its failure may pass: timeouts, resets, 502.",
  "flag.lab-chain": () => "a list as GOPROXY has it; names become fake proxies",
  "flag.lab-go": () => "another Go, such as 1.19.13, as go itself would download it",
  "flag.lab-responses": () => "what each proxy of the list answers: 200,404,502,reset,silent…",
  "flag.run-log": () => "append each attempt to a file, as lines of JSON",
  "flag.run-retry": () => "how often it is repeated at most (default: 3)",
  "flag.run-stall": () => "end an attempt that prints nothing for so long, and count it as a timeout",
  "flag.run-timeout": () => "end everything after so long, waits included (default: 10m)",
  "flag.run-wait": () => "before the first repetition; doubles with each (default: 2s)",
  "errors.collect": () =>
    "Collect more: go version; granary env provenance; and the whole output of\n" +
    "  go mod download -x 2>go.log, with GODEBUG=http2debug=1 for HTTP/2.\n" +
    "  Then: granary explain-error go.log",
  "errors.follows": () => "Only follows from the above:",
  "errors.head": ({ causes, lines }) =>
    `${lines} lines read, ${causes} ${causes === 1 ? "cause" : "causes"} found${causes > 1 ? ", the first one first" : ""}.`,
  "errors.lines": ({ count }) => (count < 2 ? "" : ` (${count} lines)`),
  "errors.none": ({ lines }) => `${lines} lines read; no failure was recognised in them.`,
  "errors.notices": () => "No failure, but said:",
  "errors.reading": () => "Reading standard input; Ctrl-D ends it.",
  "errors.requests": () => "Requests of the -x trace:",
  "errors.request-columns": () => "host\trequests\tunanswered\tslowest\toutcomes",
  "errors.unknown": ({ count }) => `Not recognised (${count} lines that look like an error):`,
  "finding.check": () => "test",
  "lab.chain.head": ({ go }) => `go ${go}, one module, these proxies:`,
  "lab.example": ({ answer, separator }) => `The run with ${answer} before a ${separator}`,
  "lab.fallback.columns": () => "first answers\tthen ,\tthen |",
  "lab.fallback.head": ({ go, runs }) =>
    `go ${go}: go mod download in front of two fake proxies, ${runs} runs.\nThe first one fails, the second one has the module.`,
  "lab.fallback.legend": () =>
    "next: go asked the second proxy and got the module.\n" +
    "stop: go gave up with an error and asked nobody else.\n" +
    "waits: go was still waiting for the first proxy after 2 s, and was ended by us; it has no timeout.",
  "lab.gave-up": ({ code, proxy }) => `go gave up with exit code ${code}; the last one asked was ${proxy}.`,
  "lab.got": ({ proxy }) => `go has the module; ${proxy} gave it.`,
  "lab.modes.columns": () => "where\tGO111MODULE\texit\tproxy\tsumdb\trepository",
  "lab.modes.example": () => "What was asked with on, in a module",
  "lab.modes.head": ({ go }) =>
    `go ${go}: go get of one module version; requests to the proxy, the checksum\ndatabase, the repository itself.`,
  "lab.outcome": ({ outcome }) => outcome,
  "lab.place": ({ place }) => (place === "module" ? "in a module" : "no go.mod"),
  "lab.requests": () => "Requests, in order",
  "lab.said": () => "What go said",
  "lab.unset": () => "(unset)",
  "lab.waits": ({ seconds }) => `go still waited after ${seconds} s and was ended by us: it has no timeout.`,
  "lab.yes": () => "asked",
  "run.again": ({ attempt, of, time, code, wait }) =>
    `attempt ${attempt} of ${of} failed after ${time} (${code}, may pass); again in ${wait}`,
  "run.lasting": ({ attempt, of, code }) =>
    `attempt ${attempt} of ${of} failed with ${code}: trying again does not help; granary explain ${code}`,
  "run.ok": ({ attempt, of }) => `attempt ${attempt} of ${of} worked`,
  "run.spent": ({ attempt, of, code }) =>
    `attempt ${attempt} of ${of} failed (${code}); no time or attempt is left; granary explain ${code}`,
  "run.timeout": ({ attempt, of, time }) => `attempt ${attempt} of ${of} was ended after ${time}: --timeout is over`,
  "run.unknown": ({ attempt, of }) =>
    `attempt ${attempt} of ${of} failed with nothing that we know as passing; it is not repeated`,
  "command.doctor": () => "Find out why `go get` fails here, and what mends it.",
  "doctor.asked": () => "asked",
  "doctor.broken": ({ reason }) => `this check broke, a defect of granary: ${reason}`,
  "doctor.broken-verdict": ({ failures, warnings, time, check, title }) =>
    `${plural(failures, "failure")}, ${plural(warnings, "warning")} in ${time}. The cause is in check ${check}: ${title}.`,
  "doctor.by-hand": () => "This is for you to do:",
  "doctor.checks": ({ checks }) => plural(checks, "check"),
  "doctor.confirm": () => "Change it now? [y/N] ",
  "doctor.healthy": ({ time }) => `Nothing is wrong, in ${time}. go can build here.`,
  "doctor.partly": ({ time }) => `Nothing is wrong in what was looked at, in ${time}.`,
  "doctor.mended": ({ code, detail }) => `done: ${code} ${detail}`,
  "doctor.module": ({ module }) => `module ${module}`,
  "doctor.no-go": ({ platform }) => `no go command, ${platform}`,
  "doctor.not-looked-at": ({ checks }) => `Checks not done: ${checks}.`,
  "doctor.not-mended": ({ code, detail }) => `failed: ${code} ${detail}`,
  "doctor.nothing-to-mend": () => "There is nothing that a command could mend.",
  "doctor.progress": ({ checks }) => `looking: ${checks} …`,
  "doctor.repairs": ({ repairs }) => `granary doctor --fix shows the repairs: ${repairs}.`,
  "doctor.shaky": ({ warnings, time, check, title }) =>
    `${plural(warnings, "warning")} in ${time}. The first to look at is check ${check}: ${title}.`,
  "doctor.skip-budget": () => "not begun: time was up (--timeout)",
  "doctor.skip-cut": () => "cut off: time was up (--timeout)",
  "doctor.skip-offline": () => "not done: --offline",
  "doctor.unchanged": () => "Nothing was changed.",
  "doctor.unknown": ({ time }) => `Nothing wrong was found, in ${time}, but not everything could be looked at.`,
  "doctor.would-mend": () => "This would be changed:",
  "flag.doctor-fail-on": () => "exit code 1 from: fail, warn or never (fail)",
  "flag.doctor-fix": () => "show what would mend it, ask, back up, change",
  "flag.doctor-format": () => "text, json, sarif, junit or github (text)",
  "flag.doctor-list": () => "list the checks",
  "flag.doctor-module": () => "ask for this one instead of one of the go.mod here",
  "flag.doctor-offline": () => "ask no host; what needs one is skipped",
  "flag.doctor-quick": () => "six checks and the build list",
  "flag.doctor-share": () => "leave out credentials, names of hosts, users and folders",
  "flag.doctor-skip": () => "leave out a check or a group; by name or number",
  "flag.doctor-timeout": () => "for all checks together (20s)",
  "flag.doctor-verbose": () => "show all that was seen and asked",
  "flag.yes": () => "do not ask",
  "command.fix": () => "What helps against a trouble, and what of it is in place.",
  "command.fix.timeout": () => "Timeouts: where the waiting comes from, and which of seven remedies is missing.",
  "flag.fix-apply": () => "show the settings that are missing, ask, change them",
  "flag.doctor-only": () => "run this check or group alone, as an argument does",
  "explain.cause": () => "Why",
  "explain.remedy": () => "What to do",
  "explain.request": ({ id, at, target }) => `Request ${id} at ${at}: ${target}`,
  "flag.from": () => "the go.mod or go.work to read; without it, ./go.mod",
  "flag.from-any": () => "go.mod, go.work, go.sum, a list of path@version lines, a folder in proxy layout, or top:N",
  "flag.all-modules": () => "all modules of the build list, not only those that go mod download takes",
  "flag.sizes": () => "ask the configured upstreams how large zips are that are not kept",
  "flag.jobs": () => "requests at once, 1 to 256; without it, 16",
  "flag.platform": () => "also the toolchains that go and toolchain lines name, for this platform: linux/amd64",
  "flag.of": () => "the server whose most asked versions top:N means; without it, the one that is filled",
  "command.plan": () => "Say what a go.mod will fetch, from where, and how much of it is kept.",
  "command.publish": () => "Make a module version of a tag or a folder, and give it to a running server.",
  "flag.publish-version": () => "the version of a folder: vX.Y.Z",
  "flag.module": () => "the module path it must have; needed without a go.mod",
  "flag.repo": () => "the repository of the tag; without it, the one you are in",
  "flag.publish-dry": () => "show files, hashes and what is left out; send nothing",
  "publish.from-tag": ({ tag, commit, dir }) =>
    `of tag ${tag} (commit ${commit}${dir === "" ? "" : `, directory ${dir}`})`,
  "publish.from-folder": ({ folder }) => `of folder ${folder}`,
  "publish.files": ({ count, bytes, zip }) => `${count} files, ${bytes}; the zip has ${zip}`,
  "publish.omitted": ({ count }) => `Left out, as go does (${count}):`,
  "publish.omission": ({ reason }) =>
    ({
      vendored: "in a vendor directory",
      "nested-module": "a module of its own",
      "hg-archival": "made by hg archive",
      symlink: "a symbolic link",
      irregular: "no regular file",
      repository: "of the version control system",
    })[reason],
  "publish.refused": ({ count }) => `Not published, go would refuse it (${count}):`,
  "publish.all-files": () => "all files",
  "publish.more": ({ count }) => `… and ${count} more; --json lists all`,
  "publish.converted": () =>
    ".gitattributes change go.mod in the zip: go with GOPROXY=direct has another hash of it. Exempt it: go.mod -text -eol",
  "publish.sending": ({ bytes, server }) => `Sending ${bytes} to ${server} …`,
  "publish.dry": ({ server }) => `Nothing was sent (--dry-run). It would go to ${server}`,
  "publish.done": ({ outcome, server }) =>
    outcome === "new" ? `Published: ${server} keeps it now.` : `Nothing to do: ${server} has this very content.`,
  "publish.not": ({ outcome, server }) =>
    outcome === "conflict"
      ? `Not published: ${server} has other content for this version. Publish the next version instead.`
      : `Not published: ${server} refuses this zip.`,
  "publish.usage-version": () => "a folder needs a version",
  "publish.usage-tag-only": () => "--repo goes with a tag, --version with a folder",
  "command.prewarm": () => "Make a running server fetch, verify and keep what a build will ask for.",
  "plan.head": ({ names, zips, mods }) => `${names}: ${zips} zips to fetch, ${mods} go.mod files to read`,
  "plan.kept": ({ zips, bytes }) => `kept\t${zips} zips, ${bytes}`,
  "plan.missing": ({ zips, bytes, unknown }) =>
    `missing\t${zips} zips, ${unknown === "" ? bytes : unknown === zips ? "sizes unknown" : `at least ${bytes} (${unknown} of unknown size)`}`,
  "plan.mods": ({ mods, kept, bytes }) => `go.mod\t${mods} files, ${bytes}; ${kept} were kept before`,
  "plan.directories": ({ count }) => `replaced\t${count} by directories: nothing of them is fetched`,
  "plan.from": ({ upstreams, mode }) =>
    `from ${upstreams.length === 0 ? "nobody: the server has no upstream" : `${upstreams.join(" → ")} (mode ${mode})`}`,
  "plan.next": ({ from }) => `Fill the store now: granary prewarm --from ${from}`,
  "plan.ready": () => "All of it is kept: this build needs no upstream.",
  "plan.working": ({ phase, done }) => `${phase === "graph" ? "reading go.mod files" : "looking for zips"}: ${done}`,
  "flag.scenario": () => "primary-down (one upstream is left) or both-down (primary and regional; the last is left)",
  "flag.fault": () => "how they go away: refused, silent, 503 or reset; without it, refused",
  "flag.requests": () => "requests before the fault and during it, 10 to 600 each; without it, 200",
  "flag.distance": () => "milliseconds each upstream takes to answer, 0 to 1000; without it, 20",
  "drill.head": (f) =>
    `${f.scenario}, fault ${f.fault}: ${f.requests} cold requests a phase, one every ${f.pace}; upstreams answer in ${f.distance}`,
  "drill.settings": ({ mode, silence, hedge, probe }) =>
    `In force: mode ${mode}, silence ${silence}, hedge ${hedge ? "on" : "off"}, ${probe === "" ? "no probes" : `probe every ${probe}`}`,
  "drill.too-few": ({ configured, drilled }) =>
    `Upstreams in your list: ${configured}, in the drill: ${drilled}. What follows is the engine's doing, not yet your list's.`,
  "drill.columns": () => "PHASE\tASKED\tFAILED\tAVERAGE\tP50\tP95\tADDED\tSERVED BY",
  "drill.phase": ({ phase }) => phase,
  "drill.working": ({ phase, done, total }) => `${phase}: ${done}${total === "" ? "" : ` of ${total}`} answered`,
  "drill.stop-hint": () => "Ctrl-C stops; nothing is left behind.",
  "drill.switch": ({ time }) => `switch\t${time}\tfrom the fault to the first answer from another upstream`,
  "drill.avoided": ({ time, primary }) => `breaker\t${time}\tfrom the fault until ${primary} was left alone`,
  "drill.recovered": ({ time, primary }) => `recovery\t${time}\tfrom its return until ${primary} served again`,
  "drill.reached": ({ added, target, primary }) =>
    `Reached: ${added} on average (at most +${target}), no request failed, ${primary} serves again.`,
  "drill.missed": ({ reasons }) => `Not reached: ${reasons.join("; ")}.`,
  "drill.unsteady": () =>
    "The normal phase was unsteady: this machine has other work to do, and the times say little. Drill when it has not.",
  "drill.no-normal": () => "the normal phase was none, so the others say little",
  "drill.failures": ({ failures, requests, first }) => `${failures} of ${requests} requests failed (first: ${first})`,
  "drill.slow": ({ added, target }) => `${added} on average (at most +${target})`,
  "drill.not-recovered": ({ limit, primary }) => `${primary} served nothing within ${limit} of its return`,
  "fetch.unreadable": ({ what }) => `go will stop here, its go.mod cannot be had or names another module: ${what}`,
  "fetch.cut-short": () => "The graph is larger than Granary reads; this is a part of it.",
  "fetch.failures": ({ count }) => `${count} could not be had:`,
  "prewarm.stop-hint": () => "Ctrl-C stops; what is kept stays.",
  "prewarm.working": (f) =>
    f.phase === "sample"
      ? `asking again: ${f.done} of ${f.total}`
      : f.phase === "graph"
        ? `reading go.mod files: ${f.done}, ${f.bytes}`
        : `${f.done} of ${f.total} files, ${f.bytes}, ${f.rate}/s, ${f.left} left`,
  "prewarm.done": ({ files, server, bytes, time, interrupted }) =>
    `${files} files, ${bytes}, asked of ${server} in ${time}${interrupted ? "; stopped before the end" : ""}`,
  "prewarm.columns": () => "\tANSWERS\tHITS\tP95",
  "prewarm.before": () => "this pass",
  "prewarm.after": () => "asked again",
  "store.stats": (f) =>
    [
      `store      ${f.dir}`,
      `modules    ${f.modules}`,
      `versions   ${f.versions} (${f.zips} with zip${f.evicted === undefined ? "" : `; ${f.evicted} made room`})`,
      `records    ${f.records}`,
      `size       ${f.bytes}`,
    ].join("\n"),
  "store.verifying": ({ checked, bytes }) => `verifying: ${checked} files, ${bytes}`,
  "storecheck.place": ({ kind, where }) =>
    kind === "disk" ? `Store on a disk: ${where}` : `Store in a bucket: ${where}`,
  "storecheck.passed": ({ what }) =>
    ({
      list: "reachable; the bucket is there and may be listed",
      write: "may be written",
      read: "may be read, and shows at once what was written",
      create: "creating never overwrites",
      parts: "nor does creating in parts",
      stale: "replacing what has changed is refused",
      replace: "replacing what has not changed works",
      link: "signed URLs are answered",
      versioning: "says whether it keeps versions",
      remove: "may be deleted from, and shows it at once",
      recreate: "what was deleted can be created anew",
      revive: "what was deleted cannot be replaced",
      writable: "may be written, and takes hard links",
      fsync: "takes an fsync",
      space: "has room",
      layout: "has the current layout",
    })[what],
  "storecheck.sound": () => "Nothing is in the way.",
  "storecheck.found": ({ count }) => `To be mended: ${count}.`,
  "store.sound": ({ checked, bytes }) => `${checked} files, ${bytes}: all as recorded.`,
  "store.damaged": ({ checked, findings }) =>
    `${checked} files, ${findings} not as recorded. Granary repairs them from upstream when they are asked for.`,
  "list.more": ({ more }) => `… and ${more} more; --json has them`,
  "gc.running": ({ evicted, freed }) => `making room: ${evicted} versions, ${freed}`,
  "gc.columns": () => "VERSION\tSIZE\tWHY\tLAST USED",
  "gc.reason": ({ reason }) => (reason === "age" ? "unused" : "too much"),
  "gc.done": ({ isDryRun, evicted, freed, left, spared, over }) =>
    [
      isDryRun
        ? `${evicted} versions would leave, ${freed}; ${left} would stay. Nothing was changed.`
        : `${evicted} versions left, ${freed}; ${left} stay.`,
      ...(spared === undefined ? [] : [`${spared} more stay because they are pinned or private.`]),
      ...(over === undefined ? [] : [`That is still ${over} too much: pins hold it, or private modules (--private).`]),
    ].join("\n"),
  "fsck.running": ({ versions, bytes }) => `looking: ${versions} versions, ${bytes} read`,
  "fsck.kind": ({ kind }) => kind,
  "fsck.mended": ({ isMended, repairs }) => (!isMended ? "by hand" : repairs ? "mended" : "mendable"),
  "fsck.done": ({ versions, evicted, bytes, findings, left, repairs, indexed }) =>
    [
      `${versions} versions${evicted === undefined ? "" : ` (${evicted} evicted)`}${bytes === undefined ? "" : `, ${bytes} read`}: ${
        findings === undefined
          ? "all is as it should be."
          : left === undefined
            ? `${findings} findings, all mended.`
            : repairs
              ? `${findings} findings, ${left} left for a person. docs/operate.md says what to do.`
              : `${findings} findings. Mend what can be: granary store fsck --repair`
      }`,
      ...(indexed === undefined ? [] : [`The index was made anew: ${indexed} versions.`]),
    ].join("\n"),
  "scrub.done": ({ versions, bytes, damaged }) =>
    damaged === undefined
      ? `${versions} versions, ${bytes} read: all as committed.`
      : `${versions} versions, ${bytes} read: ${damaged} damaged. A server fetches them anew; or: granary store fsck --deep --repair`,
  "migrate.running": ({ done }) => `indexing: ${done} versions`,
  "migrate.done": ({ from, to, steps, isDryRun }) =>
    steps.length === 0
      ? `The store has layout ${to}, the newest that this Granary knows.`
      : isDryRun
        ? `To do: ${steps.map((step) => (step === "index" ? "index all versions" : `raise layout ${from} to ${to}`)).join(", ")}. Nothing was changed.`
        : `Layout ${to}${from === to ? "" : ` (was ${from}; older Granaries do not open this store any more)`}. All versions are indexed.`,
  "move.running": ({ versions, files, bytes, same }) =>
    `${versions} versions: ${files} files copied, ${bytes}; ${same} there already`,
  "move.done": (f) =>
    [
      `from       ${f.from}, ${f.versions} versions${f.wasInterrupted ? " so far" : ""}`,
      `to         ${f.to}`,
      `${f.isDry ? "would copy " : "copied     "}${f.files} files, ${f.bytes}${f.isDry ? "" : ` in ${f.time}`}; there already: ${f.same}`,
      ...(f.isDry ? [] : [`read back  ${f.verified}: the same`]),
      ...(f.wasInterrupted ? ["Stopped. What was copied stays; run it again for the rest."] : []),
    ].join("\n"),
  "move.log": ({ name, is, size, kept, reason }) => {
    const said = {
      restore: `${size} records`,
      kept: `the target has ${kept} records, the source ${size} of them; it stays`,
      behind: `not copied: the key has signed more than the source's ${size} records`,
      fork: `not copied, the target has another log: ${reason}`,
      unsound: `not copied, it is not sound: ${reason}`,
      keyless: "not copied: its key was not given (--sumlog-key FILE)",
    };
    return `own log    ${name}: ${said[is]}`;
  },
  "move.finding": ({ is }) =>
    ({
      conflict: "other bytes are there",
      damaged: "damaged in the source",
      unverified: "comes back with other bytes",
    })[is],
  "move.handed-over": ({ dir, to }) =>
    `${dir} holds this node's copies of ${to} from now on; start the server with it.`,
  "move.findings": ({ findings }) =>
    `${findings} findings. The target keeps what it has, and damage was not copied. Everything else is there.`,
  "rollback.done": ({ what, from }) =>
    from === "sound"
      ? `${what} is whole: its bytes are the ones first committed.`
      : `${what} has its first bytes back, from ${from === "file" ? "the file" : "quarantine"}.`,
  "hot.columns": () => "VERSION\tUSES\tSIZE\tLAST USED",
  "hot.none": () => "Nothing was used yet, or the index is new.",
  "pin.added": ({ id, from, versions }) =>
    versions === "0" ? `Pinned as ${id}: ${from}` : `Pinned as ${id}: ${from}, ${versions} versions`,
  "pin.none": () => "Nothing is pinned.",
  "pin.columns": () => "ID\tSINCE\tVERSIONS\tFROM",
  "pin.pattern": () => "pattern",
  "pin.removed": ({ id }) => `Pin ${id} is removed.`,
  "command.store.import": () => "Fill the store from what another tool has gathered, all of it verified.",
  "command.store.export": () => "Write kept versions, with their proofs, as a plain file:// GOPROXY tree.",
  "flag.import-layout": () => "gomodcache, goproxy, athens or file; without it, it is recognised",
  "flag.import-dry-run": () => "keep nothing; say what would be tried",
  "flag.export-from": () => "what this go.sum names",
  "import.stop-hint": () => "Ctrl-C stops; what is kept stays, and the next import goes on from there.",
  "import.working": ({ done, total, bytes, rejected, left }) =>
    `${done} of ${total} versions, ${bytes}, ${rejected} rejected, ${left} left`,
  "import.head": ({ dir, layout, store, dryRun }) =>
    `${dir} (${layout}) → ${store}${dryRun ? "   dry run, nothing is kept" : ""}`,
  "import.counts": (f) =>
    [
      `found      ${f.found} versions`,
      `${f.dryRun ? "to try    " : "imported  "} ${f.imported}, ${f.bytes}`,
      `kept       ${f.kept} already, the same bytes`,
      `unproven   ${f.unproven}`,
      `rejected   ${f.rejected}`,
      `time       ${f.time}`,
    ].join("\n"),
  "import.interrupted": () => "Stopped before the end. The next import goes on from here.",
  "import.unproven": ({ count }) =>
    `${count} not kept, as nobody could say what they must be, or whether they may come in. Import again later:`,
  "import.rejected": ({ count }) => `${count} rejected:`,
  "import.more": ({ count }) => `and ${count} more`,
  "import.why": ({ why, reason }) => importRefusals[why] ?? (reason === "" ? "cannot be read" : reason),
  "export.working": ({ versions, bytes }) => `exporting: ${versions} versions, ${bytes}`,
  "export.done": (f) =>
    [
      `${f.dir}: ${f.versions} versions, ${f.zips} with zip; ${f.written} files written (${f.bytes}), ${f.same} were there.`,
      ...(f.interrupted ? ["Stopped before the end. The next export goes on from here."] : []),
      `Use it:    GOPROXY=${f.url}`,
    ].join("\n"),
  "export.left-out": ({ count }) => `${count} left out:`,
  "export.why": ({ why, reason }) => (why === "damaged" ? `damaged: ${reason}` : `cannot be proven: ${reason}`),
  "export.missing": ({ count }) => `${count} not kept here:`,
  "command.store.snapshot": () => "Copy what changed in the store into a folder of snapshots, beside a server.",
  "command.store.snapshots": () => "List the snapshots in a folder.",
  "command.store.restore": () => "Put a snapshot back; what the store has committed stays.",
  "command.store.defrag": () => "Remove empty folders and leftovers of processes and commits that came to no end.",
  "flag.move-to": () => "copy the store to `s3`, the bucket of the settings, or to `disk`, the directory of --store",
  "flag.move-rate": () => "bytes read a second, for example 20MB; no limit without it",
  "flag.move-jobs": () => "versions at a time, 1 to 64; without it, 8",
  "flag.move-no-verify": () => "do not read back what was written",
  "flag.move-deep": () => "read back what was there before too, and mend what is damaged there",
  "flag.move-hand-over": () => "the last run, without a server: then --store holds this node's copies of the bucket",
  "flag.snapshot-deep": () => "read everything again, also what looks unchanged, and what the folder has",
  "flag.snapshot-keep": () => "keep the newest N snapshots, remove older ones and what only they need",
  "flag.restore-snapshot": () => "which snapshot; without it the newest",
  "flag.restore-dry": () => "say what would be restored, change nothing",
  "flag.restore-state": () => "also replace tokens, pins and other state files that the store has",
  "flag.defrag-dry": () => "say what would be removed, change nothing",
  "snapshot.copying": ({ files, bytes, unchanged }) => `${files} files read, ${bytes}; ${unchanged} unchanged`,
  "snapshot.taken": (f) =>
    [
      `snapshot   ${f.id} in ${f.dir}`,
      `holds      ${f.versions} versions, ${f.files} files, ${f.bytes}`,
      `read       ${f.read}; unchanged ${f.unchanged}`,
      `written    ${f.written} in ${f.time}`,
      ...f.logs.map(({ name, size }) => `own log    ${name}, ${size} records`),
    ].join("\n"),
  "snapshot.pruned": ({ snapshots, objects, bytes }) =>
    `removed    ${snapshots} snapshots, ${objects} objects, ${bytes}`,
  "snapshot.unpruned": ({ problem }) => `Nothing was removed but snapshots: ${problem}. Remove that snapshot's file.`,
  "snapshot.finding": ({ is }) =>
    ({ missing: "left out", asBefore: "as in the snapshot before", index: "damaged snapshot" })[is],
  "snapshot.findings": ({ findings }) =>
    `${findings} findings. What the store has of them is damaged: granary store verify. Everything else is in the snapshot.`,
  "snapshots.none": ({ dir }) => `There are no snapshots in ${dir}.`,
  "snapshots.columns": () => "ID\tTAKEN (UTC)\tVERSIONS\tFILES\tSIZE\tFINDINGS",
  "snapshots.damaged": ({ problem }) => `damaged: ${problem}`,
  "restore.writing": ({ files, bytes, same }) => `${files} files restored, ${bytes}; ${same} there already`,
  "restore.done": (f) =>
    [
      `snapshot   ${f.id}, ${f.versions} versions`,
      `store      ${f.store}`,
      `${f.isDry ? "would restore " : "restored   "}${f.files} files, ${f.bytes}${f.isDry ? "" : ` in ${f.time}`}; there already: ${f.same}`,
    ].join("\n"),
  "restore.log": ({ name, is, size, isDry }) =>
    `own log    ${name}: ${
      is === "failed"
        ? "not restored"
        : is === "kept"
          ? `the store's own has more than the ${size} records of the snapshot and stays`
          : `${size} records${isDry ? " would be there" : ""}`
    }`,
  "restore.forgotten": ({ name, size }) =>
    `Nothing is remembered beside the key of ${name}. If it has ever signed more than ${size} records, do not start the server.`,
  "restore.finding": ({ is }) => ({ otherBytes: "other bytes are committed", damaged: "damaged in the snapshot" })[is],
  "restore.findings": ({ findings }) =>
    `${findings} findings. These were not touched: the store keeps what it has committed, and the snapshot's damage was not copied.`,
  "restore.next": () => "Next: granary store verify",
  "defrag.done": (f) =>
    [
      `store                ${f.store}`,
      `unfinished commits   ${f.uncommitted}`,
      `temporary files      ${f.temps}`,
      `empty folders        ${f.folders}`,
      `index                ${f.index}`,
      f.isDry ? "Nothing was removed. Without --dry-run it is." : "Removed.",
    ].join("\n"),
  "defrag.heap": ({ count, bytes }) => `${count} files, ${bytes}`,
  "defrag.waiting": ({ count, bytes }) =>
    `${count} files of unfinished commits (${bytes}) stay while a server has the store: stop it, and run this again.`,
  "held.done": ({ what, isNew }) =>
    isNew ? `${what} is held back: running servers refuse it within seconds.` : `${what} is held back already.`,
  "held.freed": ({ what }) => `${what} is free again.`,
  "held.none": () => "No version is held back.",
  "held.columns": () => "VERSION\tSINCE\tREASON",
  "quarantine.none": () => "Nothing is in quarantine.",
  "quarantine.columns": () => "ID\tMODULE\tUPSTREAM\tSIZE\tSINCE\tREASON",
  "quarantine.released": ({ what }) => `${what} was verified anew and is kept.`,
  "command.hashes.repacked": () => "Let an evicted version come back in another zip, with the same files.",
  "hashes.repacked": ({ what }) => `${what}: the next zip with the same h1 is accepted.`,
  "hashes.none": () => "No hash is pinned.",
  "hashes.forgotten": ({ what, count }) => `${what}: ${count} pinned hashes forgotten. The next bytes seen are pinned.`,
  "sumdb.key": ({ name, verifierKey, file }) =>
    `Signer key: ${file}. Keep it secret, and keep a copy: it is the database.\nClients trust ${name} by its verifier key:\n\n  ${verifierKey}\n\nNext: granary serve --sumlog-key ${file}`,
  "sumdb.client": ({ verifierKey, proxy, patterns }) =>
    `go env -w GOPROXY=${proxy}\ngo env -w GOSUMDB=${verifierKey}\ngo env -u GONOSUMDB GOPRIVATE\n\n${
      patterns === ""
        ? "Public modules and toolchains are verified by this database as well."
        : `Private modules (${patterns}), public ones and toolchains are all verified by this database.`
    }\nClients that name the private modules in GOPRIVATE would neither ask this server nor verify them.`,
  "sumdb.fsck": ({ name, size, tiles, problems }) =>
    `${name}: ${size} records, ${tiles} full tiles, ${problems === 0 ? "all sound" : `${problems} problems`}`,
  "token.added": ({ id, scope, text }) =>
    `${text}\n\nToken ${id} (${scope}). It is shown this once; keep it like a password.`,
  "token.none": () => "There is no token.",
  "token.revoked": ({ id }) => `Token ${id} is revoked.`,
  "upstream.columns": () => "NAME\tCONDITION\tLEVEL\tP50\tP95\tERRORS\tLAST PROBE",
  "upstream.active": ({ level }) => `${level} active`,
  "upstream.role": ({ role }) => role,
  "upstream.condition": ({ condition }) => condition,
  "upstream.probed": ({ ok, ms, reason }) => (ok ? `answered in ${ms}` : reason),
  "upstream.none": () => "No upstream is configured: only what is kept is served.",
  "upstream.all-well": ({ active }) => `All can be asked; ${active} is asked first.`,
  "upstream.some-away": ({ active, away }) => `${active} is asked first; not asked now: ${away.join(", ")}.`,
  "upstream.all-away": () => "None can be asked now: only what is kept is served.",
  "upstream.all-disabled": ({ name }) =>
    `All are disabled: only what is kept is served. Enable one: granary upstream enable ${name}`,
  "upstream.disabled": ({ name }) => `${name} is asked no more, until it is enabled: a restart does not change that.`,
  "upstream.enabled": ({ name }) => `${name} is asked again.`,
  "upstream.answered": ({ answered, asked }) => `${answered} of ${asked} answered.`,
  "jobs.columns": () => "ID\tSTATE\tTRIES\tWHEN\tWHAT",
  "jobs.state": ({ state }) => state,
  "jobs.none": () => "Nothing is waiting to be tried again, and nothing was given up.",
  "jobs.busy": ({ busy }) => `In the queue: ${busy}. They are tried again by themselves; nothing is to be done.`,
  "jobs.dead": ({ dead, busy }) =>
    `Given up: ${dead}; tried again by themselves: ${busy}.\nNext: granary jobs retry ID, or granary jobs drop ID`,
  "jobs.retried": ({ id }) => `${id} is tried now; granary jobs shows how it ends.`,
  "jobs.dropped": ({ id }) => `${id} is forgotten.`,
};
