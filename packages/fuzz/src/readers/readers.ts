/** The table of readers under test: one row a format, in any package. */
import { configReader } from './config-reader.js';
import { datasetJsonReader, listReader } from './dataset-readers.js';
import { dicomReader, labelsReader, zipReader } from './dicom-readers.js';
import { modelReader } from './model-reader.js';
import { convertedReader, studyReader } from './plausible-readers.js';
import type { FuzzReader } from './reader.js';
import { safetensorsReader } from './safetensors-reader.js';
import { volumeReaders } from './volume-readers.js';

export const readers: readonly FuzzReader[] = [
  ...volumeReaders,
  dicomReader,
  zipReader,
  labelsReader,
  modelReader,
  safetensorsReader,
  configReader,
  listReader,
  datasetJsonReader,
  studyReader,
  convertedReader,
];
