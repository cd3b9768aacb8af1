/**
 * What a DICOM input may ask for. Nothing larger is allocated or followed, whatever a header promises: files come from
 * elsewhere, and a length field costs its author four bytes. All limits lie far above real CT.
 */
export const dicomLimits = {
  /** Bytes of one file, or of one archive entry once unpacked. */
  fileBytes: 2_147_483_647,
  /** Bytes before the pixel data that are looked at. */
  headerBytes: 134_217_728,
  /** Bytes that a deflated data set may unpack to. */
  inflatedBytes: 536_870_912,
  /** Elements of one data set, those of its sequences included. */
  elements: 1_000_000,
  /** Sequences inside sequences. */
  depth: 24,
  /** Pixels of one frame. */
  framePixels: 67_108_864,
  /** Frames of one file. */
  frames: 50_000,
  /** Voxels of one assembled volume. */
  voxels: 1_073_741_824,
  /** Files or archive entries of one input. */
  files: 200_000,
  /** Folders inside folders. */
  folders: 64,
  /** Points of all contours of a structure set that are kept at once. */
  contourPoints: 20_000_000,
} as const;
