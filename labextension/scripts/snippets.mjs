// For the tests: says what `src/core/snippets.ts` makes of the calls on standard input, [[name, arguments], …].
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { build } from 'esbuild';

const { outputFiles } = await build({
  entryPoints: [join(import.meta.dirname, '../src/core/snippets.ts')],
  bundle: true,
  format: 'esm',
  write: false
});
const made = await import(
  `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`
);
const calls = JSON.parse(readFileSync(0, 'utf-8'));
console.log(JSON.stringify(calls.map(([name, given]) => made[name](...given))));
