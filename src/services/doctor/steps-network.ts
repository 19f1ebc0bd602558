// Steps 2 and 6 to 12: what happens when hosts are asked. One simulated download is the common ground: three steps read it.

import { ProtocolError } from "#protocol/errors.ts";
import { parseGosumdb } from "#protocol/gosumdb.ts";
import { officialProxyHost, officialProxyURL } from "#protocol/official.ts";
import { matchPrefixPatterns } from "#protocol/pattern.ts";
import { readCacheHeaders } from "#services/analysers/http-cache.ts";
import { lastExchange } from "#services/analysers/http-outcome.ts";
import type { Simulation } from "#services/analysers/http-simulation.ts";
import { duration } from "#services/errors/sentences.ts";
import { chainOf } from "#services/environment/chain.ts";
import { isPublicProxy } from "#services/environment/public-proxies.ts";
import { valueOf } from "#services/environment/settings.ts";
import { doctorFindings } from "#services/findings/doctor.ts";
import { found } from "#services/findings/finding.ts";
import type { Finding } from "#services/findings/finding.ts";
import { httpFindings } from "#services/findings/http.ts";
import { registry } from "#services/mirrors/registry.ts";
import type { Examined } from "./check.ts";
import type { Ask, DoctorPorts, Place, Seen } from "./ports.ts";
import { usualSubject } from "./scene.ts";
import type { DoctorScene } from "./scene.ts";
import { examineChain } from "./steps-settings.ts";

/** Hosts that one step looks at: a list of more is no list that anybody reads. */
const maxHosts = 4;

/** The proxies of the list, in order. */
export function proxiesOf({ settings }: DoctorScene): readonly string[] {
  const chain = chainOf(valueOf(settings, "GOPROXY"), "", settings.version);
  return chain.kind === "refused"
    ? []
    : chain.hops.flatMap((hop) => (hop.kind === "proxy" && URL.canParse(hop.url) ? [hop.url] : []));
}

/** Oddities of names that lead connections astray, or nowhere. */
const misleading: ReadonlySet<string> = new Set([
  "DNS_HOSTS_DIFFERS",
  "DNS_NXDOMAIN_SPLIT",
  "DNS_AAAA_BLACKHOLE",
  "DNS_GO_DIFFERS",
]);

const nothing = {
  proxies: { en: "no proxy in GOPROXY", "zh-CN": "GOPROXY 中没有代理" },
  https: { en: "no https proxy in GOPROXY", "zh-CN": "GOPROXY 中没有 https 代理" },
  names: { en: "no host name to look up", "zh-CN": "没有需要解析的主机名" },
  answers: { en: "no answer to read", "zh-CN": "没有可读的响应" },
  caches: { en: "no cache in between", "zh-CN": "中间没有缓存" },
  others: { en: "one proxy of your own: nothing to compare", "zh-CN": "只有一个自己的代理，无可比较" },
  socks: {
    en: "go goes through a SOCKS proxy, which granary does not speak",
    "zh-CN": "go 经由 SOCKS 代理，granary 不支持",
  },
  private: { en: "this module is private: no proxy is asked", "zh-CN": "该模块是私有的，不会访问代理" },
} as const;

/** The network steps of one run; what several of them need is asked once. */
export class NetworkSteps {
  readonly #scene: DoctorScene;
  readonly #use: DoctorPorts;
  #simulation: Promise<Simulation | undefined> | undefined;

  constructor(scene: DoctorScene, use: DoctorPorts) {
    this.#scene = scene;
    this.#use = use;
  }

