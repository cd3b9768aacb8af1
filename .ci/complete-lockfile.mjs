// Adds the packages of other platforms to package-lock.json where npm could not.
//
// Tools such as biome ship one optional package for each platform. A registry mirror that carries only some of them
// makes `npm install` leave the others out of the lock file, and `npm ci` of npm 11 then refuses it ("Missing: … from
// lock file"). Each gets an entry with its pinned version, os and cpu (read from its name), so that it is known
// everywhere and installed on its own platform only. Run it after every `npm install` that changes the lock file:
//   node .ci/complete-lockfile.mjs
import { readFileSync, writeFileSync } from 'node:fs';

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const processors = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

function platformOf(name) {
  if (name === 'fsevents') return { os: ['darwin'] };
  const words = name.split('/').at(-1).split('-');
  const os = systems.find((system) => words.includes(system));
  const cpu = processors.find((processor) => words.includes(processor));
  const libc = words.some((word) => word.startsWith('musl'))
    ? 'musl'
    : words.some((word) => word.startsWith('gnu'))
      ? 'glibc'
      : undefined;
  if (!os && !cpu) throw new Error(`no platform in the name ${name}; add it by hand`);
  return { ...(cpu && { cpu: [cpu] }), ...(libc && { libc: [libc] }), ...(os && { os: [os] }) };
}

const path = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(path, 'utf8'));
let added = 0;
for (const [parent, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
  for (const [name, range] of Object.entries(optionalDependencies)) {
    const version = range.replace(/^[\^~]/, '');
    const nested = `${parent}/node_modules/${name}`;
    const hoisted = `node_modules/${name}`;
    if (lock.packages[nested] || lock.packages[hoisted]?.version === version) continue;
    // Platforms' packages are pinned; a range that something satisfies is an ordinary optional package.
    if (lock.packages[hoisted] && range !== version) continue;
    const at = lock.packages[hoisted] ? nested : hoisted;
    const { cpu, libc, os } = platformOf(name);
    lock.packages[at] = { version, cpu, ...(dev && { dev }), ...(libc && { libc }), optional: true, os };
    added++;
  }
}
// npm's own order: the root, then by path.
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`${added} entries added\n`);
