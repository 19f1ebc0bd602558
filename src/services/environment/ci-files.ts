// What CI files and Compose files set: variables for everything, for one job, and inside scripts.

import { joinReadings } from "./assignment.ts";
import type { Assignment, Reading } from "./assignment.ts";
import { exported } from "./env-lines.ts";
import { readShell } from "./shell-file.ts";
import { childOf, entriesOf, itemsOf, readYaml, textOf } from "./yaml-tree.ts";
import type { YamlNode } from "./yaml-tree.ts";

/** Top-level keywords of .gitlab-ci.yml that are no jobs (GitLab CI/CD YAML reference, global keywords). */
const noJobs: ReadonlySet<string> = new Set(
  "default include stages variables workflow spec image services cache before_script after_script pages:deploy".split(
    " ",
  ),
);

/** .gitlab-ci.yml: `variables:` of all and of each job, and what scripts export; part `job NAME`. */
export function readGitlabCi(text: string): Reading {
  const root = readYaml(text);
  const readings = [variables(childOf(root, "variables"), "")];
  for (const name of ["before_script", "after_script"]) readings.push(scripts(childOf(root, name), ""));
  readings.push(scripts(childOf(root, "default", "before_script"), ""));
  for (const [name, job] of entriesOf(root)) {
    if (noJobs.has(name) || job.kind !== "map") continue;
    readings.push(variables(childOf(job, "variables"), `job ${name}`));
    for (const key of ["before_script", "script", "after_script"])
      readings.push(scripts(childOf(job, key), `job ${name}`));
  }
  return joinReadings(readings);
}

/** A workflow of GitHub Actions: `env:` of all, of a job, of a step, and what `run:` exports; part `job NAME`. */
export function readWorkflow(text: string): Reading {
  const root = readYaml(text);
  const readings = [variables(childOf(root, "env"), "")];
  for (const [name, job] of entriesOf(childOf(root, "jobs"))) {
    const part = `job ${name}`;
    readings.push(variables(childOf(job, "env"), part));
    for (const step of itemsOf(childOf(job, "steps"))) {
      readings.push(variables(childOf(step, "env"), part));
      readings.push(scripts(childOf(step, "run"), part));
    }
  }
  return joinReadings(readings);
}

/** compose.yaml: `environment:` of each service, as a mapping or as a list, and `build.args`; part `service NAME`. */
export function readCompose(text: string): Reading {
  const readings = entriesOf(childOf(readYaml(text), "services")).map(([name, service]) => {
    const part = `service ${name}`;
    return joinReadings([
      variables(childOf(service, "environment"), part),
      variables(childOf(service, "build", "args"), part),
    ]);
  });
  return joinReadings(readings);
}

/** `NAME: value`, `NAME: {value: …}` of GitLab, `- NAME=value` of Compose. */
function variables(node: YamlNode | undefined, part: string): Reading {
  const assignments: Assignment[] = [];
  const add = (name: string, value: string, line: number): void => {
    if (!/^[A-Za-z_]\w*$/.test(name)) return;
    const isLiteral = !/\$[\w{(]/.test(value);
    assignments.push({ ...exported(name, value, line), isLiteral, part });
  };
  for (const [name, value] of entriesOf(node)) {
    const text = textOf(value) ?? textOf(childOf(value, "value"));
    if (text !== undefined) add(name, text, value.line);
  }
  if (node?.kind === "list")
    for (const item of node.items) {
      const [, name, value = ""] = /^([A-Za-z_]\w*)=([^]*)$/.exec(textOf(item) ?? "") ?? [];
      if (name !== undefined) add(name, value, item.line);
    }
  return { assignments, traps: [] };
}

/** Lines of shell, each or all in one text. */
function scripts(node: YamlNode | undefined, part: string): Reading {
  const readings = itemsOf(node).flatMap((item): Reading[] => {
    if (item.kind === "list") return [scripts(item, part)];
    if (item.kind === "map") return [];
    return [readShell(item.text, { part, firstLine: item.line + (item.isBlock ? 1 : 0) })];
  });
  return joinReadings(readings);
}
