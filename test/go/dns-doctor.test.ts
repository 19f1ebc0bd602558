// Which resolver go uses for a name, as whichResolver() has it and as the real go commands say themselves
// (GODEBUG=netdns=…+2): one that was built with cgo, and those since Go 1.20 that were not.
import assert from "node:assert/strict";
import { hostname } from "node:os";
import { suite, test } from "node:test";
import { askGoBuild } from "#adapters/system/go-build.ts";
import { systemNames } from "#adapters/system/system-names.ts";
import { whichResolver } from "#services/analysers/go-resolver.ts";
import { parseNsswitch, parseResolvConf } from "#services/analysers/resolver-files.ts";
import { atEnd } from "../support/at-end.ts";
import { newGoClient, skipLoudly } from "../support/go.ts";
import { obtainGo } from "../support/toolchains.ts";

/** The hosts file has it: no server is asked. */
const host = "localhost";

const settings = [
  { GODEBUG: "netdns=2" },
  { GODEBUG: "netdns=go+2" },
  { GODEBUG: "netdns=cgo+2" },
  { GODEBUG: "netdns=2", RES_OPTIONS: "attempts:1" },
  { GODEBUG: "netdns=2", LOCALDOMAIN: "" },
];

suite("go's resolver", { skip: process.platform !== "linux" && "files of Linux" }, () => {
  for (const version of ["1.19.13", "1.24.9", "1.27.3"])
    for (const env of settings)
      test(`of go ${version} with ${JSON.stringify(env)}`, { timeout: 600_000 }, async (t) => {
        const tool = await obtainGo(version);
        if (typeof tool === "string") {
          skipLoudly(t, tool);
          return;
        }
        const client = await newGoClient(tool, { GOPROXY: `https://${host}:1` });
        atEnd(t, () => client.remove());
        const said = await client.run(["mod", "download", "example.com/m@v1.0.0"], { env });
        // Older commands do not say it when libc is asked without a choice being made.
        const order = /hostLookupOrder\(localhost\) = (\S+)/.exec(said.output)?.[1];
        const build = await askGoBuild({
          PATH: `${tool.goroot}/bin`,
          HOME: client.home,
          GOENV: "off",
          GOROOT: tool.goroot,
        });
        assert.equal(build?.hasCgo, version === "1.19.13");
        const names = systemNames();
        const nss = await names.readText("/etc/nsswitch.conf");
        const resolv = await names.readText("/etc/resolv.conf");
        const choice = whichResolver({
          host,
          platform: "linux",
          env,
          hasCgo: build.hasCgo,
          hostname: hostname(),
          nss: typeof nss === "string" ? (nss === "absent" ? undefined : nss) : parseNsswitch(nss.text),
          resolv:
            typeof resolv === "string" ? (resolv === "absent" ? undefined : resolv) : parseResolvConf(resolv.text),
          hasMdnsAllow: await names.exists("/etc/mdns.allow"),
        });
        assert.equal(choice.order, order, said.output);
      });
});
