/**
 * Captions in pictures: a 5×7 dot-matrix font, drawn without any library, because PNG files have no text and headless
 * machines have no fonts. Capitals, digits and three signs; other characters become a dot.
 */

/** Five columns a character, the lowest bit on top. */
const glyphs: Readonly<Record<string, string>> = {
  A: '7c1211127c',
  B: '7f49494936',
  C: '3e41414122',
  D: '7f4141413e',
  E: '7f49494941',
  F: '7f09090901',
  G: '3e4149497a',
  H: '7f0808087f',
  I: '00417f4100',
  J: '2040413f01',
  K: '7f08142241',
  L: '7f40404040',
  M: '7f020c027f',
  N: '7f0408107f',
  O: '3e4141413e',
  P: '7f09090906',
  Q: '3e4151215e',
  R: '7f09192946',
  S: '4649494931',
  T: '01017f0101',
  U: '3f4040403f',
  V: '1f2040201f',
  W: '3f4038403f',
  X: '6314081463',
  Y: '0708700807',
  Z: '6151494543',
  0: '3e5149453e',
  1: '00427f4000',
  2: '4261514946',
  3: '2141454b31',
  4: '1814127f10',
  5: '2745454539',
  6: '3c4a494930',
  7: '0171090503',
  8: '3649494936',
  9: '064949291e',
  '-': '0808080808',
  _: '4040404040',
  '.': '0060600000',
  ' ': '0000000000',
};

/** Height of a line of text in pixels, without space around it. */
export const captionHeight = 7;
const advance = 6;

export interface CaptionStyle {
  /** Pixels of one dot; default 1. */
  readonly scale?: number;
  /** Grey of the text, 0–255; default 225, for dark pictures. */
  readonly level?: number;
}

/** Width of a text in pixels, with the space after its last character. */
export function captionWidth(text: string, scale = 1): number {
  return text.length * advance * scale;
}

/** Draws text in grey with its upper left corner at (x, y); what does not fit into `width` pixels is left out. */
export function drawCaption(
  picture: { readonly rgb: Uint8Array; readonly width: number },
  text: string,
  place: { readonly x: number; readonly y: number; readonly width: number },
  { scale = 1, level = 225 }: CaptionStyle = {},
): void {
  const fitting = Math.max(0, Math.floor(place.width / (advance * scale)));
  for (const [index, character] of text.toUpperCase().slice(0, fitting).split('').entries()) {
    const glyph = Object.hasOwn(glyphs, character) ? glyphs[character] : glyphs['.'];
    for (let dot = 0; dot < 5 * captionHeight; dot++) {
      const column = dot % 5;
      const row = Math.floor(dot / 5);
      if ((Number.parseInt(glyph.slice(2 * column, 2 * column + 2), 16) & (1 << row)) === 0) continue;
      const left = place.x + (index * advance + column) * scale;
      for (let y = place.y + row * scale; y < place.y + (row + 1) * scale; y++) {
        const pixel = y * picture.width + left;
        picture.rgb.fill(level, pixel * 3, (pixel + scale) * 3);
      }
    }
  }
}
