// The file that EnvironmentFile= of a systemd unit names. Source: systemd basic/env-file.c, parse_env_file_internal, and
// systemd.exec(5). It looks like shell and is none: nothing is expanded, and `export GOPROXY=…` sets nothing.

import { maxFileChars } from "./assignment.ts";
import type { Assignment, Reading, Trap } from "./assignment.ts";
import { exported } from "./env-lines.ts";

/** In double quotes a backslash takes its meaning from these, and stays before all others. */
const escapable = '"\\`$';

/** Reads such a file; never throws. */
export function readUnitEnvFile(text: string): Reading {
  const reader = new EnvFileReader();
  // The end of the file ends a line as a newline does.
  for (const c of text.slice(0, maxFileChars)) reader.take(c);
  return reader.end();
}

type State = "key" | "comment" | "comment-escape" | "value" | "value-escape" | "single" | "double" | "double-escape";

class EnvFileReader {
  readonly #assignments: Assignment[] = [];
  readonly #traps: Trap[] = [];
  #state: State = "key";
  #line = 1;
  #keyLine = 1;
  #key = "";
  #value = "";
  /** So much of the value stays when blanks at its end are dropped. */
  #solid = 0;
  #isAtStart = true;

  take(c: string): void {
    switch (this.#state) {
      case "key":
        this.#inKey(c);
        break;
      case "comment":
        if (c === "\\") this.#state = "comment-escape";
        else if (c === "\n") this.#state = "key";
        break;
      case "comment-escape":
        this.#state = c === "\n" ? "key" : "comment";
        break;
      case "value":
        this.#inValue(c);
        break;
      case "value-escape":
        if (c !== "\n") this.#push(c, true);
        this.#state = "value";
        break;
      case "single":
        if (c === "'") this.#state = "value";
        else this.#push(c, true);
        break;
      case "double":
        if (c === '"') this.#state = "value";
        else if (c === "\\") this.#state = "double-escape";
        else this.#push(c, true);
        break;
      case "double-escape":
        if (c !== "\n") this.#push(escapable.includes(c) ? c : `\\${c}`, true);
        this.#state = "double";
    }
    if (c === "\n") this.#line += 1;
  }

  end(): Reading {
    if (this.#state !== "key" && !this.#state.startsWith("comment")) this.#finish();
    return { assignments: this.#assignments, traps: this.#traps };
  }

  #inKey(c: string): void {
    if (this.#key === "") {
      if (c === "#" || c === ";") this.#state = "comment";
      else if (!/\s/.test(c)) {
        this.#key = c;
        this.#keyLine = this.#line;
      }
    } else if (c === "\n" || c === "\r") this.#key = "";
    else if (c === "=") {
      this.#state = "value";
      this.#isAtStart = true;
    } else this.#key += c;
  }

  #inValue(c: string): void {
    if (c === "\n" || c === "\r") {
      this.#finish();
      return;
    }
    // Quotes count at the start of a value and right behind other quotes, and not in its middle.
    if (this.#isAtStart && c === "'") this.#state = "single";
    else if (this.#isAtStart && c === '"') this.#state = "double";
    else if (c === "\\") this.#state = "value-escape";
    else if (/\s/.test(c)) {
      if (!this.#isAtStart) this.#push(c, false);
    } else this.#push(c, true);
    if (!/[\s'"]/.test(c)) this.#isAtStart = false;
  }

  #push(c: string, isSolid: boolean): void {
    this.#value += c;
    if (isSolid) this.#solid = this.#value.length;
  }

  #finish(): void {
    const key = this.#key.trimEnd();
    const value = this.#value.slice(0, this.#solid);
    if (/^[A-Za-z_]\w*$/.test(key)) this.#assignments.push(exported(key, value, this.#keyLine));
    const [, name] = /^export\s+(\w+)$/.exec(key) ?? [];
    if (name !== undefined) this.#traps.push({ name, line: this.#keyLine, kept: "", lost: value, by: "export" });
    this.#state = "key";
    this.#key = "";
    this.#value = "";
    this.#solid = 0;
  }
}
