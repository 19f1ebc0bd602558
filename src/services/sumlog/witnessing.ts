// Asks witnesses to cosign what the log has signed. All of it happens in the background: no append waits for it, and a
// witness that is dead, slow or lying costs nothing but its own cosignature.
//
//   the log grew ─> its newest head is the candidate ─> every witness that is due is asked
//                ─> enough of them cosigned it ─> kept ─> shown
//
// What is shown never goes back. A cosigned checkpoint is kept before it is shown and replaced by newer ones only. Until
// there is one, the candidate is shown as it is: what will be cosigned next is that tree or a larger one.

import { formatAddCheckpoint, readCosignatures, type Cosignature } from "#protocol/cosignature.ts";
import { ProtocolError } from "#protocol/errors.ts";
import type { Tree } from "#protocol/tlog.ts";
import type { Clock, Storage } from "#services/store/ports.ts";
import type { Signer } from "#protocol/note.ts";
import { forgetCosigned, formatCosigned, keepCosigned, readCosigned, type Cosigned } from "./cosigned.ts";
import type { SumLog } from "./log.ts";
import type { Witness, WitnessAnswer, WitnessClient } from "./ports.ts";
import { checkpointText, type Publisher } from "./tiled-log.ts";

export type WitnessingUse = {
  readonly log: SumLog;
  readonly signer: Signer;
  readonly storage: Storage;
  readonly witnesses: readonly Witness[];
  /** How many of them must have cosigned what is shown. */
  readonly quorum: number;
  readonly client: WitnessClient;
  readonly clock: Clock;
  readonly stop: AbortSignal;
  readonly tell: (news: WitnessNews) => void;
  /** In [0, 1): witnesses that failed together are not asked together. */
  readonly random: () => number;
  /** How long a witness may take. */
  readonly answerMs?: number;
};

/** A witness began to cosign; or one does not, or (without a name) what was cosigned cannot be kept. */
export type WitnessNews =
  { readonly witness: string; readonly treeSize: number } | { readonly witness?: string; readonly reason: string };

export type WitnessState = {
  readonly name: string;
  readonly url: string;
  /** The newest tree that it cosigned, and when, by its own clock. */
  readonly treeSize?: number;
  readonly time?: string;
  /** Why it did not, when it was asked last. */
  readonly reason?: string;
};

export type WitnessingState = {
  readonly quorum: number;
  /** The tree that is shown with enough cosignatures; undefined before the first. */
  readonly treeSize: number | undefined;
  readonly witnesses: readonly WitnessState[];
};

/** Appends in so short a time are one checkpoint. */
const coalesceMs = 1_000;
/** A witness in another part of the world answers in a second or two. */
const defaultAnswerMs = 10_000;
/** The waits after failures in a row: doubled each time. */
const retryBaseMs = 2_000;
const retryCapMs = 5 * 60_000;
/** When nothing is to be done, until the log grows. */
const idleMs = 60 * 60_000;
/** The log may be mended, or the disk may have room again. */
const ownRetryMs = 30_000;
/** The first size is a guess, the second the witness's word; a third if another process was there in between. */
const maxSizes = 3;

type Asked = Witness & {
  readonly id: string;
  /** Records that it is known to have seen. */
  seen: number;
  /** In this life of the server: at its start every witness is asked, since it knows of a log that was set back. */
  isHeard: boolean;
  dueMs: number;
  failures: number;
  treeSize?: number;
  time?: string;
  reason?: string | undefined;
};

type Candidate = Tree & { readonly given: Map<string, Cosignature> };

export class Witnessing implements Publisher {
  readonly #use: WitnessingUse;
  readonly #asked: readonly Asked[];
  #opening: Promise<void> | undefined;
  #candidate: Candidate | undefined;
  #shown: Cosigned | undefined;
  #keeping: Promise<void> = Promise.resolve();
  #nap = new AbortController();
  /** The last failure of our own, told once. */
  #ownReason: string | undefined;

