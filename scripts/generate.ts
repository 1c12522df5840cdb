/**
 * Writes the files that are computed from the code. With --check it writes nothing and fails when one of them differs,
 * so that CI refuses a schema whose documents were not written anew.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { referencePage } from '../src/api/reference-page.ts';
import { describeCli } from '../src/cli/reference.ts';
import { scenarioPage } from '../src/sim/scenario/reference-page.ts';
import { chartFiles, crdsFile } from './chart/generated.ts';

const root = new URL('../', import.meta.url);

const generated: Readonly<Record<string, () => string>> = {
  'docs/reference/crds.yaml': crdsFile,
  'docs/reference/resources.md': referencePage,
  'docs/reference/cli.md': describeCli,
  'docs/reference/scenarios.md': scenarioPage,
  ...chartFiles((path) => readFileSync(new URL(path, root), 'utf8')),
};

const check = process.argv.includes('--check');

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

for (const [name, text] of Object.entries(generated)) {
  const path = fileURLToPath(new URL(name, root));
  const wanted = text();
  if (read(path) === wanted) continue;
  if (check) {
    console.error(`${name} is out of date: run npm run generate`);
    process.exitCode = 1;
  } else {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, wanted);
    console.log(`wrote ${name}`);
  }
}
