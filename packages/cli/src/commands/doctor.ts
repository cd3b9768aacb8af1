/** `quickcolumn doctor`: what this machine offers, with a measured speed. */
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os';
import { availableMemory, formatBytes } from '@quickcolumn/predict';
import { measureSpeed, onnxRuntime } from '@quickcolumn/runtimes';
import { Command } from 'commander';
import { print } from '../terminal.js';

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('show what this machine offers and how fast it is')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Examples:
  quickcolumn doctor
  quickcolumn doctor --json`,
    )
    .action(async ({ json }: { json?: boolean }) => {
      const { gflops } = await measureSpeed(onnxRuntime);
      const available = availableMemory();
      const facts = {
        node: process.version,
        system: `${platform()} ${release()} ${arch()}`,
        processor: cpus()[0]?.model ?? 'unknown',
        cores: cpus().length,
        memory: formatBytes(totalmem()),
        'available memory': available === undefined ? 'unknown' : formatBytes(available),
        'onnxruntime-node': onnxRuntime.version,
        'measured speed': `${gflops.toFixed(0)} GFLOP/s (3D convolution, float32, ${availableParallelism()} threads)`,
      };
      if (json) print(JSON.stringify({ ...facts, gflops }, null, 2));
      else for (const [name, value] of Object.entries(facts)) print(`${name.padEnd(18)} ${value}`);
    });
}
