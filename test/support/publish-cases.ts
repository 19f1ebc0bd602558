// Small repositories, each with what go's rules for module zips turn on: the tag, and how go names the version.
import type { GitCommit, GitFile } from "./git-repository.ts";

export type PublishCase = {
  readonly what: string;
  /** The repository is `corp.example/REPO.git`; its module path is made of that. */
  readonly commits: (root: string) => readonly GitCommit[];
  readonly tag: string;
  /** What follows the repository's path in the module's: `/sub`, `/v2`. */
  readonly below?: string;
  /** As go asks for it; otherwise the last element of the tag. */
  readonly version?: string;
  /** There is no go.mod, so `--module` names the path. */
  readonly isNamed?: true;
  /** Neither go nor we take it, and both say so. */
  readonly refused?: RegExp;
  /** The zip has another go.mod than the repository, which only a go without a proxy hashes. */
  readonly isConverted?: true;
};

type Files = Readonly<Record<string, GitFile>>;

const goMod = (path: string, go = "1.22"): string => `module ${path}\n${go === "" ? "" : `\ngo ${go}\n`}`;
const code = "package x\n";
const license = "Free for all.\n";

/** One commit of a module at the root. */
function root(files: Files, more: { readonly go?: string; readonly tags?: readonly string[] } = {}) {
  return (path: string): readonly GitCommit[] => [
    { files: { "go.mod": goMod(path, more.go), "x.go": code, ...files }, tags: more.tags ?? ["v1.0.0"] },
  ];
}

const vendorFolder: Files = {
  "vendor/modules.txt": "# corp.example/y v1.0.0\n",
  "vendor/corp.example/y/y.go": code,
  "vendor/loose.go": code,
  "a/vendor/modules.txt": "#\n",
  "pkg/vendor/vendor.go": code,
  "longer/pkg/vendor/vendor.go": code,
  "pkg/vendor/z/z.go": code,
};

/** Bytes that deflate well and are read in many pieces. */
const large = Array.from({ length: 200_000 }, (_, line) => `line ${line * 7919}`).join("\n");

