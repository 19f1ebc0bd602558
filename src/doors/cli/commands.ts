// Every command, in the order of the help.

import type { CommandSpec } from "./command.ts";
import { agentCommand } from "./agent.ts";
import { compatCommand } from "./compat.ts";
import { configCommand } from "./config.ts";
import { conformanceCommand } from "./conformance.ts";
import { dnsCommand } from "./dns.ts";
import { doctorCommand } from "./doctor.ts";
import { drillCommand } from "./drill.ts";
import { envCommand } from "./env.ts";
import { explainCommand } from "./explain.ts";
import { explainErrorCommand } from "./explain-error.ts";
import { fixCommand } from "./fix.ts";
import { genCommand } from "./gen.ts";
import { jobsCommand } from "./jobs.ts";
import { modcacheCommand } from "./modcache.ts";
import { mirrorsCommand } from "./mirrors.ts";
import { labCommand } from "./lab.ts";
import { planCommand } from "./plan.ts";
import { prewarmCommand } from "./prewarm.ts";
import { publishCommand } from "./publish.ts";
import { runCommand } from "./run.ts";
import { serveCommand } from "./serve.ts";
import { simulateCommand } from "./simulate.ts";
import { pinCommand } from "./pin.ts";
import { storeCommand } from "./store.ts";
import { sumdbCommand } from "./sumdb.ts";
import { sumgopherCommand, sumverifyCommand } from "./sumdb-tools.ts";
import { sumwebCommand } from "./sumweb.ts";
import { tlsCommand } from "./tls.ts";
import { tokenCommand } from "./token.ts";
import { traceCommand } from "./trace.ts";
import { upstreamCommand } from "./upstream.ts";
import { verifyCommand } from "./verify.ts";

export const commands: readonly CommandSpec[] = [
  serveCommand,
  doctorCommand,
  fixCommand,
  explainCommand,
  envCommand,
  verifyCommand,
  modcacheCommand,
  explainErrorCommand,
  runCommand,
  labCommand,
  configCommand,
  compatCommand,
  genCommand,
  upstreamCommand,
  jobsCommand,
  planCommand,
  prewarmCommand,
  publishCommand,
  storeCommand,
  pinCommand,
  sumdbCommand,
  sumwebCommand,
  sumverifyCommand,
  sumgopherCommand,
  agentCommand,
  tokenCommand,
  simulateCommand,
  traceCommand,
  mirrorsCommand,
  drillCommand,
  conformanceCommand,
  tlsCommand,
  dnsCommand,
];
