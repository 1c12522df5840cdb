import { build } from 'esbuild';
import { expect, it } from 'vitest';

it('the idle agent loads neither the engine of the drain, nor the controller, the simulation or the log of the controller', async () => {
  const { metafile } = await build({
    entryPoints: [new URL('./agent.ts', import.meta.url).pathname],
    bundle: true,
    splitting: true,
    write: false,
    metafile: true,
    outdir: 'out',
    format: 'esm',
    platform: 'node',
  });
  const loaded = new Set<string>();
  const load = (path: string) => {
    if (loaded.has(path)) return;
    loaded.add(path);
    for (const { path: next, kind } of metafile.outputs[path]?.imports ?? []) if (kind === 'import-statement') load(next);
  };
  const entry =
    Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint?.endsWith('src/main/agent.ts'))?.[0] ?? '';
  load(entry);
  const inputs = [...loaded].flatMap((path) => Object.keys(metafile.outputs[path]?.inputs ?? {}));
  expect(inputs.some((input) => input.endsWith('src/agent/agent.ts'))).toBe(true);
  expect(inputs.filter((input) => /src\/(controller|sim|reasons)\/|src\/engine\/drain|node_modules\/pino/.test(input))).toEqual(
    [],
  );
});
