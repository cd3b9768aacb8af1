/**
 * Seeds of the DICOM readers: one series of three slices in every transfer syntax, an enhanced multi-frame image, a
 * segmentation and structure sets on its grid, and archives of them.
 */
import { Buffer } from 'node:buffer';
import { type DicomSource, type DicomVolume, listSeries, readSeries } from '@quickcolumn/dicom';
import { compressedFrames } from './dicom-frames.js';
import { dicomFile, encapsulated, encodingOf, type Encoding, type SeedElement } from './dicom-writer.js';
import type { FuzzSeed } from '../readers/reader.js';

const [columns, rows] = [16, 12];
const explicit = '1.2.840.10008.1.2.1';
const plainSyntaxes = ['1.2.840.10008.1.2', explicit, '1.2.840.10008.1.2.2', '1.2.840.10008.1.2.1.99'];

const stored = Uint16Array.from({ length: columns * rows }, (_, i) => 600 + 40 * (i % columns) + 25 * (i >> 4));

/** The attributes of slice `index` but its pixels. */
function sliceElements(index: number, bits: 8 | 12): SeedElement[] {
  return [
    [0x00080008, 'CS', 'ORIGINAL\\PRIMARY\\AXIAL'],
    [0x00080016, 'UI', '1.2.840.10008.5.1.4.1.1.2'],
    [0x00080018, 'UI', `1.2.3.4.1.${index + 1}`],
    [0x00080020, 'DA', '20200102'],
    [0x00080060, 'CS', 'CT'],
    [0x00100010, 'PN', 'Nobody^Nowhere'],
    [0x00100020, 'LO', 'P-1'],
    [0x00180050, 'DS', '2'],
    [0x0020000d, 'UI', '1.2.3.4'],
    [0x0020000e, 'UI', '1.2.3.4.1'],
    [0x00200013, 'IS', String(index + 1)],
    [0x00200032, 'DS', `-30\\-20\\${2 * index}`],
    [0x00200037, 'DS', '1\\0\\0\\0\\1\\0'],
    [0x00200052, 'UI', '1.2.3.4.9'],
    ...pixelElements(bits),
    [0x00281052, 'DS', '-1024'],
    [0x00281053, 'DS', '1'],
  ];
}

function pixelElements(bits: 8 | 12): SeedElement[] {
  return [
    [0x00280002, 'US', [1]],
    [0x00280004, 'CS', 'MONOCHROME2'],
    [0x00280010, 'US', [rows]],
    [0x00280011, 'US', [columns]],
    [0x00280030, 'DS', '0.8\\0.7'],
    [0x00280100, 'US', [bits === 8 ? 8 : 16]],
    [0x00280101, 'US', [bits]],
    [0x00280102, 'US', [bits - 1]],
    [0x00280103, 'US', [0]],
    [0x00280120, 'US', [0]],
  ];
}

const pixels: SeedElement = [0x7fe00010, 'OW', new Uint8Array(stored.buffer)];

/** Slice `index` of the series in a transfer syntax. */
function slice(index: number, uid: string = explicit, encoding: Encoding = encodingOf(uid)): Buffer {
  const frame = compressedFrames.get(uid);
  if (frame === undefined) return dicomFile(uid, [...sliceElements(index, 12), pixels], encoding);
  return Buffer.concat([dicomFile(uid, sliceElements(index, uid.endsWith('.4.50') ? 8 : 12)), encapsulated([frame])]);
}

/** The slices around the mutated one. */
export const neighbours: readonly Uint8Array[] = [slice(0), slice(2)];

