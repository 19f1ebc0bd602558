// The walls of the house. ARCHITECTURE.md draws them; `npm run walls` holds them.
const test = "[.]test[.]ts$";

/** Which service room may use which other service room. Everything absent is a wall. */
export const uses = {
  errors: [],
  events: [],
  alarms: ["events", "store"],
  store: ["errors", "events"],
  cluster: ["errors", "events", "store"],
  tending: ["errors", "events", "store"],
  access: ["errors", "store", "cluster"],
  upstreams: ["errors", "store"],
  sumdb: ["errors", "store", "upstreams"],
  sumlog: ["errors", "store", "sumdb", "cluster"],
  sumtools: ["store", "sumdb", "prewarm"],
  integrity: ["store"],
  proxy: ["errors", "events", "store", "upstreams", "sumdb", "integrity", "cluster"],
  lab: ["errors"],
  prewarm: ["errors", "store"],
  packing: ["errors", "store"],
  generate: [],
  sync: ["errors", "events", "store"],
  findings: ["errors"],
  myths: ["errors"],
  environment: ["errors", "findings", "sumdb"],
  analysers: ["errors", "findings", "sumdb"],
  mirrors: ["errors", "findings", "analysers"],
  places: ["errors", "findings", "store"],
  modcache: ["errors", "findings", "environment", "sumdb", "store"],
  doctor: ["errors", "findings", "environment", "analysers", "mirrors", "modcache", "store"],
};

/** Packages an inner ring may use: pure parsers only, each with its reason here. */
const pureLibraries = {
  // a bounded map without I/O
  "lru-cache": "src/services/",
  // CI and Compose files as text, in services/environment
  yaml: "src/services/",
};

const forbid = (name, from, to, comment) => ({ name, severity: "error", comment, from, to });

const serviceRules = Object.entries(uses).map(([room, friends]) =>
  forbid(
    `service-${room}`,
    { path: `^src/services/${room}/`, pathNot: test },
    { path: "^src/services/", pathNot: `^src/services/(${[room, ...friends].join("|")})/` },
    `services/${room} may use only: ${friends.join(", ") || "no other service"}`,
  ),
);

export default {
  forbidden: [
    forbid(
      "protocol-knows-nobody",
      { path: "^src/protocol/", pathNot: test },
      { path: "^src/(?!protocol/)" },
      "protocol/ is Go's rules as pure functions; liftable into its own package any day",
    ),
    forbid(
      "inner-rings-do-no-io",
      { path: "^src/(protocol|services)/", pathNot: test },
      { dependencyTypes: ["core"], pathNot: "^(node:)?(crypto|zlib|buffer|async_hooks)$" },
      "reach files, sockets, processes through a port",
    ),
    forbid(
      "inner-rings-need-no-packages",
      { path: "^src/(protocol|services)/", pathNot: test },
      {
        dependencyTypes: ["npm", "npm-dev", "npm-optional", "npm-peer", "npm-no-pkg", "unknown"],
        pathNot: `node_modules/(${Object.keys(pureLibraries).join("|")})/`,
      },
      "the centre has no third-party code, but for the pure libraries listed above",
    ),
    forbid("protocol-needs-no-packages", { path: "^src/protocol/", pathNot: test }, { path: "node_modules" }),
    forbid("services-look-inwards", { path: "^src/services/", pathNot: test }, { path: "^src/(adapters|doors|app)/" }),
    ...serviceRules,
    forbid(
      "adapters-meet-services-at-ports",
      { path: "^src/adapters/", pathNot: test },
      { path: "^src/services/", pathNot: "/(ports|[a-z]+-ports?|errors)[.]ts$|^src/services/errors/" },
      "an adapter implements a port and nothing more",
    ),
    forbid(
      "adapters-do-not-chat",
      { path: "^src/adapters/([^/]+)/", pathNot: test },
      { path: "^src/adapters/", pathNot: "^src/adapters/($1|telemetry)/" },
    ),
    forbid("adapters-look-inwards", { path: "^src/adapters/" }, { path: "^src/(doors|app)/" }),
    forbid(
      "doors-get-adapters-from-app",
      { path: "^src/doors/", pathNot: test },
      { path: "^src/(adapters|app)/", pathNot: "^src/adapters/telemetry/" },
      "doors are handed services; only app/ constructs adapters",
    ),
    forbid("doors-are-separate", { path: "^src/doors/([^/]+)/" }, { path: "^src/doors/", pathNot: "^src/doors/$1/" }),
    forbid(
      "private-drawer",
      { path: "^src/(.+)/[^/]+$" },
      { path: "/_[^/]+[.]ts$", pathNot: "^src/$1/" },
      "files that start with _ belong to their folder",
    ),
    forbid(
      "borders-by-name",
      { path: "^src/([^/]+)/" },
      { path: "^src/", pathNot: "^src/$1/", dependencyTypesNot: ["aliased-subpath-import"] },
      "cross a border as #ring/...",
    ),
    forbid("no-circles", {}, { circular: true }),
    forbid("no-test-in-product", { path: "^(src|bin)/", pathNot: test }, { path: `^test/|${test}` }),
  ],
  options: {
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
  },
};
