// What the line of a log told, for the title of a finding: always the same three, empty where the line names none.

export type Said = {
  /** `example.com/m@v1.2.3`, a package, a file. */
  readonly what: string;
  /** Host or address that was asked. */
  readonly host: string;
  /** What the text itself says: a value, a status, a reason. */
  readonly value: string;
};

/** `text`, or what stands for it when the line has not said. */
export function or(text: string, otherwise: string): string {
  return text === "" ? otherwise : text;
}

/** ` of example.com/m@v1`, or nothing. */
export function tail(before: string, text: string, after = ""): string {
  return text === "" ? "" : `${before}${text}${after}`;
}
