// Git repositories from a description, made by one `git fast-import` each: bare, the same bytes every time.
import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { once } from "node:events";

export type GitFile =
  | string
  | Uint8Array
  /** Gone in this commit. */
  | undefined
  | { readonly link: string }
  /** A submodule at this commit. */
  | { readonly submodule: string };

export type GitCommit = {
  readonly files: Readonly<Record<string, GitFile>>;
  /** `main` without it; a new one starts where `main` is. */
  readonly branch?: string;
  readonly tags?: readonly string[];
  /** Tags as objects of their own. */
  readonly annotated?: readonly string[];
};

/** 2024-01-01; each commit is an hour later than the one before. */
const firstSecond = 1_704_067_200;

/** Makes, or adds to, the bare repository `folder`. Tags that exist are moved: a forced push. */
export async function makeRepository(
  folder: string,
  commits: readonly GitCommit[],
  { fromHour = 0 } = {},
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await git(folder, ["init", "--quiet", "--bare", "--initial-branch=main", "."]);
  await git(folder, ["fast-import", "--quiet", "--force"], script(commits, fromHour));
}

function script(commits: readonly GitCommit[], fromHour: number): Buffer {
  const parts: Buffer[] = [];
  const write = (...lines: (string | Uint8Array)[]): void => {
    for (const line of lines)
      parts.push(typeof line === "string" ? Buffer.from(line) : Buffer.from(line), Buffer.from("\n"));
  };
  const branches = new Set<string>();
  let newest = 0;
  for (const [index, { files, branch = "main", tags = [], annotated = [] }] of commits.entries()) {
    const mark = index + 1;
    const who = `Test <test@corp.example> ${firstSecond + (fromHour + index) * 3600} +0000`;
    write(`commit refs/heads/${branch}`, `mark :${mark}`, `committer ${who}`, "data 1", "c");
    if (!branches.has(branch) && branch !== "main" && newest > 0) write(`from :${newest}`);
    else if (fromHour > 0 && !branches.has(branch)) write(`from refs/heads/${branch}^0`);
    branches.add(branch);
    if (branch === "main") newest = mark;
    for (const [name, file] of Object.entries(files)) writeFileTo(write, name, file);
    write("");
    for (const tag of tags) write(`reset refs/tags/${tag}`, `from :${mark}`, "");
    for (const tag of annotated) write(`tag ${tag}`, `from :${mark}`, `tagger ${who}`, "data 1", "t");
  }
  return Buffer.concat(parts);
}

function writeFileTo(write: (...lines: (string | Uint8Array)[]) => void, name: string, file: GitFile): void {
  const path = `"${name.replaceAll(/["\\]/g, "\\$&")}"`;
  if (file === undefined) {
    write(`D ${path}`);
    return;
  }
  if (typeof file === "object" && "submodule" in file) {
    write(`M 160000 ${file.submodule} ${path}`);
    return;
  }
  const isLink = typeof file === "object" && "link" in file;
  const bytes = Buffer.from(isLink ? file.link : file);
  write(`M ${isLink ? "120000" : "100644"} inline ${path}`, `data ${bytes.length}`, bytes);
}

/** Runs git in a folder, with nothing of this machine's own settings. Throws with what it said. */
export async function git(
  folder: string,
  args: readonly string[],
  input: Uint8Array = Buffer.alloc(0),
): Promise<string> {
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: folder,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
  };
  const child = spawn("git", args, { cwd: folder, env, stdio: ["pipe", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (said += text));
  child.stdin.on("error", () => undefined).end(input); // init reads nothing
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`git ${args.join(" ")} ended with ${code}: ${said}`);
  return said;
}
