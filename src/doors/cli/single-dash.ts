// `-db DIR` for `--db DIR`: Go's own flag package takes both, and so do the guides for these commands.

/** `argv` with a second dash for every known flag that has only one; nothing after `--` is touched. */
export function withDoubleDashes(argv: readonly string[], flags: ReadonlySet<string>): string[] {
  const end = argv.indexOf("--");
  return argv.map((word, at) => {
    if (end >= 0 && at > end) return word;
    const [, name = ""] = /^-([a-z][a-z0-9_-]+)(?:=|$)/.exec(word) ?? [];
    return flags.has(`--${name}`) ? `-${word}` : word;
  });
}
