// Installs the packed packages as a user does and runs the command with other versions of Node, from npm's packages of
// Node's binaries: `node tools/try-node-versions.mjs 22 24` (these without arguments). It prints a line for each version
// and fails where one does. Needs a build and the registry.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRegistry } from './local-registry.mjs';
import { packAll } from './pack.mjs';
import { commandScript, installInto, runPlain } from './try-install.mjs';
import { mainPackage } from './workspaces.mjs';

const versions = process.argv.length > 2 ? process.argv.slice(2) : ['22', '24'];
const scratch = mkdtempSync(join(tmpdir(), 'quickcolumn-node-'));
const registry = await startRegistry(packAll({ thisPlatformOnly: true }));
try {
  const program = folder('program');
  await installInto(program, registry.url, [mainPackage]);
  const script = commandScript(program, mainPackage);
  for (const wanted of versions) {
    const system = process.platform === 'win32' ? 'win' : process.platform;
    const name = `node-${system}-${process.arch}`;
    const home = folder(`node${wanted}`);
    await installInto(home, registry.url, [`${name}@${wanted}`]);
    const bin = process.platform === 'win32' ? 'bin/node.exe' : 'bin/node';
    const node = join(home, 'node_modules', name, bin);

    const start = performance.now();
    const { stdout: version } = await runPlain(program, node, ['--version']);
    if (!version.startsWith(`v${wanted}.`)) throw new Error(`asked for Node ${wanted}, got ${version}`);
    const { stdout } = await runPlain(program, node, [script, 'doctor', '--json']);
    /** @type {{ node: string, runtimes: { name: string, version?: string }[] }} */
    const doctor = JSON.parse(stdout);
    if (`${doctor.node}\n` !== version) throw new Error(`doctor ran in ${doctor.node}, not in ${version}`);
    const demo = ['demo', '--out', `demo${wanted}`, '--epochs', '1', '--steps-per-epoch', '1'];
    await runPlain(program, node, [script, ...demo]);
    const seconds = (performance.now() - start) / 1000;
    const found = doctor.runtimes.flatMap((runtime) => (runtime.version === undefined ? [] : [runtime.name]));
    if (!found.includes('onnx')) throw new Error(`Node ${wanted}: ONNX Runtime does not load\n${stdout}`);
    console.log(`Node ${version.trim()}: doctor (${found.join(', ')}) and demo, ${seconds.toFixed(0)} s`);
  }
} finally {
  await registry.close();
  rmSync(scratch, { recursive: true, force: true });
}

/** @param {string} name */
function folder(name) {
  const path = join(scratch, name);
  mkdirSync(path);
  return path;
}
