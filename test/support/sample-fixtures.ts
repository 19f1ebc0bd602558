// What the modules of test/fixtures/modules can be used for in the conformance suite.
import type { ConformanceFixtures } from "#services/lab/conformance.ts";

export const sampleFixtures: ConformanceFixtures = {
  module: { path: "example.com/hello", version: "v1.0.0" },
  upperPath: { path: "example.com/Upper/Case", version: "v1.0.0-RC1" },
  upperVersion: { path: "example.com/Upper/Case", version: "v1.0.0-RC1" },
  incompatible: { path: "example.com/old", version: "v2.0.0+incompatible" },
  major: { path: "example.com/multi/v2", version: "v2.1.0" },
  tagless: "example.com/tagless",
  branch: "main",
  origin: true,
  database: undefined,
};