  constructor(use: WitnessingUse) {
    this.#use = use;
    this.#asked = use.witnesses.map((witness) => {
      const { name, keyHash } = witness.cosigner;
      return { ...witness, id: `${name}+${keyHash}`, seen: 0, isHeard: false, dueMs: 0, failures: 0 };
    });
  }

  /** Never waits. */
  grew(): void {
    this.#nap.abort();
  }

  /** Goes on until the server stops. */
  async run(): Promise<void> {
    const { stop } = this.#use;
    const isOver = (): boolean => stop.aborted;
    while (!isOver()) {
      this.#nap = new AbortController();
      let isSound = true;
      try {
        await this.#round();
      } catch (error) {
        if (isOver()) return;
        isSound = false;
        this.#failedHere(error);
      }
      await this.#sleep(coalesceMs, stop);
      const waitMs = isSound ? this.#waitMs() : ownRetryMs;
      if (waitMs > 0) await this.#sleep(waitMs, AbortSignal.any([stop, this.#nap.signal]));
    }
  }

  /** What the stable URL shows. Throws SumLogError. */
  async checkpoint(): Promise<Uint8Array> {
    const { log, signer } = this.#use;
    // A log that does not answer shows nothing.
    const head = await log.head();
    await this.#open();
    if (this.#shown !== undefined) return formatCosigned(log.name, this.#shown, signer);
    this.#candidate ??= candidateOf(head);
    return formatCosigned(log.name, cosignedOf(this.#candidate), signer);
  }

  state(): WitnessingState {
    return {
      quorum: this.#use.quorum,
      treeSize: this.#shown?.size,
      witnesses: this.#asked.map(({ cosigner, url, treeSize, time, reason }) => ({
        name: cosigner.name,
        url,
        ...(treeSize !== undefined && { treeSize }),
        ...(time !== undefined && { time }),
        ...(reason !== undefined && { reason }),
      })),
    };
  }

  async #round(): Promise<void> {
    const head = await this.#use.log.head();
    await this.#open();
    if (head.size === 0) return;
    if (head.size > (this.#candidate?.size ?? 0)) this.#candidate = candidateOf(head);
    const candidate = this.#candidate;
    if (candidate === undefined) return;
    const now = this.#use.clock.now();
    const due = this.#missing(candidate).filter(({ dueMs }) => dueMs <= now);
    await Promise.all(due.map((witness) => this.#ask(witness, candidate)));
    await this.#keep(candidate);
    await this.#keeping;
    this.#ownReason = undefined;
  }

  #missing({ given }: Candidate): readonly Asked[] {
    return this.#asked.filter(({ id, isHeard }) => !isHeard || !given.has(id));
  }

  /** Reads what is kept, once. It counts when enough of today's witnesses cosigned it. */
  async #open(): Promise<void> {
    this.#opening ??= this.#read().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    await this.#opening;
  }

  async #read(): Promise<void> {
    const { cosigned, token } = await readCosigned(this.#use);
    if (token === undefined) return;
    if (cosigned === undefined || cosigned.cosignatures.length < this.#use.quorum) {
      await forgetCosigned(this.#use);
      return;
    }
    this.#shown = cosigned;
    this.#candidate = candidateOf(cosigned);
    for (const cosignature of cosigned.cosignatures) {
      const id = idOf(cosignature);
      this.#candidate.given.set(id, cosignature);
      const witness = this.#asked.find((each) => each.id === id);
      if (witness !== undefined) note(witness, cosigned.size, cosignature);
    }
  }

  async #ask(witness: Asked, candidate: Candidate): Promise<void> {
    const { stop, answerMs = defaultAnswerMs } = this.#use;
    const late = AbortSignal.timeout(answerMs);
    try {
      const cosignature = await this.#cosign(witness, candidate, AbortSignal.any([stop, late]));
      if (cosignature === undefined) return;
      const isNews = !witness.isHeard || witness.reason !== undefined;
      witness.isHeard = true;
      candidate.given.set(witness.id, cosignature);
      note(witness, candidate.size, cosignature);
      if (isNews) this.#use.tell({ witness: witness.cosigner.name, treeSize: candidate.size });
    } catch (error) {
      if (stop.aborted) return;
      this.#failed(witness, late.aborted ? `no answer within ${answerMs / 1000} s` : wordsOf(error));
      return;
    }
    // At once: another witness may keep everybody waiting.
    void this.#keep(candidate).catch(() => undefined); // the round keeps it again, and says why it cannot
  }

  /** Undefined when another process has shown the witness more than we had; what it has is the next candidate. */
  async #cosign(witness: Asked, candidate: Candidate, signal: AbortSignal): Promise<Cosignature | undefined> {
    const { log, signer, client } = this.#use;
    const checkpoint = Buffer.from(formatCosigned(log.name, { ...candidate, cosignatures: [] }, signer)).toString();
    for (let sizes = 0; sizes < maxSizes; sizes++) {
      const oldSize = Math.min(witness.seen, candidate.size);
      const proof = await log.proof(oldSize, candidate.size);
      const answer = await client.addCheckpoint(witness, formatAddCheckpoint({ oldSize, proof, checkpoint }), signal);
      if (answer.status === 200) return cosignatureIn(answer, witness, checkpointText(log.name, candidate));
      const size = sizeIn(answer);
      if (size === undefined || size === oldSize) throw new Error(refusalOf(answer, oldSize));
      if (size > candidate.size) {
        await log.refresh();
        if ((log.size ?? 0) >= size) return undefined;
        throw new Error(`it has seen ${size} records, and the log has ${log.size ?? 0}: was the log set back?`);
      }
      witness.seen = size;
    }
    throw new Error("it names another size each time");
  }

  /** One after the other; what is kept already, by us or another process, is not kept again. Throws StoreUnavailable. */
  async #keep(candidate: Candidate): Promise<void> {
    const job = async (): Promise<void> => {
      const next = cosignedOf(candidate);
      if (next.cosignatures.length < this.#use.quorum || !isBetter(next, this.#shown)) return;
      const { cosigned, token } = await readCosigned(this.#use);
      const isBehind = cosigned !== undefined && cosigned.size > next.size;
      if (isBehind && cosigned.cosignatures.length >= this.#use.quorum) this.#shown = cosigned;
      else if (await keepCosigned(next, token, this.#use)) this.#shown = next;
    };
    const done = this.#keeping.then(job);
    this.#keeping = done.catch(() => undefined);
    await done;
  }

  #waitMs(): number {
    const { clock, log, quorum } = this.#use;
    const candidate = this.#candidate;
    if ((log.size ?? 0) > (candidate?.size ?? 0)) return 0;
    if (candidate === undefined) return idleMs;
    const isUnkept = candidate.given.size >= quorum && isBetter(cosignedOf(candidate), this.#shown);
    const waits = this.#missing(candidate).map(({ dueMs }) => Math.max(0, dueMs - clock.now()));
    return Math.min(idleMs, ...waits, ...(isUnkept ? [ownRetryMs] : []));
  }

  #failed(witness: Asked, reason: string): void {
    const { clock, tell, random } = this.#use;
    const most = Math.min(retryCapMs, retryBaseMs * 2 ** witness.failures);
    witness.failures += 1;
    witness.dueMs = clock.now() + most * (0.5 + random() / 2);
    if (witness.reason === reason) return;
    witness.reason = reason;
    tell({ witness: witness.cosigner.name, reason });
  }

  #failedHere(error: unknown): void {
    const reason = wordsOf(error);
    if (reason === this.#ownReason) return;
    this.#ownReason = reason;
    this.#use.tell({ reason });
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    await this.#use.clock.sleep(ms, signal).catch(() => undefined); // woken
  }
}

function candidateOf({ size, root }: Tree): Candidate {
  return { size, root, given: new Map() };
}

function cosignedOf({ size, root, given }: Candidate): Cosigned {
  return { size, root, cosignatures: [...given.values()] };
}

function isBetter(next: Cosigned, shown: Cosigned | undefined): boolean {
  if (shown === undefined || next.size > shown.size) return true;
  return next.size === shown.size && next.cosignatures.length > shown.cosignatures.length;
}

function idOf({ name, keyHash }: { readonly name: string; readonly keyHash: number }): string {
  return `${name}+${keyHash}`;
}

function note(witness: Asked, size: number, { seconds }: Cosignature): void {
  witness.seen = size;
  witness.treeSize = size;
  witness.time = new Date(seconds * 1000).toISOString();
  witness.failures = 0;
  witness.dueMs = 0;
  witness.reason = undefined;
}

/** Throws ProtocolError, or Error in words for people, when there is none that counts. */
function cosignatureIn({ body }: WitnessAnswer, { cosigner }: Witness, text: string): Cosignature {
  const [cosignature] = readCosignatures(body, text, [cosigner]);
  if (cosignature === undefined) throw new Error("its answer has no cosignature by its key");
  const { seconds } = cosignature;
  if (seconds === 0 || seconds > maxSeconds) throw new Error("its cosignature has no time");
  return cosignature;
}

/** The end of the year 9999. */
const maxSeconds = 253_402_300_799;

/** The size that a witness wants a proof from. */
function sizeIn({ status, mediaType, body }: WitnessAnswer): number | undefined {
  const [, digits] = /^(0|[1-9][0-9]{0,15})\n?$/.exec(body) ?? [];
  return status === 409 && mediaType === "text/x.tlog.size" && digits !== undefined ? Number(digits) : undefined;
}

function refusalOf({ status }: WitnessAnswer, oldSize: number): string {
  switch (status) {
    case 404:
      return "it does not know this log (404): whoever runs it must add the log's name and key";
    case 403:
      return "it does not trust the log's key (403)";
    case 409:
      return `it has another tree of ${oldSize} records (409): was the log set back?`;
    case 422:
      return `it does not accept the proof from ${oldSize} records (422)`;
    default:
      return `it answered ${status}`;
  }
}

function wordsOf(error: unknown): string {
  if (error instanceof ProtocolError) return `${error.message} (${error.code})`;
  return error instanceof Error ? error.message : String(error);
}
