// A hundred and more small repositories, from a seed: everything that decides which bytes of a repository are in a
// module's zip, and in which versions. Each says what is asked of it.
import { seeded } from "./own-log-world.ts";
import type { GitCommit, GitFile } from "./git-repository.ts";

export type Beast = {
  /** What it is about. */
  readonly kind: string;
  /** Folder of the bare repository. */
  readonly name: string;
  readonly commits: readonly GitCommit[];
  /** `PATH@VERSION`, versions and queries; some cannot be had, and then nowhere. */
  readonly asks: readonly string[];
  /** Modules whose versions are listed. */
  readonly modules: readonly string[];
};

type Draw = {
  /** A number in [0, below). */
  below(limit: number): number;
  text(lines: number): string;
};

type Made = Omit<Beast, "kind" | "name">;
type Kind = readonly [kind: string, make: (path: string, draw: Draw, nth: number) => Made];

const goMod = (path: string, go = "1.19"): string => `module ${path}\n\ngo ${go}\n`;
const a = "package a\n";

/** A submodule's commit: nobody looks it up. */
const elsewhere = "0123456789abcdef0123456789abcdef01234567";

const kinds: readonly Kind[] = [
  [
    "tags",
    (path, draw) => ({
      commits: [
        { files: { "go.mod": goMod(path), "a.go": a + draw.text(9), "d/b.go": "package d\n" }, tags: ["v0.1.0"] },
        { files: { "a.go": a + draw.text(5) }, annotated: ["v0.2.0"], tags: ["v0.2.1-rc.1"] },
        {
          files: { "d/b.go": undefined, "e/f/g.txt": draw.text(20) },
          tags: ["v1.0.0", "v1.0", "v1.1.0+meta", "v01.2.0"],
        },
      ],
      asks: [`${path}@v0.1.0`, `${path}@v0.2.0`, `${path}@v0.2.1-rc.1`, `${path}@v1.0.0`, `${path}@v1.1.0`],
      modules: [path],
    }),
  ],
  [
    "/vN in a folder",
    (path, draw) => ({
      commits: [
        { files: { "go.mod": goMod(path), "a.go": a + draw.text(3), LICENSE: draw.text(4) }, tags: ["v1.2.3"] },
        { files: { "v2/go.mod": goMod(`${path}/v2`), "v2/a.go": a + draw.text(4) }, tags: ["v2.0.0", "v1.3.0"] },
      ],
      asks: [`${path}@v1.2.3`, `${path}@v1.3.0`, `${path}/v2@v2.0.0`, `${path}@v2.0.0`, `${path}/v3@v3.0.0`],
      modules: [path, `${path}/v2`],
    }),
  ],
  [
    "/vN on a branch",
    (path, draw) => ({
      commits: [
        { files: { "go.mod": goMod(path), "a.go": a }, tags: ["v1.0.0"] },
        { branch: "v2", files: { "go.mod": goMod(`${path}/v2`), "a.go": a + draw.text(6) }, tags: ["v2.1.0"] },
        { branch: "v2", files: { "a.go": a + draw.text(7) } },
      ],
      asks: [
        `${path}@v1.0.0`,
        `${path}/v2@v2.1.0`,
        `${path}/v2@v2`,
        `${path}@v2.1.0+incompatible`,
        `${path}/v2@latest`,
      ],
      modules: [path, `${path}/v2`],
    }),
  ],
  [
    ".gitattributes",
    (path, draw, nth) => {
      const attributes = [
        "secret/** export-ignore\n*.tmp export-ignore\n",
        "version.go export-subst\n",
        "*.txt text eol=crlf\n",
        "* text=auto\n",
        "*.txt -text\n*.go text eol=lf\n",
        "*.go ident\n",
        ".gitattributes export-ignore\na.go export-subst ident\n",
      ];
      return {
        commits: [
          {
            files: {
              ".gitattributes": attributes[nth % attributes.length],
              "go.mod": goMod(path),
              "a.go": `${a}// $Id$ $Format:%H %ct$\n`,
              "version.go": `${a}\nconst rev = "$Format:%H$ $Format:%cI$"\n`,
              "crlf.txt": "one\r\ntwo\r\n",
              "lf.txt": draw.text(4),
              "secret/key.txt": "hidden\n",
              "b.tmp": "hidden\n",
            },
            tags: ["v1.0.0"],
          },
          {
            files: { "lf.txt": draw.text(3), "sub/.gitattributes": "*.md export-ignore\n", "sub/x.md": "x\n" },
            tags: ["v1.1.0"],
          },
        ],
        asks: [`${path}@v1.0.0`, `${path}@v1.1.0`],
        modules: [path],
      };
    },
  ],
  [
    "submodules",
    (path, draw) => ({
      commits: [
        {
          files: {
            "go.mod": goMod(path),
            "a.go": a,
            ".gitmodules": `[submodule "dep"]\n\tpath = dep\n\turl = https://127.0.0.1:1/dep\n`,
            dep: { submodule: elsewhere },
            "x/dep": { submodule: elsewhere },
            "x/b.txt": draw.text(2),
          },
          tags: ["v0.0.1"],
        },
      ],
      asks: [`${path}@v0.0.1`],
      modules: [path],
    }),
  ],
  [
    "nested modules",
    (path, draw, nth) => ({
      commits: [
        {
          files: {
            "go.mod": goMod(path),
            "a.go": a,
            LICENSE: draw.text(3),
            "in/go.mod": goMod(`${path}/in`),
            "in/in.go": "package in\n",
            "in/deep/deep.txt": draw.text(2),
            ...(nth % 2 === 0 && { "in/LICENSE": draw.text(2) }),
            "shout/GO.MOD": goMod(`${path}/shout`),
            "shout/b.go": "package shout\n",
          },
          tags: ["v1.0.0", "in/v0.3.0", "in/v0.4.0-beta.1"],
        },
        { files: { "in/v2/go.mod": goMod(`${path}/in/v2`), "in/v2/in.go": "package in\n" }, tags: ["in/v2.0.0"] },
      ],
      asks: [
        `${path}@v1.0.0`,
        `${path}/in@v0.3.0`,
        `${path}/in@v0.4.0-beta.1`,
        `${path}/in/v2@v2.0.0`,
        `${path}/shout@main`,
      ],
      modules: [path, `${path}/in`, `${path}/in/v2`],
    }),
  ],
  [
    "vendor folders",
    (path, draw, nth) => ({
      commits: [
        {
          files: {
            "go.mod": goMod(path, nth % 2 === 0 ? "1.24" : "1.17"),
            "a.go": a,
            "vendor/modules.txt": draw.text(2),
            "vendor/x.example/y/y.go": "package y\n",
            "vendor/file.go": "package vendor\n",
            "b/vendor/x/x.go": "package x\n",
            "b/vendor/vendor.go": "package vendor\n",
            "b/vendor/modules.txt": "# b\n",
            "c/vendor": "no folder\n",
          },
          tags: ["v1.0.0"],
        },
      ],
      asks: [`${path}@v1.0.0`],
      modules: [path],
    }),
  ],
  [
    "case clashes",
    (path, _, nth) => {
      const clash: Readonly<Record<string, GitFile>>[] = [
        { "A.go": a, "a.go": a },
        { "d/x.txt": "1\n", "D/y.txt": "2\n" },
        { "README.md": "1\n", "readme.MD": "2\n" },
        { "\u017f.txt": "1\n", "s.txt": "2\n" },
      ];
      return {
        commits: [
          { files: { "go.mod": goMod(path), "ok.go": a }, tags: ["v0.1.0"] },
          { files: clash[nth % clash.length] ?? {}, tags: ["v0.2.0"] },
        ],
        asks: [`${path}@v0.1.0`, `${path}@v0.2.0`],
        modules: [path],
      };
    },
  ],
  [
    "LICENSE inherited",
    (path, draw, nth) => ({
      commits: [
        {
          files: {
            [nth % 3 === 2 ? "LICENSE.txt" : "LICENSE"]: nth % 3 === 1 ? { link: "COPYING" } : draw.text(5),
            COPYING: draw.text(2),
            "deep/down/go.mod": goMod(`${path}/deep/down`),
            "deep/down/d.go": "package down\n",
            "deep/LICENSE": "in between\n",
          },
          tags: ["deep/down/v1.0.0", "deep/down/v1.1.0-pre"],
        },
        { files: { LICENSE: undefined, "deep/down/d.go": "package down // later\n" }, tags: ["deep/down/v1.2.0"] },
      ],
      asks: [`${path}/deep/down@v1.0.0`, `${path}/deep/down@v1.1.0-pre`, `${path}/deep/down@v1.2.0`],
      modules: [`${path}/deep/down`],
    }),
  ],
  [
    "before modules",
    (path, draw) => ({
      commits: [
        { files: { "a.go": a, "README.md": draw.text(2) }, tags: ["v1.0.0"] },
        { files: { "a.go": a + draw.text(2) }, tags: ["v2.0.0", "v2.1.0-rc.1"] },
        { files: { "a.go": a + draw.text(3) }, tags: ["v3.5.0"] },
        { files: { "a.go": a + draw.text(4) } },
      ],
      asks: [
        `${path}@v1.0.0`,
        `${path}@v2.0.0+incompatible`,
        `${path}@v2.1.0-rc.1+incompatible`,
        `${path}@v3.5.0+incompatible`,
        `${path}@main`,
      ],
      modules: [path],
    }),
  ],
  [
    "pseudo-versions",
    (path, draw) => ({
      commits: [
        { files: { "go.mod": goMod(path), "a.go": a } },
        { branch: "work", files: { "a.go": a + draw.text(3) } },
        { files: { "b.txt": draw.text(2) }, tags: ["v1.4.0-alpha"] },
        { files: { "b.txt": draw.text(3) } },
        { branch: "work", files: { "c.txt": draw.text(2) } },
      ],
      asks: [
        `${path}@main`,
        `${path}@work`,
        `${path}@latest`,
        `${path}@v1.4.0-alpha`,
        `${path}@v0.0.0-20240101000000-0123456789ab`,
        `${path}@nobranch`,
      ],
      modules: [path],
    }),
  ],
  [
    "no tags",
    (path, draw) => ({
      commits: [{ files: { "a.go": a + draw.text(2) } }, { files: { "b.go": a } }],
      asks: [`${path}@latest`, `${path}@main`, `${path}@v1.0.0`],
      modules: [path],
    }),
  ],
  [
    "odd files",
    (path, draw, nth) => {
      const odd: readonly Readonly<Record<string, GitFile>>[] = [
        { "a b.txt": "1\n", "\u00fc.txt": "2\n", ".hidden": "3\n", "-dash.txt": "4\n", ".github/x.yml": "5\n" },
        { link: { link: "a.go" }, "d/dangling": { link: "../nowhere" }, "d/out": { link: "/etc/passwd" } },
        { ".hg_archival.txt": "1\n", "d/.hg_archival.txt": "2\n", ".gitignore": "x\n" },
        { 'quo"te.txt': "1\n" },
        { "con.txt": "1\n" },
        { "d/trailing.": "1\n" },
        { "star*.txt": "1\n" },
        { "empty.txt": "", "nul.bin": Uint8Array.from([0, 255, 10, 13]), "d/e/f/g/h.txt": draw.text(1) },
      ];
      return {
        commits: [{ files: { "go.mod": goMod(path), "a.go": a, ...odd[nth % odd.length] }, tags: ["v1.0.0"] }],
        asks: [`${path}@v1.0.0`],
        modules: [path],
      };
    },
  ],
  [
    "odd go.mod",
    (path, _, nth) => {
      const mods = [
        `\ufeffmodule ${path}\n`,
        `module ${path}\r\n\r\ngo 1.19\r\n`,
        `// Deprecated: gone\nmodule "${path}" // here\n\nretract v1.0.0 // bad\n`,
        "module other.example/fork\n\ngo 1.19\n",
        "this is no go.mod\n",
        "",
        `module ${path}/v2\n`,
        `module ${path}\n\ngo 1.99\n`,
      ];
      return {
        commits: [{ files: { "go.mod": mods[nth % mods.length], "a.go": a }, tags: ["v1.0.0", "v2.0.0"] }],
        asks: [`${path}@v1.0.0`, `${path}/v2@v2.0.0`, `${path}@v2.0.0+incompatible`],
        modules: [path],
      };
    },
  ],
  [
    "two majors at once",
    (path) => ({
      commits: [
        {
          files: { "go.mod": goMod(`${path}/v2`), "a.go": a, "v2/go.mod": goMod(`${path}/v2`), "v2/a.go": a },
          tags: ["v2.0.0"],
        },
        { files: { "v2/go.mod": undefined }, tags: ["v2.1.0"] },
      ],
      asks: [`${path}/v2@v2.0.0`, `${path}/v2@v2.1.0`, `${path}@v1.0.0`],
      modules: [`${path}/v2`],
    }),
  ],
];

/** @param count how many; kinds take turns, so that a few have one of many kinds */
export function makeZoo(host: string, count: number, seed: number): readonly Beast[] {
  const random = seeded(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const line = (): string => Array.from({ length: 1 + below(9) }, () => "abcdefghij"[below(10)]).join("");
  const draw = { below, text: (lines: number) => Array.from({ length: lines }, () => `// ${line()}\n`).join("") };
  return Array.from({ length: count }, (_, index) => {
    const [kind, make] = kinds[index % kinds.length] ?? ["", () => ({ commits: [], asks: [], modules: [] })];
    const name = `zoo/r${index}`;
    return { kind, name, ...make(`${host}/${name}`, draw, Math.floor(index / kinds.length)) };
  });
}
