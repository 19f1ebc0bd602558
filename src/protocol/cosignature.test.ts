import assert from "node:assert/strict";
import { test } from "node:test";
import {
  cosigningKey,
  formatAddCheckpoint,
  parseAddCheckpoint,
  parseCosignerKey,
  readCosignatures,
} from "./cosignature.ts";
import { generateKey } from "./note.ts";

const text = "example.com/log\n3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
const witness = cosigningKey("witness.example/w1", Buffer.alloc(32, 1));
const other = cosigningKey("witness.example/w2", Buffer.alloc(32, 2));

test("a witness's signature is its own, over this text, at that time", () => {
  const known = [parseCosignerKey(witness.verifierKey)];
  const lines = other.cosign(text, 5) + witness.cosign(text, 1_679_315_147);
  const [signature, ...more] = readCosignatures(lines, text, known);
  assert.equal(more.length, 0);
  assert.equal(signature?.name, "witness.example/w1");
  assert.equal(signature.seconds, 1_679_315_147);
  assert.throws(() => readCosignatures(lines, text.replace("3", "4"), known), { code: "NOTE_UNVERIFIED" });
  assert.deepEqual(readCosignatures("nonsense\n\u2014 x y\n", text, known), []);
});

test("an altered time is a wrong signature", () => {
  const [, name = "", base64 = ""] = /^\u2014 (.*) (.*)\n$/.exec(witness.cosign(text, 7)) ?? [];
  const blob = Buffer.from(base64, "base64");
  blob[11]! ^= 1;
  const line = `\u2014 ${name} ${blob.toString("base64")}\n`;
  const known = [parseCosignerKey(witness.verifierKey)];
  assert.throws(() => readCosignatures(line, text, known), { code: "NOTE_UNVERIFIED" });
});

test("witness keys are no database keys", () => {
  const database = generateKey("witness.example/w1", Buffer.alloc(32, 1)).verifierKey;
  assert.throws(() => parseCosignerKey(database), { code: "BAD_KEY", message: /algorithm byte must be 4/ });
  assert.throws(() => parseCosignerKey(witness.verifierKey.replace("w1", "w3")), { code: "BAD_KEY" });
  assert.throws(() => parseCosignerKey("x"), { code: "BAD_KEY" });
});

test("the request to a witness round-trips", () => {
  const request = {
    oldSize: 12,
    proof: [Buffer.alloc(32, 3), Buffer.alloc(32, 4)],
    checkpoint: `${text}\n\u2014 x y\n`,
  };
  assert.deepEqual(parseAddCheckpoint(formatAddCheckpoint(request)), request);
  const first = { oldSize: 0, proof: [], checkpoint: `${text}\n\u2014 x y\n` };
  assert.equal(formatAddCheckpoint(first), `old 0\n\n${first.checkpoint}`);
  assert.deepEqual(parseAddCheckpoint(formatAddCheckpoint(first)), first);
  for (const bad of ["", "old 01\n\nx", "old 1\nshort\n\nx", "new 1\n\nx", `old 1\n${"A".repeat(43)}=\n`])
    assert.throws(() => parseAddCheckpoint(bad), { code: "BAD_CHECKPOINT" }, bad);
});