  /** Step 2: where the list leads, as it is written and as it was seen. */
  async chain(ask: Ask, isOffline: boolean): Promise<Examined> {
    const written = examineChain(this.#scene);
    ask.keep(written);
    if (isOffline || this.#isBySocks()) return { findings: written };
    const override = await this.#override(ask);
    if (override !== undefined) return { findings: [override, ...written] };
    const simulation = await this.#simulate(ask);
    return { findings: [...(simulation?.findings ?? []).filter(isOfChain), ...written] };
  }

  /** Nobody chose a list, and the one that go has does not work here. */
  async #override(ask: Ask): Promise<Finding | undefined> {
    const { place, value } = this.#scene.settings.all.GOPROXY;
    const isChosen = place.kind === "process" || place.kind === "user-file";
    if (isChosen || !value.startsWith(officialProxyURL)) return undefined;
    if (matchPrefixPatterns(valueOf(this.#scene.settings, "GONOPROXY"), this.#scene.subject.path)) return undefined;
    if (!(await this.#isCutOff(ask))) return undefined;
    const [first, second] = registry.filter(({ name, status }) => status === "recommended" && name !== "official");
    const list = [first?.url, second?.url].filter((url) => url !== undefined).join("|");
    const fixes = [{ kind: "set", values: { GOPROXY: `${list},direct` } }] as const;
    const evidence = [{ kind: "seen", text: `connect ${officialProxyHost}:443` }] as const;
    return found(doctorFindings, "CHAIN_OVERRIDE_REQUIRED", { host: officialProxyHost }, { evidence, fixes });
  }

  /** No connection to the official proxy, or one that dies before it answers, as filters have it. */
  async #isCutOff(ask: Ask): Promise<boolean> {
    if (!(await this.#use.reaches({ host: officialProxyHost, port: 443 }, ask))) return true;
    const simulation = await this.#simulate(ask);
    const last = simulation?.steps.find(({ name }) => name === "info")?.walk.tries.at(-1);
    return last?.fetch.end.kind === "fault";
  }

  /** Step 6: one module as go would get it. */
  async requests(ask: Ask): Promise<Examined> {
    if (this.#isBySocks()) return { findings: [], nothing: nothing.socks };
    if (proxiesOf(this.#scene).length === 0) return await this.#database(ask);
    const simulation = await this.#simulate(ask);
    if (simulation === undefined) return { findings: [] };
    const { path, version } = simulation.id;
    if (simulation.outcome === "private") return { findings: [], nothing: nothing.private };
    const took = simulation.steps.reduce((sum, { walk }) => sum + msOf(walk), 0);
    const findings = simulation.findings.filter((finding) => !isOfChain(finding));
    return { findings, summary: `${path}@${version} ${duration(took)}` };
  }

  /** Without proxies go still asks the checksum database, itself; when nobody lets it through nothing new is taken. */
  async #database(ask: Ask): Promise<Examined> {
    const { GOPROXY, GOSUMDB, GONOSUMDB } = this.#scene.settings.all;
    const isUnasked = GOPROXY.value === "off" || matchPrefixPatterns(GONOSUMDB.value, this.#scene.subject.path);
    const parsed = isUnasked ? undefined : databaseOf(GOSUMDB.value);
    if (parsed === undefined) return { findings: [], nothing: nothing.proxies };
    const place = placeOf(parsed.url);
    const host = `${place.host}:${place.port}`;
    if (await this.#use.reaches(place, ask)) return { findings: [], summary: host };
    const evidence = [{ kind: "seen", text: `connect ${host}` }] as const;
    const fields = { database: parsed.name, host, said: "unreachable" };
    return { findings: [found(httpFindings, "HTTP_SUMDB_UNREACHABLE", fields, { evidence })] };
  }

  /** Step 7: each https host that go would speak to. */
  async tls(ask: Ask): Promise<Examined> {
    if (this.#isBySocks()) return { findings: [], nothing: nothing.socks };
    const places = this.#hosts("https:");
    if (places.length === 0) return { findings: [], nothing: nothing.https };
    return await this.#weighed(await this.#each(places, ask, (place) => this.#use.tls(place, ask)), ask);
  }

  /** Step 8: HTTP/2 beside HTTP/1.1, at the first https proxy. */
  async http2(ask: Ask): Promise<Examined> {
    if (this.#isBySocks()) return { findings: [], nothing: nothing.socks };
    const first = proxiesOf(this.#scene).find((url) => url.startsWith("https:"));
    if (first === undefined) return { findings: [], nothing: nothing.https };
    const { path } = usualSubject;
    const { verdict, h2, http1, findings } = await this.#use.compareProtocols(`${first}/${path}/@v/list`, ask);
    // That it cannot be reached is told, with its reason, by the steps before.
    if (verdict === "unreachable") return { findings: [], nothing: nothing.answers };
    const times = [h2, http1].flatMap((run) =>
      run?.firstByteMs === undefined ? [] : [`${run.protocol} ${duration(run.firstByteMs)}`],
    );
    return { findings, summary: times.join(", ") };
  }

  /** Step 9: who answers here for the names of the proxies. */
  async dnsCache(ask: Ask): Promise<Examined> {
    const names = this.#names();
    if (names.length === 0) return { findings: [], nothing: nothing.names };
    return await this.#weighed(await this.#each(names, ask, (host) => this.#use.nameHere(host, ask)), ask);
  }

  /** Step 10: do others say the same? Names of a company's own proxies are not told to anybody outside. */
  async dnsViews(ask: Ask): Promise<Examined> {
    const names = this.#names().filter((host) => isPublicProxy(`https://${host}`));
    if (names.length === 0) return { findings: [], nothing: nothing.names };
    return await this.#weighed(await this.#each(names, ask, (host) => this.#use.nameElsewhere(host, ask)), ask);
  }

  /** Step 11: which cache answered, and how old was it? */
  async cacheHeaders(ask: Ask): Promise<Examined> {
    if (this.#isBySocks()) return { findings: [], nothing: nothing.socks };
    const simulation = await this.#simulate(ask);
    const last = simulation?.steps.find(({ name }) => name === "info")?.walk.tries.at(-1);
    const exchange = last === undefined ? undefined : lastExchange(last.fetch);
    if (exchange?.status !== 200) return { findings: [], nothing: nothing.answers };
    const { layers, answeredBy } = readCacheHeaders(exchange.headers);
    if (layers.length === 0) return { findings: [], nothing: nothing.caches };
    const summary = layers.map(({ header, value }) => `${header}: ${value}`).join("; ");
    const [stale] = layers.filter(({ verdict }) => verdict === "stale");
    const evidence = layers.map(({ header, value }) => ({ kind: "seen", text: `${header}: ${value}` }) as const);
    const findings =
      stale === undefined || answeredBy === undefined
        ? []
        : [
            found(
              httpFindings,
              "HTTP_STALE_CACHE",
              { host: new URL(exchange.url).host, layer: stale.header },
              { evidence },
            ),
          ];
    return { findings, summary };
  }

  /** Step 12: do the proxies of the list give the same bytes, and are they the recorded ones? */
  async mirrors(ask: Ask): Promise<Examined> {
    if (this.#isBySocks()) return { findings: [], nothing: nothing.socks };
    const urls = proxiesOf(this.#scene).filter((url) => /^https?:/.test(url));
    const [first] = urls;
    if (first === undefined) return { findings: [], nothing: nothing.proxies };
    // A list of one is held against a public mirror; that this one cannot be reached here says nothing of the list.
    const witness = registry.find(({ status, url }) => status === "recommended" && !urls.includes(url))?.url ?? "";
    const isOwn = urls.length > 1;
    // What only a company's own proxy is asked for is nobody else's business.
    if (!isOwn && !isPublicProxy(first)) return { findings: [], nothing: nothing.others };
    const mirrors = (isOwn ? urls.slice(0, maxHosts) : [first, witness]).map((url) => ({
      name: new URL(url).host,
      url,
    }));
    const patterns = valueOf(this.#scene.settings, "GONOPROXY");
    const isOpen = isOwn && !matchPrefixPatterns(patterns, this.#scene.subject.path);
    const { findings, verdict } = await this.#use.crosscheck(isOpen ? this.#scene.subject : usualSubject, mirrors, ask);
    const summary = `${mirrors.map(({ name }) => name).join(", ")}: ${verdict}`;
    return { findings: isOwn ? findings : findings.filter(({ severity }) => severity === "fail"), summary };
  }

  /** Asked once; the first step that needs it announces its requests. A list that go refuses is told by step 1. */
  async #simulate(ask: Ask): Promise<Simulation | undefined> {
    if (proxiesOf(this.#scene).length === 0) return undefined;
    this.#simulation ??= this.#use.simulate(this.#scene.subject, ask);
    return await this.#simulation;
  }

  /**
   * What is odd about a name weighs as much as it costs: no failure while a whole module comes from behind it, proven; the
   * likely cause when nothing does.
   */
  async #weighed(examined: Examined, ask: Ask): Promise<Examined> {
    if (examined.findings.every(({ severity }) => severity === "info")) return examined;
    const outcome = (await this.#simulate(ask))?.outcome;
    const findings = examined.findings.map((finding): Finding => {
      const came = outcome === "proven" || outcome === "unproven";
      if (came && finding.severity === "fail") return { ...finding, severity: "warn" };
      if (outcome !== "failed" || !misleading.has(finding.code)) return finding;
      return { ...finding, severity: "fail", confidence: "likely" };
    });
    return { ...examined, findings };
  }

  /** net/http speaks SOCKS5 to an HTTPS_PROXY that says so; the probes here do not. */
  #isBySocks(): boolean {
    const { HTTPS_PROXY, HTTP_PROXY } = this.#scene.settings.all;
    return [HTTPS_PROXY, HTTP_PROXY].some(({ value }) => /^socks5h?:/i.test(value));
  }

  /** One of them may be silent until time is up: what the others told is kept. */
  async #each<T>(all: readonly T[], ask: Ask, look: (one: T) => Promise<Seen>): Promise<Examined> {
    const seen = await Promise.all(
      all.map(async (one) => {
        const found = await look(one);
        ask.keep(found.findings);
        return found;
      }),
    );
    return joined(seen);
  }

  #hosts(protocol: "https:"): readonly Place[] {
    const urls = proxiesOf(this.#scene).flatMap((url) => (URL.canParse(url) ? [new URL(url)] : []));
    const places = urls.filter((url) => url.protocol === protocol).map(placeOf);
    return unique(places, ({ host, port }) => `${host}:${port}`).slice(0, maxHosts);
  }

  /** Hosts that have to be looked up: neither addresses nor this machine. */
  #names(): readonly string[] {
    if (this.#isBySocks()) return [];
    const hosts = proxiesOf(this.#scene)
      .flatMap((url) => (/^https?:/.test(url) ? [new URL(url)] : []))
      .filter((url) => !this.#use.isRelayed(url))
      .map(({ hostname }) => hostname);
    const named = hosts.filter((host) => !/^[\d.]+$|^\[|^localhost$/.test(host));
    return [...new Set(named)].slice(0, maxHosts);
  }
}

/** The database that a GOSUMDB names, and where go asks it when no proxy relays it. */
function databaseOf(value: string): { readonly name: string; readonly url: URL } | undefined {
  try {
    const parsed = parseGosumdb(value);
    if (parsed.kind !== "database") return undefined;
    const url = parsed.url ?? `https://${parsed.name}`;
    return URL.canParse(url) ? { name: parsed.name, url: new URL(url) } : undefined;
  } catch (error) {
    if (error instanceof ProtocolError) return undefined; // told by step 3
    throw error;
  }
}

function placeOf({ hostname, port, protocol }: URL): Place {
  const usual = protocol === "http:" ? 80 : 443;
  return { host: hostname.replace(/^\[|\]$/g, ""), port: port === "" ? usual : Number(port) };
}

function isOfChain({ code }: Finding): boolean {
  return code.startsWith("CHAIN_");
}

function msOf({ tries }: Simulation["steps"][number]["walk"]): number {
  return tries.reduce(
    (sum, { fetch }) => sum + fetch.exchanges.reduce((all, { phases }) => all + phases.totalMs, 0),
    0,
  );
}

function joined(seen: readonly { readonly findings: readonly Finding[]; readonly summary?: string }[]): Examined {
  const summary = seen.flatMap((each) => (each.summary === undefined ? [] : [each.summary])).join(", ");
  return { findings: seen.flatMap(({ findings }) => findings), ...(summary !== "" && { summary }) };
}

function unique<T>(all: readonly T[], keyOf: (one: T) => string): readonly T[] {
  return [...new Map(all.map((one) => [keyOf(one), one])).values()];
}
