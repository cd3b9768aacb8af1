/**
 * What every frame decoder is: the compressed bytes of one frame in, its samples out. Decoders check the size that the
 * code stream itself states against the one that the header promised before they allocate or decode anything.
 */

/** What the DICOM header says of a frame; all samples of a pixel lie together in the decoded array. */
export interface FrameShape {
  /** File, for messages. */
  readonly path: string;
  readonly rows: number;
  readonly columns: number;
  readonly samples: number;
  readonly bitsAllocated: number;
  /** Is told of faults of the code stream that were put right without doubt. */
  readonly onNote?: (text: string) => void;
}

/** Unsigned or two's complement bit patterns, as they would lie in an uncompressed file. */
export type FrameSamples = Uint8Array | Uint16Array | Uint32Array;
