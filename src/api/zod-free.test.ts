import { build } from 'esbuild';
import { expect, it } from 'vitest';

// The engine and the agent use these; a library that came with one of them would be in every agent.
const plain = ['names', 'duration', 'int-or-percent', 'label-selector', 'node-signal', 'objects', 'resources'];

it.each(plain)('%s.ts brings no library into a bundle', async (name) => {
  const { metafile } = await build({
    entryPoints: [new URL(`./${name}.ts`, import.meta.url).pathname],
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
  });
  expect(Object.keys(metafile.inputs).filter((input) => input.includes('node_modules'))).toEqual([]);
});
