// The yardstick of an ingest: what the go command itself does with a zip it downloads (x/mod dirhash.HashZip: every
// entry inflated, its CRC-32 compared, its SHA-256 taken), in Go, on one thread, over the same zips.
import { execFile } from "node:child_process";
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { newFolder, onPath } from "./children.ts";
import type { Cost } from "./ingest-works.ts";

const program = `package main

import ("archive/zip"; "bufio"; "crypto/sha256"; "fmt"; "io"; "os"; "runtime"; "sort"; "syscall"; "time")

func check(err error) { if err != nil { panic(err) } }

func hash(name string) {
	z, err := zip.OpenReader(name)
	check(err)
	defer z.Close()
	sort.Slice(z.File, func(i, j int) bool { return z.File[i].Name < z.File[j].Name })
	all := sha256.New()
	for _, f := range z.File {
		r, err := f.Open()
		check(err)
		one := sha256.New()
		_, err = io.Copy(one, r)
		check(err)
		r.Close()
		fmt.Fprintf(all, "%x  %s\\n", one.Sum(nil), f.Name)
	}
}

func main() {
	runtime.GOMAXPROCS(1)
	names := bufio.NewScanner(os.Stdin)
	start := time.Now()
	for names.Scan() { hash(names.Text()) }
	var used syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	fmt.Println(time.Since(start).Seconds(), float64(used.Utime.Nano())/1e9, float64(used.Stime.Nano())/1e9)
}
`;

/** Undefined without a \`go\`. */
export async function hashByGo(root: string, zips: readonly string[]): Promise<Cost | undefined> {
  const go = onPath("go");
  if (go === undefined) return undefined;
  const folder = await newFolder("dirhash");
  await writeFile(join(folder, "main.go"), program);
  const binary = join(folder, "dirhash");
  const env = { ...process.env, GOTOOLCHAIN: "local", GO111MODULE: "off", GOFLAGS: "" };
  await promisify(execFile)(go, ["build", "-o", binary, "main.go"], { cwd: folder, env });
  const running = promisify(execFile)(binary);
  running.child.stdin?.end(zips.map((zip) => `${join(root, zip)}\n`).join(""));
  const [wall = 0, user = 0, system = 0] = (await running).stdout.trim().split(" ").map(Number);
  let bytes = 0;
  for (const zip of zips) bytes += (await stat(join(root, zip))).size;
  return { zips: zips.length, bytes, wall, user, system };
}
