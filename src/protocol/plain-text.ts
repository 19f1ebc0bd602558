// The text rule that signed notes and log records share (x/mod sumdb/note, sumdb/tlog): valid UTF-8 and no control
// character below U+0020 but the newline.

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The bytes as text, or undefined when they break the rule. Encoding the text again yields the same bytes. */
export function parsePlainText(bytes: Uint8Array): string | undefined {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    return undefined;
  }
  return hasControl(text) ? undefined : text;
}

/** Whether a text of ours would come back from parsePlainText. */
export function isPlainText(text: string): boolean {
  return text.isWellFormed() && !hasControl(text);
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 && unit !== 0x0a) return true;
  }
  return false;
}
