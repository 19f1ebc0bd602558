// Every request that a go command makes for one module, in order, and how it ends: the model whole, against a world in
// which each hop's answers are given. `env simulate MODULE@VERSION` shows it; test/go/env-model.test.ts holds it against
// real go commands. Source: cmd/go modfetch TryProxies, repo.go, sumdb.go; modload/query.go; protocol reference §2.4–§2.6, §5.

import { matchPrefixPatterns } from "#protocol/pattern.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { parseGosumdb } from "#protocol/gosumdb.ts";
import { escapePath, parsePath } from "#protocol/path.ts";
import { escapeVersion } from "#protocol/version.ts";
import { chainOf } from "./chain.ts";
import type { Hop } from "./chain.ts";
import { decideSums } from "./explain.ts";
import { faultSentence, flagValue, parseGoFlags } from "./go-flags.ts";
import { knows } from "./go-versions.ts";
import { reactionTo } from "./happenings.ts";
import type { Happening, Operation, Reaction } from "./happenings.ts";
import { valueOf } from "./settings.ts";
import type { Settings } from "./settings.ts";
import { hopsFor, walk } from "./walk.ts";
import type { VariableName } from "./variables.ts";

export type PredictedRequest =
  /** A file of the protocol below a hop: `https://goproxy.cn` and `/example.com/m/@v/list`. */
  | { readonly kind: "file"; readonly base: string; readonly path: string }
  /** The module's repository, found at `https://MODULE?go-get=1` or known from its path. */
  | { readonly kind: "repository"; readonly module: string }
  /** Whether a hop relays the checksum database. */
  | { readonly kind: "supported"; readonly base: string; readonly path: string }
  /** The record of the version; tiles and heads follow at the same place. */
  | { readonly kind: "lookup"; readonly base: string; readonly path: string };

export type Ending = "found" | "not-found" | "error" | "hangs";

export type Prediction = {
  readonly requests: readonly PredictedRequest[];
  readonly ending: Ending;
  /** The setting that ends it before anything is asked; undefined when none does. */
  readonly refused: { readonly of: VariableName; readonly sentence: string } | undefined;
};

/** What answers. A repository that cannot be had is 404. */
export type PredictedWorld = {
  readonly hop: (base: string, path: string, operation: Operation) => Happening;
  readonly repository: (module: string) => Happening;
  readonly lookup: (base: string) => Happening;
};

export type Wanted = {
  readonly module: string;
  /** A canonical version. */
  readonly version: string;
  /** `go mod download M@V`, `go get M@V`, `go list -m -versions M`, `go list -m M@latest`. */
  readonly command: "download" | "get" | "versions" | "latest";
  /** Whether it is run below a go.mod. */
  readonly inModule: boolean;
};

export function predict(settings: Settings, wanted: Wanted, world: PredictedWorld): Prediction {
  const refused = refusalOf(settings, wanted);
  if (refused !== undefined) return { requests: [], ending: "error", refused };
  const patterns = valueOf(settings, "GONOPROXY");
  const chain = chainOf(valueOf(settings, "GOPROXY"), patterns, settings.version);
  if (chain.kind === "refused")
    return { requests: [], ending: "error", refused: { of: "GOPROXY", sentence: chain.sentence } };
  const run = new Run(settings, wanted, { hops: chain.hops, world });
  const ending = run.all();
  return { requests: run.requests, ending, refused: run.refused };
}

/** What stops the command before it looks at any list. */
function refusalOf(settings: Settings, { command, inModule }: Wanted): Prediction["refused"] {
  const flags = parseGoFlags(valueOf(settings, "GOFLAGS"));
  if (flags.fault !== undefined) return { of: "GOFLAGS", sentence: faultSentence(flags.fault) };
  const mode = valueOf(settings, "GO111MODULE");
  // `go mod download` wants modules wherever it is; the others take auto outside of one for off.
  if (mode === "off" || (mode === "auto" && !inModule && command !== "download"))
    return { of: "GO111MODULE", sentence: "modules disabled by GO111MODULE=off" };
  if (mode !== "" && mode !== "on" && mode !== "auto")
    return { of: "GO111MODULE", sentence: `unknown environment setting GO111MODULE=${mode}` };
  // `go mod download` and `go get` have no -mod flag, so what GOFLAGS says of it is passed over.
  if (command !== "download" && command !== "get" && flagValue(flags, "mod") === "vendor")
    return { of: "GOFLAGS", sentence: "module lookup disabled by -mod=vendor" };
  return undefined;
}

