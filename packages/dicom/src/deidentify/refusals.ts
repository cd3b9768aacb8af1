/**
 * What is not deidentified, because removing attributes does not help: pixels that may show the patient's name, and
 * documents whose text is their content (PS3.15, E.1 and E.3.1).
 */
import { type DataSet, int16, text, texts } from '../data-set/data-set.js';
import { tags } from '../data-set/tags.js';
import { DicomError } from '../dicom-error.js';

/** Kinds of objects that are refused and may be let pass by name, by whoever has looked at the pixels. */
export type RefusalKind = 'burned-in' | 'screen' | 'modality';
export const refusalKinds: readonly RefusalKind[] = ['burned-in', 'screen', 'modality'];

const root = '1.2.840.10008.5.1.4.1.1.';
const ctClass = `${root}2`;
/** CT images, enhanced and legacy converted ones, segmentations, structure sets. */
const cleanClasses: ReadonlyMap<string, string> = new Map([
  [ctClass, 'CT'],
  [`${root}2.1`, 'CT'],
  [`${root}2.2`, 'CT'],
  [`${root}66.4`, 'SEG'],
  [`${root}66.7`, 'SEG'],
  [`${root}481.3`, 'RTSTRUCT'],
]);
/** Images of all kinds, by the beginning of their class. */
const imageClass = /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.(1|2|3|4|6|7|12|13|14|20|77\.1|128|130|481\.1)(\.|$)/;
const captureClass = /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.7(\.|$)/;
/** Terms of image types that screen saves and dose reports have. */
const screenTerm = /SCREEN|CAPTURE|SAVE|DOSE|REPORT|PROTOCOL|\bPROT\b/;
const colour = /^(RGB|YBR|PALETTE|ARGB|CMYK|HSV)/;

const multiFrame = /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.(2\.[12]|66\.[47])$/;
/** Objects whose attributes are functional groups: dates and devices that others may leave out are required there. */
export function isMultiFrame(classUid: string): boolean {
  return multiFrame.test(classUid);
}

/**
 * @param path for errors
 * @param accept kinds that pass all the same
 * @throws DicomError `identifying`
 */
export function checkDeidentifiable(path: string, dataSet: DataSet, accept: readonly RefusalKind[]): void {
  const classUid = text(dataSet, tags.SOPClassUID) ?? '';
  if (!cleanClasses.has(classUid) && !imageClass.test(classUid)) {
    const what = classUid === '' ? 'an object without SOP class' : `an object of class ${classUid}`;
    throw refusal(
      path,
      `${what}: its content is text, or is not known; only images, segmentations and structure sets are`,
    );
  }
  const reasons: readonly (readonly [RefusalKind, string | undefined])[] = [
    ['burned-in', burnedIn(dataSet)],
    ['screen', screen(dataSet, classUid)],
    ['modality', modality(dataSet, classUid)],
  ];
  for (const [kind, reason] of reasons) {
    if (reason !== undefined && !accept.includes(kind)) {
      throw refusal(path, reason, { [`accept ${kind}`]: 'let it pass when the pixels show no text' });
    }
  }
}

function refusal(path: string, reason: string, options?: Readonly<Record<string, string>>): DicomError {
  return new DicomError(path, 'identifying', `${reason}; not deidentified`, options && { options });
}

/** Overlay Bit Position of the first of sixteen groups (PS3.3, C.9.2; retired): 0 for an overlay of its own. */
const firstOverlayBitPosition = 0x60000102;

function burnedIn(dataSet: DataSet): string | undefined {
  const stated = text(dataSet, tags.BurnedInAnnotation) ?? 'NO';
  if (stated !== 'NO') return 'its pixels have text burnt in (Burned In Annotation)';
  const bitPositions = Array.from({ length: 16 }, (_, i) => int16(dataSet, firstOverlayBitPosition + i * 0x20000) ?? 0);
  return bitPositions.some((bit) => bit > 0) ? 'its pixels hold overlays in their unused bits' : undefined;
}

function screen(dataSet: DataSet, classUid: string): string | undefined {
  if (captureClass.test(classUid)) return 'a secondary capture, whose pixels may show names';
  if (!imageClass.test(classUid)) return undefined;
  const [, origin, ...further] = texts(dataSet, tags.ImageType);
  const type = further.join(' ');
  if (screenTerm.test(type) || (origin === 'SECONDARY' && further[0] === 'OTHER')) {
    return 'a screen save or dose report by its image type, whose pixels may show names';
  }
  if (colour.test(text(dataSet, tags.PhotometricInterpretation) ?? '')) {
    return 'a colour image, as screen saves are, whose pixels may show names';
  }
  if (classUid === ctClass && text(dataSet, tags.ImagePositionPatient) === undefined) {
    return 'an image without a position in the patient, as pages of text are';
  }
  return undefined;
}

function modality(dataSet: DataSet, classUid: string): string | undefined {
  const stated = text(dataSet, tags.Modality) ?? 'none';
  // Captures have passed by their own name.
  if (cleanClasses.get(classUid) === stated || captureClass.test(classUid)) return undefined;
  return `modality ${/^[A-Z]{1,16}$/.test(stated) ? stated : 'unknown'}: it is not known that its pixels show no text (CT, SEG and RTSTRUCT are)`;
}

const head = /HEAD|BRAIN|SKULL|FAC(E|IAL)|ORBIT|SINUS|NECK|^EAR$|JAW|^TMJ$|^IAC$|WHOLEBODY/;

/** Whether a face may be seen in a rendering of the scan, which attributes cannot help (PS3.15, E.3.2). */
export function mayShowFace(dataSet: DataSet): boolean {
  if (text(dataSet, tags.RecognizableVisualFeatures) === 'YES') return true;
  return head.test(text(dataSet, tags.BodyPartExamined) ?? '');
}
