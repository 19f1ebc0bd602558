// English, for the command line: settings, start-up, tools.

import type { StartCode } from "./codes.ts";
import type { Sentences } from "./sentences.ts";

const nearest = (word: string | undefined): string => (word === undefined ? "" : `Did you mean ${word}?`);

const notWrittenEn = {
  "no-go": () => "there is no go on PATH, and only go knows where its file is",
  refused: (detail: string) => `go refuses. ${detail}`,
  off: () => "GOENV=off tells go to keep no file",
  nowhere: () => "HOME is not set, so go has no file",
  marks: () => "one of the lines `# >>> granary >>>` and `# <<< granary <<<` stands there without the other",
  changed: (detail: string) =>
    `somebody changed it since${detail === "" ? "" : `; what it was before is in ${detail}`}`,
  unwritable: (detail: string) => detail,
} as const;

export const enStart = {
  GRANARY_BAD_FLAG: {
    lines: (f) => [`${f.flag} does not take "${f.value}".`, `Accepted: ${f.accepted}`],
    cause: "The value of a command-line flag does not have the accepted form.",
    remedy: "Correct the value; `granary serve --help` lists the forms, docs/config.md explains them.",
  },
  GRANARY_UNKNOWN_FLAG: {
    lines: (f) => [`${f.command} has no flag ${f.flag}.`, nearest(f.nearest), `All flags: ${f.command} --help`],
    cause: "The command does not know the flag.",
    remedy: "Correct the spelling, or look it up with --help.",
  },
  GRANARY_UNKNOWN_COMMAND: {
    lines: (f) => [`there is no command "${f.command}".`, nearest(f.nearest), "All commands: granary help"],
    cause: "Granary does not know the command.",
    remedy: "Correct the spelling, or look it up with `granary help`.",
  },
  GRANARY_BAD_USAGE: {
    lines: (f) => [f.reason, `Usage: ${f.usage}`],
    cause: "An argument is missing, or there is one too many.",
    remedy: "Call the command as its usage line shows.",
  },
  GRANARY_BAD_CONFIG: {
    lines: (f) => [`${f.key} does not take "${f.value}" (${f.origin}).`, `Accepted: ${f.accepted}`],
    cause: "A value in the configuration file or in the environment does not have the accepted form.",
    remedy: "Correct the value where it is set; docs/config.md explains each setting.",
  },
  GRANARY_UNKNOWN_SETTING: {
    lines: (f) => [
      `there is no setting ${f.key} (${f.origin}).`,
      nearest(f.nearest),
      "All settings: docs/config.md, or granary config print",
    ],
    cause:
      "The configuration holds a key that Granary does not know. It is refused, because a misspelt setting would silently not apply.",
    remedy: "Correct the spelling, or remove the key.",
  },
  GRANARY_CONFIG_UNREADABLE: {
    lines: (f) => [
      `the configuration file ${f.file} cannot be read.`,
      f.reason,
      "Correct it, or start without --config.",
    ],
    cause: "The file is missing, not readable, or not valid YAML.",
    remedy: "Check the path and the permissions; for YAML the message names line and column.",
  },
  GRANARY_CONFIG_VARIABLE: {
    lines: (f) => [
      `${f.key} uses \${${f.variable}}, which is not set (${f.origin}).`,
      `Set ${f.variable} before the start, or write $\${ for a plain \${.`,
    ],
    cause:
      "A value in the configuration file refers to an environment variable that does not exist. An empty string would be a guess.",
    remedy: "Set the variable, or write the value into the file.",
  },
  GRANARY_SECRET_UNREADABLE: {
    lines: (f) => [
      `the secret of ${f.key} cannot be read: ${f.reference} (${f.origin}).`,
      "Accepted: file:/path/to/file or env:NAME",
    ],
    cause: "A secret is referred to by file: or env:, and that file or variable is not there.",
    remedy: "Check the path, its permissions, or the variable's name.",
  },
  GRANARY_NEEDS_RESTART: {
    lines: (f) => [
      `a changed ${f.keys.join(", ")} needs a restart.`,
      "The changed file was refused whole; the server goes on with what it had.",
    ],
    cause: "Some settings (addresses, the store, worker processes) are fixed when the server starts.",
    remedy: "Restart the server, or take that change back.",
  },
  GRANARY_PORT_TAKEN: {
    lines: (f) => [`port ${f.port} on ${f.host} is taken.`, `Use another port: granary serve --listen ${f.host}:0`],
    cause: "Another program listens on the address already, perhaps another Granary.",
    remedy: "Stop that program, or choose another port; port 0 takes any free one.",
  },
  GRANARY_LISTEN_FAILED: {
    lines: (f) => [
      `${f.address} cannot be listened on.`,
      f.reason,
      "Use an address of this machine: granary serve --listen 127.0.0.1:8080",
    ],
    cause: "The address does not belong to this machine, or the port needs more rights (below 1024).",
    remedy: "Choose an address and a port that this user may open.",
  },
  GRANARY_STORE_UNWRITABLE: {
    lines: (f) => [
      `the store ${f.dir} cannot be written.`,
      f.reason,
      "Give this user the directory, or choose another: granary serve --store DIR",
    ],
    cause: "The store's directory cannot be created or written by the user that runs Granary.",
    remedy: "Correct owner and permissions, or use another directory.",
  },
  GRANARY_STORE_TOO_NEW: {
    lines: (f) => [
      `the store ${f.dir} has layout ${f.found}; this Granary knows layouts up to ${f.supported}.`,
      "It was left as it is. Use the newer Granary, or another directory: granary serve --store DIR",
    ],
    cause: "A newer Granary has written this store.",
    remedy: "Start that newer version. An older one could misread what it finds.",
  },
  GRANARY_STORE_LOCKED: {
    lines: (f) => [
      `the store ${f.dir} is in use by ${f.holder}.`,
      "Stop that process, or use another directory: granary serve --store DIR",
    ],
    cause: "One process owns a store's writes; another one holds it.",
    remedy: "Use --workers for more processes on one store.",
  },
  GRANARY_SHARED_STORE_AWAY: {
    lines: (f) => [
      `the shared store ${f.bucket} at ${f.endpoint} does not answer.`,
      f.reason,
      `Nothing was changed. Look at the service and the network to it, then run: granary store check --s3 ${f.bucket}`,
    ],
    cause: "The S3 service is down, out of reach, or silent. Only a running server goes on without it.",
    remedy: "Bring the service back, or correct s3.endpoint (--s3-endpoint).",
  },
  GRANARY_STORE_NOT_FREE: {
    lines: (f) => [
      f.of === ""
        ? `${f.dir} is a store by itself; it cannot hold this node's copies of ${f.bucket}.`
        : `${f.dir} has copies of ${f.of}, not of ${f.bucket}.`,
      "Copies leave when room is needed, so they need a directory of their own: --store DIR",
    ],
    cause: "With s3.bucket, --store names a directory for copies, which may lose any of them at any time.",
    remedy: "Name another directory, or remove this one if nothing in it is needed.",
  },
  GRANARY_STORE_IS_COPY: {
    lines: (f) => [
      `${f.dir} has a node's copies of the shared store ${f.bucket}, and is no store by itself.`,
      `Name the bucket (--s3 ${f.bucket}), or another directory.`,
    ],
    cause: "The directory was used with s3.bucket. What is in it is a part of what the bucket has.",
    remedy: "Set s3.bucket (--s3) as before.",
  },
  GRANARY_NOT_WITH_SHARED_STORE: {
    lines: (f) => [`${f.what} does not work with a shared store (s3.bucket).`, f.because, f.instead],
    cause: "It would need to be alone on the store, or read copies that may leave at any time.",
    remedy: "See docs/tiers.md.",
  },
  GRANARY_NO_STORE: {
    lines: (f) => [
      `there is no store in ${f.dir}.`,
      "Nothing was done. Is its disk mounted? Name the store with --store DIR.",
    ],
    cause: "The directory has no granary.json, which every store has. An empty mount point looks like that.",
    remedy: "Mount the disk, or correct --store. A server makes a new store when it starts; this command never does.",
  },
  GRANARY_SNAPSHOTS_UNUSABLE: {
    lines: (f) => [
      `${f.dir} cannot be used for snapshots.`,
      f.reason,
      "Name an empty or new directory, or one that `granary store snapshot` has filled.",
    ],
    cause:
      "Snapshots have a directory of their own, outside the store; it is written by one process at a time, and holds nothing else.",
    remedy: "Check the path, its permissions, and that no other snapshot is being taken there.",
  },
  GRANARY_RESTORE_LOG_BEHIND: {
    lines: (f) => [
      `the own checksum database ${f.database} was not restored: the snapshot is older than what its key has signed.`,
      `The snapshot has ${f.found} records; the key has signed ${f.signed}, and clients have seen that.`,
      "Restore a newer snapshot. If there is none, its records are lost: go on under a new name and key (granary sumdb keygen).",
    ],
    cause:
      "The newest head that the key has signed is remembered beside the key. A log that goes on from an older one would contradict what clients remember, and they would refuse it for ever.",
    remedy:
      "Take the newest snapshot or copy of state/sumlog there is. Never remove the remembered head to get around this. Everything else was restored.",
  },
  GRANARY_RESTORE_LOG_FORK: {
    lines: (f) => [
      `the own checksum database ${f.database} was not restored: the snapshot has another log.`,
      f.reason,
      "Keep both as they are and find out which of them clients have seen: granary sumdb fsck",
    ],
    cause: "Two logs were begun under one name and key, or one of them went on from an older copy.",
    remedy:
      "The log that clients have seen is the one to keep. When both were seen, go on under a new name and key (granary sumdb keygen). Everything else was restored.",
  },
  GRANARY_RESTORE_LOG_KEYLESS: {
    lines: (f) => [
      `the own checksum database ${f.database} was not restored: its key was not given.`,
      "Only beside the key is it remembered what it has signed, and nothing older may be restored.",
      "Once more, with the key: granary store restore DIR --sumlog-key FILE",
    ],
    cause: "`sumlog.key` is not set, or is the key of another database.",
    remedy: "Set sumlog.key as the server has it, and run the command again; it only adds what is missing.",
  },
  GRANARY_RESTORE_LOG_UNSOUND: {
    lines: (f) => [
      `the own checksum database ${f.database} was not restored: it is not sound.`,
      f.reason,
      "Restore another snapshot: granary store snapshots DIR",
    ],
    cause: "The log of the snapshot, or the longer one of the store, does not open: files are lost or damaged.",
    remedy: "Look at the store's with `granary sumdb fsck`, and try another snapshot. Everything else was restored.",
  },
  GRANARY_PRIVATE_EXPOSED: {
    lines: (f) => [
      `${f.listen} is open to the network, and private modules (${f.patterns}) would be readable by anyone.`,
      "Make a token: granary token add --scope read",
      "Or listen on 127.0.0.1 only. If everybody may read them: --private-readers anyone",
    ],
    cause: "Private patterns are set, the server listens beyond this machine, and no read token exists.",
    remedy:
      "Create a read token and serve over TLS; or listen on the loopback address; or say explicitly that anyone may read.",
  },
  GRANARY_READERS_UNKNOWN: {
    lines: (f) => [
      `${f.listen} is open to the network, and who may read private modules (${f.patterns}) cannot be found out now.`,
      `The store with the tokens does not answer: ${f.reason}`,
      "Start again when it does. Until then: listen on 127.0.0.1, or leave private modules away.",
    ],
    cause:
      "Private patterns are set, the server listens beyond this machine, and the store that has the tokens is away. Without them the server would not know whether anybody needs one.",
    remedy: "Bring the store back (granary store check), and let a supervisor start the server again.",
  },
  GRANARY_COMPAT_REFUSED: {
    lines: (f) => [
      `${f.key} (${f.origin}) cannot be taken over from Athens.`,
      `${f.reason}.`,
      f.more === 0
        ? "All settings, with what becomes of each: granary compat athens"
        : `${f.more} more; all settings, with what becomes of each: granary compat athens`,
    ],
    cause:
      "A setting of Athens closes something, or changes what clients get, and nothing of Granary does the same by itself. Started without it, the server would do what nobody asked for.",
    remedy:
      "Do what the message says with a setting of Granary's own (it then stands in its place), or take the setting out.",
  },
  GRANARY_EGRESS_UNSET: {
    lines: (f) => [
      "Nobody said how connections to upstreams leave, and egressStrict is on.",
      `egressStrict: ${f.origin}`,
      "Write one of these: egress: direct | env | http://proxy.example:3128",
      "A URL with credentials: egress: file:/run/secrets/egress, or the variable GRANARY_EGRESS.",
    ],
    cause: "With egressStrict on there is no implied way out: egress must be set in the file or as GRANARY_EGRESS.",
    remedy: "Set egress to direct, to env (HTTP_PROXY, HTTPS_PROXY, NO_PROXY), or to the URL of your proxy.",
  },
  GRANARY_NOT_A_DATABASE: {
    lines: (f) => [
      `${f.dir} is not this checksum database's folder.`,
      f.reason,
      "Name a folder with key, latest, index and tree, or fill an empty one: granary sumdb preload --db DIR --range MODULE@VERSION",
    ],
    cause: "The folder lacks the database's verifier key, the key is damaged, or it is another database's folder.",
    remedy: "Copy the folder again from where it was filled, or choose another one. One folder holds one database.",
  },
  GRANARY_AGENT_EXPOSED: {
    lines: (f) => [
      `${f.listen} is open to the network; whoever reaches it would act with this agent's certificate or token.`,
      "Listen on this machine only: --listen 127.0.0.1:3128",
      "If others are meant to use it, say so: --expose",
    ],
    cause: "The agent adds a credential to every request it takes, so it takes them from its own machine only.",
    remedy: "Run one agent per developer on the loopback address. Containers reach it with --network host.",
  },
  GRANARY_FILE_EXISTS: {
    lines: (f) => [
      `${f.file} is there, and not of our making.`,
      "It was left as it is. Move it away, or copy what setup prints without --install.",
    ],
    cause: "A file of that name was written by somebody else or changed by hand; replacing it could lose work.",
    remedy: "Compare both, then move the old one away and run the command again.",
  },
  GRANARY_TLS_UNREADABLE: {
    lines: (f) => [
      `${f.file} cannot be used for TLS.`,
      f.reason,
      "Give a PEM certificate chain to --tls-cert and its key to --tls-key.",
    ],
    cause: "The certificate or the key is missing, not readable, not PEM, or they do not belong together.",
    remedy: "Check both files with the program that made them.",
  },
  GRANARY_TOKENS_UNREADABLE: {
    lines: (f) => [
      `the token file ${f.file} cannot be used.`,
      f.reason,
      "Correct it, or make a new one: granary token add",
    ],
    cause: "The file that holds the tokens' hashes is not readable or was changed by hand.",
    remedy: "Restore it, or remove it and issue new tokens.",
  },
  GRANARY_NO_SUCH_ID: {
    lines: (f) => [
      `there is no ${f.kind} ${f.id} here.`,
      nearest(f.nearest),
      "The matching list command shows what there is; request ids are kept for a limited time.",
    ],
    cause: "The id is misspelt, or what it named is gone.",
    remedy:
      "List what there is: granary token list, granary store quarantine list, granary store hashes list, granary store snapshots DIR, granary upstream status, granary jobs, granary pin list.",
  },
  GRANARY_TARGET_UNREACHABLE: {
    lines: (f) => [`${f.url} does not answer.`, f.reason, "Check the URL, and that the server runs."],
    cause: "The server named on the command line cannot be reached.",
    remedy: "Start it, or correct the URL.",
  },
  GRANARY_TRUSTED_UNREADABLE: {
    lines: (f) => [
      `${f.file} is no trusted file: line ${f.line} is ${f.found === "" ? "empty or missing" : f.found}`,
      `There must stand: ${f.accepted}`,
      "Write the file anew: granary sumdb pin > trusted.sumdb",
    ],
    cause: "The file was cut, edited or not written by `granary sumdb pin`. Nothing of it was looked at.",
    remedy:
      "Take an untouched copy, or pin again where the heads are known to be right. docs/sumdb-heads.md shows the form.",
  },
  GRANARY_INPUT_UNREADABLE: {
    lines: (f) => [`${f.place} cannot be used.`, f.reason, "Correct it, or name another file with --from."],
    cause: "The file that the command was told to read is missing, not readable, too large, or not of its kind.",
    remedy: "Check the path; for text the message names the line. docs/prewarm.md lists what may be named.",
  },
  GRANARY_NOT_PUBLISHABLE: {
    lines: (f) => [
      `${f.what} is no module version that can be published: ${f.reason}`,
      "Nothing was sent. With --dry-run the command shows what would be.",
    ],
    cause: "The tag, the go.mod or the files do not make a module version that the go command would take.",
    remedy:
      "Versions are tags like v1.2.3 or sub/v1.2.3 in a repository that has fetched its tags (git fetch --tags); the go.mod there says the module path. docs/publishing.md has the rules.",
  },
  GRANARY_GO_MISSING: {
    lines: (f) => [
      `${f.what} runs the go command, and there is none on PATH.`,
      "Install Go, or add its bin folder to PATH.",
    ],
    cause: "What go does is measured with go itself. No program `go` is on the PATH of this shell.",
    remedy: "Install Go (https://go.dev/dl/), or: export PATH=$PATH:/usr/local/go/bin. Then run the command again.",
  },
  GRANARY_GIT_FAILED: {
    lines: (f) => [`${f.command} failed: ${f.reason}`, "Nothing was sent."],
    cause: "git is not installed, the folder is no repository, or the repository is damaged or not whole.",
    remedy: "Run it in a work tree, or name one with --repo. A clone without all its objects needs a git fetch first.",
  },
  GRANARY_ENV_NOT_WRITTEN: {
    lines: (f) => [`${f.what} was not written: ${notWrittenEn[f.because](f.detail)}`, "Nothing was changed."],
    cause: "go is missing or refuses, GOENV=off, the file is not what the command left, or it cannot be written.",
    remedy: "Put go on PATH, or use --scope session, which only prints lines. A changed file is put right by hand.",
  },
  GRANARY_CANNOT_RUN: {
    lines: (f) => [`${f.program} cannot be run: ${f.reason}`, "Nothing else was tried."],
    cause: "The program is not on PATH, may not be executed, or that version of it is not to be had here.",
    remedy: "Install it, or see that it is on the PATH of this shell, then run the command again.",
  },
  GRANARY_STOPPED: {
    lines: () => ["the command was told to stop.", "What it had done by then is done; run it again to go on."],
    cause: "Ctrl-C, or a signal to end.",
    remedy: "Run the command again: it goes on with what is left.",
  },
  GRANARY_LAYOUT_OLD: {
    lines: (f) => [
      `${f.dir} has layout ${f.found}, which knows no evictions.`,
      "Bring it up to date, beside a running server if there is one:",
      "granary store migrate",
    ],
    cause: "An older Granary made the store. It would take an evicted version for a damaged one.",
    remedy: "Run `granary store migrate` once. Older Granaries do not open the store after that.",
  },
  GRANARY_INDEX_UNAVAILABLE: {
    lines: (f) => [
      "the index over the store cannot be asked now.",
      f.reason,
      "Nothing was done by it. Run the command again when it is back; servers go on meanwhile.",
    ],
    cause: "The index lies in PostgreSQL (`postgres.url`), which is out of reach, refuses us, or takes no writes.",
    remedy:
      "Look at PostgreSQL and at `postgres.url`. docs/postgres.md lists what each reason means, and the rights needed.",
  },
  GRANARY_GC_SHARED: {
    lines: (f) => [
      `several nodes may share the bucket ${f.bucket}, and only this node's own uses are known here.`,
      "What the other nodes need could leave. Set postgres.url on every node, or, if this is the only one:",
      "granary store gc --own-uses-only",
    ],
    cause: "Without PostgreSQL each node has an index of its own, which counts only what that node was asked for.",
    remedy:
      "Set `postgres.url` to the same database on every node, or say `--own-uses-only` when no other node uses the bucket.",
  },
  GRANARY_DONE_ELSEWHERE: {
    lines: (f) => [
      `another node does this work over the same store now: ${f.work}.`,
      "Nothing was done here. Run the command again later.",
    ],
    cause: "Nodes that share an index in PostgreSQL make room, read through and rebuild one at a time.",
    remedy: "Wait until the other one is done. A node that died gives its turn back when its connection ends.",
  },
  GRANARY_NOT_COMMITTED: {
    lines: (f) => [
      `${f.what} never had these bytes here.`,
      `asked for   ${f.asked}`,
      `committed   ${f.committed ?? "nothing"}`,
      "A version keeps the bytes it was first committed with; no others can be put in their place.",
    ],
    cause: "The sha256 is not that of the zip that was first kept for this version, or no zip was kept.",
    remedy: "`granary store rollback` takes the committed sha256, as the zip's manifest names it.",
  },
  GRANARY_NO_COPY: {
    lines: (f) => [
      `nobody here has the bytes of ${f.what}.`,
      `sha256 ${f.sha256}`,
      "Give a file that has them with --from, restore a backup, or ask a running server for the version: it fetches it.",
    ],
    cause: "The version was evicted or damaged, and no copy is in quarantine or was named.",
    remedy: "Fetch it through a running server, or give its zip with --from; other bytes are refused.",
  },
  GRANARY_SERVER_REFUSED: {
    lines: (f) => [
      `${f.url} answered ${f.status}.`,
      f.said,
      "With a token of scope write, kept in a file or a variable: --token file:/path or --token env:NAME",
    ],
    cause: "The running server refused what the command asked of it, or is no Granary of this version.",
    remedy:
      "Commands that change something need a write token (granary token add --scope write); lists that may name private modules need a read token, unless the server is on this machine.",
  },
} as const satisfies Sentences<StartCode>;
