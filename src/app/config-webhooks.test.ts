import assert from "node:assert/strict";
import { test } from "node:test";
import { isGranaryError } from "#services/errors/granary-error.ts";
import { loadConfig, reloadConfig } from "./config.ts";
import type { Config } from "./config.ts";
import type { Machine } from "./go-env.ts";

const secret = "a secret of the forge";

function machine(files: Record<string, string>): Machine {
  return {
    env: { HOOK: secret, SHORT: "0123456789" },
    platform: "linux",
    home: "/home/dev",
    readFile: (path) => Promise.resolve(files[path]),
  };
}

function load(yaml: string, files: Record<string, string> = {}): Promise<Config> {
  return loadConfig({ flags: { values: {}, config: "/c.yaml" }, machine: machine({ "/c.yaml": yaml, ...files }) });
}

const good = "webhooks: { team: { forge: github, secret: env:HOOK, repositories: [git.corp.example/team] } }\n";

test("a webhook has a forge, a secret from elsewhere, and repositories", async () => {
  const { webhooks, warnings } = await load(good);
  const repositories = [{ repository: "git.corp.example/team", module: "git.corp.example/team" }];
  assert.deepEqual(webhooks, [{ name: "team", forge: "github", secret, repositories }]);
  assert.deepEqual(warnings, []);
});

test("repositories may stand on one line, and module paths behind them", async () => {
  const yaml = good.replace(
    "[git.corp.example/team]",
    '"git.corp.example/team, git.corp.example:3000/x=go.corp.example"',
  );
  assert.deepEqual((await load(yaml)).webhooks[0]?.repositories, [
    { repository: "git.corp.example/team", module: "git.corp.example/team" },
    { repository: "git.corp.example:3000/x", module: "go.corp.example" },
  ]);
});

test("a secret comes from a file without its last newline; one in the open is warned of", async () => {
  const fromFile = await load(good.replace("env:HOOK", "file:/s"), { "/s": `${secret}\n` });
  assert.equal(fromFile.webhooks[0]?.secret, secret);
  const plain = await load(good.replace("env:HOOK", `"${secret}"`));
  assert.deepEqual(plain.warnings, [{ kind: "plain-secret", key: "webhooks.team.secret", origin: "file /c.yaml:1" }]);
});

const bad = [
  ["no secret", good.replace("secret: env:HOOK, ", ""), "GRANARY_BAD_CONFIG webhooks.team.secret"],
  ["no forge", good.replace("forge: github, ", ""), "GRANARY_BAD_CONFIG webhooks.team.forge"],
  [
    "no repositories",
    good.replace(", repositories: [git.corp.example/team]", ""),
    "GRANARY_BAD_CONFIG webhooks.team.repositories",
  ],
  ["an empty list", good.replace("[git.corp.example/team]", "[]"), "GRANARY_BAD_CONFIG webhooks.team.repositories"],
  ["an unknown forge", good.replace("github", "sourcehut"), "GRANARY_BAD_CONFIG webhooks.team.forge"],
  ["a short secret", good.replace("HOOK", "SHORT"), "GRANARY_BAD_CONFIG webhooks.team.secret"],
  ["an unset variable", good.replace("HOOK", "NONE"), "GRANARY_SECRET_UNREADABLE webhooks.team.secret"],
  [
    "a URL for a repository",
    good.replace("git.corp.example/team", "https://git.corp.example/team"),
    "GRANARY_BAD_CONFIG webhooks.team.repositories",
  ],
  ["an unknown key", good.replace("secret:", "secrte:"), "GRANARY_UNKNOWN_SETTING webhooks.team.secrte"],
  ["a key too many", "webhooks: { team: github }\n", "GRANARY_UNKNOWN_SETTING webhooks.team"],
] as const;
for (const [name, yaml, want] of bad)
  test(`${name} is an error that names it`, async () => {
    await assert.rejects(load(yaml), (error) => {
      assert.ok(
        isGranaryError(error, "GRANARY_BAD_CONFIG") ||
          isGranaryError(error, "GRANARY_UNKNOWN_SETTING") ||
          isGranaryError(error, "GRANARY_SECRET_UNREADABLE"),
        String(error),
      );
      assert.equal(`${error.code} ${error.fields.key}`, want);
      assert.ok(!JSON.stringify(error.fields).includes("0123456789"));
      return true;
    });
  });

test("a changed webhook is put in force while the server runs", async () => {
  const files = { "/c.yaml": good };
  const config = await loadConfig({ flags: { values: {}, config: "/c.yaml" }, machine: machine(files) });
  assert.equal((await reloadConfig(config)).verdict, "unchanged");
  files["/c.yaml"] = good.replace("github", "gitea");
  const reload = await reloadConfig(config);
  assert.ok(reload.verdict === "applied");
  assert.deepEqual(reload.changed, ["webhooks"]);
  assert.equal(reload.config.webhooks[0]?.forge, "gitea");
});