export const publishCases: readonly PublishCase[] = [
  { what: "a module and no more", commits: root({}), tag: "v1.0.0" },
  {
    what: "an annotated tag, a second commit, a pre-release",
    commits: (path) => [
      ...root({ LICENSE: license })(path),
      { files: { "x.go": "package x // two\n" }, annotated: ["v1.1.0-rc.1"] },
    ],
    tag: "v1.1.0-rc.1",
  },
  {
    what: "a module in a directory with its own LICENSE",
    commits: (path) => [
      ...root({ LICENSE: license })(path),
      {
        files: { "sub/go.mod": goMod(`${path}/sub`), "sub/x.go": code, "sub/LICENSE": "Its own.\n" },
        tags: ["sub/v0.1.0"],
      },
    ],
    tag: "sub/v0.1.0",
    below: "/sub",
  },
  {
    what: "a module in a directory that inherits LICENSE",
    commits: (path) => [
      { files: { LICENSE: license, "a/b/go.mod": goMod(`${path}/a/b`), "a/b/x.go": code }, tags: ["a/b/v1.2.3"] },
    ],
    tag: "a/b/v1.2.3",
    below: "/a/b",
  },
  {
    what: "an inherited LICENSE that is a symbolic link",
    commits: (path) => [
      {
        files: { LICENSE: { link: "COPYING" }, COPYING: license, "sub/go.mod": goMod(`${path}/sub`), "sub/x.go": code },
        tags: ["sub/v1.0.0"],
      },
    ],
    tag: "sub/v1.0.0",
    below: "/sub",
  },
  {
    what: "an inherited LICENSE with line ends of its own",
    commits: (path) => [
      {
        files: {
          ".gitattributes": "LICENSE eol=crlf\n",
          LICENSE: license,
          "sub/go.mod": goMod(`${path}/sub`),
          "sub/x.go": code,
        },
        tags: ["sub/v1.0.0"],
      },
    ],
    tag: "sub/v1.0.0",
    below: "/sub",
  },
  {
    what: "a directory called LICENSE, and one in the module",
    commits: (path) => [
      {
        files: { "LICENSE/MIT": license, "sub/go.mod": goMod(`${path}/sub`), "sub/LICENSE/MIT": "x\n" },
        tags: ["sub/v1.0.0"],
      },
    ],
    tag: "sub/v1.0.0",
    below: "/sub",
  },
  {
    what: "v2 in a folder",
    commits: (path) => [
      ...root({ LICENSE: license })(path),
      { files: { "v2/go.mod": goMod(`${path}/v2`), "v2/x.go": code }, tags: ["v2.0.0"] },
    ],
    tag: "v2.0.0",
    below: "/v2",
  },
  {
    what: "v1 beside a folder of v2",
    commits: (path) => root({ "v2/go.mod": goMod(`${path}/v2`), "v2/x.go": code })(path),
    tag: "v1.0.0",
  },
  {
    what: "v3 on a branch",
    commits: (path) => [
      ...root({ LICENSE: license })(path),
      { files: { "go.mod": goMod(`${path}/v3`), "three.go": code }, branch: "v3", tags: ["v3.1.0"] },
    ],
    tag: "v3.1.0",
    below: "/v3",
  },
  {
    what: "v2 in a folder of a module in a directory",
    commits: (path) => [
      {
        files: { LICENSE: license, "sub/v2/go.mod": goMod(`${path}/sub/v2`), "sub/v2/x.go": code },
        tags: ["sub/v2.0.1"],
      },
    ],
    tag: "sub/v2.0.1",
    below: "/sub/v2",
  },
  {
    what: "v2 of a module in a directory",
    commits: (path) => [{ files: { "sub/go.mod": goMod(`${path}/sub/v2`), "sub/x.go": code }, tags: ["sub/v2.0.1"] }],
    tag: "sub/v2.0.1",
    below: "/sub/v2",
  },
  {
    what: "export-ignore, which counts for nothing",
    commits: root({
      ".gitattributes": "secret.txt export-ignore\ntest/ export-ignore\n",
      "secret.txt": "s\n",
      "test/t.go": code,
    }),
    tag: "v1.0.0",
  },
  {
    what: "export-subst, which counts for nothing",
    commits: root({ ".gitattributes": "version.txt export-subst\n", "version.txt": "$Format:%H %D$\n" }),
    tag: "v1.0.0",
  },
  {
    what: "line ends by .gitattributes",
    commits: root({
      ".gitattributes": "* text=auto\n*.bat text eol=crlf\n*.sh eol=lf\n*.bin -text\n",
      "a.bat": "echo\nend\n",
      "a.sh": "echo\nend\n",
      "a.txt": "one\r\ntwo\r\n",
      "a.bin": "one\r\ntwo\n",
    }),
    tag: "v1.0.0",
  },
  { what: "ident", commits: root({ ".gitattributes": "*.go ident\n", "id.go": "package x // $Id$\n" }), tag: "v1.0.0" },
  {
    what: "an encoding of the working tree",
    commits: root({ ".gitattributes": "*.rc working-tree-encoding=UTF-16LE\n", "a.rc": "grüße\n" }),
    tag: "v1.0.0",
  },
  {
    what: "a filter that nobody configured",
    commits: root({
      ".gitattributes": "*.big filter=lfs diff=lfs merge=lfs -text\n",
      "a.big": "version https://lfs\n",
    }),
    tag: "v1.0.0",
  },
  {
    what: "a go.mod with other line ends in archives",
    commits: root({ ".gitattributes": "go.mod eol=crlf\n" }),
    tag: "v1.0.0",
    isConverted: true,
  },
  { what: "vendor folders below go 1.24", commits: root(vendorFolder, { go: "1.23.4" }), tag: "v1.0.0" },
  { what: "vendor folders from go 1.24 on", commits: root(vendorFolder, { go: "1.24" }), tag: "v1.0.0" },
  { what: "vendor folders without a go line", commits: root(vendorFolder, { go: "" }), tag: "v1.0.0" },
  {
    what: "vendor folders and a go.mod that cannot be read",
    commits: (path) => [
      { files: { ...vendorFolder, "go.mod": `module ${path}\n\ngo 1.24\n\n)(\n` }, tags: ["v1.0.0"] },
    ],
    tag: "v1.0.0",
  },
  {
    what: "modules within, go.mod in any case",
    commits: root({
      "sub/go.mod": goMod("corp.example/other"),
      "sub/deep/x.go": code,
      "Other/Go.Mod": "nonsense\n",
      "Other/x.go": code,
      "vendor/y/go.mod": goMod("corp.example/y"),
      "linked/go.mod": { link: "../go.mod" },
      "linked/x.go": code,
    }),
    tag: "v1.0.0",
  },
  {
    what: "symbolic links",
    commits: root({ "link.go": { link: "x.go" }, here: { link: "." }, out: { link: "../../etc/passwd" } }),
    tag: "v1.0.0",
  },
  {
    what: "files of hg archive",
    commits: root({ ".hg_archival.txt": "repo: 1\n", "docs/.hg_archival.txt": "repo: 1\n" }),
    tag: "v1.0.0",
  },
  {
    what: "a submodule",
    commits: root({ ".gitmodules": '[submodule "s"]\n\tpath = s\n\turl = ../s\n', s: { submodule: "1".repeat(40) } }),
    tag: "v1.0.0",
  },
  {
    what: "names of many kinds",
    commits: root({
      "grüße/世界.txt": "x\n",
      "a b/c+d@e.txt": "x\n",
      "deep/er/and/deeper/x.txt": "",
      ".github/x.yml": "x\n",
    }),
    tag: "v1.0.0",
  },
  { what: "a large file", commits: root({ "large.txt": large }), tag: "v1.0.0" },
  {
    what: "no go.mod",
    commits: () => [{ files: { "x.go": code, LICENSE: license }, tags: ["v1.4.0"] }],
    tag: "v1.4.0",
    isNamed: true,
  },
  {
    what: "no go.mod and v3",
    commits: () => [{ files: { "x.go": code }, tags: ["v3.4.0"] }],
    tag: "v3.4.0",
    version: "v3.4.0+incompatible",
    isNamed: true,
  },
  {
    what: "files equal but for case",
    commits: root({ "a.go": code, "A.go": code }),
    tag: "v1.0.0",
    refused: /case-insensitive file name collision: "A.go" and "a.go"/,
  },
  {
    what: "folders equal but for case",
    commits: root({ "d/a.go": code, "D/b.go": code }),
    tag: "v1.0.0",
    refused: /case-insensitive file name collision: "D" and "d"/,
  },
  {
    what: "a link equal but for case",
    commits: root({ "a.go": code, "A.go": { link: "a.go" } }),
    tag: "v1.0.0",
    refused: /case-insensitive file name collision/,
  },
  {
    what: "a case clash in a vendor folder",
    commits: root({ "vendor/y/a.go": code, "vendor/y/A.go": code }),
    tag: "v1.0.0",
  },
  {
    what: "a name that Windows has for a device",
    commits: root({ "aux.go": code }),
    tag: "v1.0.0",
    refused: /"aux" disallowed as path element component on Windows/,
  },
  { what: "a name with a star", commits: root({ "a*b.txt": "x\n" }), tag: "v1.0.0", refused: /invalid char '\*'/ },
  {
    what: "v2 without /v2 in the module path",
    commits: root({}, { tags: ["v2.0.0"] }),
    tag: "v2.0.0",
    below: "/v2",
    refused: /go\.mod/,
  },
  {
    what: "v2 twice",
    commits: (path) => [
      { files: { "go.mod": goMod(`${path}/v2`), "v2/go.mod": goMod(`${path}/v2`), "x.go": code }, tags: ["v2.0.0"] },
    ],
    tag: "v2.0.0",
    below: "/v2",
    refused: /both have .*v2/,
  },
  {
    what: "a tag of a directory without go.mod",
    commits: (path) => root({ "sub/x.go": code }, { tags: ["sub/v1.0.0"] })(path),
    tag: "sub/v1.0.0",
    below: "/sub",
    refused: /missing .*sub\/go\.mod/,
  },
];
