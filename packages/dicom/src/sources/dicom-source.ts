/** Where the bytes of a DICOM file come from: what the rest of the package knows of disks and archives. */

/** One file, on disk or in an archive. */
export interface DicomSource {
  /** Path on disk; for an entry `archive.zip/name`. */
  readonly name: string;
  readonly bytes: number;
  /** The first `limit` bytes, or all; a new array each time. Throws FileError or DicomError. */
  read(limit?: number): Promise<Uint8Array>;
}
