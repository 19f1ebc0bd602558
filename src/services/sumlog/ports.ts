// What an own log asks of the world beside a Storage.

import type { Cosigner } from "#protocol/cosignature.ts";
import type { Sums } from "#protocol/record.ts";
import type { ModuleVersion } from "#protocol/version.ts";

/** Remembers the newest head that a key signed, away from the store: who loses the store must not start over. */
export interface HeadMemory {
  /** The signed note; undefined when the key has signed nothing yet. */
  recall(): Promise<Uint8Array | undefined>;
  remember(note: Uint8Array): Promise<void>;
}

/** Who can say what a module version's hashes are, with a proof of their own. */
export interface Proofs {
  /** Throws SumdbError when the version does not exist or nobody can be asked now. */
  sums(id: ModuleVersion, signal: AbortSignal): Promise<Sums>;
}

/** Who is asked to cosign checkpoints, and where. */
export type Witness = {
  readonly cosigner: Cosigner;
  /** The submission prefix: http or https, no credentials. */
  readonly url: string;
};

export type WitnessAnswer = {
  readonly status: number;
  /** The Content-Type, without parameters, in lower case; "" for none. */
  readonly mediaType: string;
  readonly body: string;
};

/** A few cosignatures of some 150 bytes each, or a number. */
export const maxWitnessAnswerBytes = 16 * 1024;

export interface WitnessClient {
  /** Posts to `<url>/add-checkpoint`. Throws when no answer of at most maxWitnessAnswerBytes came. */
  addCheckpoint(witness: Witness, body: string, signal: AbortSignal): Promise<WitnessAnswer>;
}
