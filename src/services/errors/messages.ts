// Every sentence of the program that is no failure, in both languages, by key. To add one: a line in `Messages` and
// one in each language file; the compiler names what is missing.

export type None = Readonly<Record<string, never>>;

/** Keys and what each sentence needs to know. */
export type Messages = {
  "cli.about": None;
  "cli.usage": None;
  "cli.example": None;
  "cli.commands": None;
  "cli.arguments": None;
  "cli.options": None;
  "cli.more": None;
  "cli.default": { readonly value: string };
  "cli.repeatable": None;
  "group.server": None;
  "group.upstreams": None;
  "group.trust": None;
  "group.logs": None;
  "group.tls": None;
  "group.files": None;
  "group.output": None;
  "flag.config": None;
  "flag.profile": None;
  "flag.json": None;
  "flag.origin": None;
  "flag.lang": None;
  "flag.help": None;
  "flag.version": None;
  "flag.scope": None;
  "flag.note": None;
  "command.serve": None;
  "command.config": None;
  "command.config.print": None;
  "command.explain": None;
  "command.store": None;
  "command.store.stats": None;
  "command.store.verify": None;
  "command.quarantine": None;
  "command.quarantine.list": None;
  "command.quarantine.show": None;
  "command.quarantine.release": None;
  "command.hashes": None;
  "command.hashes.list": None;
  "command.hashes.forget": None;
  "command.token": None;
  "command.token.add": None;
  "command.token.list": None;
  "command.token.revoke": None;
  "command.conformance": None;
  "command.help": None;
  "usage.missing": { readonly argument: string };
  "usage.excess": { readonly command: string };
  "usage.flag-value": { readonly flag: string };
  "usage.subcommand": { readonly command: string };
  "explain.cause": None;
  "explain.remedy": None;
  "explain.request": { readonly id: string; readonly at: string; readonly target: string };
  "store.stats": {
    readonly dir: string;
    readonly modules: string;
    readonly versions: string;
    readonly zips: string;
    readonly records: string;
    readonly bytes: string;
  };
  "store.verifying": { readonly checked: string; readonly bytes: string };
  "store.sound": { readonly checked: string; readonly bytes: string };
  "store.damaged": { readonly checked: string; readonly findings: string };
  "quarantine.none": None;
  "quarantine.columns": None;
  "quarantine.released": { readonly what: string };
  "hashes.none": None;
  "hashes.forgotten": { readonly what: string; readonly count: string };
  "token.added": { readonly id: string; readonly scope: string; readonly text: string };
  "token.none": None;
  "token.revoked": { readonly id: string };
};

export type MessageKey = keyof Messages;

/** One language's sentences. */
export type MessageTable = { readonly [K in MessageKey]: (fields: Messages[K]) => string };
