/**
 * Transfer syntaxes (PS3.5, annex A): how the data set is encoded, and which decoder its frames need.
 * A syntax that is not listed cannot even be parsed safely, so it is refused by its UID.
 */
type PixelCodec = 'native' | 'rle' | 'jpeg' | 'jpeg-lossless' | 'jpeg-ls' | 'jpeg-2000' | 'htj2k';

export interface TransferSyntax {
  readonly uid: string;
  readonly name: string;
  readonly implicit: boolean;
  readonly bigEndian: boolean;
  readonly deflated: boolean;
  readonly codec: PixelCodec;
  /** The decoded pixels are not those that were encoded. */
  readonly lossy: boolean;
}

function syntax(uid: string, name: string, codec: PixelCodec, more: Partial<TransferSyntax> = {}): TransferSyntax {
  const base = { implicit: false, bigEndian: false, deflated: false, lossy: false };
  return { ...base, uid: `1.2.840.10008.1.2${uid}`, name, codec, ...more };
}

const lossy = { lossy: true };
const known: readonly TransferSyntax[] = [
  syntax('', 'Implicit VR Little Endian', 'native', { implicit: true }),
  syntax('.1', 'Explicit VR Little Endian', 'native'),
  syntax('.1.99', 'Deflated Explicit VR Little Endian', 'native', { deflated: true }),
  syntax('.2', 'Explicit VR Big Endian', 'native', { bigEndian: true }),
  syntax('.5', 'RLE Lossless', 'rle'),
  syntax('.4.50', 'JPEG Baseline', 'jpeg', lossy),
  syntax('.4.51', 'JPEG Extended', 'jpeg', lossy),
  syntax('.4.53', 'JPEG Spectral Selection (retired)', 'jpeg', lossy),
  syntax('.4.55', 'JPEG Full Progression (retired)', 'jpeg', lossy),
  syntax('.4.57', 'JPEG Lossless', 'jpeg-lossless'),
  syntax('.4.70', 'JPEG Lossless, first-order prediction', 'jpeg-lossless'),
  syntax('.4.80', 'JPEG-LS Lossless', 'jpeg-ls'),
  syntax('.4.81', 'JPEG-LS Near-lossless', 'jpeg-ls', lossy),
  syntax('.4.90', 'JPEG 2000 Lossless', 'jpeg-2000'),
  syntax('.4.91', 'JPEG 2000', 'jpeg-2000', lossy),
  syntax('.4.201', 'HTJ2K Lossless', 'htj2k'),
  syntax('.4.202', 'HTJ2K Lossless RPCL', 'htj2k'),
  syntax('.4.203', 'HTJ2K', 'htj2k', lossy),
];

const byUid = new Map(known.map((entry) => [entry.uid, entry]));

export const explicitLittleEndian: TransferSyntax = known[1];
export const implicitLittleEndian: TransferSyntax = known[0];

/** The syntax of a UID, or undefined for one that this package does not read. */
export function transferSyntaxOf(uid: string): TransferSyntax | undefined {
  return byUid.get(uid);
}
