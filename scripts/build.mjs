// Bundles every entry point into one file each (dist/*.js). Runs on `npm install` (prepare) and by `npm run build`.
import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true }); // chunks of an earlier build
await build({
  entryPoints: { drover: 'src/main/cli.ts' },
  absWorkingDir: new URL('..', import.meta.url).pathname,
  outdir: 'dist',
  bundle: true,
  splitting: true, // each command is a chunk of its own: --help must not load the engine
  chunkNames: 'chunks/[name]-[hash]',
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  // Not the identifiers: stack traces name functions, and `keepNames` would have each closure renamed whenever it is made, which is a hundredth of
  // what a plan takes and 15 MiB of what it keeps.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  define: { __DROVER_VERSION__: JSON.stringify(version) },
  // commander and pino are CommonJS inside: they call require() for node: modules
  banner: { js: "#!/usr/bin/env node\nimport{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
});
chmodSync(new URL('../dist/drover.js', import.meta.url), 0o755);
