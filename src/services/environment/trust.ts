// Which certificate authorities a go command trusts, as far as its environment has a say.
// Source: crypto/x509 root_unix.go, cert_pool.go; protocol reference §2.8.

import { knows } from "./go-versions.ts";
import { valueOf } from "./settings.ts";
import type { Settings } from "./settings.ts";

/** `system`: the machine's. `files`: those in SSL_CERT_FILE and SSL_CERT_DIR. `unheard`: set, and not read here. */
export type Trust = {
  readonly kind: "system" | "files" | "unheard";
  readonly file: string;
  readonly dir: string;
};

export function trustOf(settings: Settings, platform: string): Trust {
  const file = valueOf(settings, "SSL_CERT_FILE");
  const dir = valueOf(settings, "SSL_CERT_DIR");
  if (file === "" && dir === "") return { kind: "system", file, dir };
  const isUnix = platform !== "darwin" && platform !== "win32";
  return { kind: isUnix || knows(settings.version, "certificates") ? "files" : "unheard", file, dir };
}
