// Which record is about which module version: a hash table in twelve bytes a slot. It only points: whoever asks reads
// the record and looks whose it is, so a lost or wrong entry costs a look and proves nothing.

import { hash } from "node:crypto";
import { ProtocolError } from "#protocol/errors.ts";

/** 64 bits of the key's SHA-256, then the number of the record plus one; 0 is a free slot. */
const slotWords = 3;
/** A table this full grows: longer runs of taken slots cost more than memory. */
const maxLoad = 0.7;
const minSlots = 1024;
/** As many records as a slot can number. */
const maxNumber = 2 ** 32 - 2;

export class Numbers {
  #slots = new Uint32Array(minSlots * slotWords);
  #count = 0;
  #upTo = 0;

  /** Records below this number have been added. */
  get upTo(): number {
    return this.#upTo;
  }

  /** Bytes of memory. */
  get bytes(): number {
    return this.#slots.byteLength;
  }

  /** Adds the next record, number `upTo`. */
  add(key: string): void {
    const number = this.#upTo;
    if (number > maxNumber) throw new RangeError(`no room for record ${number}`);
    if (this.#count + 1 > maxLoad * (this.#slots.length / slotWords)) this.#grow();
    const [high, low] = fingerprint(key);
    this.#put(high, low, number + 1);
    this.#count++;
    this.#upTo++;
  }

  /** Records that may be the key's, oldest first: nearly always one or none. */
  find(key: string): number[] {
    const [high, low] = fingerprint(key);
    const found: number[] = [];
    const slots = this.#slots.length / slotWords;
    for (let slot = high % slots; this.#slots[slot * slotWords + 2] !== 0; slot = (slot + 1) % slots) {
      const at = slot * slotWords;
      if (this.#slots[at] === high && this.#slots[at + 1] === low) found.push((this.#slots[at + 2] ?? 0) - 1);
    }
    return found.sort((a, b) => a - b);
  }

  toBytes(): Uint8Array {
    const head = Buffer.from(`${firstLine}\n${this.#upTo}\n`);
    const entries = Buffer.alloc(this.#count * slotWords * 4);
    let at = 0;
    for (let slot = 0; slot < this.#slots.length; slot += slotWords) {
      if (this.#slots[slot + 2] === 0) continue;
      for (let word = 0; word < slotWords; word++) at = entries.writeUInt32LE(this.#slots[slot + word] ?? 0, at);
    }
    const sum = Buffer.from(`${hash("sha256", Buffer.concat([head, entries]), "hex")}\n`);
    return Buffer.concat([sum, head, entries]);
  }

  /** Throws BAD_RECORD when the bytes are damaged. */
  static from(bytes: Uint8Array): Numbers {
    const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const rest = raw.subarray(65);
    const [first, upTo = ""] = rest.toString("latin1", 0, 64).split("\n");
    const entries = rest.subarray(`${firstLine}\n${upTo}\n`.length);
    const isSound = first === firstLine && /^[0-9]{1,10}$/.test(upTo) && entries.length % (slotWords * 4) === 0;
    if (!isSound || hash("sha256", rest, "hex") !== raw.toString("latin1", 0, 64))
      throw new ProtocolError("BAD_RECORD", "the table of record numbers is damaged");
    const numbers = new Numbers();
    for (let at = 0; at < entries.length; at += slotWords * 4) {
      if (numbers.#count + 1 > maxLoad * (numbers.#slots.length / slotWords)) numbers.#grow();
      numbers.#put(entries.readUInt32LE(at), entries.readUInt32LE(at + 4), entries.readUInt32LE(at + 8));
      numbers.#count++;
    }
    numbers.#upTo = Number(upTo);
    return numbers;
  }

  #put(high: number, low: number, value: number): void {
    const slots = this.#slots.length / slotWords;
    let slot = high % slots;
    while (this.#slots[slot * slotWords + 2] !== 0) slot = (slot + 1) % slots;
    this.#slots.set([high, low, value], slot * slotWords);
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += slotWords) {
      const [high = 0, low = 0, value = 0] = old.subarray(at, at + slotWords);
      if (value !== 0) this.#put(high, low, value);
    }
  }
}

const firstLine = "granary sumlog numbers 1";

function fingerprint(key: string): [number, number] {
  const digest = hash("sha256", key, "buffer");
  return [digest.readUInt32LE(0), digest.readUInt32LE(4)];
}
