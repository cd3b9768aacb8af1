/** `quickcolumn doctor`: what this machine offers, with each runtime's measured speed. */
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os';
import { availableMemory, formatBytes } from '@quickcolumn/predict';
import {
  chooseRuntime,
  measureSpeed,
  onnxRuntime,
  openOneDnn,
  openWebGpu,
  precisionsOf,
  type WebGpuRuntime,
} from '@quickcolumn/runtimes';
import { Command } from 'commander';
import { print } from '../terminal.js';

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('show what this machine offers and how fast it is')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Speeds are those of a 3D convolution, in 10⁹ floating-point operations a second.

Examples:
  quickcolumn doctor
  quickcolumn doctor --json`,
    )
    .action(async ({ json }: { json?: boolean }) => {
      const available = availableMemory();
      const speeds = [await measureSpeed(onnxRuntime)];
      const oneDnn = await openOneDnn().catch((error: unknown) => error as Error);
      if (!(oneDnn instanceof Error)) {
        for (const precision of precisionsOf(oneDnn)) speeds.push(await measureSpeed(oneDnn, { precision }));
      }
      const webGpu = await openWebGpu().catch((error: unknown) => error as Error);
      if (!(webGpu instanceof Error)) {
        for (const precision of precisionsOf(webGpu)) speeds.push(await measureSpeed(webGpu, { precision }));
      }
      const { reason } = await chooseRuntime();
      const machine = {
        node: process.version,
        system: `${platform()} ${release()} ${arch()}`,
        processor: cpus()[0]?.model ?? 'unknown',
        cores: cpus().length,
        memory: formatBytes(totalmem()),
        'available memory': available === undefined ? 'unknown' : formatBytes(available),
      };
      if (json) {
        const missing = {
          ...(oneDnn instanceof Error ? { onednn: oneDnn.message } : {}),
          ...(webGpu instanceof Error ? { webgpu: webGpu.message } : {}),
        };
        const adapter = webGpu instanceof Error ? undefined : adapterOf(webGpu);
        print(JSON.stringify({ ...machine, runtimes: speeds, adapter, missing, auto: reason }, null, 2));
        return;
      }
      const lines: [string, string | number][] = Object.entries(machine);
      for (const { runtime, version, precision, gflops } of speeds) {
        const threads = runtime === 'webgpu' ? '' : `, ${availableParallelism()} threads`;
        const title = runtime === 'webgpu' ? runtime : `${runtime} ${version}`;
        lines.push([title, `${gflops.toFixed(0).padStart(5)} GFLOP/s ${precision}${threads}`]);
      }
      if (oneDnn instanceof Error) lines.push(['onednn', oneDnn.message]);
      if (webGpu instanceof Error) lines.push(['webgpu', webGpu.message]);
      else lines.push(...Object.entries(adapterOf(webGpu)));
      lines.push(['auto', reason]);
      for (const [name, value] of lines) print(`${name.padEnd(18)} ${value}`);
    });
}

/** What people want to know of an adapter; the largest binding is the largest tensor that stays in one piece. */
const adapterOf = ({ version, software, features, limits }: WebGpuRuntime): Record<string, string> => ({
  adapter: `${version}${software ? ' (software: for tests, not chosen by itself)' : ''}`,
  'adapter features': features.join(', ') || 'no shader-f16',
  'adapter limits': [
    `binding ${formatBytes(limits.maxStorageBufferBindingSize)}`,
    `buffer ${formatBytes(limits.maxBufferSize)}`,
    `${limits.maxStorageBuffersPerShaderStage} bindings`,
    `${limits.maxComputeInvocationsPerWorkgroup} invocations and ${formatBytes(limits.maxComputeWorkgroupStorageSize)} a workgroup`,
  ].join(', '),
});