class Run {
  readonly requests: PredictedRequest[] = [];
  refused: Prediction["refused"] = undefined;
  readonly #settings: Settings;
  readonly #wanted: Wanted;
  readonly #hops: readonly Hop[];
  readonly #world: PredictedWorld;
  readonly #isPrivate: boolean;
  /** A running go command asks each hop for a list, a version's .info and a repository once. */
  readonly #known = new Map<string, Happening>();
  readonly #endings = new Map<string, Ending>();
  readonly #kept = new Set<string>();

  constructor(settings: Settings, wanted: Wanted, of: { hops: readonly Hop[]; world: PredictedWorld }) {
    this.#settings = settings;
    this.#wanted = wanted;
    this.#hops = of.hops;
    this.#world = of.world;
    this.#isPrivate = matchPrefixPatterns(valueOf(settings, "GONOPROXY"), wanted.module);
  }

  all(): Ending {
    const version = escapeVersion(this.#wanted.version);
    const info = (): Ending => this.#file(`@v/${version}.info`, "info");
    const zip = (): Ending => this.#file(`@v/${version}.zip`, "zip");
    switch (this.#wanted.command) {
      case "download":
        return inOrder([info, () => this.#verifiedMod(), zip]);
      case "get":
        // Then the newest version's go.mod is looked at for retractions, and a failure there is a warning.
        return inOrder([
          () => this.#prefixes(`@v/${version}.info`),
          () => this.#verifiedMod(),
          () => (this.#newest() === "hangs" ? "hangs" : "found"),
        ]);
      case "latest":
        // The go.mod tells whether the version was retracted; a failure to learn it is not told here.
        return inOrder([() => this.#newest(), () => (this.#verifiedMod() === "hangs" ? "hangs" : "found")]);
      case "versions":
        return this.#versions();
    }
  }

  /**
   * The module and every path above it, at once and at one hop: what is longest and found is taken. Whether a package
   * is in it the zip must tell, so that a zip that cannot be had, or does not verify, is a failure of that hop.
   */
  #prefixes(name: string): Ending {
    const { module } = this.#wanted;
    const elements = module.split("/");
    const above = elements
      .slice(1)
      .map((_, cut) => elements.slice(0, elements.length - 1 - cut).join("/"))
      .filter((path) => isModulePath(path));
    const paths = [module, ...above];
    const patterns = valueOf(this.#settings, "GONOPROXY");
    const asks = (path: string, hop: Hop): boolean => hopsFor(matchPrefixPatterns(patterns, path))(hop);
    const { outcome } = walk(
      this.#hops,
      (hop) => paths.some((path) => asks(path, hop)),
      (hop) => {
        const reactions = paths.map((path) => (asks(path, hop) ? this.#ask(hop, name, "info", path) : "absent"));
        if (reactions[0] === "found") return reactionOf(this.#once("zip", () => this.#verifiedZip()));
        return (["hangs", "failed"] as const).find((bad) => reactions.includes(bad)) ?? "absent";
      },
    );
    return outcome.kind;
  }

  /** The list and, at the same hop, whether what it names was retracted. */
  #versions(): Ending {
    const { outcome } = walk(this.#hops, hopsFor(this.#isPrivate), (hop) => {
      const reaction = this.#ask(hop, "@v/list", "list");
      if (reaction !== "found" || !this.#isListed(hop)) return reaction;
      return reactionOf(this.#once("retractions", () => inOrder([() => this.#newest(), () => this.#verifiedMod()])));
    });
    return outcome.kind;
  }

  /** go.mod is verified while the list is walked: a hop whose go.mod cannot be is a hop that failed. */
  #verifiedMod(): Ending {
    const name = `@v/${escapeVersion(this.#wanted.version)}.mod`;
    const { outcome } = walk(this.#hops, hopsFor(this.#isPrivate), (hop) => {
      const reaction = this.#ask(hop, name, "mod");
      if (reaction !== "found") return reaction;
      const sums = this.#once("sums", () => this.#sums());
      return sums === "found" || sums === "hangs" ? sums : "failed";
    });
    return outcome.kind;
  }

  #verifiedZip(): Ending {
    const name = `@v/${escapeVersion(this.#wanted.version)}.zip`;
    return inOrder([() => this.#file(name, "zip"), () => this.#once("sums", () => this.#sums())]);
  }

  #once(what: string, make: () => Ending): Ending {
    const ending = this.#endings.get(what) ?? make();
    this.#endings.set(what, ending);
    return ending;
  }

  /** `latest`: the list, and what is chosen from it, at one and the same hop. */
  #newest(): Ending {
    const version = escapeVersion(this.#wanted.version);
    const { outcome } = walk(this.#hops, hopsFor(this.#isPrivate), (hop) => {
      const reaction = this.#ask(hop, "@v/list", "list");
      if (reaction !== "found") return reaction;
      if (this.#isListed(hop)) return this.#ask(hop, `@v/${version}.info`, "info");
      // "No matching version" is not "not found": behind a comma it ends the search.
      const latest = this.#ask(hop, "@latest", "latest");
      return latest === "absent" ? "failed" : latest;
    });
    return outcome.kind;
  }

  #isListed(hop: Hop): boolean {
    return this.#known.get(keyOf(hop, `/${escapePath(parsePath(this.#wanted.module))}/@v/list`)) === 200;
  }

  #file(name: string, operation: Operation): Ending {
    return walk(this.#hops, hopsFor(this.#isPrivate), (hop) => this.#ask(hop, name, operation)).outcome.kind;
  }

  #ask(hop: Hop, name: string, operation: Operation, module = this.#wanted.module): Reaction {
    const path = `/${escapePath(parsePath(module))}/${name}`;
    // A version's .info lies in the module cache from then on, and no hop is asked for it again.
    if (this.#kept.has(path)) return "found";
    if (hop.kind === "proxy") return reactionTo(this.#answerOf(hop, path, operation), operation);
    const known = this.#known.get(keyOf(hop, module));
    if (known === undefined) this.requests.push({ kind: "repository", module });
    const happening = known ?? this.#world.repository(module);
    this.#known.set(keyOf(hop, module), happening);
    return happening === 200 ? "found" : "absent";
  }

  #answerOf(hop: Hop & { readonly kind: "proxy" }, path: string, operation: Operation): Happening {
    const known = this.#known.get(keyOf(hop, path));
    if (known !== undefined) return known;
    this.requests.push({ kind: "file", base: hop.url, path });
    const happening = this.#world.hop(hop.url, path, operation);
    this.#known.set(keyOf(hop, path), happening);
    if (operation === "info" && happening === 200) this.#kept.add(path);
    return happening;
  }

  /** The checksum database, when it is asked: where it is found, then the record. */
  #sums(): Ending {
    if (!knows(this.#settings.version, "lists")) return "found";
    const { outcome } = decideSums(this.#settings, this.#wanted.module);
    if (outcome.kind === "unverified") return "found";
    if (outcome.kind === "refused") {
      this.refused = { of: outcome.of, sentence: outcome.sentence };
      return "error";
    }
    const found = this.#databaseBase(outcome.database);
    if (found.base === undefined) return found.ending;
    const { module, version } = this.#wanted;
    const path = `/lookup/${escapePath(parsePath(module))}@${escapeVersion(version)}`;
    this.requests.push({ kind: "lookup", base: found.base, path });
    const happening = this.#world.lookup(found.base);
    return happening === 200 ? "found" : happening === "timeout" ? "hangs" : "error";
  }

  /** Where the database is asked: as GOSUMDB says, below the first hop that relays it, or at its own name. */
  #databaseBase(database: string): { readonly base: string | undefined; readonly ending: Ending } {
    const given = parseGosumdb(valueOf(this.#settings, "GOSUMDB"));
    if (given.kind === "database" && given.url !== undefined) return { base: given.url, ending: "found" };
    const path = `/sumdb/${database}/supported`;
    const { asked, outcome } = walk(this.#hops, hopsFor(false), (hop): Reaction => {
      if (hop.kind !== "proxy") return "absent";
      this.requests.push({ kind: "supported", base: hop.url, path });
      return reactionTo(this.#world.hop(hop.url, path, "supported"), "supported");
    });
    const relay = outcome.kind === "found" ? asked.at(-1)?.hop : undefined;
    if (relay?.kind === "proxy") return { base: `${relay.url}/sumdb/${database}`, ending: "found" };
    // Nobody relays it: it is asked itself. Any other failure on the way there is final for as long as this go runs.
    return { base: outcome.kind === "not-found" ? `https://${database}` : undefined, ending: outcome.kind };
  }
}

function keyOf(hop: Hop, name: string): string {
  return `${hop.kind === "proxy" ? hop.url : hop.kind} ${name}`;
}

function isModulePath(text: string): boolean {
  try {
    parsePath(text);
    return true;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}

/** The first that does not end well ends them all. */
function inOrder(steps: readonly (() => Ending)[]): Ending {
  for (const step of steps) {
    const ending = step();
    if (ending !== "found") return ending;
  }
  return "found";
}

function reactionOf(ending: Ending): Reaction {
  switch (ending) {
    case "found":
    case "hangs":
      return ending;
    case "not-found":
      return "absent";
    case "error":
      return "failed";
  }
}