/** Three frames in one file: geometry in functional groups, as sequences of either kind of length. */
function multiFrame(uid: string, encoding: Encoding): Buffer {
  const places = [0, 1, 2].map((index): SeedElement[] => [
    [0x00209113, 'SQ', [[[0x00200032, 'DS', `-30\\-20\\${2 * index}`]]]],
  ]);
  const shared: SeedElement[] = [
    [0x00209116, 'SQ', [[[0x00200037, 'DS', '1\\0\\0\\0\\1\\0']]]],
    [
      0x00289110,
      'SQ',
      [
        [
          [0x00180050, 'DS', '2'],
          [0x00280030, 'DS', '0.8\\0.7'],
        ],
      ],
    ],
    [
      0x00289145,
      'SQ',
      [
        [
          [0x00281052, 'DS', '-1024'],
          [0x00281053, 'DS', '1'],
        ],
      ],
    ],
  ];
  const own = new Set([0x00200032, 0x00200037, 0x00280030, 0x00281052, 0x00281053, 0x00180050]);
  const elements: SeedElement[] = [
    ...sliceElements(0, 12).filter(([tag]) => !own.has(tag)),
    [0x00280008, 'IS', '3'],
    [0x52009229, 'SQ', [shared]],
    [0x52009230, 'SQ', places],
  ];
  const frame = compressedFrames.get(uid);
  if (frame !== undefined) return Buffer.concat([dicomFile(uid, elements), encapsulated([frame, frame, frame])]);
  const all = Buffer.concat([stored, stored, stored].map((part) => new Uint8Array(part.buffer)));
  return dicomFile(uid, [...elements, [0x7fe00010, 'OW', all]], encoding);
}

function seed(name: string, bytes: Uint8Array): FuzzSeed {
  return { name, extension: '.dcm', bytes };
}

/** Images: the middle slice in every transfer syntax, without a preamble, and all slices in one file. */
export function imageSeeds(): FuzzSeed[] {
  return [
    ...[...plainSyntaxes, ...compressedFrames.keys()].map((uid) => seed(`slice-${uid}.dcm`, slice(1, uid))),
    seed('bare.dcm', dicomFile(explicit, [...sliceElements(1, 12), pixels]).subarray(132 + 12 + 28)),
    ...plainSyntaxes.map((uid) => seed(`frames-${uid}.dcm`, multiFrame(uid, encodingOf(uid)))),
    seed('frames-undefined.dcm', multiFrame(explicit, { undefinedLengths: true })),
    seed('frames-implicit-undefined.dcm', multiFrame(plainSyntaxes[0], { implicit: true, undefinedLengths: true })),
    ...['5', '4.80', '4.90'].map((end) => seed(`frames-${end}.dcm`, multiFrame(`1.2.840.10008.1.2.${end}`, {}))),
  ];
}

function memorySource(name: string, bytes: Uint8Array): DicomSource {
  return { name, bytes: bytes.length, read: async (limit = bytes.length) => bytes.slice(0, limit) };
}

/** The series without any mutation. */
export async function goodSeries(): Promise<DicomVolume> {
  const [first, last] = neighbours;
  const sources = [first, slice(1), last].map((bytes, i) => memorySource(`slice-${i}.dcm`, bytes));
  const { series } = await listSeries(sources);
  return await readSeries(series[0]);
}

/** Segmentations and structure sets on the grid of the series. */
export function labelSeeds(): FuzzSeed[] {
  const [implicit, , bigEndian] = plainSyntaxes;
  const made = [
    segmentation(explicit, {}),
    segmentation(implicit, { implicit: true, undefinedLengths: true }),
    labelMap(),
    structureSet(explicit, {}),
    structureSet(implicit, { implicit: true, undefinedLengths: true }),
    structureSet(bigEndian, { bigEndian: true }),
  ];
  return made.map((bytes, i) => seed(`labels-${i}.dcm`, bytes));
}

