// How a certificate authority becomes trusted, system by system. Go reads the system's list, so it is there that an
// authority goes; SSL_CERT_FILE is for where nothing may be changed. Nothing here says that it should be trusted.

import type { Fix } from "#services/findings/fix.ts";
import type { TrustFamily } from "./ports.ts";

/** What the commands call the file; people rename it. */
const file = "granary-root.crt";

/** First how to get the authority into a file, then how this system takes it. */
export function trustFixes(hostPort: string, family: TrustFamily): readonly Fix[] {
  const save: Fix = { kind: "run", argv: ["granary", "tls", "export-root", hostPort, "--out", file] };
  return [save, ...installFixes(family, file)];
}

/** @param pem the file with the authority */
export function installFixes(family: TrustFamily, pem: string): readonly Fix[] {
  const run = (...argv: string[]): Fix => ({ kind: "run", argv, asRoot: true });
  switch (family) {
    case "debian":
    case "alpine":
      return [run("cp", pem, "/usr/local/share/ca-certificates/"), run("update-ca-certificates")];
    case "redhat":
      return [run("cp", pem, "/etc/pki/ca-trust/source/anchors/"), run("update-ca-trust")];
    case "suse":
      return [run("cp", pem, "/etc/pki/trust/anchors/"), run("update-ca-certificates")];
    case "macos":
      return [run("security", "add-trusted-cert", "-d", "-k", "/Library/Keychains/System.keychain", pem)];
    case "windows":
      return [run("certutil", "-addstore", "Root", pem)];
    case "other":
      return [{ kind: "export", values: { SSL_CERT_FILE: pem } }];
  }
}
