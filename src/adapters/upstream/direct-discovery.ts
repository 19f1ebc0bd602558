// Where a module's repository is: the page `https://MODULE?go-get=1` and its go-import tag, asked by us in the go
// command's place. It then sees one tag that passed these checks, and no page, redirect or scheme of anybody else's.
// Source: cmd/go vcs.go repoRootForImportDynamic, discovery.go; protocol reference §2.12.

import type { IncomingMessage } from "node:http";
import { askAsKnown } from "./direct-ask.ts";
import type { AskUse } from "./direct-ask.ts";
import type { Places } from "./direct-places.ts";

/** Pages of real hosts have some 100 KiB; tags stand in the head. */
const maxPageBytes = 1 << 20;
/** T-24 allows three; a vanity domain needs one. */
const maxRedirects = 3;
const maxTagChars = 2_048;

export type Discovered =
  | { readonly kind: "found"; readonly prefix: string; readonly repo: string; readonly subdir: string }
  /** The host itself says that there is nothing. */
  | { readonly kind: "absent"; readonly reason: string }
  | { readonly kind: "doubt"; readonly reason: string };

/** @param module a module path, or the prefix of one: what go asks for */
export async function discover(module: string, use: AskUse, signal: AbortSignal): Promise<Discovered> {
  const known = use.places.ofModule(module);
  if (known !== undefined) return { kind: "found", prefix: known.prefix, repo: known.url, subdir: "" };
  const [host = "", ...rest] = module.split("/");
  const isPlain = use.places.onHost(host, (place) => place.http === true) !== undefined;
  const first = new URL(`${isPlain ? "http" : "https"}://${host}/${rest.join("/")}?go-get=1`);
  try {
    const page = await fetchPage(first, use, signal);
    return judge(module, page, use.places);
  } catch (error) {
    signal.throwIfAborted();
    return { kind: "doubt", reason: `${first.href}: ${error instanceof Error ? error.message : String(error)}` };
  }
}

type Page = { readonly url: URL; readonly status: number; readonly text: string; readonly wasRedirected: boolean };

class PageFault extends Error {}

async function fetchPage(first: URL, use: AskUse, signal: AbortSignal): Promise<Page> {
  let url = first;
  for (let redirects = 0; ; redirects++) {
    const { location, ...page } = await askAsKnown(url, use, {
      signal,
      read: async (answer) => {
        const status = answer.statusCode ?? 0;
        const location = status >= 300 && status <= 399 ? answer.headers.location : undefined;
        return { url, status, location, text: location === undefined ? await readText(answer) : "" };
      },
      // The go command takes tags whatever the status is.
      isEnough: ({ text }) => importTags(text).length > 0,
    });
    if (location === undefined) return { ...page, wasRedirected: redirects > 0 };
    if (redirects === maxRedirects) throw new PageFault(`stopped after ${maxRedirects} redirects`);
    url = nextUrl(url, location);
  }
}

function nextUrl(from: URL, location: string): URL {
  if (location.length > maxTagChars || !URL.canParse(location, from.href))
    throw new PageFault("a redirect without a usable Location");
  const to = new URL(location, from);
  if (to.protocol !== "https:" && !(to.protocol === "http:" && from.protocol === "http:"))
    throw new PageFault(`a redirect to ${to.protocol}`);
  return to;
}

async function readText(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxPageBytes) throw new PageFault(`a page of more than ${maxPageBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** What a page says about a module: go takes its tags whatever the status is. */
export function judge(module: string, page: Page, places: Places): Discovered {
  const at = `${page.url.origin}${page.url.pathname}?go-get=1`;
  const tags = importTags(page.text).filter(([prefix]) => module === prefix || module.startsWith(`${prefix}/`));
  const [tag] = tags;
  if (tag === undefined) {
    const isClear = (page.status === 200 && !page.wasRedirected) || page.status === 404 || page.status === 410;
    const reason = isClear || page.status === 200 ? `no go-import tag at ${at}` : `${at} answered ${page.status}`;
    // A sign-in page that we were led to knows nothing of modules.
    return { kind: isClear ? "absent" : "doubt", reason };
  }
  if (tags.length > 1) return { kind: "doubt", reason: `${at} has several go-import tags for this module` };
  const [prefix, vcs, repo, subdir = ""] = tag;
  const wrong = whatIsWrong({ vcs, repo, subdir }, places);
  if (wrong !== undefined) return { kind: "doubt", reason: `the go-import tag at ${at} ${wrong}` };
  return { kind: "found", prefix, repo, subdir };
}

type Tag = readonly [prefix: string, vcs: string, repo: string, subdir?: string];

/** The go-import tags of a page's head (cmd/go parseMetaGoImports, which reads it as sloppy XML). */
function importTags(html: string): readonly Tag[] {
  const seen = html.replaceAll(/<!--.*?(?:-->|$)/gs, "");
  const head = seen.split(/<\/head\s*>|<body[\s>]/i, 1)[0] ?? "";
  const tags: Tag[] = [];
  for (const [tag] of head.matchAll(/<meta\s[^>]*>/gi)) {
    if (attribute(tag, "name") !== "go-import") continue;
    const fields = attribute(tag, "content").trim().split(/\s+/);
    if (fields.length === 3 || fields.length === 4) tags.push(fields as unknown as Tag);
  }
  return tags;
}

function attribute(tag: string, name: string): string {
  const [, double, single, bare] =
    new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>"']+))`, "i").exec(tag) ?? [];
  const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
  return (double ?? single ?? bare ?? "").replaceAll(
    /&(amp|lt|gt|quot|#39);/g,
    (_, entity: string) => entities[entity] ?? "",
  );
}

/** What keeps a tag from being passed on, in words that follow "the tag"; undefined when nothing does. */
function whatIsWrong(
  tag: { readonly vcs: string; readonly repo: string; readonly subdir: string },
  places: Places,
): string | undefined {
  const { vcs, repo, subdir } = tag;
  if (vcs === "mod") return "names a module proxy: configure it as an upstream";
  if (vcs !== "git") return `names the version control ${quoted(vcs)}: only git is read`;
  if (subdir !== "" && !/^\w[\w.~-]*(\/[\w~][\w.~-]*)*$/.test(subdir)) return `has the subdirectory ${quoted(subdir)}`;
  const [, scheme = "", user, host = "", path = ""] =
    /^([a-z][a-z\d+.-]*):\/\/(?:([\w.-]+)@)?([a-z\d][a-z\d.-]*|\[[\da-f:]+\])(?::\d{1,5})?(\/[\w.~%+/-]*)?$/i.exec(
      repo,
    ) ?? [];
  const isClean = host !== "" && repo.length <= maxTagChars && !/\/-|\/\.\.?(\/|$)|\/\//.test(path);
  if (!isClean) return `names the repository ${quoted(repo)}`;
  const isAllowed =
    (scheme === "https" && user === undefined) ||
    (scheme === "http" && user === undefined && places.onHost(host, (place) => place.http === true) !== undefined) ||
    (scheme === "ssh" && places.onHost(host, (place) => place.sshKey !== undefined) !== undefined);
  return isAllowed ? undefined : `leads to ${quoted(repo)}, and ${scheme} is not spoken with that host`;
}

/** Foreign text that may be shown. */
function quoted(text: string): string {
  return `"${text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 100)}"`;
}

/** The page that the go command is shown. */
export function importPage({ prefix, repo, subdir }: Extract<Discovered, { kind: "found" }>): string {
  const content = [prefix, "git", repo, subdir].filter((field) => field !== "").join(" ");
  return `<html><head><meta name="go-import" content="${content}"></head></html>\n`;
}
