// Bundles the page and its style sheet into the Python package.
import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { build } from 'esbuild';

const HERE = join(import.meta.dirname, '..');
const TARGET = join(HERE, '../automl_jupyter/static');

rmSync(TARGET, { recursive: true, force: true });
await build({
  absWorkingDir: HERE,
  entryPoints: { page: 'src/page/index.tsx', style: 'style/page.css' },
  bundle: true,
  chunkNames: 'part-[name]-[hash]',
  define: { 'process.env.NODE_ENV': '"production"' },
  format: 'esm',
  jsx: 'automatic',
  legalComments: 'linked',
  logLevel: 'warning',
  minify: true,
  outdir: TARGET,
  splitting: true,
  target: 'es2022'
});
