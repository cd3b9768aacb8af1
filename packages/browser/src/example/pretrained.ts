/**
 * The pretrained model beside the example's page: `/model/` is the folder of its package. A clone may be without the weights;
 * `model.json`, which is always there, tells. The file is compared with its checksum when it is open.
 */
import { QuickcolumnError } from '@quickcolumn/errors';
import type { ModelTerms } from '@quickcolumn/pipeline';
import type { ModelInfo } from '../index.js';

export interface Pretrained {
  readonly url: URL;
  readonly terms: ModelTerms;
  readonly sha256: string;
}

/** What is used of model.json. */
interface Facts {
  readonly terms: ModelTerms;
  readonly file: { readonly sha256: string } | null;
}

/** The model, or why there is none, for people. */
export async function findPretrained(): Promise<Pretrained | string> {
  const response = await fetch('/model/model.json').catch(() => undefined);
  if (!response?.ok) return 'there is no pretrained model here';
  const { terms, file } = (await response.json()) as Facts;
  if (file === null) return 'the weights of the pretrained model are missing in this clone';
  return { url: new URL('/model/model.onnx', location.href), terms, sha256: file.sha256 };
}

/** @throws QuickcolumnError `model` where the file is not the one that model.json tells of */
export function checkPretrained({ url, sha256 }: Pretrained, info: ModelInfo): void {
  if (info.sha256 === sha256) return;
  const problem = `${url.pathname} is damaged: its SHA-256 is ${info.sha256}, expected ${sha256}`;
  throw new QuickcolumnError('model', `${problem}; install @quickcolumn/model-covid19-ct again`, { url: url.href });
}
