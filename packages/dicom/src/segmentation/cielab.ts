/**
 * Colours as DICOM states them: CIELab with the D50 white of the ICC profile connection space, each value scaled to 16
 * bits (PS3.3, C.10.7.1.1).
 */

/** sRGB (0–255 each) to [L, a, b] of 16 bits. */
export function dicomCielab(rgb: readonly [number, number, number]): [number, number, number] {
  const [r, g, b] = rgb.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  // sRGB primaries, adapted to D50 (Bradford), relative to its white.
  const x = (0.4360747 * r + 0.3850649 * g + 0.1430804 * b) / 0.96422;
  const y = 0.2225045 * r + 0.7168786 * g + 0.0606169 * b;
  const z = (0.0139322 * r + 0.0971045 * g + 0.7141733 * b) / 0.82521;
  const f = (t: number): number => (t > 216 / 24389 ? Math.cbrt(t) : (24389 / 27 / 116) * t + 16 / 116);
  const lab = [116 * f(y) - 16, 500 * (f(x) - f(y)), 200 * (f(y) - f(z))];
  const to16 = (value: number): number => Math.min(65_535, Math.max(0, Math.round(value)));
  return [to16((lab[0] * 65_535) / 100), to16(((lab[1] + 128) * 65_535) / 255), to16(((lab[2] + 128) * 65_535) / 255)];
}
