// Public modules that any proxy with the public upstream can serve: small, old, and not likely to go away.
import { sumdbKey, sumdbName } from "#protocol/official.ts";
import type { ConformanceFixtures } from "./conformance-lab.ts";

export const publicFixtures: ConformanceFixtures = {
  module: { path: "rsc.io/quote", version: "v1.5.2" },
  upperPath: { path: "github.com/BurntSushi/toml", version: "v1.3.2" },
  // No small module with such a version is known to stay.
  upperVersion: undefined,
  incompatible: { path: "github.com/dgrijalva/jwt-go", version: "v3.2.0+incompatible" },
  major: { path: "rsc.io/quote/v3", version: "v3.1.0" },
  tagless: "golang.org/x/exp",
  branch: "master",
  // Old versions were fetched before Origin existed; nothing can be concluded from its absence.
  origin: false,
  database: { name: sumdbName, key: sumdbKey },
};
