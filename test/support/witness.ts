// A witness of our own making (c2sp.org/tlog-witness): it checks who signed, that the tree begins with the one it saw
// last, and only then cosigns. It can also be told to misbehave.
import { createServer } from "node:http";
import type { Server } from "node:http";
import { text } from "node:stream/consumers";
import type { TestContext } from "node:test";
import { cosigningKey, parseAddCheckpoint, parseCosignerKey } from "#protocol/cosignature.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { openNote, type Verifier } from "#protocol/note.ts";
import { parseOriginTree } from "#protocol/tlog-tiles.ts";
import { checkTree, emptyRoot, isEqualHash, type Hash, type Tree } from "#protocol/tlog.ts";
import type { Witness, WitnessAnswer } from "#services/sumlog/ports.ts";
import { listen } from "./loopback.ts";

export type Manner =
  | "honest"
  /** Signs something else. */
  | "wrong-signature"
  /** Signs with a key that nobody knows. */
  | "foreign-key"
  /** Signs without a time. */
  | "timeless"
  /** Says that it has seen more than any log has. */
  | "boasts"
  /** Says another size each time. */
  | "wavers"
  /** Answers without an end. */
  | "endless"
  /** Takes the request, and that is all. */
  | "hangs"
  | "broken";

export class TestWitness {
  readonly name: string;
  readonly verifierKey: string;
  manner: Manner = "honest";
  /** Requests so far, with the size that each began from. */
  readonly asked: number[] = [];
  /** What it saw last. */
  tree: Tree = { size: 0, root: emptyRoot() };
  readonly #key: ReturnType<typeof cosigningKey>;
  readonly #logs: ReadonlyMap<string, Verifier>;

  constructor(name: string, logs: readonly Verifier[], seed = 1) {
    this.name = name;
    this.#key = cosigningKey(name, Buffer.alloc(32, seed));
    this.verifierKey = this.#key.verifierKey;
    this.#logs = new Map(logs.map((log) => [log.name, log]));
  }

  /** As a log is told of it. */
  at(url: string): Witness {
    return { cosigner: parseCosignerKey(this.verifierKey), url };
  }

  answer(body: string): WitnessAnswer {
    const request = parse(body);
    if (request === undefined) return said(400);
    const { oldSize, proof, tree, checkpoint, text: signed } = request;
    this.asked.push(oldSize);
    const log = this.#logs.get(request.origin);
    if (log === undefined) return said(404);
    try {
      openNote(checkpoint, [log]);
    } catch {
      return said(403);
    }
    switch (this.manner) {
      case "broken":
        return said(500);
      case "boasts":
        return size(1_000_000);
      case "wavers":
        return size(this.asked.length % 2);
      case "wrong-signature":
        return said(200, this.#key.cosign(signed.replace(/\n\d+\n/, "\n7777\n"), now()));
      case "foreign-key":
        return said(200, cosigningKey(this.name, Buffer.alloc(32, 99)).cosign(signed, now()));
      case "timeless":
        return said(200, this.#key.cosign(signed, 0));
      case "honest":
      case "endless":
      case "hangs":
    }
    if (oldSize > tree.size) return said(400);
    if (oldSize !== this.tree.size) return size(this.tree.size);
    const verdict = this.#follows(tree, proof);
    if (verdict !== 200) return said(verdict);
    this.tree = tree;
    return said(200, this.#key.cosign(signed, now()));
  }

  #follows(tree: Tree, proof: readonly Hash[]): 200 | 409 | 422 {
    if (this.tree.size === 0) return proof.length === 0 ? 200 : 422;
    if (this.tree.size === tree.size) return isEqualHash(this.tree.root, tree.root) ? 200 : 409;
    try {
      checkTree(proof, tree, this.tree);
      return 200;
    } catch (error) {
      if (error instanceof ProtocolError) return 422;
      throw error;
    }
  }
}

/** Serves it on loopback until the test ends; the URL has a path, as those of real ones may. */
export async function serveWitness(t: TestContext, witness: TestWitness): Promise<string> {
  const server: Server = createServer((request, response) => {
    void text(request).then((body) => {
      if (witness.manner === "hangs") return;
      if (witness.manner === "endless") {
        response.writeHead(200);
        const more = (): void => {
          while (!response.destroyed && response.write("x".repeat(4096)));
        };
        response.on("drain", more);
        more();
        return;
      }
      const isRight = request.method === "POST" && request.url === "/w/add-checkpoint";
      const { status, mediaType, body: answer } = isRight ? witness.answer(body) : said(405);
      response.writeHead(status, { "content-type": mediaType }).end(answer);
    });
  });
  return `http://127.0.0.1:${await listen(t, server)}/w`;
}

type Request = {
  readonly oldSize: number;
  readonly proof: readonly Hash[];
  readonly checkpoint: string;
  readonly origin: string;
  readonly tree: Tree;
  /** The checkpoint without its signatures. */
  readonly text: string;
};

function parse(body: string): Request | undefined {
  try {
    const { oldSize, proof, checkpoint } = parseAddCheckpoint(body);
    const signed = checkpoint.slice(0, checkpoint.indexOf("\n\n") + 1);
    const { origin, ...tree } = parseOriginTree(signed);
    return { oldSize, proof, checkpoint, origin, tree, text: signed };
  } catch {
    return undefined;
  }
}

function said(status: number, body = ""): WitnessAnswer {
  return { status, mediaType: "text/plain", body };
}

function size(records: number): WitnessAnswer {
  return { status: 409, mediaType: "text/x.tlog.size", body: `${records}\n` };
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}
