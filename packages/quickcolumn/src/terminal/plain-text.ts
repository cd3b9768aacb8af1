/**
 * Names of files, cases, patients and classes come from others and may hold characters that steer a terminal: colours, the
 * title of the window, a line of its own, text that runs backwards. They are shown as escapes (`\u001b`), as JSON writes them.
 */

/** C0 and C1 controls (ECMA-48), line and paragraph separators, and what changes the direction of text (UAX #9). */
const steering = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

const shortForms: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** The text with nothing in it that a terminal would obey: one line. */
export function plainLine(text: string): string {
  return text.replace(
    steering,
    (character) => shortForms[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The lines of a text that is ours as a whole, such as a help page; nothing else in it steers. */
export function plainLines(text: string): string {
  return text.split('\n').map(plainLine).join('\n');
}

/**
 * A message of an error, or its stack: its own line breaks stay, and lines after the first are indented, so that a name with
 * a line break in it cannot begin a line that looks like another message.
 */
export function plainMessage(text: string): string {
  const [first, ...others] = text.split('\n').map(plainLine);
  return [first, ...others.map((line) => (line.startsWith('  ') ? line : `  ${line}`))].join('\n');
}
