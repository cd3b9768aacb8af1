/** `quickcolumn doctor`: what this machine offers, with each runtime's measured speed. */
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os';
import { availableMemory, formatBytes } from '@quickcolumn/predict';
import {
  chooseRuntime,
  measureSpeed,
  onnxRuntime,
  openOneDnn,
  type Precision,
  type Runtime,
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
        const missing = oneDnn instanceof Error ? { onednn: oneDnn.message } : {};
        print(JSON.stringify({ ...machine, runtimes: speeds, missing, auto: reason }, null, 2));
        return;
      }
      const lines: [string, string | number][] = Object.entries(machine);
      for (const { runtime, version, precision, gflops } of speeds) {
        const speed = `${gflops.toFixed(0).padStart(5)} GFLOP/s ${precision}, ${availableParallelism()} threads`;
        lines.push([`${runtime} ${version}`, speed]);
      }
      if (oneDnn instanceof Error) lines.push(['onednn', oneDnn.message]);
      lines.push(['auto', reason]);
      for (const [name, value] of lines) print(`${name.padEnd(18)} ${value}`);
    });
}

const precisionsOf = ({ precision }: Runtime): Precision[] =>
  precision === 'bfloat16' ? ['float32', 'bfloat16'] : [precision];
