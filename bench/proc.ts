// What a server costs, read from /proc: CPU and memory of a process and everything below it.
import { readFileSync, readdirSync } from "node:fs";

/** USER_HZ, fixed at 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

type Process = { readonly parent: number; readonly ticks: number };

/** CPU seconds (user and system, threads and ended children included) of the tree below `pid`. */
export function cpuSeconds(pid: number): number {
  let ticks = 0;
  for (const member of tree(pid)) ticks += readProcess(member)?.ticks ?? 0;
  return ticks / ticksPerSecond;
}

/** CPU seconds of the children of this process that have ended. */
export function endedChildrenSeconds(): number {
  return fieldsOf("self").slice(13, 15).reduce(sum, 0) / ticksPerSecond;
}

/** Resident bytes of the tree below `pid`. */
export function residentBytes(pid: number): number {
  let total = 0;
  for (const member of tree(pid)) total += statusKiB(member, "VmRSS") * 1024;
  return total;
}

/** The most that `pid` alone ever had resident, in bytes. */
export function peakBytes(pid: number): number {
  return statusKiB(pid, "VmHWM") * 1024;
}

/** The whole tree, `pid` itself first. */
function tree(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    const id = Number(name);
    const parent = Number.isInteger(id) ? readProcess(id)?.parent : undefined;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), id]);
  }
  const found = [pid];
  for (const member of found) found.push(...(children.get(member) ?? []));
  return found;
}

/** proc(5): after the name in brackets come state, ppid, …; utime, stime, cutime and cstime are fields 14 to 17. */
function readProcess(pid: number): Process | undefined {
  try {
    const fields = fieldsOf(String(pid));
    return { parent: Number(fields[1]), ticks: fields.slice(11, 15).reduce(sum, 0) };
  } catch {
    return undefined;
  }
}

/** What follows the name in brackets. */
function fieldsOf(process: string): string[] {
  const text = readFileSync(`/proc/${process}/stat`, "utf8");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function sum(total: number, field: string): number {
  return total + Number(field);
}

function statusKiB(pid: number, name: string): number {
  try {
    const text = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
