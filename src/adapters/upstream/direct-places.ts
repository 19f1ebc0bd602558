// What an operator says of repositories: where they are and who we are to them. Everything is looked up by host and
// path, and answers only for that host and what lies below that path: a repository that sends us elsewhere learns nothing.

import { parseCidrs } from "./address.ts";

/** One entry of `repositories`. Files are paths, `ca` too; `password` is a secret. */
export type Place = {
  /** `git.corp.example` or `git.corp.example/team`: a module path, and without `url` a place on that host as well. */
  readonly prefix: string;
  /** The repository of exactly the modules below `prefix`: nobody is asked where it is. */
  readonly url?: string;
  /** `IP` or `IP:PORT`: where that host's HTTPS is, instead of DNS and 443. */
  readonly address?: string;
  readonly user?: string;
  readonly password?: string;
  /** A command, program and arguments, that says which headers go with this place's URLs; instead of `password`. */
  readonly goauth?: readonly string[];
  /** PEM trusted for the host beside the system's. */
  readonly ca?: string;
  readonly sshKey?: string;
  /** `HOST` or `HOST:PORT`, a name or an address: where SSH is, instead of the host itself, or `address`, and port 22. */
  readonly sshAddress?: string;
  readonly knownHosts?: string;
  /** Plain HTTP may be spoken with the host. */
  readonly http?: boolean;
};

/** Where a place's repositories are: `host` in lower case, `path` without a trailing slash ("" for the whole host). */
export type Site = {
  readonly place: Place;
  readonly host: string;
  readonly path: string;
  /** The text of `place.ca`. */
  readonly pem: string | undefined;
};

export type PlacesOptions = {
  readonly places: readonly Place[];
  /** GOPRIVATE globs of modules that are built from repositories: a host written out in full may be an internal one. */
  readonly modules: string;
  /** Networks whose addresses any host may have. */
  readonly cidrs: readonly string[];
  /** Reads the file of a place's `ca`; throws when it is no PEM. */
  readonly readPem: (place: Place, file: string) => string;
};

export class Places {
  readonly sites: readonly Site[];
  readonly #hosts: ReadonlySet<string>;
  readonly allowed: ReturnType<typeof parseCidrs>;
  readonly secrets: readonly string[];

  constructor({ places, modules, cidrs, readPem }: PlacesOptions) {
    const pemOf = (place: Place): string | undefined => (place.ca === undefined ? undefined : readPem(place, place.ca));
    this.sites = places.map((place) => siteOf(place, pemOf(place))).toSorted((a, b) => b.path.length - a.path.length);
    this.#hosts = new Set([...this.sites.map(({ host }) => host), ...hostsIn(modules)]);
    this.allowed = parseCidrs(cidrs);
    this.secrets = places.flatMap(({ user = "", password }) => (password === undefined ? [] : formsOf(user, password)));
  }

  /** True when the operator named this host: its address may be a private one. */
  isNamed(host: string): boolean {
    return this.#hosts.has(host.toLowerCase());
  }

  /** The narrowest place with `has` around a URL's path on a host. */
  at(host: string, path: string, has: (place: Place) => boolean = () => true): Place | undefined {
    return this.sites.find((site) => site.host === host.toLowerCase() && isBelow(path, site.path) && has(site.place))
      ?.place;
  }

  /** The first place of a host with `has`, wherever on it. */
  onHost(host: string, has: (place: Place) => boolean): Place | undefined {
    return this.sites.find((site) => site.host === host.toLowerCase() && has(site.place))?.place;
  }

  /** Certificates that the operator trusts for a host, as PEM. */
  pemOf(host: string): string | undefined {
    return this.sites.find((site) => site.host === host.toLowerCase() && site.pem !== undefined)?.pem;
  }

  /** The place that says outright where a module's repository is. */
  ofModule(module: string): (Place & { readonly url: string }) | undefined {
    const found = this.sites
      .map(({ place }) => place)
      .filter((place) => place.url !== undefined && isBelow(module, place.prefix));
    const [longest] = found.toSorted((a, b) => b.prefix.length - a.prefix.length);
    return longest as (Place & { readonly url: string }) | undefined;
  }
}

function siteOf(place: Place, pem: string | undefined): Site {
  const url = new URL(place.url ?? `https://${place.prefix}`);
  return { place, host: url.hostname, path: url.pathname.replace(/\/+$/, ""), pem };
}

/** At a slash: `/team` holds `/team/x` and not `/teams`. */
function isBelow(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`) || prefix === "";
}

/** First elements without a glob. */
function hostsIn(patterns: string): readonly string[] {
  const firsts = patterns.split(",").map((pattern) => pattern.trim().split("/")[0] ?? "");
  return firsts.filter((host) => /^[\w.-]+$/.test(host)).map((host) => host.toLowerCase());
}

/** A shorter one is no secret, and blotting it out would make every text unreadable. */
export const minSecretChars = 4;

/** Every spelling in which a secret could show up in somebody's text. */
export function formsOf(user: string, password: string): readonly string[] {
  const pair = Buffer.from(`${user}:${password}`).toString("base64");
  return [...new Set([pair, password, encodeURIComponent(password)])].filter((form) => form.length >= minSecretChars);
}
