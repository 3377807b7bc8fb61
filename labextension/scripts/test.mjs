// Runs the unit tests with Node's own runner, after bundling them, since Node does not read TypeScript.
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { build } from 'esbuild';

const HERE = join(import.meta.dirname, '..');
const TARGET = join(HERE, 'build/test');

rmSync(TARGET, { recursive: true, force: true });
const tests = readdirSync(join(HERE, 'test')).filter(name => name.endsWith('.test.ts'));
await build({
  absWorkingDir: HERE,
  entryPoints: tests.map(name => `test/${name}`),
  bundle: true,
  format: 'esm',
  logLevel: 'warning',
  outExtension: { '.js': '.mjs' },
  outdir: TARGET,
  platform: 'node',
  target: 'node20'
});
const files = tests.map(name => join(TARGET, name.replace(/\.ts$/, '.mjs')));
process.exit(spawnSync(process.execPath, ['--test', ...files], { stdio: 'inherit' }).status ?? 1);
