// Which module and which host a line speaks of, read from the words themselves: `M@V: reading URL: …`.

import { ProtocolError } from "#protocol/errors.ts";
import { unescapePath } from "#protocol/path.ts";
import { unescapeVersion } from "#protocol/version.ts";

export type Subject = { readonly what: string; readonly host: string };

/** No word that is read is longer: module paths and URLs. */
const maxWordChars = 500;

/** What can be told; empty where nothing can. */
export function subjectOf(text: string): Subject {
  const words = text.split(/[\s"'<>()]+/).filter((word) => word.length <= maxWordChars);
  const urls = words.filter((word) => /^https?:\/\//.test(word)).map(trimmed);
  return { what: moduleOf(words) ?? fromUrls(urls), host: hostOf(urls[0] ?? "") };
}

function moduleOf(words: readonly string[]): string | undefined {
  const named = words.find((word) => /^[\w.~-]+(?:\/[\w.~-]+)*@[^@/]+$/.test(word) && !word.startsWith("git@"));
  if (named !== undefined) return trimmed(named);
  const at = words.indexOf("module");
  const next = words[at + 1] ?? "";
  return at >= 0 && /^[\w-]+(?:\.[\w-]+)+(?:\/[\w.~-]+)*:$/.test(next) ? trimmed(next) : undefined;
}

function hostOf(url: string): string {
  return /^https?:\/\/(?:[^/@]*@)?([^/?#]+)/.exec(url)?.[1] ?? "";
}

/** `…/example.com/m/@v/v1.0.0.info`, `…/lookup/example.com/m@v1.0.0`. */
function fromUrls(urls: readonly string[]): string {
  for (const url of urls) {
    const path = plain(url.replace(/^https?:\/\/[^/]*\//, ""));
    const [before = "", after] = path.split("/@v/");
    const version = /^(.+)\.(?:info|mod|zip)$/.exec(after ?? "")?.[1];
    if (after !== undefined) return version === undefined ? unescaped(before) : `${unescaped(before)}@${version}`;
    if (path.endsWith("/@latest")) return unescaped(path.slice(0, -"/@latest".length));
    const [, looked] = path.split("/lookup/");
    const [module = "", at] = (looked ?? "").split("@");
    if (at !== undefined) return `${unescaped(module)}@${versionOr(at)}`;
  }
  return "";
}

function plain(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** A base URL may have a path of its own: the longest end that is a module path is taken. */
function unescaped(path: string): string {
  const parts = path.split("/");
  // The first element of a module path has a dot.
  const from = parts.findLastIndex((part, at) => at === 0 || (part.includes(".") && /\.[a-z]{2,}$/.test(part)));
  const ends = [0, from].map((at) => parts.slice(Math.max(at, 0)).join("/"));
  for (const end of ends) {
    try {
      return unescapePath(end);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
  }
  return "";
}

function versionOr(text: string): string {
  try {
    return unescapeVersion(text);
  } catch (error) {
    if (error instanceof ProtocolError) return text;
    throw error;
  }
}

/** Without the punctuation of the sentence. */
function trimmed(word: string): string {
  return word.replace(/[:;,.]{1,3}$/, "");
}
