/**
 * The runtimes of Node, in the order in which `auto` tries them: the fastest first. A line loads the file that describes
 * a runtime; what is native loads when that is opened.
 */
import type { RuntimeProvider } from './contract/provider.js';
import { chooseFrom, type RuntimeChoice, type RuntimeRequest } from './selection/choose.js';
import { type RuntimeSurvey, surveyFrom } from './selection/survey.js';

type Loading = Promise<{ readonly provider: RuntimeProvider }>;

const providers = {
  webgpu: (): Loading => import('./webgpu/provider.js'),
  onednn: (): Loading => import('./onednn/provider.js'),
  onnx: (): Loading => import('./onnx/provider.js'),
};

export type RuntimeName = 'auto' | keyof typeof providers;
export const runtimeNames: readonly RuntimeName[] = ['auto', ...(Object.keys(providers) as (keyof typeof providers)[])];

/** All of them, there or not, in the order in which `auto` tries them. */
export async function runtimeProviders(): Promise<readonly RuntimeProvider[]> {
  const modules = await Promise.all(Object.values(providers).map((load) => load()));
  return modules.map(({ provider }) => provider);
}

/** As `chooseFrom`, among the runtimes of Node. @throws RuntimeError as there */
export async function chooseRuntime(request: RuntimeRequest<RuntimeName> = {}): Promise<RuntimeChoice> {
  return await chooseFrom(await runtimeProviders(), request);
}

/** As `surveyFrom`, of the runtimes of Node. */
export async function surveyRuntimes(): Promise<RuntimeSurvey[]> {
  return await surveyFrom(await runtimeProviders());
}
