// The txtar format of golang.org/x/tools/txtar: a comment, then files, each under a line `-- name --`.
// The fixtures in test/fixtures/modules are written in it, one module version per archive:
//
//   example.com/hello@v1.0.0
//   time 2024-01-02T03:04:05Z
//   -- go.mod --
//   module example.com/hello

export type Txtar = {
  readonly comment: string;
  readonly files: ReadonlyMap<string, string>;
};

const marker = /^-- (\S.*?) --$/;

/** Splits an archive into its comment and its files. Any text is an archive; a name given twice is a mistake. */
export function parseTxtar(text: string): Txtar {
  const comment: string[] = [];
  const files = new Map<string, string[]>();
  let current = comment;
  for (const line of text.replace(/\n$/, "").split("\n")) {
    const name = marker.exec(line)?.[1];
    if (name === undefined) {
      current.push(line);
      continue;
    }
    if (files.has(name)) throw new Error(`txtar: ${name} is there twice`);
    current = [];
    files.set(name, current);
  }
  const joined = new Map([...files].map(([name, lines]) => [name, lines.map((line) => `${line}\n`).join("")]));
  return { comment: comment.join("\n"), files: joined };
}
