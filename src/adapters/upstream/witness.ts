// Witnesses over HTTP: `POST <url>/add-checkpoint` (c2sp.org/tlog-witness), the way upstreams are reached.

import { maxWitnessAnswerBytes } from "#services/sumlog/ports.ts";
import type { Witness, WitnessAnswer, WitnessClient } from "#services/sumlog/ports.ts";
import type { HttpUpstreamClient } from "./http.ts";

export class HttpWitnessClient implements WitnessClient {
  readonly #post: HttpUpstreamClient["post"];

  constructor(post: HttpUpstreamClient["post"]) {
    this.#post = post;
  }

  /** Throws UpstreamFault. */
  async addCheckpoint({ cosigner, url }: Witness, body: string, signal: AbortSignal): Promise<WitnessAnswer> {
    const answer = await this.#post(
      { name: cosigner.name, url, redirectCidrs: [] },
      {
        path: "/add-checkpoint",
        body: Buffer.from(body),
        maxBytes: maxWitnessAnswerBytes,
        headers: { "content-type": "text/plain; charset=utf-8" },
        signal,
      },
    );
    const pieces: Uint8Array[] = [];
    for await (const piece of answer.body) pieces.push(piece);
    const [mediaType = ""] = (answer.headers["content-type"] ?? "").split(";");
    return {
      status: answer.status,
      mediaType: mediaType.trim().toLowerCase(),
      body: Buffer.concat(pieces).toString(),
    };
  }
}
