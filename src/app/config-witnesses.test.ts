import assert from "node:assert/strict";
import { test } from "node:test";
import { cosigningKey } from "#protocol/cosignature.ts";
import { generateKey } from "#protocol/note.ts";
import { describe } from "#services/errors/catalogue.ts";
import { isGranaryError } from "#services/errors/granary-error.ts";
import { readWitnesses } from "./config-witnesses.ts";
import { loadConfig } from "./config.ts";
import type { Config } from "./config.ts";

const [one, two] = [1, 2].map((n) => cosigningKey(`witness.example/w${n}`, Buffer.alloc(32, n)).verifierKey) as [
  string,
  string,
];
const signer = { GRANARY_SUMLOG_KEY: "/etc/granary/sumlog.key" };

function load(env: Record<string, string>, yaml?: string): Promise<Config> {
  const machine = { env, platform: "linux", home: "/home/dev", readFile: () => Promise.resolve(yaml) } as const;
  return loadConfig({ flags: { values: {}, config: yaml === undefined ? undefined : "/c.yaml" }, machine });
}

test("witnesses as a list in the file, and in a variable", async () => {
  const yaml = `sumlog:\n  key: /k\n  quorum: 2\n  witnesses:\n    - ${one} https://w1.example/\n    - ${two} http://127.0.0.1:9000/w/2/\n`;
  const { values } = await load({}, yaml);
  assert.deepEqual(
    readWitnesses(values["sumlog.witnesses"]).map(({ cosigner, url }) => [cosigner.name, url]),
    [
      ["witness.example/w1", "https://w1.example"],
      ["witness.example/w2", "http://127.0.0.1:9000/w/2"],
    ],
  );
  assert.equal(values["sumlog.quorum"], 2);
  const text = `${one} https://w1.example; ${two} https://w2.example`;
  assert.equal((await load({ ...signer, GRANARY_SUMLOG_WITNESSES: text })).values["sumlog.witnesses"].length, 2);
  assert.deepEqual((await load({})).values["sumlog.witnesses"], []);
});

test("what cannot be meant is refused with the right form, in both languages", async () => {
  const database = generateKey("witness.example/w1", Buffer.alloc(32, 1)).verifierKey;
  const form = {
    en: /NAME\+HASH\+KEY URL: the verifier key of a witness/,
    "zh-CN": /NAME\+HASH\+KEY URL：见证者的校验密钥/,
  };
  const cases = [
    [{ ...signer, GRANARY_SUMLOG_WITNESSES: one }, form],
    [{ ...signer, GRANARY_SUMLOG_WITNESSES: `https://w.example ${one}` }, form],
    [{ ...signer, GRANARY_SUMLOG_WITNESSES: `${one} ftp://w.example` }, form],
    [{ ...signer, GRANARY_SUMLOG_WITNESSES: `${one} https://w.example?a=b` }, form],
    [{ ...signer, GRANARY_SUMLOG_WITNESSES: `${one} https://user:hunter2@w.example` }, form],
    [{ ...signer, GRANARY_SUMLOG_WITNESSES: `${one.replace("w1", "w2")} https://w.example` }, form],
    [{ ...signer, GRANARY_SUMLOG_WITNESSES: `${database} https://w.example` }, form],
    [{ ...signer, GRANARY_SUMLOG_WITNESSES: `${one} https://a.example; ${one} https://b.example` }, form],
    [{ GRANARY_SUMLOG_WITNESSES: `${one} https://w.example` }, { en: /sumlog\.key/, "zh-CN": /sumlog\.key/ }],
    [
      { ...signer, GRANARY_SUMLOG_WITNESSES: `${one} https://w.example`, GRANARY_SUMLOG_QUORUM: "2" },
      {
        en: /as there are witnesses in sumlog\.witnesses \(1\)/,
        "zh-CN": /不超过 sumlog\.witnesses 中见证者的个数（1）/,
      },
    ],
  ] as const;
  for (const [env, wanted] of cases)
    for (const lang of ["en", "zh-CN"] as const) {
      const error = await load({ ...env, GRANARY_LANG: lang }).then(
        () => assert.fail(`${JSON.stringify(env)} was taken`),
        (failure: unknown) => failure,
      );
      assert.ok(isGranaryError(error));
      const said = describe(error, lang).join("\n");
      assert.match(said, wanted[lang]);
      assert.doesNotMatch(said, /hunter2/);
    }
});
