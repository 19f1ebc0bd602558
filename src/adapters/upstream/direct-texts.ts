// What the go command's own words mean: that there is no such module or version, which only these sentences say, or
// that it could not find out. And those words, fit to be shown: no secret, no path of this machine.

/** Sentences of cmd/go that state an absence, and where they are made. Whatever else it says is doubt. */
const absences: readonly RegExp[] = [
  /: unknown revision \S+$/, // codehost.UnknownRevisionError
  /no matching versions for query "/, // modload.NoMatchingVersionError
  /no commits$/, // codehost.ErrNoCommits
  /invalid version: missing \S+go\.mod and \S+go\.mod at revision /, // coderepo.findDir
  /invalid version: missing \S+go\.mod at revision /,
  /invalid version: \S+ has (?:non|post)-\S+ module path /,
  /invalid version: \S+ is missing module path/,
  /invalid version: should be v0 or v1, not v\d+$/, // module.CheckPathMajor
  /invalid version: should be v\d+, not v\d+$/,
  /invalid version: module contains a go\.mod file, so module path must match major version/,
  /invalid version: \+incompatible suffix not allowed/,
  /invalid version: resolves to version \S+ \(\S+ is not a tag\)$/,
  /invalid pseudo-version: /, // coderepo.validatePseudoVersion
  /^repository rooted at \S+ cannot contain module /m,
  /: repository rooted at \S+ cannot contain module /,
];

/** git's word for a 404 of the host, and no other status (http.c, remote-curl.c). */
const noRepository = /fatal: repository '[^']*' not found/;

/** True when this text of go is a statement that the module or version does not exist. */
export function statesAbsence(text: string): boolean {
  return noRepository.test(text) || absences.some((sentence) => sentence.test(text.trim()));
}

/** The program that the text says is not there. */
export function missingProgram(text: string): string | undefined {
  return /exec: "([\w.-]+)": executable file not found/.exec(text)?.[1];
}

/**
 * What git and ssh said comes last, behind git's whole command line and, of a changed host key, twelve lines in capitals:
 * a text that is cut would end before it.
 */
function withoutPreamble(text: string): string {
  return text
    .replaceAll(/\bgit (?:-c \S+ )*([a-z-]+) [^\n]{0,4000} in \S+: exit status \d+:/g, "git $1:")
    .replaceAll(/@{20,}.{0,4000}?(?=Host key verification failed)/gs, "");
}

/** A child may say megabytes; what is shown stands at their beginning. */
const maxReadChars = 8_192;

/** Longer than any sentence of go; git's output is behind it. */
const maxChars = 700;

/** One line of the child's words. */
export function fitToShow(
  text: string,
  hidden: { readonly folders: readonly string[]; readonly secrets: readonly string[] },
): string {
  let shown = text;
  for (const folder of hidden.folders) shown = shown.replaceAll(folder, "…");
  shown = shown.replaceAll(/([a-z][a-z\d+.-]*:\/\/)[^\s/@]+@/gi, "$1xxxxx@");
  for (const secret of hidden.secrets) shown = shown.replaceAll(secret, "xxxxx");
  const lines = withoutPreamble(shown.slice(0, maxReadChars))
    .replaceAll(/[^\P{C}\n]/gu, " ")
    .split("\n")
    .map((line) => line.trim());
  return lines
    .filter((line) => line !== "")
    .join(" · ")
    .slice(0, maxChars);
}
