// `granary env explain` and `provenance` for scripts: the same data as the text, passwords hidden.

import type { Hop } from "#services/environment/chain.ts";
import type { ExplainedHop, Explanation } from "#services/environment/explain.ts";
import type { Placed, Settings } from "#services/environment/settings.ts";
import type { FileSeen, Surroundings } from "#services/environment/surroundings.ts";
import { withoutCredentials } from "#services/findings/redact.ts";

/** `granary.env-explain/1` */
export function explanationJson(it: Explanation): object {
  const { settings, module, version, command, isPrivate, rounds, chain, hops, sums, trust, isVendored, isOff, leaks } =
    it;
  return {
    go: settings.version,
    goFrom: settings.versionFrom,
    module,
    version,
    command,
    private: isPrivate,
    rounds,
    chain:
      chain.kind === "refused"
        ? { refused: withoutCredentials(chain.sentence) }
        : { unread: withoutCredentials(chain.unread) },
    hops: hops.map(hopJson),
    sums: sums === undefined ? undefined : hidden(sums.outcome),
    trust,
    modVendor: isVendored,
    modulesOff: isOff,
    leaks,
  };
}

function hopJson({ hop, isAsked, after, via, credentials, asksTwice }: ExplainedHop): object {
  return {
    ...hopFields(hop),
    asked: isAsked,
    after,
    via: via === undefined ? undefined : withoutCredentials(via),
    credentials,
    asksTwice,
  };
}

/** A hop without its password. */
export function hopFields(hop: Hop): object {
  return hop.kind === "proxy" ? { ...hop, url: withoutCredentials(hop.url) } : hop;
}

/** `granary.env-provenance/1` */
export function provenanceJson({
  settings,
  surroundings,
}: {
  readonly settings: Settings;
  readonly surroundings: Surroundings;
}): object {
  const variables = Object.values(settings.all).map(({ name, value, place, shadowed }) => ({
    name,
    ...placedJson({ value, place }),
    shadowed: shadowed.map(placedJson),
  }));
  return {
    go: settings.version,
    goFrom: settings.versionFrom,
    goroot: surroundings.go?.goroot,
    userFile: fileJson(surroundings.userFile),
    variables,
  };
}

function placedJson({ value, place }: Placed): object {
  return { value: withoutCredentials(value), place };
}

/** Where a file is and whether it could be read; not what is in it. */
function fileJson(file: FileSeen): object {
  return file.kind === "text" ? { kind: file.kind, path: file.path } : file;
}

/** Data with every text in it redacted. */
function hidden<T>(data: T): T {
  return JSON.parse(JSON.stringify(data), (_, value: unknown) =>
    typeof value === "string" ? withoutCredentials(value) : value,
  ) as T;
}
