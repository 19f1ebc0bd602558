// One read below a file:// upstream, as cmd/go does it (web.getFile): a missing file is a 404, a forbidden one a 403.
// A module cache's `cache/download` directory is such an upstream, and so is Granary's own store.

import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { UpstreamClient, UpstreamEndpoint, UpstreamRequest, UpstreamResponse } from "#services/upstreams/ports.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";

/** One read; large enough to keep a zip moving, small enough to hold many. */
const chunkBytes = 256 * 1024;

/** Opening a named pipe would wait for its writer for ever. */
const openFlags = constants.O_RDONLY | constants.O_NONBLOCK;

const statusOf: Readonly<Record<string, number>> = {
  ENOENT: 404,
  ENOTDIR: 404,
  ENAMETOOLONG: 404,
  EACCES: 403,
  EPERM: 403,
};

export class FileUpstreamClient implements UpstreamClient {
  async get(endpoint: UpstreamEndpoint, request: UpstreamRequest): Promise<UpstreamResponse> {
    if (request.signal.aborted) throw aborted(endpoint);
    const url = endpoint.url.replace(/\/$/, "") + request.path;
    const path = filePath(endpoint, request.path);
    if (path === undefined) return noBody(404, url);
    let file: FileHandle;
    try {
      file = await open(path, openFlags);
    } catch (error) {
      const code = codeOf(error);
      const status = statusOf[code];
      if (status !== undefined) return noBody(status, url);
      throw new UpstreamFault(endpoint.name, "unreachable", `${code} ${path}`, { cause: error });
    }
    return await respond(file, { endpoint, request, url });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** The file behind a percent-encoded path, or undefined when no file can have that name below the base. */
function filePath(endpoint: UpstreamEndpoint, path: string): string | undefined {
  const elements: string[] = [];
  for (const element of path.split("/").slice(1)) {
    const name = decodeElement(element);
    if (name === undefined) return undefined;
    elements.push(name);
  }
  return join(fileURLToPath(endpoint.url), ...elements);
}

function decodeElement(element: string): string | undefined {
  try {
    const name = decodeURIComponent(element);
    return name === "" || name === "." || name === ".." || /[/\\\0]/.test(name) ? undefined : name;
  } catch {
    return undefined;
  }
}

type Opened = { readonly endpoint: UpstreamEndpoint; readonly request: UpstreamRequest; readonly url: string };

async function respond(file: FileHandle, opened: Opened): Promise<UpstreamResponse> {
  const { endpoint, request, url } = opened;
  const fail = async (reason: "malformed" | "too-large", message: string): Promise<never> => {
    await file.close();
    throw new UpstreamFault(endpoint.name, reason, message);
  };
  const stat = await file.stat();
  if (!stat.isFile()) return await fail("malformed", "not a regular file");
  const from = rangeStart(request);
  if (from > 0 && from >= stat.size) {
    await file.close();
    return { ...noBody(416, url), headers: { "content-length": "0", "content-range": `bytes */${stat.size}` } };
  }
  if (stat.size - from > request.maxBytes) return await fail("too-large", `more than ${request.maxBytes} bytes`);
  const close = (): void => void file.close().catch(() => undefined); // read-only: nothing can be lost
  const part = from > 0 && { "content-range": `bytes ${from}-${stat.size - 1}/${stat.size}` };
  return {
    status: part === false ? 200 : 206,
    headers: {
      "content-length": String(stat.size - from),
      "last-modified": stat.mtime.toUTCString(),
      "accept-ranges": "bytes",
      ...part,
    },
    url,
    body: readFile(file, { ...opened, from, size: stat.size }),
    cancel: close,
  };
}

/** N of a `Range: bytes=N-`. With If-Range there is no part: a file has no strong validator that could be equal. */
function rangeStart({ headers = {} }: UpstreamRequest): number {
  const of = (wanted: string): string | undefined =>
    Object.entries(headers).find(([name]) => name.toLowerCase() === wanted)?.[1];
  const [, start] = /^bytes=(\d{1,15})-$/.exec(of("range") ?? "") ?? [];
  return start === undefined || of("if-range") !== undefined ? 0 : Number(start);
}

type Span = { readonly from: number; readonly size: number };

async function* readFile(file: FileHandle, opened: Opened & Span): AsyncGenerator<Uint8Array> {
  const { endpoint, request, from, size } = opened;
  try {
    for (let at = from; at < size;) {
      if (request.signal.aborted) throw aborted(endpoint);
      const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, size - at));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) throw new UpstreamFault(endpoint.name, "truncated", `${at} of ${size} bytes`);
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } catch (error) {
    if (error instanceof UpstreamFault) throw error;
    throw new UpstreamFault(endpoint.name, "reset", codeOf(error), { cause: error });
  } finally {
    await file.close();
  }
}

function noBody(status: number, url: string): UpstreamResponse {
  const nothing: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
  };
  return { status, headers: { "content-length": "0" }, url, body: nothing, cancel: () => undefined };
}

function aborted(endpoint: UpstreamEndpoint): UpstreamFault {
  return new UpstreamFault(endpoint.name, "aborted", "the request was given up");
}

/** The code of an error of the file system; anything else is a bug and travels on. */
function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  throw error;
}
