// Which certificate authorities go trusts on this machine: crypto/x509 loadSystemRoots of go1.26 (root_unix.go,
// root_linux.go, root_bsd.go). The first file that can be read counts, then every file of every folder.
// macOS and Windows decide by themselves for go; there their list is what Node can tell of it.

import { readdir, readFile, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import { getCACertificates } from "node:tls";
import type { RootFile, TrustFamily, TrustStore } from "#services/analysers/ports.ts";

const linuxFiles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/cacert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];
const linuxFolders = ["/etc/ssl/certs", "/etc/pki/tls/certs"];

/** Debian's bundle has 220 kB. */
const maxFileBytes = 8 * 1024 * 1024;
/** Debian's folder has about 300 names. */
const maxFiles = 2_000;

type Machine = { readonly env: Readonly<Record<string, string | undefined>>; readonly platform: string };

export function trustStore({ env, platform }: Machine): TrustStore {
  return {
    goRoots: async () => {
      const file = env["SSL_CERT_FILE"] ?? "";
      const folders = env["SSL_CERT_DIR"] ?? "";
      const asks = platform === "darwin" || platform === "win32";
      // Go reads the two variables there only from 1.27 on; a machine that has them set means them.
      if (asks && file === "" && folders === "")
        return [{ place: platform, pem: getCACertificates("system").join("\n") }];
      return [
        ...(await firstFile(file === "" ? linuxFiles : [file])),
        ...(await inFolders(folders === "" ? linuxFolders : folders.split(":"))),
      ];
    },
    publicRoots: () => getCACertificates("bundled"),
    family: async () =>
      platform === "linux"
        ? await linuxFamily()
        : platform === "darwin"
          ? "macos"
          : platform === "win32"
            ? "windows"
            : "other",
  };
}

async function firstFile(files: readonly string[]): Promise<RootFile[]> {
  for (const place of files) {
    const pem = await readRoots(place);
    if (pem !== undefined) return [{ place, pem }];
  }
  return [];
}

async function inFolders(folders: readonly string[]): Promise<RootFile[]> {
  const found: RootFile[] = [];
  for (const folder of folders) {
    for (const name of await namesIn(folder)) {
      const place = join(folder, name);
      const pem = await readRoots(place);
      if (pem !== undefined) found.push({ place, pem });
    }
  }
  return found;
}

/** Without links to names of the same folder, which are its other files once more. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    const entries = (await readdir(folder, { withFileTypes: true })).slice(0, maxFiles);
    const own = entries.map(async (entry) => {
      const isTwin = entry.isSymbolicLink() && !(await readlink(join(folder, entry.name))).includes("/");
      return isTwin ? [] : [entry.name];
    });
    return (await Promise.all(own)).flat();
  } catch {
    return [];
  }
}

async function readRoots(place: string): Promise<string | undefined> {
  try {
    const { size } = await stat(place);
    return size > maxFileBytes ? undefined : await readFile(place, "latin1");
  } catch {
    return undefined;
  }
}

/** By ID and ID_LIKE of os-release(5). */
async function linuxFamily(): Promise<TrustFamily> {
  const text = (await readRoots("/etc/os-release")) ?? "";
  const ids = [...text.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)"?$/gm)].map(([, value = ""]) => value).join(" ");
  if (/\b(debian|ubuntu)\b/.test(ids)) return "debian";
  if (/\balpine\b/.test(ids)) return "alpine";
  if (/\b(rhel|fedora|centos|openeuler|anolis|amzn)\b/i.test(ids)) return "redhat";
  return /\bsuse\b/.test(ids) ? "suse" : "other";
}
