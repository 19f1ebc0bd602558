// `sumlog.witnesses`: who is asked to cosign the own database's checkpoints, written as GOSUMDB names a database.
//
//   sumlog:
//     witnesses:
//       - witness.example/w1+1a2b3c4d+BASE64 https://witness.example/w1

import { z } from "zod";
import { parseCosignerKey } from "#protocol/cosignature.ts";
import { ProtocolError } from "#protocol/errors.ts";
import type { Witness } from "#services/sumlog/ports.ts";
import { listOf, text } from "./config-kinds.ts";
import type { Kind } from "./config-kinds.ts";

/** A checkpoint with more signatures is a burden to everybody who reads it. */
export const maxWitnesses = 16;

const witness = text(
  {
    en: `NAME+HASH+KEY URL: the verifier key of a witness (its algorithm byte is 4) and an http(s) URL without credentials; at most ${maxWitnesses}, each key once`,
    "zh-CN": `NAME+HASH+KEY URL：见证者的校验密钥（算法字节为 4）和不含凭据的 http(s) URL；最多 ${maxWitnesses} 个，密钥不得重复`,
  },
  (value) => parseWitness(value) !== undefined,
);

export const witnessesKind: Kind<readonly string[]> = {
  ...listOf(witness, ";"),
  schema: z.array(witness.schema).max(maxWitnesses).refine(areDistinct) as Kind<readonly string[]>["schema"],
};

/** The witnesses of a value that the schema accepted. */
export function readWitnesses(values: readonly string[]): Witness[] {
  return values.map(parseWitness).filter((read) => read !== undefined);
}

function parseWitness(value: string): Witness | undefined {
  const [, key = "", address = ""] = /^(\S+)[ \t]+(\S+)$/.exec(value) ?? [];
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const isPlain = url?.username === "" && url.password === "" && url.search === "" && url.hash === "";
  if (!isPlain || !/^https?:$/.test(url.protocol)) return undefined;
  try {
    return { cosigner: parseCosignerKey(key), url: url.href.replace(/\/$/, "") };
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

function areDistinct(values: readonly string[]): boolean {
  const ids = readWitnesses(values).map(({ cosigner }) => `${cosigner.name}+${cosigner.keyHash}`);
  return new Set(ids).size === ids.length;
}
