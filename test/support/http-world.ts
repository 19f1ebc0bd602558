// A module proxy on loopback that can be told to misbehave, and the HTTP analysers in front of it.
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { TestContext } from "node:test";
import { machineProber, memoryProver } from "../../src/app/http-analysers.ts";
import type { Machine } from "../../src/app/go-env.ts";
import { checkModuleVersion } from "#protocol/version.ts";
import { simulate } from "#services/analysers/http-simulate.ts";
import type { Simulation } from "#services/analysers/http-simulation.ts";
import { TestDatabase } from "#services/lab/sumdb-server.ts";
import { listen } from "./loopback.ts";
import { ModuleTable } from "./module-table.ts";
import { makeModule } from "./modules.ts";
import { databaseName, recordModule } from "./world.ts";

export const tagged = makeModule({ path: "example.com/hello", version: "v1.0.0" });
export const tagless = makeModule({ path: "example.com/tagless", version: "v0.0.0-20230405060708-444444444444" });

/** Answers in the stub's place; false lets the stub answer. */
export type Misbehaviour = (request: IncomingMessage, response: ServerResponse) => boolean;

export type HttpWorld = {
  readonly database: TestDatabase;
  /** What any server answers that serves the modules, with its misbehaviour. */
  readonly listener: (misbehave?: Misbehaviour) => RequestListener;
  /** A new proxy; its URL and what it was asked. */
  readonly proxy: (misbehave?: Misbehaviour) => Promise<{ readonly url: string; readonly asked: string[] }>;
  readonly simulate: (list: string, options?: SimulateOptions) => Promise<Simulation>;
};

export type SimulateOptions = {
  readonly what?: { readonly path: string; readonly version: string };
  readonly via?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly settings?: Partial<Parameters<typeof simulate>[1]["settings"]>;
  readonly go?: string;
  readonly stepMs?: number;
};

export function machineOf(env: Readonly<Record<string, string>> = {}): Machine {
  return { env, platform: "linux", home: "/nonexistent", readFile: () => Promise.resolve(undefined) };
}

export async function startHttpWorld(t: TestContext): Promise<HttpWorld> {
  const database = new TestDatabase({ name: databaseName });
  for (const module of [tagged, tagless]) await recordModule(database, module);
  const table = new ModuleTable([tagged, tagless]);
  const listener = (misbehave: Misbehaviour = () => false): RequestListener => {
    return (request, response) => {
      if (!misbehave(request, response)) void answer(request, response);
    };
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = decodeURIComponent(request.url ?? "");
    const [, below] = path.split(`/sumdb/${databaseName}`);
    const found = below === undefined ? table.answer(path) : await fromDatabase(database, below);
    const { status, headers, body } = found ?? { status: 404, headers: plain, body: Buffer.from("not found\n") };
    response.writeHead(status, { ...headers, "content-length": body.length }).end(body);
  };
  return {
    database,
    listener,
    proxy: async (misbehave) => {
      const asked: string[] = [];
      const serve = listener(misbehave);
      const server = createServer((request, response) => {
        asked.push(request.url ?? "");
        serve(request, response);
      });
      return { url: `http://127.0.0.1:${await listen(t, server)}`, asked };
    },
    simulate: async (list, options = {}) => {
      const { what = tagged, via, env, settings, go = "1.26.8", stepMs = 30_000 } = options;
      return await simulate(checkModuleVersion(what.path, what.version), {
        prober: await machineProber(machineOf(env), via),
        prover: memoryProver,
        settings: {
          GOPROXY: list,
          GOSUMDB: database.verifierKey,
          GONOSUMDB: "",
          GOPRIVATE: "",
          GONOPROXY: "",
          GOFLAGS: "",
          ...settings,
        },
        go,
        version: "0.0.0",
        signal: new AbortController().signal,
        stepMs,
        zipMs: stepMs,
      });
    },
  };
}

const plain = { "content-type": "text/plain; charset=utf-8" };

async function fromDatabase(database: TestDatabase, path: string) {
  const { status, contentType, bytes } = await database.answer(path);
  return { status, headers: { "content-type": contentType }, body: Buffer.from(bytes) };
}

/** Misbehaves where the path ends so. */
export function at(
  ending: string,
  misbehave: (response: ServerResponse, request: IncomingMessage) => void,
): Misbehaviour {
  return (request, response) => {
    if (request.url?.endsWith(ending) !== true) return false;
    misbehave(response, request);
    return true;
  };
}

/** Everything gets this status and text. */
export function always(status: number, text = "no\n", headers: Readonly<Record<string, string>> = plain): Misbehaviour {
  return (_, response) => {
    response.writeHead(status, headers).end(text);
    return true;
  };
}