/** What binary segmentations and label maps share. `frames`: height in millimetres, and the segment of a binary one. */
function segmentElements(
  frames: readonly { readonly z: number; readonly segment?: number }[],
  more: readonly SeedElement[],
): SeedElement[] {
  const names = [
    [1, 'left lung'],
    [3, 'infection'],
  ] as const;
  const replaced = new Set([...more.map(([tag]) => tag), 0x00280030, 0x00280120]);
  return [
    [0x00080018, 'UI', '1.2.3.6'],
    [0x00080060, 'CS', 'SEG'],
    [0x0020000e, 'UI', '1.2.3.4.2'],
    [0x00200052, 'UI', '1.2.3.4.9'],
    ...pixelElements(8).filter(([tag]) => !replaced.has(tag)),
    [0x00280008, 'IS', String(frames.length)],
    [
      0x00620002,
      'SQ',
      names.map(([number, name]): SeedElement[] => [
        [0x00620004, 'US', [number]],
        [0x00620005, 'LO', name],
      ]),
    ],
    [
      0x52009229,
      'SQ',
      [
        [
          [0x00209116, 'SQ', [[[0x00200037, 'DS', '1\\0\\0\\0\\1\\0']]]],
          [0x00289110, 'SQ', [[[0x00280030, 'DS', '0.8\\0.7']]]],
        ],
      ],
    ],
    [
      0x52009230,
      'SQ',
      frames.map(({ z, segment }): SeedElement[] => [
        [0x00209113, 'SQ', [[[0x00200032, 'DS', `-30\\-20\\${z}`]]]],
        ...(segment === undefined ? [] : [[0x0062000a, 'SQ', [[[0x0062000b, 'US', [segment]]]]] as const]),
      ]),
    ],
    ...more,
  ];
}

function segmentation(uid: string, encoding: Encoding): Buffer {
  const frames = [
    { z: 0, segment: 1 },
    { z: 2, segment: 1 },
    { z: 2, segment: 3 },
  ];
  const bits = Uint8Array.from({ length: (columns * rows * frames.length) / 8 }, (_, i) => (i * 89) & 0xff);
  const elements = segmentElements(frames, [
    [0x00080016, 'UI', '1.2.840.10008.5.1.4.1.1.66.4'],
    [0x00280100, 'US', [1]],
    [0x00280101, 'US', [1]],
    [0x00280102, 'US', [0]],
    [0x00620001, 'CS', 'BINARY'],
    [0x7fe00010, 'OB', bits],
  ]);
  return dicomFile(uid, elements, encoding);
}

function labelMap(): Buffer {
  const voxels = Uint8Array.from({ length: columns * rows * 2 }, (_, i) => [0, 1, 3][(i * 7919) % 3]);
  const elements = segmentElements(
    [{ z: 0 }, { z: 4 }],
    [
      [0x00080016, 'UI', '1.2.840.10008.5.1.4.1.1.66.7'],
      [0x00620001, 'CS', 'LABELMAP'],
      [0x7fe00010, 'OB', voxels],
    ],
  );
  return dicomFile(explicit, elements);
}

function structureSet(uid: string, encoding: Encoding): Buffer {
  const contour = (z: number, kind: string, points: string): SeedElement[] => [
    [0x30060042, 'CS', kind],
    [0x30060046, 'IS', String(points.split('\\').length / 2)],
    [0x30060050, 'DS', points.replace(/([^\\]+\\[^\\]+)(\\|$)/g, `$1\\${z}$2`)],
  ];
  const roi = (number: number, name: string): SeedElement[] => [
    [0x30060022, 'IS', String(number)],
    [0x30060024, 'UI', '1.2.3.4.9'],
    [0x30060026, 'LO', name],
  ];
  const contours = [
    contour(0, 'CLOSED_PLANAR', '-29\\-19\\-21\\-19\\-21\\-12\\-29\\-12'),
    contour(2, 'CLOSED_PLANAR', '-28\\-18\\-22\\-17.5\\-25\\-13'),
    contour(2, 'POINT', '-25\\-16'),
    contour(4, 'CLOSEDPLANAR_XOR', '-29\\-19\\-21\\-19\\-21\\-12\\-29\\-12'),
  ];
  return dicomFile(
    uid,
    [
      [0x00080016, 'UI', '1.2.840.10008.5.1.4.1.1.481.3'],
      [0x00080018, 'UI', '1.2.3.5'],
      [0x00080060, 'CS', 'RTSTRUCT'],
      [0x30060020, 'SQ', [roi(1, 'Lung_L'), roi(2, 'GTV')]],
      [
        0x30060039,
        'SQ',
        [
          [
            [0x30060040, 'SQ', contours],
            [0x30060084, 'IS', '1'],
          ],
          [
            [0x30060040, 'SQ', contours.slice(1, 2)],
            [0x30060084, 'IS', '2'],
          ],
        ],
      ],
    ],
    encoding,
  );
}
