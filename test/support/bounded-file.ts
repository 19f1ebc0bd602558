// Preload for the files of a suite: a file that still runs after GRANARY_TEST_FILE_MS says what holds it and ends with a
// failure, instead of holding the whole suite. (The runner's own --test-timeout bounds tests; a process whose tests are
// over and which something keeps alive is not one.)
import { basename } from "node:path";

const limitMs = Number(process.env["GRANARY_TEST_FILE_MS"] ?? 0);

// Only where tests run: not in the runner, and not in the servers and clients they start.
if (limitMs > 0 && process.env["NODE_TEST_CONTEXT"] !== undefined)
  setTimeout(() => {
    const held = process.getActiveResourcesInfo().join(", ");
    process.stderr.write(`${basename(process.argv[1] ?? "")} still runs after ${limitMs} ms; held by ${held}\n`);
    process.exit(1);
  }, limitMs).unref();
